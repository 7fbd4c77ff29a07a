"""The formats of local data sets, and how the first bytes of a file show them.

`FORMATS` is the only list of them: messages and the table of docs/data.md are made from it.
"""

import re
import zipfile
from pathlib import Path
from typing import NamedTuple

from stages.common.command_line.errors import StageError
from stages.common.files.image_files import CONVERSION, OTHER_FORMATS
from stages.sources.reading import reading


class Format(NamedTuple):
    """What a user may bring.

    Attributes:
        title: Its name in messages.
        content: What it must contain, for docs/data.md.
    """

    title: str
    content: str


FORMATS = (
    Format(
        "IDX files",
        "`train-images-idx3-ubyte` and `train-labels-idx1-ubyte`, with or without the two `t10k` "
        "files; of any data type, with a prefix as in EMNIST, with the labels of QMNIST",
    ),
    Format(
        "CSV",
        "one image per line, with or without a header; the label in the column `label`, `class`, "
        "`target` or `y`, in the first or the last column, or in a second file; separated by "
        "commas, semicolons, tabs or spaces. Columns that number the rows, such as `id`, are left "
        "out. Also ARFF and LIBSVM",
    ),
    Format(
        ".npz and .npy",
        "`x_train`, `y_train`, `x_test` and `y_test` as in Keras; or `x` and `y`, `images` and "
        "`labels`, the names of MedMNIST and similar ones. In one file, or in a folder with one "
        "array per file, as Kuzushiji-MNIST has them; or one array per class, named after it",
    ),
    Format(
        "MATLAB .mat and HDF5",
        "arrays with such names, also inside structs and groups. Version 7.3 and HDF5 need "
        "`pip install -e '.[hdf5]'`",
    ),
    Format(
        "Parquet",
        "a column of images (PNG files, as Hugging Face stores them, or lists of pixels) and one "
        "of labels; or columns of pixels as in CSV. Needs `pip install -e '.[parquet]'`",
    ),
    Format(
        "a folder of images",
        "one subfolder per class, named after the class: `digits/7/41.png`; or `train/`, `val/` "
        "and `test/` with such subfolders in each; or one folder of files whose names begin with "
        "the label, `7_41.png`, or with a table beside it that has a column of file names and one "
        "of labels. PNG, JPEG, BMP, GIF, TIFF, WebP, PGM",
    ),
    Format(
        "a .zip or .tar archive of these",
        "of any depth; files may also be compressed one by one with gzip, bzip2 or xz",
    ),
)

SUPPORTED = ", ".join(f.title for f in FORMATS[:-1]) + f", or {FORMATS[-1].title}"

# Files that are no data set, by a pattern of their first bytes, and what to do.
_PICKLE = (
    "a pickle, which can run code when it is read; docs/data.md has the five lines that convert "
    "one that you trust"
)
_REFUSED = (
    (rb"\x80[\x02-\x05]|\((lp|dp)\d|\(*c[a-z_]+(\.[a-z_]+)+\n[A-Za-z_]", _PICKLE),
    (rb"version https://git-lfs", "a pointer to a file in Git LFS; run git lfs pull"),
    (rb"(?i:\s*(<!doctype html|<html))", "a web page; download the file itself"),
    (rb"ARROW1|\xff\xff\xff\xff..\0\0", "an Arrow file; save the data set with to_parquet"),
    *((pattern, f"{name}; {CONVERSION}") for pattern, name in OTHER_FORMATS),
    (rb"7z\xbc\xaf|Rar!", "a 7z or RAR archive; unpack it, and give its folder"),
)
_IMAGE = rb"\x89PNG|\xff\xd8\xff|GIF8|BM....\0\0\0\0|II\*\0|MM\0\*|RIFF....WEBP|P[1-6]\s[\d#]"
_MAGIC = (
    (rb"\0\0[\x08-\x0e][\x01-\x04]", "idx"),
    (rb"\x93NUMPY", "npy"),
    (rb"MATLAB 5", "mat"),
    (rb"MATLAB 7|\x89HDF", "hdf5"),
    (rb"PAR1", "parquet"),
    (rb"PK\x03\x04|PK\x05\x06", "zip"),
    (rb".{257}ustar", "tar"),
)


def kind_of(path: Path) -> str:
    """The kind of a file: idx, npy, npz, mat, hdf5, parquet, zip, tar, image, table or refused.

    Every text may be a table; its reader says what is wrong with it.
    """
    head = _head(path)
    if re.match(_IMAGE, head, re.DOTALL):
        return "image"
    if _advice(head):
        return "refused"
    kind = next((kind for magic, kind in _MAGIC if re.match(magic, head, re.DOTALL)), "")
    if kind == "zip":
        names = _members(path)
        if names and all(name.endswith(".npy") and "/" not in name for name in names):
            return "npz"
        if not names and path.suffix == ".npz":  # damaged; its reader says so
            return "npz"
        return "refused" if _office(names) else "zip"
    return kind or ("refused" if b"\0" in head or not head.strip() else "table")


def refusal(path: Path) -> StageError:
    """The error for a file that is no data set."""
    head = _head(path)
    found = _advice(head)
    if re.match(_IMAGE, head, re.DOTALL):
        found = "a single image; give a folder of images"
    elif head.startswith(b"PK"):
        found = _office(_members(path))
    if not found:
        found = "another format" if head.strip() else "an empty file"
    return StageError(f"{path}: expected {SUPPORTED}, got {found}.")


def _advice(head: bytes) -> str:
    return next((text for pattern, text in _REFUSED if re.match(pattern, head, re.DOTALL)), "")


def _members(path: Path) -> list[str]:
    try:
        with zipfile.ZipFile(path) as archive:
            return archive.namelist()
    except Exception:  # a damaged archive raises exceptions of many types; its reader says so
        return []


def _head(path: Path) -> bytes:
    with reading(path) as file:
        return file.read(1024)


def _office(names: list[str]) -> str:
    """What to do with other files that are zip archives inside."""
    if "[Content_Types].xml" in names:
        return "a spreadsheet; save it as CSV"
    return _PICKLE if any(name.endswith("data.pkl") for name in names) else ""


def formats_table() -> str:
    """The table of docs/data.md."""
    rows = [f"| {f.title[0].upper() + f.title[1:]} | {f.content} |" for f in FORMATS]
    return "\n".join(["| format | content |", "|---|---|", *rows]) + "\n"
