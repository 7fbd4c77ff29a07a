"""EMNIST: its images are stored column by column, and a mapping says which letter a label means."""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np

from stages.common.command_line.errors import StageError
from stages.sources.arrays import Arrays
from stages.sources.dataset import LabelledImages


def of_emnist(data: LabelledImages, path: Path, found: Arrays | None = None) -> LabelledImages:
    """Add what is special about EMNIST to a data set whose file has this name.

    Args:
        data: The data set.
        path: Its file, or one of them.
        found: The arrays of the file, one of which may be the mapping.

    Raises:
        StageError: If the mapping is not one of labels to character codes.
    """
    if "emnist" not in path.name.lower():
        return data
    mapping = next((name for name in found or {} if name.endswith("mapping")), None)
    prefix = re.split(r"-(train|test)\b", path.name)[0]
    file = path.with_name(f"{prefix}-mapping.txt")
    rows: list = []
    if found and mapping:
        rows = np.atleast_2d(found[mapping]()).tolist()
    elif file.is_file():
        rows = [line.split() for line in file.read_text(errors="replace").splitlines()]
    try:
        names = {str(int(label)): chr(int(code)) for label, code, *_ in rows}
    except (ValueError, OverflowError) as error:
        raise StageError(f"{file}: expected lines of a label and a character code.") from error
    return replace(data, column_major=True, names=names)
