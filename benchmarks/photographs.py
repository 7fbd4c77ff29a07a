"""How `predict` reads photographs with flaws, and how often it is wrong without a doubt.

MNIST's test digits are written on sheets, with the flaws of `benchmarks.flaws`. The first half of
the test digits is for development, so the figures are those of the second half.
"""

import io
from collections.abc import Iterator
from typing import NamedTuple

import click
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from PIL import Image

from benchmarks import sheets
from benchmarks.common import markdown, mnist
from benchmarks.flaws import FLAWS
from nn import Ensemble, Network, load
from stages.common.photographs.files import read_picture
from stages.common.photographs.ink import BlankImageError
from stages.common.photographs.verdict import FLAW_MARGIN, LEAST_MARGIN, verdict
from tools.photographs.model_inputs import model_inputs

GRIDS = ((3, 1), (3, 3), (4, 2), (1, 4))
_DEVELOPMENT = 5_000
_CLEAN, _OTHER = ("clean", "clean, bright on dark"), ("several digits", "two digits that touch")
_MARGINS, _STRICT = (0.0, 0.05, 0.1, 0.15, 0.2, 0.3, 0.5), (0.15, 0.3, 0.5, 0.7, 0.8, 0.9, 0.95)


def pictures(
    images: NDArray, labels: NDArray, count: int, rng: Generator
) -> Iterator[tuple[str, str, NDArray]]:
    """Yield the name of a flaw, the digits and the brightness (uint8) of each picture."""

    def some(n: int) -> tuple[NDArray, NDArray]:
        chosen = rng.integers(len(images), size=n)
        return images[chosen], labels[chosen]

    for name, flaw in FLAWS.items():
        for _ in range(count):
            sheet = sheets.single(*(part[0] for part in some(1)), rng)
            flaw(sheet, rng)
            yield name, sheet.text, sheets.photograph(sheet, rng)
    for _ in range(4 * count):
        sheet = sheets.single(*(part[0] for part in some(1)), rng)
        yield "clean", sheet.text, sheets.photograph(sheet, rng)
    for name in ("clean", "three specks", "line through the digit", "circled", "underlined"):
        for _ in range(count):
            sheet = sheets.single(*(part[0] for part in some(1)), rng)
            FLAWS[name](sheet, rng)
            yield (
                f"{name}, bright on dark",
                sheet.text,
                sheets.photograph(sheet, rng, inverted=True),
            )
    for _ in range(count):
        sheet = sheets.touching(*some(2), rng)
        yield "two digits that touch", sheet.text, sheets.photograph(sheet, rng)
    for _ in range(count):
        sheet = sheets.row(*some(int(rng.integers(2, 6))), rng.uniform(0.1, 0.5), rng)
        yield "several digits", sheet.text, sheets.photograph(sheet, rng)
    for rows, columns in GRIDS:
        for _ in range(max(1, count // 4)):
            sheet = sheets.grid(*some(rows * columns), rows, columns, rng)
            yield f"table of {rows}×{columns}", sheet.text, sheets.photograph(sheet, rng)


def png(picture: NDArray) -> bytes:
    """The content of a PNG file."""
    file = io.BytesIO()
    Image.fromarray(picture).save(file, "png")
    return file.getvalue()


class Reading(NamedTuple):
    """What was read on a picture.

    Attributes:
        flaw: Name of the flaw.
        is_right: Whether all digits were read.
        is_doubted: Whether a digit is doubted, or nothing was found.
        margins: Of each digit, the margin between its two highest scores, and the least margin
            of a sure prediction.
    """

    flaw: str
    is_right: bool
    is_doubted: bool
    margins: list[tuple[float, float]]

    def is_sure(self, usual: float, other: float) -> bool:
        """Whether it would not be doubted if a least margin were another one."""
        return all(m >= (other if least == usual else least) for m, least in self.margins)


def reading(model: Network | Ensemble, flaw: str, text: str, picture: NDArray) -> Reading:
    """Read a picture as `predict` does."""
    content = png(picture)
    try:
        digits = model_inputs(model, content, read_picture(content))
    except BlankImageError:
        return Reading(flaw, False, True, [(0.0, 1.0)])
    scores = np.array([model.scores(digit.image.reshape(-1)) for digit in digits])
    found = "".join(model.classes[k] for k in scores.argmax(axis=1))
    doubts = [verdict(s, d.least_margin) for s, d in zip(scores, digits, strict=True)]
    ordered = np.sort(scores, axis=1)
    return Reading(
        flaw,
        found == text,
        any(doubts),
        [(s[-1] - s[-2], digit.least_margin) for s, digit in zip(ordered, digits, strict=True)],
    )


def table(readings: list[Reading]) -> str:
    """The counts for each flaw."""
    header = ("flaw", "pictures", "right", "doubted", "wrong and not doubted")
    rows: list[list] = []
    for name in [*dict.fromkeys(r.flaw for r in readings), "all"]:
        some = [r for r in readings if name in (r.flaw, "all")]
        wrong = sum(not r.is_right and not r.is_doubted for r in some)
        counts = (sum(r.is_right for r in some), sum(r.is_doubted for r in some), wrong)
        rows.append([name, len(some), *counts])
    return markdown({"header": header, "rows": rows})


def curve(readings: list[Reading]) -> str:
    """Doubt for other margins: `LEAST_MARGIN` for clean pictures, `FLAW_MARGIN` for the others."""
    header = ("pictures", "least margin", "doubted", "wrong of those not doubted")
    clean = [r for r in readings if r.flaw in _CLEAN]
    flawed = [r for r in readings if r.flaw not in (*_CLEAN, *_OTHER)]
    rows = []
    for name, some, usual, margins in (
        ("clean", clean, LEAST_MARGIN, _MARGINS),
        ("with flaws", flawed, FLAW_MARGIN, _STRICT),
    ):
        for margin in margins:
            sure = [r for r in some if r.is_sure(usual, margin)]
            wrong = sum(not r.is_right for r in sure) / max(1, len(sure))
            rows.append([name, f"{margin:.2f}", f"{1 - len(sure) / len(some):.1%}", f"{wrong:.1%}"])
    return markdown({"header": header, "rows": rows})


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
    model, rng = load(model_path), np.random.default_rng([seed, development])
    readings = [reading(model, *one) for one in pictures(images, labels, count, rng)]
    print(f"{table(readings)}\n\n{curve(readings)}")


if __name__ == "__main__":
    main()
