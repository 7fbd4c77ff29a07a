"""The log of training: DVCLive's curves, and one picture per epoch."""

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from nn import Score
from stages.common.command_line.errors import StageError

if TYPE_CHECKING:
    from dvclive import Live

_NONE = np.empty(0, np.float32)


class Epoch(NamedTuple):
    """The logged values of one epoch.

    Attributes:
        scores: Loss and accuracy by name.
        picture: Content of a PNG file; empty for none.
        snapshot: Parameters of the network; empty for none.
    """

    scores: dict[str, float]
    picture: bytes = b""
    snapshot: NDArray = _NONE

    @classmethod
    def of(
        cls, on_train: Score, on_validation: Score, picture: bytes = b"", snapshot: NDArray = _NONE
    ) -> "Epoch":
        """Name the scores as DVCLive does."""
        scores = {
            "train/loss": on_train.loss,
            "train/accuracy": on_train.accuracy,
            "validation/loss": on_validation.loss,
            "validation/accuracy": on_validation.accuracy,
        }
        return cls(scores, picture, snapshot)


def open_live(folder: str) -> "Live":
    """Open a DVCLive log in `folder`; raises `StageError` without a git commit."""
    # Imported here: DVCLive takes half a second to import, and `--help` should be fast.
    from dvclive import Live
    from scmrepo.exceptions import SCMError

    try:
        # By default it would rewrite dvc.yaml and save an experiment of its own.
        return Live(folder, dvcyaml=False, save_dvc_exp=False)
    except SCMError as error:
        raise StageError(
            f"train: DVCLive needs a git repository with a commit ({error}); run "
            "git add . && git commit -m start"
        ) from error


def log_epoch(live: "Live", epoch: Epoch, pictures: Path | None) -> None:
    """Add an epoch to the curves, and write its picture to the folder `pictures`."""
    live.step += 1
    for name, value in epoch.scores.items():
        live.log_metric(name, value)
    live.make_summary()
    if pictures is not None and epoch.picture:
        pictures.mkdir(parents=True, exist_ok=True)
        (pictures / f"{live.step}.png").write_bytes(epoch.picture)
