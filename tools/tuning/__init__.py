"""Hyperparameter search: `space` draws candidates, `workers` train them for `search`."""
