"""Optimizers: updates of the weights and biases from the gradient.

With g the mean gradient of a minibatch (plus λW for L2), learning rate η, momentum μ:

| name | step |
|---|---|
| sgd | W ← W - ηg (Nielsen, chapter 1, equations 20 and 21) |
| momentum | v ← μv - ηg, W ← W + v (Sutskever et al. 2013, equations 1 and 2) |
| nesterov | v ← μv - ηg, W ← W + μv - ηg (the same, §2, with W at the position where the gradient is computed) |
| adam | m ← β₁m + (1 - β₁)g, s ← β₂s + (1 - β₂)g², W ← W - η·m̂ / (√ŝ + ε), where m̂ and ŝ are m / (1 - β₁ᵗ) and s / (1 - β₂ᵗ) after t steps (Kingma & Ba 2015, algorithm 1) |

Decoupled weight decay subtracts ηλW in addition (with adam: AdamW, Loshchilov & Hutter 2019). The
formulas are in `rules`; the classes here compute their coefficients.
"""  # noqa: E501

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from nn.activations import Array
from nn.arithmetic import for_array
from nn.exact.portable import integer_power
from nn.network import Network
from nn.regularization import Regularization


@dataclass(frozen=True)
class SGD:
    """W ← W - ηg. The other rules are subclasses.

    `t` is the number of the step, from 1. There are so many `states` for each array of weights or
    biases.
    """

    momentum: float
    beta2: float
    t: int
    states: ClassVar[int] = 0

    def coefficients(self, rate: float, m: int, l2: float, decay: float) -> Sequence[float]:
        """Coefficients of the formula in `rules`, in its order.

        They depend on the learning rate η, the number m of samples of the minibatch, and λ of the
        L2 penalty and of the decoupled weight decay.
        """
        return -rate / m, 1.0 - rate * (l2 + decay)


class Momentum(SGD):
    """v ← μv - ηg, W ← W + v."""

    states = 1

    def coefficients(self, rate: float, m: int, l2: float, decay: float) -> Sequence[float]:
        """See `SGD.coefficients`."""
        return self.momentum, -rate / m, rate * l2, 1.0 - rate * decay


class Nesterov(Momentum):
    """v ← μv - ηg, W ← W + μv - ηg."""

    def coefficients(self, rate: float, m: int, l2: float, decay: float) -> Sequence[float]:
        """See `SGD.coefficients`."""
        return self.momentum, 1.0 + self.momentum, -rate / m, rate * l2, 1.0 - rate * decay


class Adam(SGD):
    """m ← β₁m + (1 - β₁)g, s ← β₂s + (1 - β₂)g², W ← W - η·m̂ / (√ŝ + ε).

    m = (1 - β₁)·v and s = (1 - β₂)·q, so that the sums do without these factors.
    """

    states = 2
    epsilon = 1e-8

    def coefficients(self, rate: float, m: int, l2: float, decay: float) -> Sequence[float]:
        """See `SGD.coefficients`."""
        beta1, beta2 = self.momentum, self.beta2
        root = math.sqrt((1.0 - beta2) / (1.0 - integer_power(beta2, self.t)))
        factor = rate * (1.0 - beta1) / (1.0 - integer_power(beta1, self.t)) / root
        return 1.0 / m, l2, beta1, beta2, self.epsilon / root, factor, 1.0 - rate * decay


OPTIMIZERS = {"sgd": SGD, "momentum": Momentum, "nesterov": Nesterov, "adam": Adam}


# Weights or biases of a layer: the operation that updates them; they themselves, the sum of their
# gradients over a minibatch and the states of the optimizer, as arrays of one dimension; and λ of
# the L2 penalty and of the decoupled weight decay.
Parameter = tuple[Callable[..., None], Sequence[Array], tuple[float, float]]


class Optimizer:
    """An update rule, and its state for the network that it updates in place.

    Attributes:
        name: One of `OPTIMIZERS`.
        network: The network whose weights and biases are updated.
        momentum: μ of momentum and nesterov, β₁ of adam; 0 to below 1.
        beta2: β₂ of adam; 0 to below 1.
        velocities: v of momentum and nesterov, m / (1 - β₁) of adam, with the shapes of the weights
            and then of the biases; empty for sgd.
        squares: s / (1 - β₂) of adam, with the same shapes; empty for the others.
        steps: Number of steps so far, t.

    Raises:
        ValueError: If the name is unknown, or a coefficient is out of range.
    """

    def __init__(
        self, network: Network, name: str = "sgd", *, momentum: float = 0.9, beta2: float = 0.999
    ) -> None:
        """Start with zero velocities."""
        if name not in OPTIMIZERS:
            raise ValueError(f"optimizer: expected one of {tuple(OPTIMIZERS)}, got {name!r}")
        if not (0 <= momentum < 1 and 0 <= beta2 < 1):
            raise ValueError(
                f"expected momentum and beta2 from 0 to below 1, got {momentum} and {beta2}"
            )
        self.name, self.network = name, network
        self.momentum, self.beta2, self.steps = momentum, beta2, 0
        arrays, states = [*network.weights, *network.biases], OPTIMIZERS[name].states
        self.velocities = [np.zeros_like(a) for a in arrays] if states > 0 else []
        self.squares = [np.zeros_like(a) for a in arrays] if states > 1 else []

    def parameters(
        self, functions: Any, layers: Sequence[Any], regularization: Regularization
    ) -> list[Parameter]:
        """The weights and biases of the last layers, with the gradients that they compute.

        `functions` are the operations; see `nn.arithmetic`.
        """
        depth = len(self.network.weights)
        penalties = regularization.l2, regularization.weight_decay
        found: list[Parameter] = []
        for k, layer in enumerate(layers, start=depth - len(layers)):
            for place, w, g, of_w in (
                (k, layer.w, layer.of_weights, penalties),
                (depth + k, layer.b, layer.of_biases, (0.0, 0.0)),
            ):
                states = [s[place].ravel(order="K") for s in (self.velocities, self.squares) if s]
                update = getattr(for_array(functions, w), self.name)
                arrays = [w.ravel(order="K"), g.reshape(-1), *states]
                found.append((update, arrays, of_w))
        return found

    def update(self, parameters: Sequence[Parameter], learning_rate: float, m: int) -> None:
        """Take a step with the gradients of a minibatch of m samples."""
        self.steps += 1
        rule = OPTIMIZERS[self.name](self.momentum, self.beta2, self.steps)
        for update, arrays, penalties in parameters:
            update(*arrays, *rule.coefficients(learning_rate, m, *penalties))
