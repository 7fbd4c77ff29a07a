"""Checks of the files of data sets, raw and prepared ones."""

from pathlib import Path

from numpy.typing import NDArray

from stages.common.files.artifacts import invalid_artifact


def require(made_by: str, condition: bool, path: Path, expected: str) -> None:
    """Raise `StageError` for the file `path` of the stage `made_by` if a condition is false."""
    if not condition:
        raise invalid_artifact(path, f"expected {expected}", made_by)


def type_of(array: NDArray) -> str:
    """Data type and shape of an array, for messages."""
    return f"{array.dtype} {array.shape}"


def classes_of(value: dict) -> list[str]:
    """The names of the classes in the content of `about.json`.

    Raises:
        KeyError, TypeError, ValueError: If they are missing or invalid.
    """
    names = value["classes"]
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise ValueError("expected a list of names")
    if not 2 <= len(names) == len(set(names)):
        raise ValueError("expected two or more different names")
    return names


def image_shape_of(value: dict) -> tuple[int, int] | None:
    """Height and width in the content of `about.json`; raises exceptions as `classes_of`."""
    if value["image_shape"] is None:
        return None
    height, width = value["image_shape"]
    if not all(type(number) is int and number > 0 for number in (height, width)):
        raise ValueError("expected two positive integers")
    return height, width
