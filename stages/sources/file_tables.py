"""Tables of image files: a column of file names, and one of labels.

filename,label
0.png,7
"""

import csv
import os
from collections import defaultdict
from pathlib import Path

from stages.common.command_line.errors import ParameterError, StageError
from stages.sources.columns import LABELS, wanted_column
from stages.sources.formats import kind_of
from stages.sources.names import parse
from stages.sources.reading import reading

# Sizes of the first line and of the others in bytes; number of columns.
_MAX_LINE, _MAX_TABLE, _MAX_COLUMNS = 1 << 16, 1 << 26, 64

Files = list[tuple[Path, str]]


def from_table(table: Path, label: str, notes: list[str]) -> Files | None:
    """Find the images that a table lists, by path, by name, or by name without suffix.

    Args:
        table: The table; the images are in its folder or below.
        label: `fetch.label`: auto, first, last, or the name of the column of labels.
        notes: List to which a line is added that says what was found.

    Returns:
        Path and label of each image; None if the table has no column of file names.

    Raises:
        ParameterError: If several columns may be the label.
        StageError: If a line has no label, or no image has the name in it.
    """
    with reading(table) as file:
        head = file.readline(_MAX_LINE).decode("utf-8-sig", errors="replace")
        delimiter = max(",;\t ", key=head.count)
        if not 1 <= head.count(delimiter) <= _MAX_COLUMNS:  # a table of pixels has more
            return None
        content = file.read(_MAX_TABLE).decode("utf-8", errors="replace")
    lines = [head.strip("\r\n"), *content.splitlines()]
    try:
        cells = csv.reader(lines, delimiter=delimiter, skipinitialspace=True)
        header, *rows = [[cell.strip() for cell in row] for row in cells if row]
    except csv.Error:  # a cell of more than 100 kB
        return None
    n = len(header)
    found = _index(table.parent)
    column = next((k for k in range(n) if rows and len(rows[0]) == n and rows[0][k] in found), None)
    if column is None:
        return None
    if header[column] in found:
        rows.insert(0, header)
        header = [""] * n
    others = [k for k in range(n) if k != column]
    named = [k for k in others if header[k].lower() in LABELS]
    chosen = wanted_column(header, label, str(table))
    likely = [chosen] if chosen is not None else named or others
    if len(likely) != 1:
        raise ParameterError(
            f"fetch.label: expected one column of labels in {table}, got "
            f"{', '.join(repr(header[k]) for k in likely)}; set it to the name of one."
        )
    files = []
    for number, row in enumerate(rows, 2 if any(header) else 1):
        paths = found.get(row[column], []) if len(row) == n else []
        if len(paths) > 1:  # train/1.png and test/1.png
            part = parse(table.name).part
            paths = [path for path in paths if part and parse(path.parent.name).part == part]
        if len(paths) != 1 or not row[likely[0]]:
            raise StageError(
                f"{table}: line {number}: expected the name of one image file and its label, got "
                f"{', '.join(row)[:40]!r}."
            )
        files.append((paths[0], row[likely[0]]))
    left = len(found[""]) - len({path for path, _ in files})
    more = f"; {left} other images left out" if left else ""
    notes.append(f"{table}: labels of {len(files)} images{more}.")
    return files


def _index(folder: Path) -> dict[str, list[Path]]:
    """All images below a folder: by path, by name, by name without suffix, and all as ""."""
    found: dict[str, list[Path]] = defaultdict(list)
    for place, _, names in os.walk(folder):
        for name in names:
            path = Path(place, name)
            if not name.startswith(".") and path.is_file() and kind_of(path) == "image":
                for key in {path.relative_to(folder).as_posix(), name, path.stem, ""}:
                    found[key].append(path)
    return found
