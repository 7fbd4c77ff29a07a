"""A page to draw on: a single HTML file that runs the network in the browser, without a server."""

import json
from collections.abc import Sequence
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
# Base-64 digits per weight of the model, and per weight of the snapshots.
_MODEL_DIGITS, _SNAPSHOT_DIGITS = 3, 1
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
        snapshots: Networks during training, for a slider; left out if the page would be larger than
            `MAX_BYTES`.
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
        "training": _stages(model, snapshots),
        "too_large": False,
        "examples": {
            "images": encode_bytes(np.rint(images * 255).astype(np.uint8)),
            "labels": labels,
        },
        "most_units": max_units,
    }
    html = _html(data)
    if snapshots is not None and (len(html.encode()) > MAX_BYTES or len(snapshots.parameters) == 0):
        return _html(data | {"training": _stages(model, None), "too_large": True})
    return html


def _stages(model: Network | Ensemble, snapshots: Snapshots | None) -> list[dict[str, Any]]:
    """Epoch, accuracy and networks of each snapshot, and last of the model."""
    last = _networks(model, _MODEL_DIGITS)
    if snapshots is None:
        return [{"networks": last}]
    before = [_networks(n, _SNAPSHOT_DIGITS) for n in snapshots.networks(model.members[0])]
    points = zip(snapshots.epochs.tolist(), snapshots.accuracies.tolist(), strict=True)
    return [
        {"epoch": epoch, "accuracy": accuracy, "networks": networks}
        for (epoch, accuracy), networks in zip(points, [*before, last], strict=True)
    ]


def _networks(model: Network | Ensemble, digits: int) -> list[dict[str, Any]]:
    """Activation function and layers of each member of the model."""
    return [
        {
            "activation": network.activation,
            "layers": [
                {"weights": encode_matrix(w, digits), "biases": encode_vector(b)}
                for w, b in zip(network.weights, network.biases, strict=True)
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
