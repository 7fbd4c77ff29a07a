"""A page to draw on: one HTML file that needs no server, no network and no other file."""

import base64
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nn import LOSSES, Network
from nn.activations import SOFTMAX

_PARTS = Path(__file__).parent / "page"
_SCRIPTS = ("network.js", "centering.js", "page.js")


def drawing_page(
    network: Network,
    images: NDArray,
    labels: Sequence[str],
    most_units: int,
) -> str:
    """The HTML of the page.

    Args:
        network: What answers; it has an `image_shape`.
        images: (m, d) examples in [0, 1].
        labels: Their true classes.
        most_units: Of the first layer, that are shown.
    """
    data = {
        "model": {
            "classes": network.classes,
            "activation": network.activation,
            "output": "softmax" if LOSSES[network.loss].output is SOFTMAX else "sigmoid",
            "shape": network.image_shape,
            "layers": [
                {
                    "inputs": w.shape[1],
                    "units": w.shape[0],
                    "weights": _base64(w.astype("<f4")),
                    "biases": _base64(b.astype("<f4")),
                }
                for w, b in zip(network.weights, network.biases, strict=True)
            ],
        },
        "examples": {"images": _base64(np.rint(images * 255).astype(np.uint8)), "labels": labels},
        "most_units": most_units,
    }
    # Class names are data: none may end the script.
    text = json.dumps(data, ensure_ascii=False).replace("<", "\\u003c")
    html = (_PARTS / "index.html").read_text("utf-8")
    html = html.replace("/*STYLE*/", (_PARTS / "style.css").read_text("utf-8"))
    scripts = "\n".join((_PARTS / name).read_text("utf-8") for name in _SCRIPTS)
    return html.replace("/*SCRIPTS*/", scripts).replace("/*DATA*/null", text)


def _base64(array: NDArray) -> str:
    return base64.b64encode(np.ascontiguousarray(array).tobytes()).decode("ascii")
