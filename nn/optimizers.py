"""What is done with the gradient.

With g the mean gradient of a minibatch (plus λW for L2), learning rate η, momentum μ:

| name | step |
|---|---|
| sgd | W ← W - ηg (Nielsen, chapter 1, equations 20 and 21) |
| momentum | v ← μv - ηg, W ← W + v (Sutskever et al. 2013, equations 1 and 2) |
| nesterov | v ← μv - ηg, W ← W + μv - ηg (the same, §2, with W taken where the gradient is) |
| adam | m ← β₁m + (1 - β₁)g, s ← β₂s + (1 - β₂)g², W ← W - η·m̂ / (√ŝ + ε), where m̂ and ŝ are m / (1 - β₁ᵗ) and s / (1 - β₂ᵗ) after t steps (Kingma & Ba 2015, algorithm 1) |

Decoupled weight decay takes ηλW more in each (with adam: AdamW, Loshchilov & Hutter 2019).

BLAS computes `c ← alpha · δ.T @ a + beta · c` in one pass over `c`. With alpha = -η/m and c = W that
*is* gradient descent, and with c = v and beta = μ it is momentum: no gradient is ever stored. Only
adam needs one, for its square.
"""  # noqa: E501

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from nn.blas import Array, Product, bind_product, bind_row_sum
from nn.minibatch import Minibatch
from nn.network import Network
from nn.regularization import limit_norms

OPTIMIZERS = ("sgd", "momentum", "nesterov", "adam")


class Slot(NamedTuple):
    """One array of weights or biases, with what a step needs to update it.

    Attributes:
        w: The array.
        add_gradient: `(alpha, beta)`: target ← alpha · (sum of the gradients) + beta · target.
        l2: λ of the penalty.
        decay: λ of the decoupled decay.
        v: Its velocity; `w` itself for sgd, which has none.
        q: Its squares, for adam.
        scratch: Adam's gradient, and what nesterov remembers of a step.
    """

    w: Array
    add_gradient: Product
    l2: float
    decay: float
    v: Array
    q: Array
    scratch: Array


_EPSILON = 1e-8
# Numbers that adam updates at a time: its four arrays then stay in the processor's cache.
_BLOCK = 16_384


class Optimizer:
    """Updates a network in place after `Minibatch.backward`; keeps its state between steps.

    Attributes:
        name: One of `OPTIMIZERS`.
        network: The network whose weights and biases are updated.
        velocities: Shaped like the weights, then like the biases: v of momentum and nesterov,
            m / (1 - β₁) of adam; empty for sgd.
        squares: Likewise, s / (1 - β₂) of adam; else empty.
        steps: Steps taken so far, t.
    """

    def __init__(
        self,
        network: Network,
        name: str = "sgd",
        *,
        momentum: float = 0.9,
        second_momentum: float = 0.999,
    ) -> None:
        """Start with zero velocities.

        Args:
            network: Will be updated in place.
            name: One of `OPTIMIZERS`.
            momentum: μ of momentum and nesterov, β₁ of adam; 0 to below 1.
            second_momentum: β₂ of adam; 0 to below 1.

        Raises:
            ValueError: If the name is unknown or a number does not fit.
        """
        if name not in OPTIMIZERS:
            raise ValueError(f"optimizer {name!r} is none of {OPTIMIZERS}")
        if not (0 <= momentum < 1 and 0 <= second_momentum < 1):
            raise ValueError("momentum and second_momentum must be at least 0 and below 1")
        self.name, self.network = name, network
        self.momentum, self.second_momentum = momentum, second_momentum
        self.steps = 0

        def zeros(*users: str) -> list[Array]:
            arrays = [*network.weights, *network.biases]
            return [np.zeros_like(p) for p in arrays] if name in users else []

        self.velocities = zeros("momentum", "nesterov", "adam")
        self.squares = zeros("adam")
        # adam's gradients, and what nesterov remembers of a step.
        self._scratch = zeros("nesterov", "adam")
        self._block = np.empty(_BLOCK, network.dtype)
        self._update = {
            "sgd": self._sgd,
            "momentum": self._momentum,
            "nesterov": self._nesterov,
            "adam": self._adam,
        }[name]

    def bind(self, minibatch: Minibatch) -> Callable[[float], None]:
        """A function that takes one step with a learning rate, from what `minibatch` holds.

        The minibatch's regularization says how much L2, weight decay and max-norm to apply.
        """
        wanted, layers = minibatch.regularization, len(self.network.weights)
        parameters = [*self.network.weights, *self.network.biases]
        velocities, squares = self.velocities or parameters, self.squares or parameters
        scratch = self._scratch or parameters
        slots = []
        for k, w in enumerate(parameters):
            target = scratch[k] if self.name == "adam" else velocities[k]
            delta = minibatch.deltas[k % layers]
            if k < layers:
                add_gradient = bind_product(delta.T, minibatch.inputs[k], out=target)
                penalties = wanted.l2, wanted.weight_decay
            else:
                add_gradient, penalties = bind_row_sum(delta, out=target), (0.0, 0.0)
            slots.append(Slot(w, add_gradient, *penalties, velocities[k], squares[k], scratch[k]))

        def step(learning_rate: float) -> None:
            self.steps += 1
            self._update(slots, learning_rate, minibatch.size)
            if wanted.max_norm:
                for w in self.network.weights:
                    limit_norms(w, wanted.max_norm)

        return step

    def _sgd(self, slots: list[Slot], rate: float, m: int) -> None:
        for _, add_gradient, l2, decay, *_ in slots:
            add_gradient(-rate / m, 1.0 - rate * (l2 + decay))

    def _momentum(self, slots: list[Slot], rate: float, m: int) -> None:
        for slot in slots:
            slot.add_gradient(-rate / m, self.momentum)
            _penalize(slot, rate)
            np.add(slot.w, slot.v, out=slot.w)

    def _nesterov(self, slots: list[Slot], rate: float, m: int) -> None:
        mu = self.momentum
        for slot in slots:
            w, v, scratch = slot.w, slot.v, slot.scratch
            # -ηg is not stored, but it is what the velocity gains: v - μ·(the old v).
            old_step = np.multiply(v, mu, out=scratch)
            slot.add_gradient(-rate / m, mu)
            _penalize(slot, rate)
            w -= old_step
            w += np.multiply(v, 1.0 + mu, out=scratch)

    def _adam(self, slots: list[Slot], rate: float, m: int) -> None:
        # With the factors 1 - β₁ and 1 - β₂ taken out of the sums, a step has ten passes over the
        # weights instead of fourteen: m = (1 - β₁)·v and s = (1 - β₂)·q.
        root = math.sqrt((1.0 - self.second_momentum) / (1.0 - self.second_momentum**self.steps))
        factor = rate * (1.0 - self.momentum) / (1.0 - self.momentum**self.steps) / root
        for slot in slots:
            slot.add_gradient(1.0 / m, 0.0)
            arrays = (slot.w, slot.scratch, slot.v, slot.q)
            flat = [array.reshape(-1) for array in arrays]
            for start in range(0, len(flat[0]), _BLOCK):
                w, g, v, q = (array[start : start + _BLOCK] for array in flat)
                t = self._block[: len(w)]
                if slot.l2:
                    g += np.multiply(w, slot.l2, out=t)
                v *= self.momentum
                v += g
                g *= g
                q *= self.second_momentum
                q += g
                np.sqrt(q, out=t)
                t += _EPSILON / root
                np.divide(v, t, out=t)
                t *= factor
                if slot.decay:
                    w *= 1.0 - rate * slot.decay
                w -= t


def _penalize(slot: Slot, rate: float) -> None:
    """Take ηλW from the velocity (L2) or from W itself (decoupled)."""
    v, w = slot.v, slot.w
    if slot.l2:
        v -= (rate * slot.l2) * w
    if slot.decay:
        w *= 1.0 - rate * slot.decay
