"""Early stopping: keep the weights that did best on validation samples, and stop when they age.

What helps on the training samples helps on others only up to a point (Prechelt 1998, "Early
Stopping — But When?"; Goodfellow, Bengio & Courville 2016, algorithm 7.1).
"""

from nn.network import Network
from nn.scoring import Score


class EarlyStopping:
    """Watches the validation score, epoch by epoch.

    Attributes:
        best: A copy of the network as it was when it scored best, None before the first score.
        best_value: Its loss or its accuracy.
        epochs_since: Epochs since then.
    """

    def __init__(self, patience: int, monitor: str = "loss") -> None:
        """Watch for `patience` epochs in a row without a better score; `monitor` says of what.

        Args:
            patience: At least 1.
            monitor: "loss", which should fall, or "accuracy", which should rise.
        """
        self.patience, self.monitor = patience, monitor
        self.best: Network | None = None
        self.best_value = 0.0
        self.epochs_since = 0

    @property
    def stop(self) -> bool:
        """Whether patience has run out."""
        return self.epochs_since >= self.patience

    def update(self, network: Network, score: Score) -> None:
        """Take in the score of an epoch; an equal one is no better."""
        value = getattr(score, self.monitor)
        better = value < self.best_value if self.monitor == "loss" else value > self.best_value
        if self.best is None or better:
            self.best, self.best_value, self.epochs_since = network.copy(), value, 0
        else:
            self.epochs_since += 1
