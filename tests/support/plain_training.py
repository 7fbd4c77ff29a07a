"""Exact training as a plain loop: nothing is preallocated, sparse or in place.

Written from the rules in the docstrings of `nn.exact.grids` and `nn.training.direct`.
Products are sums by `math.fsum`; tanh, exp and rounding to a grid are computed in other ways than
in `nn`.
"""

import math
from decimal import Decimal, localcontext

import numpy as np

from nn.training.augmentation import Augmenter


def on_grid(x, bits):
    """Nearest multiples of 2^(P - bits), where 2^P ≥ |x| is the least such power of two."""
    largest = float(np.abs(x).max(initial=0.0))
    power = 0
    if largest:
        power = math.ceil(math.log2(largest))
        while 2.0 ** (power - 1) >= largest:
            power -= 1
        while 2.0**power < largest:
            power += 1
    return multiples(x, power - bits)


def multiples(x, exponent):
    return np.ldexp(np.rint(np.ldexp(np.asarray(x, np.float64), -exponent)), exponent)


def product(left, right):
    """left @ right, each element exactly rounded once."""
    columns = right.T.astype(np.float64)
    return np.array([[math.fsum((row * column).tolist()) for column in columns] for row in left])


def tanh(x, bits):
    def one(value):
        with localcontext(prec=60):
            if abs(value) > 40:
                return math.copysign(1.0, value)
            e = (2 * Decimal(value)).exp()
            return float(round((e - 1) / (e + 1) * 2**bits)) / 2**bits

    return np.vectorize(one, otypes=[float])(x)


def exp36(x):
    """eˣ to 36 significant bits."""

    def one(value):
        with localcontext(prec=60):
            e = Decimal(value).exp()
            exponent = math.frexp(float(e))[1] - 36
            return math.ldexp(float(round(e * Decimal(2) ** -exponent)), exponent)

    return np.vectorize(one, otypes=[float])(x)


def folded_sum(values):
    values = list(values)
    while len(values) > 1:
        half = (len(values) + 1) // 2
        rest = values[half:] + [0.0] * (half - len(values[half:]))
        values = [a + b for a, b in zip(values[:half], rest, strict=True)]
    return values[0]


def nearest_sigmoid(z):
    """σ of the nearest multiple of 2^-11 from -14 to 14, as a multiple of 2^-18."""

    def one(value):
        place = min(max(math.floor(value * 2048 + 0.5), -14 * 2048), 14 * 2048)
        with localcontext(prec=60):
            return float(round(2**18 / (1 + (-Decimal(place) / 2048).exp()))) / 2**18

    return np.vectorize(one, otypes=[float])(z)


def apply(name, z, bits):
    if name == "sigmoid":
        return nearest_sigmoid(z) if bits == 18 else 0.5 * tanh(0.5 * z, bits - 1) + 0.5
    if name == "tanh":
        return tanh(z, bits)
    if name == "relu":
        return np.maximum(z, 0.0)
    e = exp36(z - z.max(axis=1, keepdims=True))
    return e / np.array([folded_sum(row) for row in e.tolist()])[:, None]


def derivative(name, a):
    return {"sigmoid": (1 - a) * a, "tanh": 1 - a * a, "relu": (a > 0) * 1.0}[name]


def log2_up(n):
    return math.ceil(math.log2(n))


class PlainTraining:
    """Trains a copy of `network`; `w`, `b` and `mean` are its weights, biases and their average."""

    def __init__(self, network, config, rng):
        self.config, self.rng, self.network = config, rng, network
        self.w = [w.copy() for w in network.weights]
        self.b = [b.copy() for b in network.biases]
        self.state = [{} for _ in range(2 * len(self.w))]
        self.mean = [p.copy() for p in (*self.w, *self.b)]
        self.t = 0
        self.augmenter = None
        if config.augmentation:
            self.augmenter = Augmenter(config.augmentation, network.image_shape)
        output = {"softmax_cross_entropy": "softmax"}.get(config.loss, "sigmoid")
        self.functions = [config.activation] * (len(self.w) - 1) + [output]

    def train(self, images, targets, weights=None, *, levels=None, rows=None):
        """All epochs.

        `levels`: L if the first layer is on the grid of grey levels, else None. `rows`: of a chunk
        of augmented images; None for all.
        """
        config, n = self.config, len(images)
        for epoch in range(config.epochs):
            order = self.rng.permutation(n)
            seen = images[order]
            chunk_rng = np.random.default_rng(self.rng.integers(2**63))
            if self.augmenter:
                for start in range(0, n, rows or n):
                    part = slice(start, start + (rows or n))
                    self.augmenter.augment(images[order[part]], chunk_rng, seen[part])
            y = targets[order]
            if config.label_smoothing:
                y = y * np.float32(1 - config.label_smoothing)
                y += np.float32(config.label_smoothing / y.shape[1])
            if levels:
                first = np.column_stack([self.w[0], self.b[0]]).astype(np.float64)
                first = multiples(first / levels, -40)
                grey = np.rint(seen * np.float32(levels)).astype(np.float64)
            for start in range(0, n, config.batch_size):
                stop = min(n, start + config.batch_size)
                rate = config.learning_rate * config.learning_rate_schedule(epoch + start / n)
                sample_weights = None if weights is None else weights[order[start:stop]]
                if levels:
                    x = np.column_stack([grey[start:stop], np.full(stop - start, float(levels))])
                    z = product(x, first.T)
                    delta = self.step(seen[start:stop], y[start:stop], sample_weights, rate, z)
                    d = multiples(-(rate / (stop - start)) / levels**2 * delta, -40)
                    first = first + product(d.T, x)
                else:
                    self.step(seen[start:stop], y[start:stop], sample_weights, rate)
            if levels:
                self.w[0] = (first[:, :-1] * levels).astype(np.float32)
                self.b[0] = (first[:, -1] * levels).astype(np.float32)

    def step(self, x, y, sample_weights, rate, first_z=None):
        """One minibatch; returns δ of the first layer."""
        regularization, m, last = self.config.regularization, len(x), len(self.w) - 1
        dropout = [regularization.dropout_input] + [regularization.dropout_hidden] * last
        a, inputs, outputs, masks, operands = x.astype(np.float64), [], [], [], []
        for layer, (w, b) in enumerate(zip(self.w, self.b, strict=True)):
            mask = 1.0
            if layer == 0 and first_z is not None:
                z, operand = first_z, None
            else:
                if dropout[layer]:
                    drawn = self.rng.random(a.shape)
                    mask = (drawn >= dropout[layer]) * (1.0 / (1.0 - dropout[layer]))
                a = on_grid(a * mask, 18)
                if layer and not dropout[layer]:
                    outputs[-1] = a  # the derivative of ReLU is 0 where a rounds to 0
                if outputs and not dropout[layer]:
                    outputs[-1] = a  # what is rounded to 0 has the derivative 0 (ReLU)
                operand = on_grid(w, min(24, 53 - 18 - log2_up(w.shape[1])))
                z = product(a, operand.T) + b
            inputs.append(a)
            masks.append(mask)
            operands.append(operand)
            has_logarithms = layer == last and self.config.loss != "quadratic"
            a = apply(self.functions[layer], z, 28 if has_logarithms else 18)
            outputs.append(a)

        delta = a - y
        if self.config.loss == "quadratic":
            delta = delta * ((1 - a) * a)
        if sample_weights is not None:
            delta = delta * sample_weights[:, None]
        deltas = [delta]
        for layer in range(last, 0, -1):
            deltas[0] = self.round_delta(deltas[0], layer, m)
            below = product(deltas[0], operands[layer]) * masks[layer]
            deltas.insert(0, below * derivative(self.functions[layer - 1], outputs[layer - 1]))
        if first_z is None:
            deltas[0] = self.round_delta(deltas[0], 0, m)

        self.t += 1
        for layer in range(0 if first_z is None else 1, last + 1):
            gradient = product(deltas[layer].T, inputs[layer])
            of_biases = product(deltas[layer].T, np.ones((m, 1)))[:, 0]
            l2, decay = regularization.l2, regularization.weight_decay
            self.update(self.w, layer, gradient, rate, m, l2, decay, self.state[layer])
            state = self.state[len(self.w) + layer]
            self.update(self.b, layer, of_biases, rate, m, 0.0, 0.0, state)
        if regularization.max_norm:
            for w in self.w:
                for row in w:
                    norm = np.sqrt(folded_sum(row * row))
                    row *= np.float32(regularization.max_norm) / max(
                        norm, np.float32(regularization.max_norm)
                    )
        if self.config.ema_decay:
            part = 1 - min(self.config.ema_decay, (self.t - 1) / self.t)
            for average, p in zip(self.mean, (*self.w, *self.b), strict=True):
                average += part * (p - average)
        return deltas[0]

    def round_delta(self, delta, layer, m):
        units, ins = self.w[layer].shape
        of_weights = min(24, 53 - 18 - log2_up(ins))
        return on_grid(delta, min(53 - of_weights - log2_up(units), 53 - 18 - log2_up(m)))

    def update(self, arrays, k, gradient, rate, m, l2, decay, state):
        """One step of the optimizer; everything is elementwise and float32."""
        config, w = self.config, arrays[k]
        gradient = gradient.astype(np.float32)
        mu = config.momentum
        v, q = (state.get(name, np.zeros_like(w)) for name in "vq")
        if config.optimizer == "sgd":
            w = w * (1 - rate * (l2 + decay))
            w = w + (-rate / m) * gradient
        elif config.optimizer in ("momentum", "nesterov"):
            old = mu * v
            v = old + (-rate / m) * gradient
            if l2:
                v = v - (rate * l2) * w
            if decay:
                w = w * (1 - rate * decay)
            w = w + v if config.optimizer == "momentum" else (w - old) + (1 + mu) * v
        else:
            beta1, beta2 = mu, config.beta2
            g = (1 / m) * gradient
            if l2:
                g = g + l2 * w
            v, q = v * beta1 + g, q * beta2 + g * g
            powers = []
            for base in (beta2, beta1):
                result, exponent = 1.0, self.t
                while exponent:
                    result *= base if exponent % 2 else 1.0
                    base, exponent = base * base, exponent // 2
                powers.append(result)
            root = math.sqrt((1 - beta2) / (1 - powers[0]))
            factor = rate * (1 - beta1) / (1 - powers[1]) / root
            step = v / (np.sqrt(q) + 1e-8 / root) * factor
            if decay:
                w = w * (1 - rate * decay)
            w = w - step
        assert w.dtype == np.float32
        arrays[k], state["v"], state["q"] = w, v, q
