"""List the commands of this folder: `python -m tools`."""

import ast
from pathlib import Path


def main() -> None:
    """Print each command and the first line of its module's docstring."""
    for path in sorted(Path(__file__).parent.glob("[!_]*.py")):
        summary = (ast.get_docstring(ast.parse(path.read_text("utf-8"))) or "").partition("\n")[0]
        print(f"python -m tools.{path.stem:14} {summary.partition(': ')[2]}")
    print("\nEach has --help. The stages of the pipeline are stages/*.py; dvc repro runs them.")


if __name__ == "__main__":
    main()
