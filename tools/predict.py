"""Command `predict`: classify pictures of digits."""

import errno
import json
import sys
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any, NamedTuple

import click
import numpy as np
from numpy.typing import NDArray

from nn import Classifier, Ensemble, Network
from stages.common.command_line.command import copies_option, path_option, stage
from stages.common.command_line.errors import StageError
from stages.common.command_line.terminal import echo, listing
from stages.common.files.artifacts import Artifacts
from stages.common.files.image_files import CONVERSION, FORMATS, UnreadableError
from stages.common.models.model_files import augmented, read_model
from stages.common.photographs.files import pictures_in, read_picture
from stages.common.photographs.ink import BlankImageError
from stages.common.photographs.segmentation import Digit
from stages.common.photographs.verdict import verdict
from stages.sources.csv import read_unlabelled
from tools.photographs.model_inputs import model_inputs, submitted_images

# Names of skipped files that a warning lists.
_NAMED = 10
# A smaller probability of the second class is 0.0 %, and not printed.
_LEAST_SHOWN = 0.0005


class Prediction(NamedTuple):
    """The two most probable classes of a digit on a picture.

    Attributes:
        name: Name of the file.
        box: Left, top, right and bottom, as fractions of the picture's width and height.
        image: (height, width) input of the network.
        labels: The most probable class and the second most probable one.
        confidences: Their probabilities.
        doubt: Why the prediction is not reliable; None if it is. See `verdict`.
    """

    name: str
    box: tuple[float, float, float, float]
    image: NDArray
    labels: tuple[str, str]
    confidences: tuple[float, float]
    doubt: str | None

    def as_json(self) -> dict[str, Any]:
        """The content of the JSON output."""
        return {
            "image": self.name,
            "box": [round(place, 4) for place in self.box],
            "label": self.labels[0],
            "confidence": self.confidences[0],
            "runner_up": self.labels[1],
            "runner_up_confidence": self.confidences[1],
            "doubt": self.doubt,
        }


@stage("predict")
@click.argument("image", type=click.Path(), nargs=-1)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--show", type=click.Path(), help="Write the prepared images to this PNG file.")
@click.option(
    "--submission",
    type=click.Path(),
    help="Write a submission to Kaggle's Digit Recognizer to this CSV file; IMAGE is test.csv. If "
    "that has a column of ids, as Kannada-MNIST's, so has the submission.",
)
@copies_option()
@path_option("model", "data/model/model.npz", "File written by `train` or `tools.combine`.")
def main(
    image: tuple[str, ...],
    as_json: bool,
    show: str | None,
    submission: str | None,
    copies: int,
    model_path: str,
) -> None:
    """Classify the digits on each IMAGE.

    IMAGE is a PNG or JPEG file, a folder of them, or - for standard input. Photographs, scans and
    screenshots may have any size and be dark on bright or bright on dark. Several digits are read
    from left to right; --json has an entry for each, with the left, top, right and bottom of its
    box as fractions of the picture's width and height. Unreliable predictions are marked as "not
    sure" or "unlike any class".

    \b
    Example:
      python -m tools.predict photo.jpg drawings/ --show seen.png
    """
    if not all(image) or not image:
        raise click.UsageError(
            "predict: expected at least one IMAGE; give a file, a folder, or - for standard input."
        )
    if image.count("-") > 1:
        raise click.UsageError("predict: expected - at most once, because it is standard input.")
    if submission is not None and (as_json or show is not None):
        raise click.UsageError("predict: --submission cannot be combined with --json or --show.")
    model = read_model(Path(model_path))
    classifier = augmented(model, "predict", copies)
    if submission is not None:
        _submit(model, classifier, image, Path(submission))
        return
    if model.image_shape is None:
        raise StageError(
            f"{model_path}: expected a model with a known image shape, got one with "
            f"{model.members[0].sizes[0]} inputs; train it on images whose height and width are "
            "known."
        )
    predictions: list[Prediction] = []
    pictures: dict[str, NDArray] = {}
    report: list[dict[str, Any]] = []
    failed = False
    for name, content in _contents(image):
        try:
            if isinstance(content, OSError):
                raise UnreadableError(content.strerror or str(content)) from content
            picture = read_picture(content)
            found = _predict(classifier, name, model_inputs(model, content, picture))
        except (UnreadableError, BlankImageError) as error:
            failed = True
            report.append({"image": name, "error": str(error)})
            echo(f"Error: {name}: {error}.", err=True)
        else:
            predictions += found
            report += [prediction.as_json() for prediction in found]
            if len(found) > 1 and show is not None:
                pictures[name] = picture
            if not as_json:
                echo(_line(found))
    if as_json:
        click.echo(json.dumps(report, indent=2))
    if show is not None and predictions:
        _show(predictions, pictures, Path(show))
    if failed:
        sys.exit(1)


def _contents(arguments: Sequence[str]) -> Iterator[tuple[str, bytes | OSError]]:
    """Yield the name and the content of each picture, or the error that occurred."""
    for name in arguments:
        path = Path(name)
        if name == "-":
            yield "standard input", sys.stdin.buffer.read()
            continue
        try:
            paths, skipped = pictures_in(path) if path.is_dir() else ([path], [])
        except OSError as error:
            yield name, error
            continue
        if skipped:
            echo(
                f"Warning: {name}: skipped {listing(skipped, _NAMED)} ({len(skipped)}); expected "
                f"image files ({', '.join(FORMATS)}); if one is a picture, {CONVERSION}.",
                err=True,
            )
        if not paths:
            yield name, OSError(errno.ENOENT, "expected pictures in this folder, got none")
        for file in paths:
            try:
                yield str(file), file.read_bytes()
            except OSError as error:
                yield str(file), error


def _predict(classifier: Classifier, name: str, digits: Sequence[Digit]) -> list[Prediction]:
    """Predict each digit on a picture."""
    predictions = []
    for box, image, least_margin in digits:
        inputs = image.reshape(-1)
        probabilities = classifier.probabilities(inputs)
        doubt = verdict(classifier.scores(inputs), least_margin)
        first, second = np.argsort(-probabilities, kind="stable")[:2]
        labels = classifier.classes[first], classifier.classes[second]
        confidences = float(probabilities[first]), float(probabilities[second])
        predictions.append(Prediction(name, box, image, labels, confidences, doubt))
    return predictions


def _line(predictions: Sequence[Prediction]) -> str:
    """The line to print for the digits of one picture."""
    name, labels = predictions[0].name, [prediction.labels[0] for prediction in predictions]
    if len(predictions) > 1:
        each = ", ".join(f"{p.labels[0]} {p.confidences[0]:.1%}{_doubt(p)}" for p in predictions)
        between = "" if all(len(label) == 1 for label in labels) else " "
        return f"{name}: {between.join(labels)}  ({each})"
    (first, second), (high, low) = predictions[0].labels, predictions[0].confidences
    then = f"  (then {second}, {low:.1%})" if low >= _LEAST_SHOWN else ""
    return f"{name}: {first}  {high:.1%}{_doubt(predictions[0])}{then}"


def _doubt(prediction: Prediction) -> str:
    return f" {prediction.doubt}" if prediction.doubt else ""


def _show(predictions: Sequence[Prediction], pictures: Mapping[str, NDArray], path: Path) -> None:
    """Write the inputs of the network to a PNG file, after the picture if it has several digits."""
    # Imported here, so that `--help` need not wait a second for Matplotlib.
    from stages.reporting.galleries import gallery_png
    from tools.photographs.tiles import enlarged, framed

    tiles, captions, names = [], [], []
    for name, digits in groupby(predictions, lambda prediction: prediction.name):
        found = list(digits)
        if name in pictures:
            tiles.append(framed(pictures[name], [p.box for p in found], found[0].image.shape))
            captions.append(f"{len(found)} digits")
            names.append(name)
        tiles += [enlarged(prediction.image) for prediction in found]
        captions += [f"{p.labels[0]}  {p.confidences[0]:.0%}" for p in found]
        names += [name] * len(found)
    short = ["\n".join(textwrap.wrap(_end(Path(name).name, 30), 16)) for name in names]
    title = "prepared images and predictions"
    with Artifacts() as artifacts, artifacts.open(path) as file:
        file.write(gallery_png(title, np.array(tiles), captions, short))


def _end(text: str, length: int) -> str:
    return text if len(text) <= length else f"…{text[1 - length :]}"


def _submit(
    model: Network | Ensemble, classifier: Classifier, names: Sequence[str], path: Path
) -> None:
    if len(names) != 1:
        raise click.UsageError(
            f"predict: --submission expected one IMAGE, Kaggle's test.csv, got {len(names)}."
        )
    pixels, ids, column = read_unlabelled(Path(names[0]))
    if pixels.shape[1] != (expected := model.members[0].sizes[0]):
        raise StageError(
            f"{names[0]}: expected images of {expected} pixels, as the model takes, "
            f"got {pixels.shape[1]}."
        )
    images = submitted_images(model, pixels)
    if images is None:
        low, high = sorted(model.pixel_range)
        raise StageError(
            f"{names[0]}: expected pixels from {low:g} to {high:g} or from 0 to 1, in images with "
            f"the framing of the training images, got others, with pixels from {pixels.min():g} to "
            f"{pixels.max():g}; prepare them as the training images were."
        )
    labels = [model.classes[k] for k in classifier.predict(images)]
    # Digit Recognizer counts the images from 1; other competitions have a column of ids.
    header = (column, "label") if column else ("ImageId", "Label")
    rows = zip(ids if column else range(1, len(labels) + 1), labels, strict=True)
    with Artifacts() as artifacts:
        artifacts.write_csv(path, header, list(rows))
    echo(f"{len(labels)} images: {path}")


if __name__ == "__main__":
    main()
