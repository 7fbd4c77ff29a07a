"""The checkpoint of a training run: one file, rewritten after each epoch.

It is not an output of the DVC stage, because DVC deletes outputs before it runs a stage. Its key is
a digest of the parameters, the data and the code that determine the result; a file with another key
is ignored.
"""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import NamedTuple

import numpy as np
import scipy
from numpy.typing import NDArray

import nn
from nn import Trainer, TrainingConfig
from nn.checks.array_files import read_archive, write_archive
from stages.common.command_line.errors import StageError
from stages.common.files.artifacts import Artifacts, read_bytes
from stages.training.dvclive_log import Epoch

_STAGES = Path(__file__).parents[1]
# Folders and files with the code that affects training.
_CODE = (
    Path(nn.__file__).parent,
    *(_STAGES / name for name in ("common", "training", "train.py")),
)

# Exceptions that damaged or foreign content can raise.
DAMAGE = (AttributeError, KeyError, RecursionError, TypeError, ValueError)


class Checkpoint(NamedTuple):
    """The content of a checkpoint file.

    Attributes:
        state: State of the trainer.
        history: The epochs done.
        finished: Whether the model was written.
    """

    state: dict[str, NDArray]
    history: list[Epoch]
    finished: bool


class CheckpointFile:
    """Writes and reads the checkpoint of one training run.

    Attributes:
        path: The file.
        key: Digest of what determines the result.
    """

    def __init__(
        self, path: Path, config: TrainingConfig, options: object, data: Iterable[Path]
    ) -> None:
        """Compute the key.

        Args:
            path: The file.
            config: The configuration.
            options: Other parameters, as JSON types.
            data: The files that training reads.
        """
        self.path = path
        parameters = asdict(config) | {"options": options}
        if not config.learning_rate_schedule.ends:
            del parameters["epochs"]  # the first epochs do not depend on their number
        digest = hashlib.sha256(json.dumps(parameters, sort_keys=True).encode())
        digest.update(f"numpy {np.__version__}, scipy {scipy.__version__}".encode())
        code = [file for path in _CODE for file in sorted(path.rglob("*.py")) or [path]]
        for file in (*code, *data):
            with file.open("rb") as content:
                digest.update(hashlib.file_digest(content, "sha256").digest())
        self.key = digest.hexdigest()

    def write(self, trainer: Trainer, history: list[Epoch], *, finished: bool = False) -> None:
        """Replace the checkpoint; for the arguments see `Checkpoint`."""
        pictures = {
            f"picture_{k}": np.frombuffer(epoch.picture, np.uint8)
            for k, epoch in enumerate(history)
        }
        snapshots = {f"snapshot_{k}": epoch.snapshot for k, epoch in enumerate(history)}
        with Artifacts() as artifacts, artifacts.open(self.path) as file:
            arrays = {
                "key": np.array(self.key),
                "history": np.array(json.dumps([epoch.scores for epoch in history])),
                "finished": np.array(finished),
            }
            write_archive(file, arrays | pictures | snapshots | trainer.state())

    def read(self) -> Checkpoint | None:
        """Return the checkpoint; None if there is none, or it is damaged or has another key."""
        try:
            arrays = read_archive(read_bytes(self.path, "train"))
            if str(arrays["key"]) != self.key:
                return None
            scores = json.loads(str(arrays["history"]))
            history = [
                Epoch(
                    {name: float(x) for name, x in named.items()},
                    arrays[f"picture_{k}"].tobytes(),
                    arrays[f"snapshot_{k}"],
                )
                for k, named in enumerate(scores)
            ]
            return Checkpoint(arrays, history, bool(arrays["finished"]))
        except (StageError, OSError, *DAMAGE):
            return None
