"""A page to draw on: a single HTML file that runs the network in the browser, without a server."""

import base64
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nn import LOSSES, Ensemble, Network
from nn.activations import SOFTMAX

_PARTS = Path(__file__).parent / "page"
_SCRIPTS = ("network.js", "deslanting.js", "image_preparation.js", "page.js")


def drawing_page(
    model: Network | Ensemble,
    images: NDArray,
    labels: Sequence[str],
    most_units: int,
) -> str:
    """The HTML of the page.

    Args:
        model: The model; its `image_shape` must not be None.
        images: (m, d) examples in [0, 1].
        labels: Names of their true classes.
        most_units: Greatest number of first-layer units to show.
    """
    members = [_member(network) for network in model.members]
    data = {
        "model": {
            **members[0],
            "classes": model.classes,
            "deslanted": model.deslanted,
            "others": members[1:],
        },
        "examples": {"images": _base64(np.rint(images * 255).astype(np.uint8)), "labels": labels},
        "most_units": most_units,
    }
    # Escaped, so that no class name can end the script element.
    text = json.dumps(data, ensure_ascii=False).replace("<", "\\u003c")
    html = (_PARTS / "index.html").read_text("utf-8")
    html = html.replace("/*STYLE*/", (_PARTS / "style.css").read_text("utf-8"))
    scripts = "\n".join((_PARTS / name).read_text("utf-8") for name in _SCRIPTS)
    return html.replace("/*SCRIPTS*/", scripts).replace("/*DATA*/null", text)


def _member(network: Network) -> dict[str, Any]:
    return {
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
    }


def _base64(array: NDArray) -> str:
    return base64.b64encode(np.ascontiguousarray(array).tobytes()).decode("ascii")
