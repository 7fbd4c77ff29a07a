"""What a training run needs to go on after it was killed: one file, rewritten after every epoch.

It lies outside the outputs that DVC knows, because DVC removes those before it runs a stage. It
belongs to one set of parameters, data and code: its key is a digest of all three.
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
from nn import Recipe, Run
from nn.model_file import DAMAGE
from stages.files import Artifacts
from stages.live import Epoch

_PACKAGES = (Path(nn.__file__).parent, Path(__file__).parent)


class Kept(NamedTuple):
    """What a resume file holds.

    Attributes:
        state: Of the run.
        history: What was shown of each of its epochs.
        finished: Whether its model was written.
    """

    state: dict[str, NDArray]
    history: list[Epoch]
    finished: bool


class ResumeFile:
    """Keeps a run and its history of scores.

    Attributes:
        path: The file.
        key: What the run belongs to.
    """

    def __init__(self, path: Path, recipe: Recipe, rest: object, data: Iterable[Path]) -> None:
        """Work out the key, from the parameters, the content of `data`, and this project's code.

        Args:
            path: The file.
            recipe: Most of the parameters.
            rest: The others, in JSON's types.
            data: Files that training reads.
        """
        self.path = path
        parameters = asdict(recipe) | {"rest": rest}
        if not recipe.learning_rate_schedule.ends:
            del parameters["epochs"]  # a longer run begins as a shorter one does
        digest = hashlib.sha256(json.dumps(parameters, sort_keys=True).encode())
        digest.update(f"numpy {np.__version__}, scipy {scipy.__version__}".encode())
        code = sorted(path for package in _PACKAGES for path in package.rglob("*.py"))
        for part in (*code, *data):
            with part.open("rb") as file:
                digest.update(hashlib.file_digest(file, "sha256").digest())
        self.key = digest.hexdigest()

    def write(self, run: Run, history: list[Epoch], *, finished: bool = False) -> None:
        """Put the run away; see `Kept`."""
        pictures = {
            f"picture_{k}": np.frombuffer(epoch.picture, np.uint8)
            for k, epoch in enumerate(history)
        }
        with Artifacts() as artifacts, artifacts.open(self.path) as file:
            np.savez(
                file,
                allow_pickle=False,
                key=np.array(self.key),
                history=np.array(json.dumps([epoch.scores for epoch in history])),
                **pictures,
                finished=np.array(finished),
                **run.state(),
            )

    def read(self) -> Kept | None:
        """What was written, or None if nothing was, or nothing with this key."""
        try:
            with np.load(self.path, allow_pickle=False) as archive:
                if str(archive["key"]) != self.key:
                    return None
                scores = json.loads(str(archive["history"]))
                history = [
                    Epoch(of_epoch, archive[f"picture_{k}"].tobytes())
                    for k, of_epoch in enumerate(scores)
                ]
                return Kept(dict(archive), history, bool(archive["finished"]))
        except (*DAMAGE, OSError, TypeError):
            return None
