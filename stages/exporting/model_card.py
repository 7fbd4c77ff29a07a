"""The model card: description, metrics, intended use, limitations and provenance of a model.

It has the format of Hugging Face: a YAML header between two lines of dashes, then Markdown. The
text is in `model_card.md`.
"""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from nn import Ensemble, Network
from nn.images.framing import Framing
from stages.common.command_line.terminal import printable

_TEMPLATE = Path(__file__).with_suffix(".md")
_PREPARATION = """; `python -m tools.predict` and the page do that for
photographs and drawings"""
_DRAWINGS = """: bright on dark, scaled into a box of
{0[1]:g}×{0[0]:g} pixels, with the centre of mass in column {1[1]:g} and row {1[0]:g} (from 0)"""
_NO_DRAWINGS = """: resized as a whole"""
_DESLANTED = """,
and the images were deslanted: sheared so that strokes are upright, and moved to the middle"""
_PROVENANCE = """The same commit and commands give the same bytes on every processor.
The options of `stages.preprocess` give the split into training, validation and test images:

{fence}console
{commands}
{fence}"""
_NO_PROVENANCE = "Not recorded: `python -m stages.export` takes the commands after `--`."


def model_card(
    model: Network | Ensemble,
    data: str,
    metrics: dict[str, Any],
    test_images: int,
    commands: Sequence[str],
) -> str:
    """The Markdown text.

    Args:
        model: The model.
        data: Name of the data set, and after a comma its version.
        metrics: Content of `metrics.json`.
        test_images: Number of test images.
        commands: The commands that made the model, in order.
    """
    name, shape, (low, high) = data.split(",")[0], model.image_shape, model.pixel_range
    networks, inputs = model.members, model.members[0].sizes[0]
    listing = "\n".join(f"$ {printable(command)}" for command in commands)
    fence = "`" * max(3, _longest_backticks(listing) + 1)
    provenance = _PROVENANCE if commands else _NO_PROVENANCE
    header = {
        "license": "mit",
        "library_name": "numpy",
        "pipeline_tag": "image-classification",
        "tags": ["numpy", "onnx", "multi-layer-perceptron"],
        "model-index": [
            {
                "name": f"{name} perceptron",
                "results": [
                    {
                        "task": {"type": "image-classification"},
                        "dataset": {"name": data, "type": name, "split": "test"},
                        "metrics": [
                            {"type": key, "value": value} for key, value in metrics["test"].items()
                        ],
                    }
                ],
            }
        ],
    }
    return _TEMPLATE.read_text("utf-8").format(
        header=yaml.safe_dump(header, sort_keys=False, allow_unicode=True),
        name=_plain(name),
        kind="a network" if len(networks) == 1 else f"an ensemble of {len(networks)} networks",
        count=len(model.classes),
        networks=_networks(networks),
        activation=" and ".join(sorted({network.activation for network in networks})),
        loss=model.loss.replace("_", " "),
        data=_plain(data),
        test=test_images,
        low=low,
        high=high,
        deslanted=_DESLANTED if model.deslanted else "",
        classes=", ".join(map(_quoted, model.classes)),
        metrics="\n".join(
            f"| {_plain(part)} | {_plain(key)} | {value:.4f} |"
            for part, values in metrics.items()
            for key, value in values.items()
        ),
        pixels=f"images of {shape[0]}×{shape[1]} pixels" if shape else f"{inputs} pixels",
        page="; `page.html` is a page to draw on, which opens in any browser" if shape else "",
        framing=_framing(model.framing),
        preparation=_PREPARATION if shape else "",
        provenance=provenance.format(fence=fence, commands=listing),
    )


def _framing(framing: Framing | None) -> str:
    if framing is None:
        return ""
    return _DRAWINGS.format(framing.box, framing.centre) if framing.drawings else _NO_DRAWINGS


def _networks(networks: Sequence[Network]) -> str:
    sizes = ["-".join(map(str, network.sizes)) for network in networks]
    if len(sizes) == 1:
        return f"A multilayer perceptron with layers of {sizes[0]} units"
    return f"Multilayer perceptrons with layers of {', '.join(sizes)} units, averaged"


def _quoted(name: str) -> str:
    """The name as inline code in Markdown, also if it contains backticks."""
    text = " ".join(printable(name).split())
    marks = "`" * (_longest_backticks(text) + 1)
    return f"{marks} {text} {marks}" if "`" in text else f"`{text}`"


def _longest_backticks(text: str) -> int:
    return max(map(len, re.findall("`+", text)), default=0)


def _plain(text: str) -> str:
    """The text in one line, with the special characters of Markdown and HTML escaped."""
    return re.sub(r"[\\`*\[\]<>&|]", r"\\\g<0>", " ".join(printable(text).split()))
