"""Early stopping: stop when the validation score no longer improves, and keep the best weights.

See Prechelt 1998, "Early Stopping — But When?"; Goodfellow, Bengio & Courville 2016, *Deep
Learning*, algorithm 7.1.
"""

from nn.metrics import Score
from nn.network import Network


class EarlyStopping:
    """Tracks the best validation score over the epochs.

    Args:
        patience: Number of epochs without a better score after which to stop, at least 1.
        monitor: The score to compare: "loss" (lower is better) or "accuracy" (higher is better).

    Attributes:
        best: A copy of the network with the best score, None before the first `update`.
        best_value: Its loss or its accuracy.
        epochs_since: Number of epochs since the best score.
    """

    def __init__(self, patience: int, monitor: str = "loss") -> None:
        self.patience, self.monitor = patience, monitor
        self.best: Network | None = None
        self.best_value = 0.0
        self.epochs_since = 0

    @property
    def stop(self) -> bool:
        """Whether the score has not improved for `patience` epochs."""
        return self.epochs_since >= self.patience

    def update(self, network: Network, score: Score) -> None:
        """Record the score of an epoch; an equal score is no improvement."""
        value = getattr(score, self.monitor)
        better = value < self.best_value if self.monitor == "loss" else value > self.best_value
        if self.best is None or better:
            self.best, self.best_value, self.epochs_since = network.copy(), value, 0
        else:
            self.epochs_since += 1
