"""An ensemble of networks, whose scores are the mean of its members' probabilities.

Averaging reduces the errors that the members do not have in common (Hansen & Salamon 1990, "Neural
Network Ensembles"; for handwritten digits Meier et al. 2011, "Better Digit Recognition with a
Committee of Simple Neural Nets").
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike

from nn.activations import Array
from nn.classifier import Classifier
from nn.images.deslanting import deslant
from nn.images.info import DatasetInfo
from nn.network import Network


@dataclass(frozen=True)
class Ensemble(Classifier):
    """One or more networks, whose hidden layers may differ.

    If some members take deslanted images and others do not, the ensemble takes images that are not
    deslanted, and deslants them for the former.

    Attributes:
        members: The networks.

    Raises:
        ValueError: If the members differ in their inputs, classes or loss.
    """

    members: Sequence[Network]

    def __post_init__(self) -> None:
        def compared(member: Network) -> dict[str, object]:
            names = ("classes", "pixel_range", "image_shape", "framing", "loss")
            return {"inputs": member.sizes[0]} | {name: getattr(member, name) for name in names}

        if not self.members:
            raise ValueError("expected at least one member, got none")
        first = compared(self.members[0])
        for member in self.members[1:]:
            for name, value in compared(member).items():
                if value != first[name]:
                    raise ValueError(
                        f"expected members with the same {name}, got {first[name]} and {value}"
                    )

    @property
    def data(self) -> DatasetInfo:  # type: ignore[override]
        """Description of the inputs and outputs."""
        deslanted = all(member.deslanted for member in self.members)
        return replace(self.members[0].data, deslanted=deslanted)

    def scores(self, images: ArrayLike) -> Array:
        """Mean of the members' probabilities; arguments, shapes and exceptions as `Network`."""
        return np.mean([self._probabilities(member, images) for member in self.members], axis=0)

    def _probabilities(self, member: Network, images: ArrayLike) -> Array:
        if member.deslanted and not self.deslanted and self.image_shape:
            rows = np.asarray(images)
            images = deslant(np.atleast_2d(rows), self.image_shape).reshape(rows.shape)
        return member.probabilities(images)
