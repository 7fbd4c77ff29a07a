"""Print a digest of everything that exact arithmetic makes, for a few different configurations.

Run as a script in a process of its own, for another BLAS kernel, other code paths of NumPy, code
that is compiled for another processor, or another number of threads.
"""

import hashlib
import json

import numpy as np
from threadpoolctl import threadpool_info

from nn import (
    Augmentation,
    Augmenter,
    Ensemble,
    TestTimeAugmentation,
    Trainer,
    TrainingConfig,
    deslant,
    score,
)
from nn.images.pixels import scale

# (image shape, greatest pixel, share of pixels that are 0, classes, samples, configuration)
RUNS = [
    ((28, 28), 255, 0.8, 10, 400, {"hidden": (100,)}),
    ((9, 9), 65535, 0.0, 3, 120, {"hidden": (20, 12), "activation": "tanh", "optimizer": "momentum",
     "loss": "cross_entropy", "learning_rate": 0.1, "l2": 1e-3, "initialization": "normal"}),
    ((12, 11), 255, 0.0, 40, 200, {"hidden": (70, 33, 20), "activation": "relu",
     "optimizer": "adam", "loss": "softmax_cross_entropy", "learning_rate": 0.01, "batch_size": 37,
     "initialization": "glorot", "schedule": "cosine", "warmup": 1, "ema_decay": 0.9,
     "dropout_input": 0.1, "dropout_hidden": 0.3, "max_norm": 2.0, "weight_decay": 1e-3}),
    ((28, 28), 255, 0.0, 10, 300, {"hidden": (64,), "rotation": 10, "scaling": 0.1, "shear": 0.1,
     "shift": 1, "elastic": 1.5, "label_smoothing": 0.1, "schedule": "one_cycle",
     "loss": "softmax_cross_entropy", "learning_rate": 0.5, "batch_size": 7}),
    ((7, 3), 16, 0.7, 2, 90, {"hidden": (), "optimizer": "nesterov", "loss": "cross_entropy",
     "learning_rate": 0.1, "schedule": "exponential", "lr_decay": 0.8, "patience": 2}),
    # Products large enough to be made in halves, and updates.
    ((30, 30), 255, 0.0, 1000, 260, {"hidden": (300, 300), "activation": "tanh", "batch_size": 128,
     "loss": "softmax_cross_entropy", "learning_rate": 0.3}),
    ((30, 30), 65535, 0.8, 5, 260, {"hidden": (300,), "activation": "relu", "batch_size": 128,
     "optimizer": "adam", "learning_rate": 0.01, "ema_decay": 0.9}),
]  # fmt: skip


def digest(number: int) -> str:
    """Of the model, the scores, the metrics and the changed images of a run."""
    shape, pixels, black, classes, n, options = RUNS[number]
    rng = np.random.default_rng(number)
    images = scale(rng.integers(0, pixels + 1, (n, shape[0] * shape[1])), (0, pixels))
    images[rng.random(images.shape) < black] = 0.0
    targets = np.eye(classes, dtype=np.float32)[rng.integers(0, classes, n)]
    weights = np.linspace(0.5, 2, n, dtype=np.float32) if number % 2 else None
    found = hashlib.sha256()
    trainer = Trainer(
        TrainingConfig(epochs=3, **options), sizes=(images.shape[1], classes), seed=number,
        pixel_range=(0, pixels), image_shape=shape,
    )  # fmt: skip
    for epoch in trainer.train_epochs(images, targets, weights):
        validation = score(trainer.current, images, targets)
        trainer.record_validation(validation)
        found.update(repr((epoch, validation)).encode())
    network = trainer.result
    scores = network.scores(images), network.scores(np.tile(images, (1001 // n + 1, 1)))
    for array in (*network.weights, *network.biases, *scores):
        found.update(array.tobytes())
    found.update(trainer.as_seen(images[:20]).tobytes())
    found.update(deslant(images[:50], shape).tobytes())
    ensemble = TestTimeAugmentation(Ensemble([network, network]), copies=3)
    found.update(ensemble.probabilities(images[:50]).tobytes())
    field = Augmenter(Augmentation(elastic=2.0, rotation=20.0), shape)
    found.update(np.stack(field.sampling_positions(50, rng)).tobytes())
    return found.hexdigest()


def machine() -> dict:
    """Kernels and threads of BLAS, and the instruction sets that are used beyond the baseline.

    `simd` are those of NumPy, and `compiled` what appears in a loop that Numba compiles.
    """
    pools = [pool for pool in threadpool_info() if pool["user_api"] == "blas"]
    return {
        "kernels": [pool["architecture"] for pool in pools],
        "threads": [pool["num_threads"] for pool in pools],
        "simd": np.show_config("dicts")["SIMD Extensions"].get("found", []),
        "compiled": instructions(),
    }


def instructions() -> list[str]:
    """Kinds of vector registers and instructions in a loop that Numba compiles."""
    try:
        from numba import njit
    except ImportError:
        return []

    def squares(x):
        total = 0.0
        for k in range(len(x)):
            total += x[k] * x[k]
        return total

    code = "".join(njit("f8(f8[::1])", fastmath=True)(squares).inspect_asm().values())
    return [name for name in ("xmm", "ymm", "zmm", "vfmadd") if name in code]


if __name__ == "__main__":
    print(json.dumps(machine()))
    for k in range(len(RUNS)):
        print(digest(k))
