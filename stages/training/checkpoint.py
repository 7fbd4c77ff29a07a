"""The checkpoint of a training run: one file, rewritten after each epoch.

It is not an output of the DVC stage, because DVC deletes outputs before it runs a stage. It has a
digest of its content, and of the parameters, the data and the code that determine the result; a
file with another digest is ignored.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import NamedTuple

import numpy as np
import scipy
from numpy.typing import NDArray

import nn
from nn import Trainer, TrainingConfig
from nn.checks.array_files import ArrayFileError, read_archive, write_archive
from stages.common.command_line.errors import StageError
from stages.common.files.artifacts import Artifacts, read_bytes
from stages.training.dvclive_log import Epoch

_STAGES = Path(__file__).parents[1]
# Folders and files with the code that affects training.
_CODE = (
    Path(nn.__file__).parent,
    *(_STAGES / name for name in ("common", "training", "train.py")),
)


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
        if not config.ends:
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
        arrays = {
            "history": np.array(json.dumps([epoch.scores for epoch in history])),
            "finished": np.array(finished),
        }
        arrays |= pictures | snapshots | trainer.state()
        with Artifacts() as artifacts, artifacts.open(self.path) as file:
            write_archive(file, {"digest": np.array(self._digest(arrays))} | arrays)

    def read(self) -> Checkpoint | None:
        """Return the checkpoint; None if there is none, or it has another digest."""
        try:
            arrays = read_archive(read_bytes(self.path, "train"))
        except (StageError, OSError, ArrayFileError):
            return None
        if str(arrays.pop("digest", None)) != self._digest(arrays):
            return None
        scores = json.loads(str(arrays["history"]))
        history = [
            Epoch(named, arrays[f"picture_{k}"].tobytes(), arrays[f"snapshot_{k}"])
            for k, named in enumerate(scores)
        ]
        return Checkpoint(arrays, history, bool(arrays["finished"]))

    def _digest(self, arrays: Mapping[str, NDArray]) -> str:
        digest = hashlib.sha256(self.key.encode())
        for name, array in arrays.items():
            digest.update(f"{name} {array.dtype.str} {array.shape}".encode() + array.tobytes())
        return digest.hexdigest()
