"""The documentation, and the blocks of code in it."""

from pathlib import Path

from markdown_it import MarkdownIt

ROOT = Path(__file__).parents[2]
DOCUMENTS = ["README.md", "CONTRIBUTING.md"]
DOCUMENTS += [f"docs/{path.name}" for path in sorted((ROOT / "docs").glob("*.md"))]


def blocks(document, language):
    """The blocks of code in a language, such as "python", in their order."""
    tokens = MarkdownIt().parse((ROOT / document).read_text())
    return [token.content for token in tokens if token.type == "fence" and token.info == language]


def commands(document):
    """Each command of the console blocks, and the output that is shown below it."""
    shown = "".join(f"\n{block}" for block in blocks(document, "console"))
    pairs = (text.replace("\\\n", "\\\0").partition("\n") for text in shown.split("\n$ ")[1:])
    return [(command.replace("\0", "\n"), output.strip()) for command, _, output in pairs]
