"""predict: pictures of digits → what the model takes them for."""

import errno
import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import click
import numpy as np
from numpy.typing import NDArray

from nn import Network
from nn.centering import NothingThereError, center
from stages.cli import Refusal, path_option, stage
from stages.files import Artifacts
from stages.models import read_model
from stages.own_data.kaggle import read_kaggle_csv
from stages.photographs import UnreadableError, pictures_in, read_picture


class Answer(NamedTuple):
    """What the model says of one picture.

    Attributes:
        name: Of the file.
        image: (height, width) what the network saw.
        labels: The most probable class, and the one after it.
        confidences: Their probabilities.
    """

    name: str
    image: NDArray
    labels: tuple[str, str]
    confidences: tuple[float, float]

    def as_json(self) -> dict[str, str | float]:
        """For programs."""
        return {
            "image": self.name,
            "label": self.labels[0],
            "confidence": self.confidences[0],
            "runner_up": self.labels[1],
            "runner_up_confidence": self.confidences[1],
        }


@stage("predict")
@click.argument("image", type=click.Path(), nargs=-1)
@click.option("--json", "as_json", is_flag=True, help="Print JSON, for programs.")
@click.option("--show", type=click.Path(), help="PNG file for a picture of what the network saw.")
@click.option(
    "--submission",
    type=click.Path(),
    help="CSV file for Kaggle's Digit Recognizer; IMAGE is then its test.csv.",
)
@path_option("model", "data/model/model.npz", "File that `train` wrote.")
def main(
    image: tuple[str, ...], as_json: bool, show: str | None, submission: str | None, model_path: str
) -> None:
    """Say which digit is on each IMAGE: a PNG or JPEG file, a folder of them, or - for standard
    input. Photographs, scans and screenshots of any size, dark on bright or bright on dark.

    \b
    Example:
      python -m stages.predict photo.jpg drawings/ --show seen.png
    """
    if not all(image) or not image:
        raise click.UsageError("predict: no IMAGE; give a file, a folder, or - for standard input.")
    if image.count("-") > 1:
        raise click.UsageError("predict: standard input can be read once; give - once.")
    if submission is not None and (as_json or show is not None):
        raise click.UsageError("predict: --submission goes without --json and --show.")
    network = read_model(Path(model_path))
    if submission is not None:
        _submit(network, image, Path(submission))
        return
    if network.image_shape is None:
        raise Refusal(
            f"{model_path}: its {network.sizes[0]} inputs are no image of known shape, so pictures "
            "cannot be prepared for it."
        )
    answers: list[Answer] = []
    report: list[dict[str, Any]] = []
    for name, content in _contents(image):
        try:
            if isinstance(content, OSError):
                raise UnreadableError(content.strerror or str(content)) from content
            answers.append(_ask(network, name, center(read_picture(content), network.image_shape)))
        except (UnreadableError, NothingThereError) as error:
            report.append({"image": name, "error": str(error)})
            click.echo(f"Error: {name}: {error}.", err=True)
        else:
            report.append(answers[-1].as_json())
            if not as_json:
                click.echo(_line(answers[-1]))
    if as_json:
        click.echo(json.dumps(report, indent=2, ensure_ascii=False))
    if show is not None:
        _show(answers, Path(show))
    if len(answers) < len(report):
        sys.exit(1)


def _contents(names: Sequence[str]) -> Iterator[tuple[str, bytes | OSError]]:
    """The name and the content of every picture, or what kept it from being read."""
    for name in names:
        path = Path(name)
        if name == "-":
            yield "standard input", sys.stdin.buffer.read()
            continue
        try:
            paths = pictures_in(path) if path.is_dir() else [path]
        except OSError as error:
            yield name, error
            continue
        if not paths:
            yield name, OSError(errno.ENOENT, "there is no picture in this folder")
        for one in paths:
            try:
                yield str(one), one.read_bytes()
            except OSError as error:
                yield str(one), error


def _ask(network: Network, name: str, seen: NDArray) -> Answer:
    probabilities = network.probabilities(seen.reshape(-1))
    first, second = np.argsort(-probabilities, kind="stable")[:2]
    labels = network.classes[first], network.classes[second]
    return Answer(name, seen, labels, (float(probabilities[first]), float(probabilities[second])))


def _line(answer: Answer) -> str:
    (label, other), (sure, less) = answer.labels, answer.confidences
    return f"{answer.name}: {label}  {sure:.1%}  (then {other}, {less:.1%})"


def _show(answers: Sequence[Answer], path: Path) -> None:
    from stages import pictures

    if not answers:
        return
    images = np.array([answer.image for answer in answers])
    captions = [f"{answer.labels[0]}  {answer.confidences[0]:.0%}" for answer in answers]
    with Artifacts() as artifacts, artifacts.open(path) as file:
        file.write(pictures.answers(images, captions))


def _submit(network: Network, names: Sequence[str], path: Path) -> None:
    if len(names) != 1:
        raise click.UsageError("predict: with --submission there is one IMAGE, Kaggle's test.csv.")
    pixels, _ = read_kaggle_csv(Path(names[0]), labels=False)
    if pixels.shape[1] != network.sizes[0]:
        raise Refusal(
            f"{names[0]}: its images have {pixels.shape[1]} pixels; the model takes "
            f"{network.sizes[0]}."
        )
    labels = [network.classes[k] for k in network.predict(network.scale(pixels))]
    with Artifacts() as artifacts:
        artifacts.write_csv(path, ("ImageId", "Label"), list(enumerate(labels, 1)))
    click.echo(f"{len(labels)} images: {path}")


if __name__ == "__main__":
    main()
