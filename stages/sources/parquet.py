"""Parquet, as Hugging Face stores data sets: a column of PNG files and a column of labels.

image: struct<bytes: binary, path: string>, label: int64      mnist/train-00000-of-00001.parquet
label, pixel0, pixel1, …                                      a table as in CSV
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stages.common.command_line.errors import StageError
from stages.common.files.image_files import UnreadableError, read_grey
from stages.sources.columns import named_columns
from stages.sources.dataset import LabelledImages, Part, join
from stages.sources.reading import require_room

_ROWS_AT_ONCE = 1_000


def from_parquet(path: Path, label: str) -> LabelledImages:
    """Read the images and labels of a file.

    Raises:
        StageError: If pyarrow is not installed, the file is damaged, or it has no such columns.
    """
    try:
        from pyarrow import ArrowException, ArrowInvalid
        from pyarrow.parquet import ParquetFile
    except ImportError as error:
        raise StageError(
            f"{path}: Parquet files need a package; install it with pip install -e '.[parquet]'."
        ) from error
    try:
        with ParquetFile(path) as file:
            return _read(file, path, label)
    except (ArrowInvalid, ArrowException, OSError) as error:
        if getattr(error, "errno", None):  # the disk failed
            raise
        reason = str(error).splitlines()[0]
        raise StageError(
            f"{path}: expected a whole Parquet file, got a damaged one ({reason}); get it again."
        ) from error


def _read(file: Any, path: Path, label: str) -> LabelledImages:
    schema, n = file.schema_arrow, file.metadata.num_rows
    kinds = [_kind(field.type) for field in schema]
    columns = named_columns(schema.names, [kind == "number" for kind in kinds], label, str(path))
    files = [k for k, kind in enumerate(kinds) if kind == "file" and k != columns.label]
    if columns.label is None or not (files or columns.pixels):
        raise StageError(
            f"{path}: expected a column of images and one of labels (label, class, target, y), got "
            f"{', '.join(schema.names[:6])}; set fetch.label to the name of the second."
        )
    chosen = files[:1] or columns.pixels
    require_room(sum(_sizes(file.metadata)), str(path))
    require_room(n * max(1, len(chosen)), str(path))
    names = [schema.names[k] for k in (columns.label, *chosen)]
    images: list[NDArray] = []
    labels: list[Any] = []
    for batch in file.iter_batches(_ROWS_AT_ONCE, columns=names):
        by_name = dict(zip(batch.schema.names, batch.columns, strict=True))
        labels += by_name[names[0]].to_pylist()
        if files:
            images += _decoded(by_name[names[1]].to_pylist(), path, len(images))
            require_room(n * images[0].nbytes, str(path))
        else:
            rows = [by_name[name].to_numpy(zero_copy_only=False) for name in names[1:]]
            images += [np.stack(rows, axis=1)]
    if n == 0 or None in labels:
        raise StageError(f"{path}: expected one image and one label per row, got rows without.")
    pixels = np.stack(images) if files else np.concatenate(images)
    data = join([Part("", str(path), pixels, np.array(labels))])
    shape = data.image_shape
    size = f", {shape[1]}×{shape[0]}" if shape else ""
    what = f'images in the column "{names[1]}", ' if files else ""
    described = columns.described.split(", ignored")[0] if files else columns.described
    note = f"{path}: {what}{described}, {n} rows of {data.pixels.shape[1]} pixels{size}"
    return LabelledImages(
        data.pixels, data.labels, shape, {}, (note, *data.notes), _class_names(schema, names[0])
    )


def _kind(kind: Any) -> str:
    from pyarrow import types

    if types.is_struct(kind):
        return "file" if any(kind.field(k).name == "bytes" for k in range(kind.num_fields)) else ""
    if types.is_binary(kind) or types.is_large_binary(kind) or types.is_list(kind):
        return "file"
    is_number = types.is_integer(kind) or types.is_floating(kind) or types.is_boolean(kind)
    return "number" if is_number else ""


def _sizes(metadata: Any) -> Iterator[int]:
    for k in range(metadata.num_row_groups):
        yield metadata.row_group(k).total_byte_size


def _decoded(cells: list[Any], path: Path, row: int) -> Iterator[NDArray]:
    """The image in each cell: the bytes of a file, or nested lists of pixels."""
    first: NDArray | None = None
    for number, cell in enumerate(cells, row + 1):
        where = f"{path}: row {number}"
        content = cell.get("bytes") if isinstance(cell, dict) else cell
        try:
            if isinstance(content, bytes):
                image, _ = read_grey(content)
            else:
                image = np.array(content, dtype=None if content else float)
        except (UnreadableError, ValueError) as error:
            raise StageError(f"{where}: {error}.") from error
        first = image if first is None else first
        if image.shape != first.shape or image.size == 0 or image.dtype.kind not in "buif":
            raise StageError(
                f"{where}: expected an image of shape {first.shape}, got {image.shape}."
            )
        yield image


def _class_names(schema: Any, label: str) -> dict[str, str]:
    """Names of the classes by their number, which Hugging Face stores beside the schema."""
    try:
        about = json.loads((schema.metadata or {})[b"huggingface"])
        names = about["info"]["features"][label]["names"]
        return {str(k): str(name) for k, name in enumerate(names)}
    except (KeyError, TypeError, ValueError):
        return {}
