"""The stages of `dvc.yaml`, one Click script each: `python -m stages.NAME --help`."""

import signal
import sys

# The name that `python -m` has while it looks for the module to run. Until the command begins,
# Ctrl-C ends the process without the traceback of an import.
if sys.argv[0] == "-m" and signal.getsignal(signal.SIGINT) is signal.default_int_handler:
    signal.signal(signal.SIGINT, signal.SIG_DFL)
