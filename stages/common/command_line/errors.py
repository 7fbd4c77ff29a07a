"""Errors that the user can correct, printed as one line without a traceback."""

import errno

import click

from stages.common.command_line.terminal import printable

_FREE_SPACE = "Free some space on that disk, then run the command again."
_MAKE_WRITABLE = "Make it readable and writable, or choose another folder."
_MOVE_AWAY = "Expected a folder, got a file of that name, or the reverse; move it."
_OPEN_OUTPUT = "Standard output or a file is closed; run the command with it open."
_OTHER_ADVICE = "Correct that, then run the command again."
_ADVICE = {
    errno.ENOSPC: _FREE_SPACE,
    errno.EFBIG: _FREE_SPACE,
    errno.EDQUOT: _FREE_SPACE,
    errno.EACCES: _MAKE_WRITABLE,
    errno.EPERM: _MAKE_WRITABLE,
    errno.EROFS: _MAKE_WRITABLE,
    errno.EBADF: _OPEN_OUTPUT,
    errno.EEXIST: _MOVE_AWAY,
    errno.EISDIR: _MOVE_AWAY,
    errno.ENOTDIR: _MOVE_AWAY,
}


class StageError(click.ClickException):
    """An error that the user can correct; exit code 1."""

    def format_message(self) -> str:
        """Return the line to print, without control characters."""
        return printable(self.message)


class ParameterError(StageError):
    """An invalid parameter; exit code 2, as for every usage error of a command."""

    exit_code = 2


def describe_os_error(error: OSError) -> str:
    """Return one line with the file, the error and what to do about it."""
    where = f"{error.filename}: " if error.filename else ""
    return f"{where}{error.strerror or error}. {_ADVICE.get(error.errno or 0, _OTHER_ADVICE)}"
