"""The code of docs/tour.md trains the network that `Trainer` trains, bit for bit; its notebook."""

import re
import sys
from pathlib import Path

import matplotlib.pyplot as plt
import nbformat
import numpy as np
import pytest
from markdown_it import MarkdownIt
from sklearn.datasets import load_digits

import nn.backpropagation
from nn import Trainer, TrainingConfig, save
from tools.notebook import notebook_of

DOCS = Path(__file__).parents[2] / "docs"
TOUR = notebook_of(DOCS / "tour.md")
BLOCKS = [cell.source for cell in TOUR.cells if cell.cell_type == "code"]
# Blocks in the text, which are no cells of the notebook: lines of `nn`, which are indented, and
# code to try, which is not.
_TEXT = MarkdownIt().parse("\n\n".join(c.source for c in TOUR.cells if c.cell_type == "markdown"))
_SHOWN = [token.content for token in _TEXT if token.type == "fence" and token.info == "python"]
QUOTES = [block for block in _SHOWN if block.startswith(" ")]
EXERCISES = [block for block in _SHOWN if not block.startswith(" ")]

EPOCHS = 5


@pytest.fixture
def trainer(tmp_path, monkeypatch):
    """A trainer that has written its model of a few hundred digits, as `dvc repro` does."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "1")  # which the first block sets
    monkeypatch.setattr(plt, "show", lambda: None)
    small, labels = load_digits(return_X_y=True)
    pixels = [np.pad(np.kron(image.reshape(8, 8) * 15, np.ones((3, 3))), 2) for image in small]
    images = (np.reshape(pixels, (-1, 784)) / 255).astype(np.float32)
    for folder in ("prepared", "model"):
        Path("data", folder).mkdir(parents=True)
    # The last minibatch of the training images has three.
    rows = {"train": slice(1003), "validation": slice(1003, 1400), "test": slice(1400, None)}
    for part, chosen in rows.items():
        np.save(f"data/prepared/{part}_images.npy", images[chosen])
        np.save(f"data/prepared/{part}_labels.npy", np.eye(10, dtype=np.float32)[labels[chosen]])
    trainer = Trainer(
        TrainingConfig(epochs=EPOCHS), sizes=(784, 10), seed=0, pixel_range=(0.0, 255.0)
    )
    for _ in trainer.train_epochs(*_training_data()):
        pass
    with Path("data/model/model.npz").open("wb") as file:
        save(trainer.result, file)
    return trainer


def _training_data():
    return [np.load(f"data/prepared/train_{kind}.npy") for kind in ("images", "labels")]


@pytest.fixture
def tour(trainer):
    """The variables after all blocks, with fewer epochs than 30."""
    code = "\n".join(BLOCKS)
    assert code.count("(epochs=30)") == 1
    variables = {"__name__": "tour"}
    exec(compile(code.replace("(epochs=30)", f"(epochs={EPOCHS})"), "tour", "exec"), variables)
    plt.close("all")
    return variables


def test_the_blocks_give_the_bits_of_the_trainer(tour, trainer):
    found = trainer.result
    expected = [found.weights[0], found.biases[0], found.weights[1], found.biases[1]]
    for mine, theirs in zip(tour["network"], expected, strict=True):
        np.testing.assert_array_equal(mine, theirs)
    assert tour["model"]["weights_0"].dtype == np.float32
    assert tour["accuracy"](tour["network"], *tour["test"]) > 0.8  # they have learned something


def test_the_exercises_run(tour):
    assert len(EXERCISES) >= 7
    for block in EXERCISES:
        exec(compile(block, "exercise", "exec"), tour)


def test_the_articles_loop_takes_the_same_steps(tour):
    (code,) = (block for block in EXERCISES if "step_by_image" in block)
    exec(compile(code, "exercise", "exec"), tour)
    one, other = (tour["new_network"](np.random.default_rng(1)) for _ in range(2))
    x, y = tour["images"][:10], tour["targets"][:10]
    tour["step"](one, x, y, 3.0)
    tour["step_by_image"](other, x, y, 3.0)
    start = tour["new_network"](np.random.default_rng(1))
    for a, b, before in zip(one, other, start, strict=True):
        assert not np.array_equal(a, before)
        np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-15)


def test_the_lines_of_nn_are_there_and_run(trainer):
    file = nn.backpropagation.__file__
    source, ran = Path(file).read_text(), set()

    def trace(frame, event, _):
        if frame.f_code.co_filename != file:
            return None
        ran.add(frame.f_lineno)
        return trace

    again, before = Trainer(trainer.config, sizes=(784, 10), seed=0), sys.gettrace()
    sys.settrace(trace)
    try:
        next(again.train_epochs(*_training_data()))
    finally:
        sys.settrace(before)
    assert len(QUOTES) == 2
    for quote in QUOTES:
        assert source.count(quote) == 1, quote
        first = source[: source.index(quote)].count("\n") + 1
        assert set(range(first, first + quote.count("\n"))) <= ran, quote


def test_the_notebook_is_made_from_the_text():
    notebook = nbformat.read(DOCS / "tour.ipynb", as_version=4)
    assert [(c.id, c.cell_type, c.source) for c in notebook.cells] == [
        (c.id, c.cell_type, c.source) for c in TOUR.cells
    ], "run make docs"
    assert notebook.metadata == {"language_info": {"name": "python"}}
    assert all(not cell.metadata for cell in notebook.cells)


def test_the_comments_of_the_blocks_are_the_outputs_of_the_notebook():
    notebook = nbformat.read(DOCS / "tour.ipynb", as_version=4)
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in cells] == [*range(1, len(cells) + 1)]
    for cell in cells:
        printed = "".join(output.get("text", "") for output in cell.outputs)
        assert re.findall(r"^# (.*)$", cell.source, re.MULTILINE) == printed.splitlines()
    assert [o.output_type for c in cells for o in c.outputs].count("display_data") == 1
