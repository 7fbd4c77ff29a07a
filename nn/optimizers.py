"""Optimizers: updates of the weights and biases from the gradient.

With g the mean gradient of a minibatch (plus λW for L2), learning rate η, momentum μ:

| name | step |
|---|---|
| sgd | W ← W - ηg (Nielsen, chapter 1, equations 20 and 21) |
| momentum | v ← μv - ηg, W ← W + v (Sutskever et al. 2013, equations 1 and 2) |
| nesterov | v ← μv - ηg, W ← W + μv - ηg (the same, §2, with W at the position where the gradient is computed) |
| adam | m ← β₁m + (1 - β₁)g, s ← β₂s + (1 - β₂)g², W ← W - η·m̂ / (√ŝ + ε), where m̂ and ŝ are m / (1 - β₁ᵗ) and s / (1 - β₂ᵗ) after t steps (Kingma & Ba 2015, algorithm 1) |

Decoupled weight decay subtracts ηλW in addition (with adam: AdamW, Loshchilov & Hutter 2019). The
rules themselves are in `rules`; the classes here compute their coefficients.
"""  # noqa: E501

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from nn.activations import Array
from nn.arithmetic import for_array
from nn.exact.portable import integer_power
from nn.layouts import by_units, lay_out
from nn.network import Network
from nn.regularization import Regularization


class Parameter(NamedTuple):
    """Weights or biases of a layer, and what belongs to them, as arrays of one dimension.

    Attributes:
        rule: The update rule.
        functions: The operations; see `nn.arithmetic`.
        w: The weights or biases.
        g: Sum of their gradients over a minibatch.
        v, q: State of the optimizer, or empty.
        l2: λ of the L2 penalty.
        decay: λ of the decoupled weight decay.
    """

    rule: Any
    functions: Any
    w: Array
    g: Array
    v: Array
    q: Array
    l2: float
    decay: float


@dataclass(frozen=True)
class SGD:
    """W ← W - ηg."""

    def update(self, p: Parameter, rate: float, m: int, t: int) -> None:  # noqa: ARG002
        """Take step t with η = `rate` for a minibatch of m samples."""
        p.functions.sgd(p.w, p.g, -rate / m, 1.0 - rate * (p.l2 + p.decay))


@dataclass(frozen=True)
class Momentum:
    """v ← μv - ηg, W ← W + v."""

    mu: float

    def update(self, p: Parameter, rate: float, m: int, t: int) -> None:  # noqa: ARG002
        """Take step t; see `SGD.update`."""
        p.functions.momentum(p.w, p.g, p.v, self.mu, -rate / m, rate * p.l2, 1.0 - rate * p.decay)


@dataclass(frozen=True)
class Nesterov:
    """v ← μv - ηg, W ← W + μv - ηg, which is W - μ·(old v) + (1 + μ)·v."""

    mu: float

    def update(self, p: Parameter, rate: float, m: int, t: int) -> None:  # noqa: ARG002
        """Take step t; see `SGD.update`."""
        p.functions.nesterov(
            p.w, p.g, p.v, self.mu, 1.0 + self.mu, -rate / m, rate * p.l2, 1.0 - rate * p.decay
        )


@dataclass(frozen=True)
class Adam:
    """m ← β₁m + (1 - β₁)g, s ← β₂s + (1 - β₂)g², W ← W - η·m̂ / (√ŝ + ε).

    m = (1 - β₁)·v and s = (1 - β₂)·q, so that the sums do without these factors.
    """

    beta1: float
    beta2: float
    epsilon = 1e-8

    def update(self, p: Parameter, rate: float, m: int, t: int) -> None:
        """Take step t; see `SGD.update`."""
        root = math.sqrt((1.0 - self.beta2) / (1.0 - integer_power(self.beta2, t)))
        factor = rate * (1.0 - self.beta1) / (1.0 - integer_power(self.beta1, t)) / root
        p.functions.adam(
            p.w, p.g, p.v, p.q, 1.0 / m, p.l2, self.beta1, self.beta2, self.epsilon / root, factor,
            1.0 - rate * p.decay,
        )  # fmt: skip


Rule = SGD | Momentum | Nesterov | Adam
OPTIMIZERS = ("sgd", "momentum", "nesterov", "adam")


class Optimizer:
    """An update rule, and its state for the network that it updates in place.

    Attributes:
        name: One of `OPTIMIZERS`.
        network: The network whose weights and biases are updated.
        momentum: μ of momentum and nesterov, β₁ of adam.
        beta2: β₂ of adam.
        velocities: v of momentum and nesterov, m / (1 - β₁) of adam, with the shapes of the weights
            and then of the biases; empty for sgd.
        squares: s / (1 - β₂) of adam, with the same shapes; empty for the others.
        steps: Number of steps so far, t.
    """

    def __init__(
        self,
        network: Network,
        name: str = "sgd",
        *,
        momentum: float = 0.9,
        beta2: float = 0.999,
    ) -> None:
        """Start with zero velocities.

        Args:
            network: The network to update in place.
            name: One of `OPTIMIZERS`.
            momentum: μ of momentum and nesterov, β₁ of adam; 0 to below 1.
            beta2: β₂ of adam; 0 to below 1.

        Raises:
            ValueError: If the name is unknown, or a coefficient is out of range.
        """
        if name not in OPTIMIZERS:
            raise ValueError(f"optimizer: expected one of {OPTIMIZERS}, got {name!r}")
        if not (0 <= momentum < 1 and 0 <= beta2 < 1):
            raise ValueError(
                f"expected momentum and beta2 from 0 to below 1, got {momentum} and {beta2}"
            )
        self.name, self.network = name, network
        self.momentum, self.beta2 = momentum, beta2
        self.steps = 0
        arrays = [*network.weights, *network.biases]
        self.velocities, self.squares = (
            [np.zeros_like(p) for p in arrays] if name in users else []
            for users in (("momentum", "nesterov", "adam"), ("adam",))
        )

    def lay_out(self, first: Callable[[Array], Array]) -> None:
        """Change how all arrays are stored, those of the first layer's weights by `first`."""
        for arrays in (self.network.weights, self.velocities, self.squares):
            lay_out(arrays, first)
        lay_out(self.network.biases, by_units)

    def parameters(
        self, functions: Any, layers: Sequence[Any], regularization: Regularization
    ) -> list[Parameter]:
        """The weights and biases of the last layers, with the gradients that they compute.

        Args:
            functions: The operations; see `nn.arithmetic`.
            layers: The layers.
            regularization: Its penalties are used.
        """
        rules: dict[str, Rule] = {
            "sgd": SGD(),
            "momentum": Momentum(self.momentum),
            "nesterov": Nesterov(self.momentum),
            "adam": Adam(self.momentum, self.beta2),
        }
        rule = rules[self.name]
        count = len(self.network.weights)
        found = []
        for k, layer in enumerate(layers, start=count - len(layers)):
            penalties = (regularization.l2, regularization.weight_decay), (0.0, 0.0)
            for place, w, g, penalty in zip(
                (k, count + k), (layer.w, layer.b), (layer.of_weights, layer.of_biases), penalties,
                strict=True,
            ):  # fmt: skip
                v, q = (
                    (arrays[place] if arrays else w[:0]).ravel(order="K")
                    for arrays in (self.velocities, self.squares)
                )
                flat = w.ravel(order="K"), g.reshape(-1)
                found.append(Parameter(rule, for_array(functions, w), *flat, v, q, *penalty))
        return found

    def update(self, parameters: Sequence[Parameter], learning_rate: float, m: int) -> None:
        """Take a step with the gradients of a minibatch of m samples.

        Args:
            parameters: See `parameters`.
            learning_rate: η.
            m: Number of samples.
        """
        self.steps += 1
        for parameter in parameters:
            parameter.rule.update(parameter, learning_rate, m, self.steps)
