"""Parameters as `dvc exp run --set-param` takes them."""

from typing import Any

import yaml


def setting(key: str, value: Any) -> str:
    """`KEY=VALUE` with the value as in params.yaml, but without blanks, which DVC rejects."""
    text = yaml.safe_dump([value], default_flow_style=True)
    return f"{key}={''.join(text.split())[1:-1]}"
