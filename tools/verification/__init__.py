"""Differences between two runs of the pipeline, and their causes, for `verify`."""
