"""How `predict` reads photographs with flaws, and how often it is wrong without a doubt.

MNIST's test digits are written on sheets, with the flaws of `benchmarks.flaws`. The first half of
the test digits is for development, so the figures are those of the second half.
"""

import io
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import click
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from PIL import Image

from benchmarks import flaws
from benchmarks.common import markdown, mnist

GRIDS = ((3, 1), (3, 3), (4, 2), (1, 4))
_DEVELOPMENT = 5_000


def pictures(
    images: NDArray, labels: NDArray, count: int, rng: Generator
) -> Iterator[tuple[str, str, NDArray]]:
    """Yield the name of a flaw, the digits and the brightness (uint8) of each picture."""

    def some(n: int) -> tuple[NDArray, NDArray]:
        chosen = rng.integers(len(images), size=n)
        return images[chosen], labels[chosen]

    for name, flaw in flaws.FLAWS.items():
        for _ in range(count):
            sheet = flaws.single(*(part[0] for part in some(1)), rng)
            flaw(sheet, rng)
            yield name, sheet.text, flaws.photograph(sheet, rng)
    for name in ("clean", "three specks", "line through the digit", "circled", "underlined"):
        for _ in range(count):
            sheet = flaws.single(*(part[0] for part in some(1)), rng)
            flaws.FLAWS[name](sheet, rng)
            yield f"{name}, bright on dark", sheet.text, flaws.photograph(sheet, rng, inverted=True)
    for _ in range(count):
        sheet = flaws.touching(*some(2), rng)
        yield "two digits that touch", sheet.text, flaws.photograph(sheet, rng)
    for _ in range(count):
        sheet = flaws.row(*some(int(rng.integers(2, 6))), rng.uniform(0.1, 0.5), rng)
        yield "several digits", sheet.text, flaws.photograph(sheet, rng)
    for rows, columns in GRIDS:
        for _ in range(max(1, count // 4)):
            sheet = flaws.grid(*some(rows * columns), rows, columns, rng)
            yield f"table of {rows}×{columns}", sheet.text, flaws.photograph(sheet, rng)


def png(picture: NDArray) -> bytes:
    """The content of a PNG file."""
    file = io.BytesIO()
    Image.fromarray(picture).save(file, "png")
    return file.getvalue()


def answers(folder: Path, model: str) -> dict[str, list[dict]]:
    """What `predict` prints for a folder of pictures, by the name of the file."""
    command = [sys.executable, "-m", "tools.predict", "--json", "--model-path", model, str(folder)]
    found: dict[str, list[dict]] = {}
    for answer in json.loads(subprocess.run(command, capture_output=True, check=False).stdout):
        found.setdefault(Path(answer["image"]).name, []).append(answer)
    return found


@click.command()
@click.option("--count", default=60, show_default=True, help="Pictures of each flaw.")
@click.option("--seed", default=0, show_default=True, help="Of the random numbers.")
@click.option("--development", is_flag=True, help="Use the digits for development.")
@click.option("--model-path", default="data/model/model.npz", show_default=True)
def main(count: int, seed: int, development: bool, model_path: str) -> None:
    """Count how many pictures with flaws `predict` reads."""
    *_, images, targets = mnist()
    part = slice(_DEVELOPMENT) if development else slice(_DEVELOPMENT, None)
    images, labels = images[part].reshape(-1, 28, 28), targets[part].argmax(axis=1)
    truths = {}
    with tempfile.TemporaryDirectory() as folder:
        rng = np.random.default_rng([seed, development])
        for k, (flaw, text, picture) in enumerate(pictures(images, labels, count, rng)):
            truths[f"{k:05}.png"] = flaw, text
            Path(folder, f"{k:05}.png").write_bytes(png(picture))
        read = answers(Path(folder), model_path)
    table: dict[str, list[int]] = {}
    for name, (flaw, text) in truths.items():
        found = read.get(name, [])
        doubted = not found or any("error" in one or one["doubt"] for one in found)
        right = "".join(one.get("label", "") for one in found) == text
        counts = table.setdefault(flaw, [0, 0, 0, 0])
        for k, fact in enumerate((True, right, doubted, not right and not doubted)):
            counts[k] += fact
    header = ("flaw", "pictures", "right", "doubted", "wrong and not doubted")
    total = np.array(list(table.values())).sum(axis=0).tolist()
    rows = [[flaw, *counts] for flaw, counts in table.items()] + [["all", *total]]
    print(markdown({"header": header, "rows": rows}))


if __name__ == "__main__":
    main()
