"""Data sets of one's own: which of the accepted forms a file or folder has, and who reads it."""

from pathlib import Path

from nn.pixels import square
from stages.cli import Refusal
from stages.own_data.class_folders import from_class_folders
from stages.own_data.gzipped import reading
from stages.own_data.idx import from_idx_file, from_idx_folder
from stages.own_data.kaggle import read_kaggle_csv
from stages.own_data.labelled import Labelled
from stages.own_data.npz import from_npz

_FORMS = (
    "IDX files, an .npz file, a CSV file with the header label,pixel0,pixel1,…, or a folder with a "
    "sub-folder of images per class"
)


def from_path(path: Path) -> Labelled:
    """Read a local data set of any of the accepted forms; the content tells which.

    Raises:
        Refusal: If it has none of them, or is damaged; it names the file.
    """
    if path.is_dir():
        data = from_idx_folder(path) or from_class_folders(path)
        if data is None:
            raise Refusal(f"{path}: there is no data set in this folder{_hint(path)}.")
        return data
    if not path.is_file():
        raise Refusal(f"{path}: it is neither a file nor a folder; right would be {_FORMS}.")
    with reading(path) as file:
        head = file.read(64)
    if head.startswith(b"PK"):
        return from_npz(path)
    if head.startswith(b"\0\0"):
        return from_idx_file(path)
    if b"," in head or path.name.lower().removesuffix(".gz").endswith(".csv"):
        pixels, labels = read_kaggle_csv(path, labels=True)
        return Labelled(pixels, labels, square(pixels.shape[1]), {})
    raise Refusal(f"{path}: it is no data set; right would be {_FORMS}.")


def _hint(folder: Path) -> str:
    """The file in the folder that may be meant, or what would be right."""
    names = sorted(path.name for path in folder.iterdir())
    for name in names:
        if name.lower().removesuffix(".gz").endswith((".csv", ".npz")) and "test" not in name:
            return f"; set fetch.source: {folder / name} to read that file"
    return f"; right would be {_FORMS}"
