"""The one door for local data sets: files, folders and archives, recognized by their content."""

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import NamedTuple

from stages.common.command_line.errors import StageError
from stages.common.command_line.terminal import listing
from stages.sources import arrays
from stages.sources.archives import unpacked
from stages.sources.csv import from_csv, is_labelled, read_numbers
from stages.sources.dataset import LabelledImages, Part, join
from stages.sources.emnist import of_emnist
from stages.sources.formats import SUPPORTED, kind_of, refusal
from stages.sources.image_folders import from_image_folder, listed, without_classes
from stages.sources.names import parse
from stages.sources.parquet import from_parquet

_MAX_DEPTH = 8
_ARRAYS: Mapping[str, Callable[[Path], arrays.Arrays]] = {
    "npz": arrays.npz_arrays,
    "mat": arrays.mat_arrays,
    "hdf5": arrays.hdf5_arrays,
}


class Options(NamedTuple):
    """Parameters of `fetch` that say how files are understood.

    Attributes:
        label: Of a table: auto, first, last, or the name of the column of labels.
        size: Side in pixels to which images of a folder are scaled; 0 for images of equal size.
    """

    label: str = "auto"
    size: int = 0


def from_path(path: Path, options: Options = Options(), depth: int = 0) -> LabelledImages:  # noqa: B008
    """Read a local data set in any of the supported formats, which is detected from the content.

    A path may lead into an archive: archive.zip/folder/train.csv. Its last part may be the name of
    one of several data sets, with which the names of its files or arrays begin: emnist-letters.

    Raises:
        StageError: If the format is not supported, or a file is damaged; the message names it.
        ParameterError: If a parameter has to decide how the data are understood.
    """
    if depth > _MAX_DEPTH:
        raise StageError(f"{path}: expected at most {_MAX_DEPTH} folders inside one another.")
    if path.is_dir():
        return _from_folder(path, options, depth)
    if not path.exists():
        return _inside(path, options, depth)
    if not path.is_file():
        raise StageError(f"{path}: expected {SUPPORTED}, got a special file.")
    kind = kind_of(path)
    if kind in ("zip", "tar"):
        return _unpacked(path, Path(), options, depth)
    if kind in ("idx", "npy"):
        return _beside(path)
    if kind in _ARRAYS:
        return _from_arrays(path, kind)
    if kind == "parquet":
        return from_parquet(path, options.label)
    if kind == "table":
        return of_emnist(from_csv(path, options.label), path)
    raise refusal(path)


def leads_inside(path: Path) -> bool:
    """Whether a path that does not exist may lead into a file, or name some files of a folder."""
    outer = _outer(path)
    if outer.is_dir():
        return outer == path.parent and path.name in _titles(listed(outer, folders=False))
    return outer.is_file()


def _outer(path: Path) -> Path:
    """The longest part of a path that exists."""
    # Unlike `Path.exists`, this is False for names that are too long.
    return next(outer for outer in (path, *path.parents) if os.path.exists(outer))


def _titles(names: Iterable[str]) -> set[str]:
    return {parse(name).title for name in names}


def _inside(path: Path, options: Options, depth: int) -> LabelledImages:
    """Read what a path means that leads into a file, or names some files of a folder."""
    outer = _outer(path)
    rest = path.relative_to(outer)
    if outer.is_dir():
        if outer == path.parent:
            return _from_folder(outer, options, depth, title=path.name)
    elif (kind := kind_of(outer)) in ("zip", "tar"):
        return _unpacked(outer, rest, options, depth)
    elif kind in _ARRAYS:
        return _from_arrays(outer, kind, str(rest))
    raise StageError(f"{path}: expected a file, a folder or a data set in {outer}, got {rest}.")


def _unpacked(path: Path, inside: Path, options: Options, depth: int) -> LabelledImages:
    """Read an archive, or what is at a path inside it; messages name it, not a temporary folder."""
    with unpacked(path) as folder:
        old, new = str(folder), str(path)
        try:
            data = from_path(folder / inside, options, depth + 1)
        except StageError as error:
            raise type(error)(error.message.replace(old, new)) from error
    return replace(data, notes=tuple(note.replace(old, new) for note in data.notes))


def _from_arrays(path: Path, kind: str, title: str | None = None) -> LabelledImages:
    """Read a file of several arrays, or of one array whose labels are in another file."""
    found = _ARRAYS[kind](path)
    if title is not None:
        found = {name: load for name, load in found.items() if parse(name).title == title}
    if len(found) == 1 and parse(path.name).what:
        return _beside(path)
    data = arrays.from_arrays(found, lambda name: f"{path}: {name}" if name else str(path))
    if data is None:
        data = arrays.from_arrays_by_class(found, str(path))
    if data is None:
        raise StageError(
            f"{path}: expected arrays {arrays.EXPECTED}, got {listing(sorted(found), 6) or 'none'}."
        )
    return of_emnist(data, path, found)


def _beside(path: Path) -> LabelledImages:
    """Read the file of an array of images or labels with the other one in the same folder."""
    title, part, what, _ = parse(path.name)
    files = [
        file for file in listed(path.parent, folders=False) if parse(file)[:2] == (title, part)
    ]
    data = _from_array_files(path.parent, files) if what else None
    if data is None:
        raise StageError(
            f"{path}: expected the file of an array of images or labels, beside the other one, "
            f"with names like {arrays.EXPECTED}, or train-images-idx3-ubyte."
        )
    return data


def _from_array_files(folder: Path, names: Sequence[str]) -> LabelledImages | None:
    """Read the files of one array each in a folder; None if none is images or labels."""
    whole: dict[str, Callable] = {}
    tables: dict[str, Callable] = {}
    for name in names:
        path = folder / name
        if not path.is_file() or not (
            parse(name).what or parse(name).part or name.endswith(".npy")
        ):
            continue
        kind = kind_of(path)
        if kind in ("idx", "npy"):
            whole[name] = partial(arrays.idx_array if kind == "idx" else arrays.read_npy, path)
        elif kind == "npz" and len(found := arrays.npz_arrays(path)) == 1:
            whole[name] = next(iter(found.values()))
        elif kind == "table":
            tables[name] = partial(read_numbers, path)
    # A table beside one of labels has the images only; others have both.
    keys = {parse(name)[:2] for name in tables if parse(name).what == "labels"}
    pairs = {name: load for name, load in tables.items() if parse(name)[:2] in keys}
    loaders = whole or (pairs if len(pairs) == 2 * len(keys) else {})

    def where(name: str) -> str:
        return str(folder / name) if name else str(folder)

    if any(parse(name).what for name in loaders):
        data = arrays.from_arrays(loaders, where)
        return data and of_emnist(data, folder / min(loaders))
    return arrays.from_arrays_by_class(loaders, str(folder))


def _from_folder(
    folder: Path, options: Options, depth: int, title: str | None = None
) -> LabelledImages:
    """Read the data set of a folder, or that of its data sets whose name is `title`."""
    files, folders = listed(folder, folders=False), listed(folder, folders=True)
    if title is not None:
        if title not in _titles(files) and len(folders) == 1:
            return from_path(folder / folders[0] / title, options, depth + 1)
        files = [name for name in files if parse(name).title == title]
    if data := _from_array_files(folder, files):
        return data
    kinds = {name: kind_of(folder / name) for name in files if (folder / name).is_file()}
    if title is None and (data := from_image_folder(folder, kinds, *options)):
        return data
    if data := _from_files(folder, kinds, options):
        return data
    if title is not None:
        raise StageError(f"{folder}: expected a data set of the name {title}, got none.")
    if "image" in kinds.values():
        raise without_classes(folder)
    single = [folder / name for name, kind in kinds.items() if kind in ("zip", "tar")]
    single = single or [folder / name for name in folders if any((folder / name).rglob("*"))]
    if len(single) == 1:
        return from_path(single[0], options, depth + 1)
    if single:
        advice = f"set fetch.source to one of {', '.join(map(str, single[:5]))}"
    else:
        advice = f"supported are {SUPPORTED}"
    raise StageError(f"{folder}: expected a data set in this folder, got none; {advice}.")


def _from_files(folder: Path, kinds: Mapping[str, str], options: Options) -> LabelledImages | None:
    """Read the tables that have labels, or the files of arrays, whose names may say the part."""
    labelled = [
        name
        for name, kind in sorted(kinds.items())
        if kind == "parquet" or (kind == "table" and is_labelled(folder / name, options.label))
    ] or [name for name, kind in sorted(kinds.items()) if kind in _ARRAYS]
    names = [name for name in labelled if parse(name).part == "train"] or labelled
    titles = _titles(names)
    if len(titles) > 1 or (len(names) > 1 and not parse(names[0]).part):
        one = sorted(titles) if len(titles) > 1 and all(titles) else names
        raise StageError(
            f"{folder}: expected the files of one data set, got several; set fetch.source to one "
            f"of {', '.join(str(folder / name) for name in one[:8])}."
        )
    used = sorted(
        (name for name in labelled if parse(name).title in titles),
        key=lambda name: ("", "train", "validation", "test").index(parse(name).part),
    )
    if not used:
        return None
    found = [from_path(folder / name, options) for name in used]
    left = [name for name in kinds if name not in used and kinds[name] in ("table", "parquet")]
    notes = [note for data in found for note in data.notes]
    if left:
        notes.append(f"{folder}: left out {listing(left, 4)}")
    if len(used) == 1:
        return replace(found[0], notes=tuple(notes))
    parts = [
        Part(parse(name).part, str(folder / name), data.pixels, data.labels)
        for name, data in zip(used, found, strict=True)
    ]
    whole = join(parts)
    shape = next((data.image_shape for data in found), whole.image_shape)
    return replace(found[0], pixels=whole.pixels, labels=whole.labels, image_shape=shape,
                   parts=whole.parts, notes=tuple(notes))  # fmt: skip
