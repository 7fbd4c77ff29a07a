"""Checks of what comes from outside; they know no network.

- `hyperparameters`  name, range and description of each hyperparameter
- `arrays`           values and shapes of arrays
- `array_files`      arrays in files
"""
