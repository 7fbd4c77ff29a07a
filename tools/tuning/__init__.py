"""Hyperparameter search: `space` → `search` (its `trial`s run by `workers`) → `results`."""
