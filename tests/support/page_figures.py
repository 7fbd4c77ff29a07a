"""The figures of docs/page.md: how the page reads drawings, and which predictions are not sure.

python tests/support/page_figures.py     # after `dvc repro`, in the project's folder
"""

from collections import Counter
from contextlib import contextmanager
from pathlib import Path

import browser
import numpy as np
from drawings import call, placed
from handwriting import SHAPES, drawings, slashed_zeros

from nn import load
from stages.common.verdict import verdict

READ = """(drawings) => drawings.map((places) => {
    strokes = places;
    return Array.from(network.scores(prepared()));
})"""


@contextmanager
def opened(path):
    """The page in the file `path`, in a browser."""
    with browser.chromium() as chromium:
        page = chromium.new_page()
        page.goto(path.resolve().as_uri())
        yield page


def read_drawings(page, shapes=SHAPES):
    """(digit, hand, scores) of each drawing of the shapes, as the page reads it."""
    digits, hands, strokes = zip(*drawings(shapes), strict=True)
    return list(zip(digits, hands, call(page, READ, placed(page, strokes)), strict=True))


def doubts(folder):
    """Fractions of right and of wrong predictions for validation images that are not sure."""
    network = load(folder / "model/model.npz")
    images, labels = (
        np.load(folder / f"prepared/validation_{kind}.npy") for kind in ("images", "labels")
    )
    scores = network.scores(images)
    right = scores.argmax(axis=1) == labels.argmax(axis=1)
    doubted = np.array([verdict(row) is not None for row in scores])
    return doubted[right].mean(), doubted[~right].mean()


def main():
    """Print the figures for the model and the page in `data/`."""
    right, wrong = doubts(Path("data"))
    print(f"not sure: {right:.1%} of right, {wrong:.0%} of wrong predictions (validation images)")
    with opened(Path("data/export/page.html")) as page:
        read = read_drawings(page)
        zeros = {reach: read_drawings(page, slashed_zeros(reach)) for reach in (0.8, 1.2)}
    mistakes = Counter(hand for digit, hand, scores in read if str(np.argmax(scores)) != digit)
    unsure = sum(verdict(scores) is not None for _, _, scores in read)
    print(f"{len(read)} drawings: {len(read) - mistakes.total()} right, {unsure} not sure")
    print("wrong, by hand:", dict(mistakes))
    for reach, answers in zeros.items():
        found = [int(np.argmax(scores)) for _, _, scores in answers]
        counts = f"{found.count(0)} as 0, {found.count(8)} as 8"
        print(f"{len(found)} zeros with a slash of {reach} of their size: {counts}")


if __name__ == "__main__":
    main()
