"""A page to draw on: a single HTML file that runs the network in the browser, without a server."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nn import LOSSES, Ensemble, Network
from nn.activations import SOFTMAX
from stages.common.models.snapshots import Snapshots
from stages.exporting.encoding import encode_bytes, encode_matrix, encode_vector

_PARTS = Path(__file__).parent / "page"
# The scripts are joined in this order.
_SCRIPTS = (
    "encoding.js",
    "network.js",
    "verdict.js",
    "deslanting.js",
    "image_preparation.js",
    "pictures.js",
    "drawing.js",
    "prediction.js",
    "hidden_units.js",
    "explanation.js",
    "training.js",
    "examples.js",
    "page.js",
)
# Base-64 digits per weight of the model, and per weight of the first layer in the snapshots. The
# first that leave room for the snapshots are taken.
_DIGITS = ((3, 1), (3, 0.5), (1, 0.5))
# A page with snapshots is not larger than this.
MAX_BYTES = 1_000_000


def drawing_page(
    model: Network | Ensemble,
    images: NDArray,
    labels: Sequence[str],
    max_units: int,
    snapshots: Snapshots | None = None,
) -> str:
    """The HTML of the page.

    Args:
        model: The model; its `image_shape` must not be None.
        images: (m, d) examples in [0, 1].
        labels: Names of their true classes.
        max_units: Maximum number of first-layer units to show.
        snapshots: Networks during training, for a slider. If the page would be larger than
            `MAX_BYTES`, weights have fewer digits; then the later snapshots are left out.
    """
    data = {
        "model": {
            "classes": model.classes,
            "output": "softmax" if LOSSES[model.loss].output is SOFTMAX else "sigmoid",
            "shape": model.image_shape,
            "deslanted": model.deslanted,
            "framing": model.framing and model.framing._asdict(),
        },
        "sizes": ["-".join(map(str, network.sizes)) for network in model.members],
        "training": _stages(model, _DIGITS[0]),
        "too_large": snapshots is not None,
        "examples": {
            "images": encode_bytes(np.rint(images * 255).astype(np.uint8)),
            "labels": labels,
        },
        "most_units": max_units,
    }
    for digits, count in _plans(snapshots):
        stages = _stages(model, digits, snapshots, count)
        html = _html(data | {"training": stages, "too_large": False})
        if len(html.encode()) <= MAX_BYTES:
            return html
    return _html(data)


def _plans(snapshots: Snapshots | None) -> Iterator[tuple[tuple[float, float], int]]:
    """Digits and number of snapshots, in the order of preference."""
    count = 0 if snapshots is None else len(snapshots.parameters)
    if count:
        yield from ((digits, count) for digits in _DIGITS)
        yield from ((_DIGITS[-1], fewer) for fewer in range(count - 1, 0, -1))


def _stages(
    model: Network | Ensemble,
    digits: tuple[float, float],
    snapshots: Snapshots | None = None,
    count: int = 0,
) -> list[dict[str, Any]]:
    """Epoch, accuracy and networks of the first `count` snapshots, and last of the model."""
    last = {"networks": _networks(model, digits[0])}
    if snapshots is None:
        return [last]
    points = [
        {"epoch": epoch, "accuracy": accuracy}
        for epoch, accuracy in zip(
            snapshots.epochs.tolist(), snapshots.accuracies.tolist(), strict=True
        )
    ]
    before = snapshots.networks(model.members[0])[:count]
    stages = zip(points, before, strict=False)
    return [
        *(point | {"networks": _networks(network, digits[1])} for point, network in stages),
        points[-1] | last,
    ]


def _networks(model: Network | Ensemble, digits: float) -> list[dict[str, Any]]:
    """Activation function and layers of each member of the model."""
    return [
        {
            "activation": network.activation,
            "layers": [
                {
                    # The other layers are smaller and need more steps.
                    "weights": encode_matrix(w, max(digits, 1) if layer else digits),
                    "biases": encode_vector(b),
                }
                for layer, (w, b) in enumerate(zip(network.weights, network.biases, strict=True))
            ],
        }
        for network in model.members
    ]


def _html(data: dict[str, Any]) -> str:
    # Escaped, so that no class name can end the script element.
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")
    html = (_PARTS / "index.html").read_text("utf-8")
    html = html.replace("/*STYLE*/", (_PARTS / "style.css").read_text("utf-8"))
    scripts = "\n".join((_PARTS / name).read_text("utf-8") for name in _SCRIPTS)
    return html.replace("/*SCRIPTS*/", scripts).replace("/*DATA*/null", text)
