"""The stages of `dvc.yaml`, one Click script each: `python -m stages.NAME --help`."""

import signal
import sys
from typing import Any


def _describe_import_error(kind: type, error: Any, traceback: Any) -> None:
    """Print one line if a package is not installed."""
    if kind is not ModuleNotFoundError or error.name.split(".")[0] in ("nn", "stages", "tools"):
        sys.__excepthook__(kind, error, traceback)
    else:
        where = f"expected the package {error.name}, which {sys.executable} does not have"
        sys.stderr.write(
            f"Error: {where}; run `source .venv/bin/activate`, or install it as README.md says.\n"
        )


# The name that `python -m` has while it looks for the module to run. Until the command begins,
# Ctrl-C ends the process without the traceback of an import.
if sys.argv[0] == "-m":
    sys.excepthook = _describe_import_error
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
