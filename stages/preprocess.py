"""Stage `preprocess`: scale pixels, deslant images, encode labels one-hot, split into parts."""

import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import click
import numpy as np
from numpy.typing import NDArray

from nn.images.framing import Framing
from nn.images.info import DatasetInfo
from nn.images.pixels import border, is_range, scale
from stages.common.command_line.command import path_option, seed_option, stage
from stages.common.command_line.errors import ParameterError, StageError
from stages.common.command_line.parameter_types import Size
from stages.common.command_line.terminal import listing
from stages.common.files.artifacts import Artifacts, invalid_artifact
from stages.common.files.prepared_data import PARTS, write_info
from stages.common.files.raw_data import Raw
from stages.common.photographs.framing import framing_of

_ROWS_AT_ONCE = 4_096
# A background is bright if it is above this fraction of the range of pixel values.
_BRIGHT = 0.6
# Maximum number of training images whose framing is measured; about 60 MB for MNIST.
_MEASURED = 20_000


OWN = "own"


class PartSize(Size):
    """A `Size`, or the word own: the part that the data set has."""

    name = "count|fraction|own"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the count, the fraction or the word; raises `click.BadParameter` otherwise."""
        return value if value == OWN else super().convert(value, param, ctx)


@stage("preprocess", writes="prepared")
@click.option(
    "--test-size",
    type=PartSize(),
    default=10_000,
    help="Samples in the test set, or their fraction; own: the test set that the data set has.",
)
@click.option(
    "--validation-size",
    type=PartSize(),
    default=5_000,
    help="Samples in the validation set, or their fraction of those outside the test set; own: the "
    "validation set that the data set has.",
)
@click.option(
    "--shuffle/--no-shuffle",
    default=False,
    help="Split at random, with the classes in equal proportions; otherwise the last samples are "
    "the test set (MNIST's official one) and those before them the validation set. Parts of the "
    "data set's own stay as they are.",
)
@seed_option()
@click.option(
    "--deslant/--no-deslant",
    default=False,
    help="Shear every image so that its strokes are upright, and move it to the middle.",
)
@path_option("raw", "data/raw", "Folder that `fetch` wrote.")
@path_option("prepared", "data/prepared", "Folder for the prepared arrays.")
def main(
    test_size: float | str,
    validation_size: float | str,
    shuffle: bool,
    seed: int,
    deslant: bool,
    raw_path: str,
    prepared_path: str,
) -> None:
    """Scale pixels to [0, 1], encode labels one-hot, and split off a validation and a test set.

    \b
    Example:
      python -m stages.preprocess --test-size 0.2 --validation-size 0.1 --shuffle --seed 1
    """
    raw, folder = Raw.read(Path(raw_path)), Path(prepared_path)
    if deslant and raw.image_shape is None:
        raise ParameterError(
            "preprocess.deslant: expected false, because height and width of the images of "
            f"{raw.images.shape[1]} pixels are unknown, got true."
        )
    _require_three_of_each(raw, Path(raw_path))
    parts = split(raw.labels, test_size, validation_size, seed if shuffle else None, raw.parts)
    for part, rows in parts.items():
        _require_every_class(part, raw, rows, shuffle)
    low, high = pixel_range(raw.images, Path(raw_path))
    if has_bright_background(raw):
        low, high = high, low
    framing = _framing(raw, parts["train"], (low, high))
    info = DatasetInfo(tuple(raw.classes), (low, high), raw.image_shape, deslant, framing)
    _write(raw, parts, info, folder)
    sizes = ", ".join(f"{len(rows)} {part}" for part, rows in parts.items())
    and_deslanted = ", images deslanted" if deslant else ""
    click.echo(f"{sizes}; pixels scaled from {low:g}…{high:g} to 0…1{and_deslanted}")


def _write(raw: Raw, parts: dict[str, NDArray[np.intp]], info: DatasetInfo, folder: Path) -> None:
    """Write the arrays of all parts, in blocks of rows, and `about.json`."""
    one_hot = np.eye(len(raw.classes), dtype=np.float32)
    with Artifacts() as artifacts:
        for part, rows in parts.items():
            images = (info.prepare(raw.images[block]) for block in _blocks(rows))
            labels = (one_hot[raw.labels[block]] for block in _blocks(rows))
            for name, values, width in (
                ("images", images, raw.images.shape[1]),
                ("labels", labels, len(raw.classes)),
            ):
                path = folder / f"{part}_{name}.npy"
                artifacts.write_rows(path, (len(rows), width), np.dtype(np.float32), values)
        write_info(info, artifacts, folder)


def _framing(raw: Raw, rows: NDArray[np.intp], pixel_range: tuple[float, float]) -> Framing | None:
    """The framing of at most `_MEASURED` training images; None if their shape is unknown."""
    if raw.image_shape is None:
        return None
    some = rows[:: math.ceil(len(rows) / _MEASURED)]
    return framing_of(scale(raw.images[some], pixel_range), raw.image_shape)


def split(
    labels: NDArray,
    test_size: float | str,
    validation_size: float | str,
    seed: int | None,
    parts: Mapping[str, int] = MappingProxyType({}),
) -> dict[str, NDArray[np.intp]]:
    """Split a data set into train, validation and test parts.

    Args:
        labels: (n,) class indexes.
        test_size: Number of test samples, or their fraction; own for those of `parts`.
        validation_size: Number of validation samples, or their fraction of the others; or own.
        seed: Seed of a random, stratified split; None keeps the order, with the test set last.
        parts: Numbers of samples of the parts that the data set has, in the order of the samples.

    Returns:
        Row numbers of each part, by its name.

    Raises:
        ParameterError: If a part would be empty, or too small for all classes.
    """
    rows = np.arange(len(labels))
    ends = np.cumsum(list(parts.values()))[:-1]
    stored = dict(zip(parts, np.split(rows, ends), strict=True)) if parts else {}
    for part, size in (("test", test_size), ("validation", validation_size)):
        if size == OWN and part not in stored:
            found = f"the parts {', '.join(parts)}" if parts else "a data set in one piece"
            raise ParameterError(
                f"preprocess.{part}_size: expected a number of samples or a fraction, because the "
                f"data set has no {part} part of its own, got own for {found}."
            )
    if test_size == OWN:
        test, rest = stored["test"], np.setdiff1d(rows, stored["test"])
    else:
        rest, test = _split_off("test_size", rows, labels, test_size, seed)
    if validation_size == OWN:
        validation = np.intersect1d(stored["validation"], rest)
        train = np.setdiff1d(rest, validation)
    else:
        train, validation = _split_off("validation_size", rest, labels, validation_size, seed)
    return dict(zip(PARTS, (train, validation, test), strict=True))


def _split_off(
    key: str, rows: NDArray[np.intp], labels: NDArray, size: float | str, seed: int | None
) -> list[NDArray[np.intp]]:
    # Imported here: scikit-learn takes a second to import, and `--help` should be fast.
    from sklearn.model_selection import train_test_split

    n = len(rows)
    if isinstance(size, int) and size >= n:
        raise ParameterError(
            f"preprocess.{key}: expected fewer than {n} samples, to leave some for training, got "
            f"{size}; choose a smaller number, or a fraction."
        )
    try:
        return train_test_split(
            rows,
            test_size=size,
            shuffle=seed is not None,
            random_state=seed,
            stratify=None if seed is None else labels[rows],
        )
    except ValueError as error:
        raise ParameterError(
            f"preprocess.{key}: expected a size that leaves samples of all classes in each "
            f"part, got {size} of {n} samples; choose another size."
        ) from error


def pixel_range(images: NDArray, folder: Path) -> tuple[float, float]:
    """Choose the pixel values that are scaled to 0 and 1.

    For uint8, these are 0 and 255, unless all values are below 128; then, and for floats, they are
    0 (or the minimum, if that is negative) and the maximum.

    Args:
        images: (n, d) uint8 or float32.
        folder: Folder of the images, for error messages.

    Raises:
        StageError: If a pixel is not finite, all are equal, or their span is not a float32.
    """
    # Unlike Python's min and max, NumPy's propagate nan.
    blocks = [images[rows] for rows in _blocks(np.arange(len(images)))]
    minimum = float(np.min([block.min() for block in blocks]))
    maximum = float(np.max([block.max() for block in blocks]))
    path = folder / "images.npy"
    if not math.isfinite(maximum - minimum):
        raise invalid_artifact(path, "expected finite pixel values, got others", "fetch")
    if images.dtype == np.uint8 and maximum >= 128:
        return 0.0, 255.0
    low = min(minimum, 0.0)
    if not low < maximum:
        raise invalid_artifact(path, f"expected different pixel values, got only {low:g}", "fetch")
    if not is_range(low, maximum):
        fault = f"expected pixel values that span at most {np.finfo(np.float32).max:.2g}"
        raise invalid_artifact(path, f"{fault}, got {low:g} to {maximum:g}", "fetch")
    return low, maximum


def has_bright_background(raw: Raw) -> bool:
    """Whether the median pixel on the borders of the images is bright.

    Such images are inverted, so that all models expect bright strokes on a dark background, as in
    MNIST.
    """
    if raw.image_shape is None:
        return False
    some = raw.images[:: math.ceil(len(raw.images) / _ROWS_AT_ONCE)]
    low, high = float(some.min()), float(some.max())
    on_border = some[:, border(raw.image_shape).reshape(-1)]
    return bool(np.median(on_border) > low + _BRIGHT * (high - low))


def _blocks(rows: NDArray[np.intp]) -> Iterator[NDArray[np.intp]]:
    for start in range(0, len(rows), _ROWS_AT_ONCE):
        yield rows[start : start + _ROWS_AT_ONCE]


def _require_three_of_each(raw: Raw, folder: Path) -> None:
    counts = np.bincount(raw.labels, minlength=len(raw.classes))
    for name, n in zip(raw.classes, counts, strict=True):
        if n < len(PARTS):
            raise StageError(
                f"{folder / 'labels.npy'}: expected at least {len(PARTS)} samples of class {name}, "
                f"one per part, got {n}; add samples to the source, or remove the class."
            )


def _require_every_class(part: str, raw: Raw, rows: NDArray[np.intp], shuffle: bool) -> None:
    counts = np.bincount(raw.labels[rows], minlength=len(raw.classes))
    if counts.all():
        return
    absent = [raw.classes[k] for k in np.flatnonzero(counts == 0)]
    missing = listing(absent, 5)
    key = "validation_size" if part == "validation" else "test_size"
    advice = (
        "choose a larger size" if shuffle else "set preprocess.shuffle: true, or change the sizes"
    )
    raise ParameterError(
        f"preprocess.{key}: expected samples of all classes in the {part} part, got none of class "
        f"{missing}; {advice}."
    )


if __name__ == "__main__":
    main()
