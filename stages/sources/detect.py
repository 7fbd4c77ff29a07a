"""Detection of the format of a local data set."""

from pathlib import Path

from nn.checks.arrays import square
from stages.common.command_line.errors import StageError
from stages.sources.csv import read_csv
from stages.sources.dataset import LabelledImages
from stages.sources.gzipped import reading
from stages.sources.idx import from_idx_file, from_idx_folder
from stages.sources.image_folders import from_class_folders
from stages.sources.npz import from_npz

_FORMATS = (
    "IDX files, an .npz file, a CSV file with the header label,pixel0,pixel1,…, or a folder with a "
    "sub-folder of images per class"
)


def from_path(path: Path) -> LabelledImages:
    """Read a local data set in any of the supported formats, which is detected from the content.

    Raises:
        StageError: If the format is not supported, or a file is damaged; the message names it.
    """
    if path.is_dir():
        data = from_idx_folder(path) or from_class_folders(path)
        if data is None:
            raise StageError(
                f"{path}: expected a data set in this folder, got none; {_hint(path)}."
            )
        return data
    if not path.is_file():
        raise StageError(f"{path}: expected {_FORMATS}, got a special file.")
    with reading(path) as file:
        head = file.read(64)
    if head.startswith(b"PK"):
        return from_npz(path)
    if head.startswith(b"\0\0"):
        return from_idx_file(path)
    if b"," in head or path.name.lower().removesuffix(".gz").endswith(".csv"):
        pixels, labels = read_csv(path, labels=True)
        return LabelledImages(pixels, labels, square(pixels.shape[1]), {})
    raise StageError(f"{path}: expected {_FORMATS}, got another format.")


def _hint(folder: Path) -> str:
    """Advice: the path of a data set in the folder, or the supported formats."""
    names = sorted(path.name for path in folder.iterdir())
    for name in names:
        if name.lower().removesuffix(".gz").endswith((".csv", ".npz")) and "test" not in name:
            return f"to read a file of it, set fetch.source: {folder / name}"
    return f"supported are {_FORMATS}"
