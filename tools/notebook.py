"""Command `notebook`: make docs/tour.ipynb, the notebook of docs/tour.md."""

from pathlib import Path

import jupytext
import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

from stages.common.command_line.command import stage
from stages.common.command_line.errors import StageError

TOUR = Path("docs/tour.md")


@stage("notebook")
def main() -> None:
    """Make docs/tour.ipynb from docs/tour.md, and run it for its outputs.

    It needs the packages of the extra `test`, and what `dvc repro` writes.

    \b
    Example:
      python -m tools.notebook
    """
    notebook = notebook_of(TOUR)
    client = NotebookClient(
        notebook,
        resources={"metadata": {"path": str(TOUR.parent)}},  # where Jupyter runs it
        extra_arguments=["--log-level=ERROR"],
        record_timing=False,
        coalesce_streams=True,
    )
    try:
        client.execute()
    except CellExecutionError as error:
        raise StageError(
            f"{TOUR}: a block ended with {error.ename}, {error.evalue}; run `dvc repro` first, or "
            "correct the block."
        ) from error
    notebook.metadata = {"language_info": {"name": "python"}}  # no versions
    nbformat.write(notebook, TOUR.with_suffix(".ipynb"))


def notebook_of(document: Path) -> nbformat.NotebookNode:
    """Return a Markdown document as a notebook that has not run; its Python blocks are cells."""
    notebook = jupytext.read(document)
    for number, cell in enumerate(notebook.cells):
        cell.id = f"cell-{number}"  # random otherwise
    return notebook


if __name__ == "__main__":
    main()
