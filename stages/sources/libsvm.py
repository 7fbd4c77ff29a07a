"""LIBSVM's format: a line per image with its label and the pixels that are not 0.

5 153:3 154:18 155:18
"""

import re
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from stages.common.command_line.errors import StageError
from stages.sources.layout import lines_of
from stages.sources.reading import reading, require_room

_LINE = re.compile(rb"[-+.\w]+(\s+\d+:[-+.\w]+)+\s*")


def is_libsvm(path: Path) -> bool:
    """Whether the first line of a file has this format."""
    with reading(path) as file:
        return bool(_LINE.fullmatch(next(lines_of(file), b"")))


def read_libsvm(path: Path) -> tuple[NDArray, NDArray]:
    """Read pixels, (n, d) float32, and labels, (n,) float64; raises `StageError` for others."""
    # Imported here: scikit-learn takes a second to import, and `--help` should be fast.
    from sklearn.datasets import load_svmlight_file

    with reading(path) as file:
        # A pixel takes at least four bytes of text, and twelve in a sparse array.
        size = 0
        for line in lines_of(file):
            size += 3 * len(line)
            require_room(size, str(path))
        file.seek(0)
        try:
            table, labels = load_svmlight_file(file, dtype=np.float32)
        except (ValueError, OverflowError) as error:
            raise StageError(f"{path}: expected LIBSVM's format, got {error} in a line.") from error
    # The last pixels are 0 in all images of MNIST, so that the file does not mention them.
    n, d = table.shape
    width = next(side for side in range(1, d + 1) if side * side >= d) ** 2
    require_room(4 * n * width, str(path))
    table.resize(n, width)
    return table.toarray(), labels
