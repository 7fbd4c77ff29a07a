"""What can be watched while training goes on: DVCLive's curves, and pictures by epoch."""

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from nn import Score
from stages.cli import Refusal

if TYPE_CHECKING:
    from dvclive import Live


class Epoch(NamedTuple):
    """What is shown of an epoch.

    Attributes:
        scores: Loss and accuracy by name.
        picture: Content of a PNG file; empty for none.
    """

    scores: dict[str, float]
    picture: bytes = b""

    @classmethod
    def of(cls, on_train: Score, on_validation: Score, picture: bytes = b"") -> "Epoch":
        """The scores under DVCLive's names."""
        scores = {
            "train/loss": on_train.loss,
            "train/accuracy": on_train.accuracy,
            "validation/loss": on_validation.loss,
            "validation/accuracy": on_validation.accuracy,
        }
        return cls(scores, picture)


def open_live(folder: str) -> "Live":
    """DVCLive, writing to `folder`; raises `Refusal` if it cannot."""
    # Imported here: DVCLive takes half a second, and `--help` should not.
    from dvclive import Live
    from scmrepo.exceptions import SCMError

    try:
        # By default it would rewrite dvc.yaml and save an experiment of its own.
        return Live(folder, dvcyaml=False, save_dvc_exp=False)
    except SCMError as error:
        raise Refusal(
            f"train: DVCLive needs a git repository with a commit ({error}); make one: "
            "git add . && git commit -m start"
        ) from error


def show(live: "Live", epoch: Epoch, pictures: Path | None) -> None:
    """Add an epoch to the curves, and its picture to the folder."""
    live.step += 1
    for name, value in epoch.scores.items():
        live.log_metric(name, value)
    live.make_summary()
    if pictures is not None and epoch.picture:
        pictures.mkdir(parents=True, exist_ok=True)
        (pictures / f"{live.step}.png").write_bytes(epoch.picture)
