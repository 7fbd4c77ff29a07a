"""Command-line tools beside the pipeline: `python -m tools.NAME --help`."""

import stages  # noqa: F401 (handles Ctrl-C during the imports that follow)
