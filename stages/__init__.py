"""The stages of `dvc.yaml`, one Click script each: `python -m stages.NAME --help`."""
