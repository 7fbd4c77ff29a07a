"""The same training with other libraries, written as their documentation recommends.

Each function prepares a training on MNIST's 60 000 images: 784-100-10 sigmoid units, minibatches of
10, plain gradient descent, float32, a new random order in every epoch.
"""

import warnings
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from benchmarks.common import installed, mnist
from benchmarks.processes import timed
from nn import Network, train_epochs


class Training(NamedTuple):
    """A training, ready to start.

    Attributes:
        epoch: Trains for one more epoch.
        predict: Returns the class indices, (n,), of (n, 784) images.
    """

    epoch: Callable[[], object]
    predict: Callable[[NDArray], NDArray]


def this_project(arithmetic: str, loss: str = "quadratic", learning_rate: float = 3.0) -> Training:
    """This project's training, by default with the article's loss."""
    images, targets, _, _ = mnist()
    rng = np.random.default_rng(0)
    network = Network.initialize([784, 100, 10], rng, loss=loss)
    epochs = train_epochs(
        network, images, targets, epochs=10**9, batch_size=10, learning_rate=learning_rate, rng=rng,
        exact=arithmetic == "exact",
    )  # fmt: skip
    return Training(epochs.__next__, network.predict)


def scikit_learn() -> Training:
    """`MLPClassifier` with the same network and minibatches; its loss is softmax cross-entropy."""
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.neural_network import MLPClassifier

    images, targets, _, _ = mnist()
    labels = targets.argmax(axis=1)
    classifier = MLPClassifier(
        (100,), activation="logistic", solver="sgd", batch_size=10, learning_rate_init=0.5,
        momentum=0.0, alpha=0.0, max_iter=1, warm_start=True,
    )  # fmt: skip

    def epoch() -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            classifier.fit(images, labels)

    return Training(epoch, classifier.predict)


def pytorch() -> Training:
    """PyTorch, eager: autograd and `torch.optim.SGD`, with one thread, which is fastest here."""
    import torch

    torch.set_num_threads(1)
    images, targets, _, _ = mnist()
    x, y = torch.from_numpy(images), torch.from_numpy(targets)
    model = torch.nn.Sequential(
        torch.nn.Linear(784, 100), torch.nn.Sigmoid(), torch.nn.Linear(100, 10), torch.nn.Sigmoid()
    )
    optimizer = torch.optim.SGD(model.parameters(), lr=3.0)

    def epoch() -> None:
        order = torch.randperm(len(x))
        for start in range(0, len(x), 10):
            batch = order[start : start + 10]
            optimizer.zero_grad()
            loss = 0.5 * ((model(x[batch]) - y[batch]) ** 2).sum() / len(batch)
            loss.backward()
            optimizer.step()

    def predict(images: NDArray) -> NDArray:
        with torch.no_grad():
            return model(torch.from_numpy(images)).argmax(1).numpy()

    return Training(epoch, predict)


def jax_scan() -> Training:
    """JAX on the CPU: the whole epoch is one compiled `lax.scan`."""
    import jax
    import jax.numpy as jnp

    images, targets, _, _ = mnist()
    x, y = jnp.asarray(images), jnp.asarray(targets)
    steps = len(images) // 10
    keys = jax.random.split(jax.random.key(0), 3)
    params = [
        (jax.random.normal(key, (n, m)) / m**0.5, jnp.zeros(n))
        for key, m, n in zip(keys, (784, 100), (100, 10), strict=False)
    ]

    def outputs(params: list, x: jax.Array) -> jax.Array:
        for w, b in params:
            x = jax.nn.sigmoid(x @ w.T + b)
        return x

    def loss(params: list, x: jax.Array, y: jax.Array) -> jax.Array:
        return 0.5 * jnp.sum((outputs(params, x) - y) ** 2) / len(y)

    def step(params: list, batch: jax.Array) -> tuple[list, None]:
        gradient = jax.grad(loss)(params, x[batch], y[batch])
        return jax.tree.map(lambda p, g: p - 3.0 * g, params, gradient), None

    @jax.jit
    def run(params: list, order: jax.Array) -> list:
        return jax.lax.scan(step, params, order.reshape(steps, 10))[0]

    rng = np.random.default_rng(0)
    state = {"params": params}

    def epoch() -> None:
        order = jnp.asarray(rng.permutation(len(images))[: steps * 10])
        state["params"] = jax.block_until_ready(run(state["params"], order))

    def predict(images: NDArray) -> NDArray:
        return np.asarray(outputs(state["params"], images)).argmax(axis=1)

    return Training(epoch, predict)


def article_loop(samples: int = 6_000) -> Callable[[], float]:
    """One sample after another as a column vector, as in the article's code.

    It trains on the first `samples` images only; the time is scaled to an epoch of all images.
    """
    images, targets, _, _ = mnist()
    rng = np.random.default_rng(0)
    weights = [rng.standard_normal((100, 784)), rng.standard_normal((10, 100))]
    biases = [rng.standard_normal((100, 1)), rng.standard_normal((10, 1))]

    def gradient(x: NDArray, y: NDArray) -> tuple[list, list]:
        activations, zs = [x], []
        for w, b in zip(weights, biases, strict=True):
            zs.append(w @ activations[-1] + b)
            activations.append(1.0 / (1.0 + np.exp(-zs[-1])))
        derivatives = [a * (1.0 - a) for a in activations[1:]]
        delta = (activations[-1] - y) * derivatives[-1]
        upper = delta @ activations[1].T
        below = (weights[1].T @ delta) * derivatives[0]
        return [below @ x.T, upper], [below, delta]

    def epoch() -> None:
        for k in range(0, samples, 10):
            sums = [np.zeros_like(w) for w in weights], [np.zeros_like(b) for b in biases]
            for x, y in zip(images[k : k + 10], targets[k : k + 10], strict=True):
                for total, part in zip(sums, gradient(x[:, None], y[:, None]), strict=True):
                    for t, p in zip(total, part, strict=True):
                        t += p
            for p, g in zip((*weights, *biases), (*sums[0], *sums[1]), strict=True):
                p -= 0.3 * g

    seconds = timed(epoch)
    return lambda: seconds() * len(images) / samples


def epoch_of(training: Callable[[], Training]) -> Callable[[], float]:
    """Prepare to measure the seconds of an epoch."""
    return timed(training().epoch)


def trainings() -> dict[str, tuple[Callable[[], Training], int | None]]:
    """All trainings but the article's, by name, with the number of BLAS threads if it matters."""
    found: dict[str, tuple[Callable[[], Training], int | None]] = {
        f"this project, {arithmetic}": (partial(this_project, arithmetic), None)
        for arithmetic in ("float32", "exact")
    }
    if installed("jax"):
        found["JAX, whole epoch jitted"] = jax_scan, None
    # Small products are slower on two threads of BLAS; see docs/results.md.
    found["scikit-learn MLPClassifier"] = scikit_learn, 1
    if installed("torch"):
        found["PyTorch, eager"] = pytorch, 1
    return found
