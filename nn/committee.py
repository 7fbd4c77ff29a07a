"""Several networks that decide together: the mean of their probabilities.

Networks that make different mistakes correct one another (Hansen & Salamon 1990, "Neural Network
Ensembles"; for handwritten digits Meier et al. 2011, "Better Digit Recognition with a Committee of
Simple Neural Nets").
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Self

import numpy as np
from numpy.typing import ArrayLike

from nn.blas import Array
from nn.network import Network


@dataclass
class Committee(Network):
    """To be asked like one `Network`; weights and biases are the first member's.

    Attributes:
        members: The networks.
    """

    members: list[Network] = field(default_factory=list)

    @classmethod
    def of(cls, members: Sequence[Network]) -> Self:
        """A committee of at least one network.

        Raises:
            ValueError: If they do not have the same inputs, classes and loss.
        """
        first = members[0]
        for other in members[1:]:
            for what in ("sizes", "classes", "pixel_range", "image_shape", "loss"):
                mine, theirs = getattr(first, what), getattr(other, what)
                if what == "sizes":
                    mine, theirs = mine[0], theirs[0]
                if mine != theirs:
                    raise ValueError(f"members of a committee differ in {what}: {mine}, {theirs}")
        return cls(
            first.weights,
            first.biases,
            first.classes,
            first.pixel_range,
            first.activation,
            first.loss,
            first.image_shape,
            list(members),
        )

    def scores(self, images: ArrayLike) -> Array:
        """Mean of the members' probabilities; arguments, shapes and exceptions as `Network`."""
        return np.mean([member.probabilities(images) for member in self.members], axis=0)
