"""Optimizers: updates of the weights and biases from the gradient.

With g the mean gradient of a minibatch (plus λW for L2), learning rate η, momentum μ:

| name | step |
|---|---|
| sgd | W ← W - ηg (Nielsen, chapter 1, equations 20 and 21) |
| momentum | v ← μv - ηg, W ← W + v (Sutskever et al. 2013, equations 1 and 2) |
| nesterov | v ← μv - ηg, W ← W + μv - ηg (the same, §2, with W at the position where the gradient is computed) |
| adam | m ← β₁m + (1 - β₁)g, s ← β₂s + (1 - β₂)g², W ← W - η·m̂ / (√ŝ + ε), where m̂ and ŝ are m / (1 - β₁ᵗ) and s / (1 - β₂ᵗ) after t steps (Kingma & Ba 2015, algorithm 1) |

Decoupled weight decay subtracts ηλW in addition (with adam: AdamW, Loshchilov & Hutter 2019).

BLAS computes `c ← alpha · δ.T @ a + beta · c` in one pass over `c`. With alpha = -η/m and c = W this
is gradient descent, and with c = v and beta = μ it is momentum, without an array for the gradient.
Only adam needs one, to square it.
"""  # noqa: E501

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from nn.blas import Array, Product
from nn.exact.portable import integer_power
from nn.network import Network
from nn.regularization import limit_norms
from nn.training.training_step import TrainingStep

OPTIMIZERS = ("sgd", "momentum", "nesterov", "adam")


class ParameterState(NamedTuple):
    """One array of weights or biases, and the arrays that its update uses.

    Attributes:
        w: The weights or biases.
        add_gradient: Function of (alpha, beta) that computes target ← alpha · (sum of the
            gradients) + beta · target; the target is `scratch` for adam, else `v`.
        l2: λ of the L2 penalty.
        decay: λ of the decoupled weight decay.
        v: Velocity; `w` itself for sgd, which has none.
        q: Mean of squared gradients, for adam.
        scratch: Gradient of adam, temporary array of nesterov.
    """

    w: Array
    add_gradient: Product
    l2: float
    decay: float
    v: Array
    q: Array
    scratch: Array


_EPSILON = 1e-8
# Numbers that adam updates at a time, so that its four arrays stay in the processor's cache.
_BLOCK = 16_384


class Optimizer:
    """Updates a network in place after `TrainingStep.backward`; keeps its state between steps.

    Attributes:
        name: One of `OPTIMIZERS`.
        network: The network whose weights and biases are updated.
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

        def zeros(*users: str) -> list[Array]:
            arrays = [*network.weights, *network.biases]
            return [np.zeros_like(p) for p in arrays] if name in users else []

        self.velocities = zeros("momentum", "nesterov", "adam")
        self.squares = zeros("adam")
        self._scratch = zeros("nesterov", "adam")
        self._block = np.empty(_BLOCK, network.dtype)
        self._update = {
            "sgd": self._sgd,
            "momentum": self._momentum,
            "nesterov": self._nesterov,
            "adam": self._adam,
        }[name]

    def bind(self, minibatch: TrainingStep) -> Callable[[float], None]:
        """Return a function of the learning rate that updates the network after a minibatch.

        L2, weight decay and max-norm are those of the minibatch's regularization.
        """
        wanted, layers = minibatch.regularization, len(self.network.weights)
        parameters = [*self.network.weights, *self.network.biases]
        velocities, squares = self.velocities or parameters, self.squares or parameters
        scratch = self._scratch or parameters
        states = []
        targets = scratch if self.name == "adam" else velocities
        for layer in range(1 if minibatch.blocked else 0, layers):
            gradients = minibatch.bind_gradients(layer, targets[layer], targets[layers + layer])
            penalties = (wanted.l2, wanted.weight_decay), (0.0, 0.0)
            for k, gradient, penalty in zip(
                (layer, layers + layer), gradients, penalties, strict=True
            ):
                states.append(
                    ParameterState(
                        parameters[k], gradient, *penalty, velocities[k], squares[k], scratch[k]
                    )
                )

        def step(learning_rate: float) -> None:
            self.steps += 1
            self._update(states, learning_rate, minibatch.size)
            if wanted.max_norm:
                for w in self.network.weights:
                    limit_norms(w, wanted.max_norm)

        return step

    def _sgd(self, states: list[ParameterState], rate: float, m: int) -> None:
        for _, add_gradient, l2, decay, *_ in states:
            add_gradient(-rate / m, 1.0 - rate * (l2 + decay))

    def _momentum(self, states: list[ParameterState], rate: float, m: int) -> None:
        for state in states:
            state.add_gradient(-rate / m, self.momentum)
            _penalize(state, rate)
            np.add(state.w, state.v, out=state.w)

    def _nesterov(self, states: list[ParameterState], rate: float, m: int) -> None:
        mu = self.momentum
        for state in states:
            w, v, scratch = state.w, state.v, state.scratch
            # -ηg has no array of its own; it is the difference of v and μ·(the old v).
            old_step = np.multiply(v, mu, out=scratch)
            state.add_gradient(-rate / m, mu)
            _penalize(state, rate)
            w -= old_step
            w += np.multiply(v, 1.0 + mu, out=scratch)

    def _adam(self, states: list[ParameterState], rate: float, m: int) -> None:
        # m = (1 - β₁)·v and s = (1 - β₂)·q. Without these factors in the sums, a step has ten
        # passes over the weights instead of fourteen.
        root = math.sqrt((1.0 - self.beta2) / (1.0 - integer_power(self.beta2, self.steps)))
        factor = (
            rate * (1.0 - self.momentum) / (1.0 - integer_power(self.momentum, self.steps)) / root
        )
        for state in states:
            state.add_gradient(1.0 / m, 0.0)
            arrays = (state.w, state.scratch, state.v, state.q)
            flat = [array.reshape(-1) for array in arrays]
            for start in range(0, len(flat[0]), _BLOCK):
                w, g, v, q = (array[start : start + _BLOCK] for array in flat)
                t = self._block[: len(w)]
                if state.l2:
                    g += np.multiply(w, state.l2, out=t)
                v *= self.momentum
                v += g
                g *= g
                q *= self.beta2
                q += g
                np.sqrt(q, out=t)
                t += _EPSILON / root
                np.divide(v, t, out=t)
                t *= factor
                if state.decay:
                    w *= 1.0 - rate * state.decay
                w -= t


def _penalize(state: ParameterState, rate: float) -> None:
    """Subtract ηλW from the velocity (L2) or from W (decoupled weight decay)."""
    v, w = state.v, state.w
    if state.l2:
        v -= (rate * state.l2) * w
    if state.decay:
        w *= 1.0 - rate * state.decay
