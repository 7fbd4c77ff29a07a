"""adopt: the best of a search → `params.yaml`, in which nothing else changes."""

from pathlib import Path
from typing import Any

import click
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError
from ruamel.yaml.nodes import MappingNode, Node, SequenceNode

from stages.cli import Refusal, path_option, stage
from stages.files import Artifacts, read_json, refuse
from stages.searching.ranking import as_yaml, shown

_MADE_BY = "search/dvc.yaml:tune"


@stage("adopt")
@path_option("best", "data/search/best.json", "File that `tune` wrote.")
@path_option("params", "params.yaml", "File whose section `train` gets the values.")
def main(best_path: str, params_path: str) -> None:
    """Write the best parameters that `tune` has found into params.yaml.

    Comments, order and everything else stay as they are. This is no stage of a pipeline: a stage
    must not change what it depends on.

    \b
    Example:
      python -m stages.adopt
    """
    best = read_json(Path(best_path), _MADE_BY)
    if not isinstance(best, dict) or not isinstance(best.get("train"), dict):
        raise refuse(Path(best_path), "it has no parameters of train", _MADE_BY)
    path = Path(params_path)
    with Artifacts() as artifacts:
        text = path.read_bytes().decode()
        for name, value in best["train"].items():
            text = with_value(path, text, "train", name, value)
        with artifacts.open(path) as file:
            file.write(text.encode())
    changes = ", ".join(f"{name} {shown(value)}" for name, value in best["train"].items())
    click.echo(f"{path}: train has {changes} now; dvc repro runs it")


def with_value(path: Path, text: str, section: str, key: str, value: Any) -> str:
    """The text of a YAML file with another value at `section.key`, else the same to the byte.

    Raises:
        Refusal: If `path`, whose text it is, has no such key of its own.
    """
    try:
        root = YAML(typ="rt").compose(text)
    except YAMLError as error:
        raise Refusal(f"{path}: it is no YAML ({' '.join(str(error).split())}).") from error
    name, node = _child(_child(root, section)[1], key)
    if name is None or node is None:
        raise Refusal(f"{path}: {section}.{key}: it is not there; add it, with any value.")
    if node.anchor is not None or node.start_mark.index < name.end_mark.index:
        raise Refusal(f"{path}: {section}.{key}: it shares its value by & or *; write it out.")
    # A list of lines that begin with a dash ends for ruamel where the next key begins. It may begin
    # in the key's own column, where nothing else may.
    dashes = isinstance(node, SequenceNode) and not node.flow_style
    last = node.value[-1] if dashes else node
    start = text.index(":", name.end_mark.index) + 1
    is_empty = node.start_mark.index == node.end_mark.index
    end = start if is_empty else last.end_mark.index
    old, rest = text[start:end], text[end:]
    comment = old[: old.index("\n")].rstrip() if dashes and "\n" in old else ""
    new = " " + as_yaml(value) + (" " + comment.lstrip() if comment else "")
    # The comment stays in its column, if it can.
    spaces = len(rest) - len(rest.lstrip(" "))
    if rest[spaces:].startswith("#") and "\n" not in old:
        rest = " " * max(1, spaces + len(old) - len(new)) + rest[spaces:]
    return text[:start] + new + rest


def _child(node: Node | None, key: str) -> tuple[Node | None, Node | None]:
    """The key itself, and its value."""
    pairs = node.value if isinstance(node, MappingNode) else []
    return next(((name, value) for name, value in pairs if name.value == key), (None, None))


if __name__ == "__main__":
    main()
