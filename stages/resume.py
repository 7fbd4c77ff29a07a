"""What a training run needs to go on after it was killed: one file, rewritten after every epoch.

It lies outside the outputs that DVC knows, because DVC removes those before it runs a stage. It
belongs to one set of parameters, data and code: its key is a digest of all three.
"""

import hashlib
import json
import zipfile
import zlib
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path

import numpy as np
import scipy
from numpy.typing import NDArray

import nn
from nn import Recipe, Run
from stages.files import Artifacts

_DAMAGE = (OSError, EOFError, KeyError, ValueError, zipfile.BadZipFile, zlib.error)
_PACKAGES = (Path(nn.__file__).parent, Path(__file__).parent)


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
        code = sorted(path for package in _PACKAGES for path in package.glob("*.py"))
        for part in (*code, *data):
            with part.open("rb") as file:
                digest.update(hashlib.file_digest(file, "sha256").digest())
        self.key = digest.hexdigest()

    def write(self, run: Run, history: list[dict[str, float]]) -> None:
        """Put the run away, with what was logged after each of its epochs."""
        with Artifacts() as artifacts, artifacts.open(self.path) as file:
            np.savez(
                file,
                allow_pickle=False,
                key=np.array(self.key),
                history=np.array(json.dumps(history)),
                **run.state(),
            )

    def read(self) -> tuple[dict[str, NDArray], list[dict[str, float]]] | None:
        """The state and the history, or None if there are none, or none with this key."""
        try:
            with np.load(self.path, allow_pickle=False) as archive:
                if str(archive["key"]) != self.key:
                    return None
                return dict(archive), json.loads(str(archive["history"]))
        except _DAMAGE:
            return None
