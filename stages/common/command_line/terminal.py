"""Text for the terminal: names of files and classes must not send commands to it."""

import unicodedata
from collections.abc import Sequence

import click


def printable(text: str) -> str:
    """The text with control characters escaped, and bytes of file names that are not UTF-8."""
    return "".join(
        character.encode("unicode_escape").decode()
        if unicodedata.category(character) in ("Cc", "Cs")
        else character
        for character in text
    )


def echo(text: str, *, err: bool = False) -> None:
    """Print the text, with control characters other than line ends escaped.

    Args:
        text: One or more lines.
        err: Whether to print to standard error.
    """
    click.echo("\n".join(map(printable, text.split("\n"))), err=err)


def listing(names: Sequence[str], limit: int) -> str:
    """The first `limit` names, separated by commas, and an ellipsis if there are more."""
    return ", ".join(names[:limit]) + (", …" if len(names) > limit else "")
