"""The model card: what the model is, how good it is, what it is for, and how it was made.

In the form that Hugging Face reads: YAML between two lines of dashes, then Markdown. Everything in
it comes from the artifacts and from the commands that made them.
"""

from collections.abc import Sequence
from typing import Any

import yaml

from nn import Network

_TEXT = """---
{header}---

# {name}: a network that recognises its {count} classes

A multi-layer perceptron of {sizes} units, trained in NumPy: {activation} hidden units,
{loss} loss. `model.onnx` is read by any ONNX runtime{page}.

## Data

{data}. Measured on {test} test images that training has never seen; the commands below
spell out the split. Pixel values {low:g} to {high:g} became 0 to 1. Classes: {classes}.

## Metrics

| on | metric | value |
|---|---|---|
{metrics}

## Intended use

Learning how neural networks work, and as a baseline for others. It takes {pixels},
prepared as the training images were{preparation}.

## Limits

- Whatever it is shown, it answers with one of its classes. Its confidence was compared with its
  accuracy on images like those that it was trained on, and nowhere else.
- It knows nothing of neighbouring pixels: images that are shifted, turned or scaled otherwise than
  the training images are recognised much less often.
- It was measured on one data set, whose makers are not a sample of all people.

## How it was made

The same commit and commands give the same bytes on the same kind of processor:

```console
{commands}
```
"""

_PREPARATION = """; `python -m stages.predict` and the page prepare photographs
and drawings that way"""


def model_card(
    network: Network,
    data: str,
    metrics: dict[str, Any],
    test_images: int,
    commands: Sequence[str],
) -> str:
    """The Markdown.

    Args:
        network: The model.
        data: What it was trained on, in words.
        metrics: Content of `metrics.json`.
        test_images: How many it was measured on.
        commands: That made it, in order.
    """
    name, shape, (low, high) = data.split(",")[0], network.image_shape, network.pixel_range
    rows = [(on, key, value) for on, values in metrics.items() for key, value in values.items()]
    header = {
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
    return _TEXT.format(
        header=yaml.safe_dump(header, sort_keys=False, allow_unicode=True),
        name=" ".join(name.split()),
        count=len(network.classes),
        sizes="-".join(map(str, network.sizes)),
        activation=network.activation,
        loss=network.loss.replace("_", " "),
        data=data,
        test=test_images,
        low=low,
        high=high,
        classes=", ".join(map(_quoted, network.classes)),
        metrics="\n".join(f"| {on} | {key} | {value:.4f} |" for on, key, value in rows),
        pixels=f"images of {shape[0]}×{shape[1]} pixels" if shape else f"{network.sizes[0]} pixels",
        page="; `page.html` is a page to draw on, for any browser" if shape else "",
        preparation=_PREPARATION if shape else "",
        commands="\n".join(f"$ {command}" for command in commands),
    )


def _quoted(name: str) -> str:
    """As code in Markdown, whatever is in it."""
    text = " ".join(name.split())
    return f"`` {text} ``" if "`" in text else f"`{text}`"
