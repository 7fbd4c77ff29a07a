"""preprocess: raw pixels and class indexes → inputs in [0, 1], one-hot labels, three parts."""

import math
from collections.abc import Iterator
from pathlib import Path

import click
import numpy as np
from numpy.typing import NDArray

from nn.pixels import scale
from stages.cli import BadParameter, Refusal, Size, path_option, seed_option, stage
from stages.datasets import PARTS, About, Raw
from stages.files import Artifacts, refuse

_ROWS_AT_ONCE = 4_096
# Ground that is darker than this part of the data's own range may be anything.
_BRIGHT = 0.6


@stage("preprocess")
@click.option(
    "--test-size", type=Size(), default=10_000, help="Samples for the test set, or their fraction."
)
@click.option(
    "--validation-size",
    type=Size(),
    default=5_000,
    help="Samples for the validation set, or their fraction of what the test set leaves.",
)
@click.option(
    "--shuffle/--no-shuffle",
    default=False,
    help="Draw the parts at random, with the classes in equal proportions; otherwise the last "
    "samples are the test set (MNIST's official one) and those before it the validation set.",
)
@seed_option()
@path_option("raw", "data/raw", "Folder that `fetch` wrote.")
@path_option("prepared", "data/prepared", "Folder for the prepared arrays.")
def main(
    test_size: float,
    validation_size: float,
    shuffle: bool,
    seed: int,
    raw_path: str,
    prepared_path: str,
) -> None:
    """Scale pixels to [0, 1], encode labels one-hot, split off a validation and a test set.

    \b
    Example:
      python -m stages.preprocess --test-size 0.2 --validation-size 0.1 --shuffle --seed 1
    """
    raw, folder = Raw.read(Path(raw_path)), Path(prepared_path)
    _require_three_of_each(raw, Path(raw_path))
    parts = split(raw.labels, test_size, validation_size, seed if shuffle else None)
    for part, rows in parts.items():
        _require_every_class(part, raw, rows, shuffle)
    pixel_range = full_scale(raw.images, Path(raw_path))
    if has_bright_ground(raw):
        pixel_range = pixel_range[::-1]
    about = About(raw.classes, pixel_range, raw.image_shape)
    one_hot = np.eye(len(raw.classes), dtype=np.float32)
    d, classes = raw.images.shape[1], len(raw.classes)
    float32 = np.dtype(np.float32)
    with Artifacts() as artifacts:
        for part, rows in parts.items():
            images = (scale(raw.images[piece], about.pixel_range) for piece in _pieces(rows))
            labels = (one_hot[raw.labels[piece]] for piece in _pieces(rows))
            shapes = (len(rows), d), (len(rows), classes)
            artifacts.write_rows(folder / f"{part}_images.npy", shapes[0], float32, images)
            artifacts.write_rows(folder / f"{part}_labels.npy", shapes[1], float32, labels)
        about.write(artifacts, folder)
    sizes = ", ".join(f"{len(rows)} {part}" for part, rows in parts.items())
    low, high = about.pixel_range
    click.echo(f"{sizes}; pixels {low:g} to {high:g} became 0 to 1")


def split(
    labels: NDArray, test_size: float, validation_size: float, seed: int | None
) -> dict[str, NDArray[np.intp]]:
    """Row numbers of the train, validation and test parts.

    Args:
        labels: (n,) class indexes.
        test_size: Number of test samples, or their fraction.
        validation_size: Number of validation samples, or their fraction of the rest.
        seed: For a random, stratified split; None keeps the order, with the test set last.

    Raises:
        BadParameter: If a part would be empty, or too small to hold every class.
    """
    n = len(labels)
    rest, test = _split_off("test_size", np.arange(n), labels, test_size, seed)
    train, validation = _split_off("validation_size", rest, labels, validation_size, seed)
    return dict(zip(PARTS, (train, validation, test), strict=True))


def _split_off(
    key: str, rows: NDArray[np.intp], labels: NDArray, size: float, seed: int | None
) -> list[NDArray[np.intp]]:
    # Imported here: it takes a second, and `--help` should not.
    from sklearn.model_selection import train_test_split

    n = len(rows)
    if isinstance(size, int) and size >= n:
        raise BadParameter(
            f"preprocess.{key}: {size} leaves nothing to train on; there are {n} samples here. "
            "Choose less, or a fraction."
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
        raise BadParameter(
            f"preprocess.{key}: {size} of {n} samples leaves one of the parts without a sample, or "
            "without one of every class; choose another size."
        ) from error


def full_scale(images: NDArray, folder: Path) -> tuple[float, float]:
    """The pixel values that become 0 and 1.

    For bytes, 0 and 255, unless the data stays in the lower half of that range; then, and for
    floats, 0 (or the least value, if that is negative) and the greatest value.

    Raises:
        Refusal: If a pixel is not finite, or all are equal; it names the file in `folder`.
    """
    # np.min and np.max, unlike Python's, let a nan of any piece through to the end.
    pieces = [images[rows] for rows in _pieces(np.arange(len(images)))]
    least = float(np.min([piece.min() for piece in pieces]))
    greatest = float(np.max([piece.max() for piece in pieces]))
    path = folder / "images.npy"
    if not math.isfinite(greatest - least):
        raise refuse(path, "it has pixels that are not finite numbers", "fetch")
    if images.dtype == np.uint8 and greatest >= 128:
        return 0.0, 255.0
    low = min(least, 0.0)
    if not low < greatest:
        raise refuse(path, "every pixel has the same value", "fetch")
    return low, greatest


def has_bright_ground(raw: Raw) -> bool:
    """Whether most of the images' borders is paper: ink is then to become 1, as it is in MNIST.

    So that pictures from elsewhere can be shown to the network, whatever their polarity.
    """
    if raw.image_shape is None:
        return False
    on_border = np.ones(raw.image_shape, bool)
    on_border[1:-1, 1:-1] = False
    some = raw.images[:: math.ceil(len(raw.images) / _ROWS_AT_ONCE)]
    low, high = float(some.min()), float(some.max())
    return bool(np.median(some[:, on_border.reshape(-1)]) > low + _BRIGHT * (high - low))


def _pieces(rows: NDArray[np.intp]) -> Iterator[NDArray[np.intp]]:
    for start in range(0, len(rows), _ROWS_AT_ONCE):
        yield rows[start : start + _ROWS_AT_ONCE]


def _require_three_of_each(raw: Raw, folder: Path) -> None:
    counts = np.bincount(raw.labels, minlength=len(raw.classes))
    for name, n in zip(raw.classes, counts, strict=True):
        if n < len(PARTS):
            raise Refusal(
                f"{folder / 'labels.npy'}: class {name} has {n} of the samples, and needs one in "
                "each of the three parts; add samples to the source, or leave the class out."
            )


def _require_every_class(part: str, raw: Raw, rows: NDArray[np.intp], shuffle: bool) -> None:
    counts = np.bincount(raw.labels[rows], minlength=len(raw.classes))
    if counts.all():
        return
    absent = [raw.classes[k] for k in np.flatnonzero(counts == 0)]
    missing = ", ".join(absent[:5]) + (", …" if len(absent) > 5 else "")
    key = "validation_size" if part == "validation" else "test_size"
    advice = (
        "choose a greater size, or more balanced classes"
        if shuffle
        else "set preprocess.shuffle: true, which keeps the classes' proportions, or change the "
        "sizes"
    )
    raise BadParameter(
        f"preprocess.{key}: the {part} part has no sample of class {missing}; {advice}."
    )


if __name__ == "__main__":
    main()
