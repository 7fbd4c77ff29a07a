"""Small data sets of one's own in every form that `fetch.source` takes."""

import struct
from pathlib import Path

import numpy as np
from PIL import Image
from sklearn.datasets import load_digits

from stages.sources.idx import DTYPES

CODES = {np.dtype(dtype).newbyteorder("="): code for code, dtype in DTYPES.items()}


def idx_bytes(array):
    head = struct.pack(">BBBB", 0, 0, CODES[array.dtype], array.ndim)
    sizes = struct.pack(f">{array.ndim}I", *array.shape)
    return head + sizes + array.astype(array.dtype.newbyteorder(">")).tobytes()


def csv_text(pixels, labels=None, end="\n"):
    names = [f"pixel{k}" for k in range(pixels.shape[1])]
    lines = [",".join(names if labels is None else ["label", *names])]
    for row, image in enumerate(pixels.tolist()):
        lines.append(",".join(map(str, image if labels is None else [labels[row], *image])))
    return end.join(lines) + end


def write_folder(folder, images, labels):
    """One PNG an image, numbered throughout, in the folder of its class."""
    for number, (image, label) in enumerate(zip(images, labels, strict=True)):
        path = Path(folder, str(label), f"{number}.png")
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(path)


def digits(n=1797):
    """(n, 8, 8) bytes and (n,) labels: scikit-learn's digits."""
    pixels, labels = load_digits(return_X_y=True)
    return (pixels[:n] * 15).astype(np.uint8).reshape(-1, 8, 8), labels[:n]
