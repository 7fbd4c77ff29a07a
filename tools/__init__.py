"""Command-line tools beside the pipeline: `python -m tools.NAME --help`."""
