"""Write the tables of docs/results.md from the results of the benchmarks.

Results in `data/benchmarks/` replace those of the same benchmark and kernel in
`benchmarks/results/`, which is in git. Each table is between two lines of docs/results.md:

    <!-- benchmark: epoch -->
    <!-- end -->
"""

import json
import re
from itertools import groupby
from pathlib import Path
from typing import Any

import click

from benchmarks.common import RESULTS, markdown

DOCUMENT = Path("docs/results.md")
KEPT = Path("benchmarks/results")
_BLOCK = re.compile(r"(<!-- benchmark: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)


@click.command()
def main() -> None:
    """Write the tables of docs/results.md."""
    KEPT.mkdir(exist_ok=True)
    for path in RESULTS.glob("*.json"):
        kept = KEPT / path.name
        results = (read(kept) if kept.exists() else {}) | read(path)
        kept.write_text(json.dumps(results, indent=1, ensure_ascii=False) + "\n")
    DOCUMENT.write_text(with_tables(DOCUMENT.read_text(), KEPT))


def read(path: Path) -> dict[str, Any]:
    """The results of a benchmark, by kernel."""
    return json.loads(path.read_text())


def with_tables(text: str, folder: Path) -> str:
    """The text with the tables of the results in `folder`.

    Raises:
        FileNotFoundError: If the text has a place for a benchmark without results.
    """

    def block(match: re.Match[str]) -> str:
        start, name, end = match.groups()
        content = (
            _machines(folder) if name == "machines" else _tables(read(folder / f"{name}.json"))
        )
        return f"{start}\n{content}\n\n{end}"

    return _BLOCK.sub(block, text)


def _tables(results: dict[str, Any]) -> str:
    return "\n\n".join(
        f"Kernel {kernel}, `{result['command']}`:\n\n{markdown(result)}"
        for kernel, result in sorted(results.items())
    )


def _machines(folder: Path) -> str:
    """A list of the machines, with the kernels and benchmarks that were measured on each."""
    found = []
    for path in folder.glob("*.json"):
        for kernel, result in read(path).items():
            versions = ", ".join(
                f"{name} {version}" for name, version in result["versions"].items()
            )
            found.append((kernel, f"{result['machine']}; {versions}", path.stem))
    return "\n".join(
        f"- kernel {kernel} ({', '.join(name for *_, name in group)}): {machine}"
        for (kernel, machine), group in groupby(sorted(found), key=lambda item: item[:2])
    )


if __name__ == "__main__":
    main()
