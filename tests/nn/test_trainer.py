"""A training trainer as a whole: what it uses, and that it can be put away and taken up."""

import io
import pickle
from dataclasses import replace

import joblib
import numpy as np
import pytest

from nn import Score, Trainer, TrainingConfig, score
from nn.exact.grids import round_weights

# The labels are random.
pytestmark = pytest.mark.filterwarnings("ignore::nn.NotLearningWarning")

# Nothing that has a state is left out.
RICH = {
    "hidden": (5,), "optimizer": "adam", "learning_rate": 0.02, "batch_size": 8, "epochs": 6,
    "schedule": "cosine", "warmup": 1, "ema_decay": 0.9,
    "dropout_input": 0.1, "dropout_hidden": 0.2,
    "label_smoothing": 0.1, "shift": 0.5, "elastic": 0.5, "smoothness": 1.0, "final_strength": 0.25,
    "patience": 4,
}  # fmt: skip
CHOICES = [
    RICH,
    RICH | {"optimizer": "momentum", "ema_decay": 0.0},
    RICH | {"optimizer": "nesterov", "patience": 0},
    {"hidden": (5,), "epochs": 6},
]


def problem(n=43):
    rng = np.random.default_rng(5)
    return rng.random((n, 9), np.float32), np.eye(3, dtype=np.float32)[rng.integers(0, 3, n)]


def new(choices, **options):
    return Trainer(TrainingConfig(**choices), sizes=(9, 3), seed=4, image_shape=(3, 3), **options)


def go(trainer, until=None):
    images, targets = problem()
    for _ in trainer.train_epochs(images, targets, until=until):
        trainer.record_validation(score(trainer.current, images, targets))
    return trainer


def bits(trainer):
    network = trainer.result
    return b"".join(a.tobytes() for a in (*network.weights, *network.biases))


@pytest.mark.parametrize("choices", CHOICES)
@pytest.mark.parametrize("epochs", range(1, 6))
def test_put_away_and_taken_up_it_ends_in_the_same_bits(choices, epochs):
    whole = go(new(choices))
    file = io.BytesIO()
    np.savez(file, **go(new(choices), until=epochs).state())
    file.seek(0)
    taken_up = new(choices)
    taken_up.restore(dict(np.load(file, allow_pickle=False)))
    assert taken_up.epoch == epochs
    go(taken_up)
    assert bits(taken_up) == bits(whole)
    assert taken_up.state().keys() == whole.state().keys()


def test_a_state_is_a_copy():
    trainer = go(new(RICH), until=2)
    state = trainer.state()
    before = {name: array.copy() for name, array in state.items()}
    go(trainer)
    for name, array in before.items():
        np.testing.assert_array_equal(state[name], array)


def test_the_state_of_another_config_is_refused():
    state = go(new({"hidden": (5,), "epochs": 1})).state()
    with pytest.raises(KeyError):
        new(RICH).restore(state)
    with pytest.raises(ValueError, match="network_0: expected"):
        new({"hidden": (7,)}).restore(state)


def test_the_same_seed_gives_the_same_bits_and_another_does_not():
    assert bits(go(new(RICH))) == bits(go(new(RICH)))
    other = Trainer(TrainingConfig(**RICH), sizes=(9, 3), seed=5, image_shape=(3, 3))
    assert bits(go(other)) != bits(go(new(RICH)))


def test_averaged_weights_are_the_result_and_the_network_goes_its_own_way():
    plain, averaged = go(new({"epochs": 3})), go(new({"epochs": 3, "ema_decay": 0.9}))
    assert averaged.network.weights[0].tobytes() == plain.network.weights[0].tobytes()
    assert averaged.current is not averaged.network
    assert plain.current is plain.network
    float32 = go(new({"epochs": 3, "ema_decay": 0.9, "arithmetic": "float32"}))
    assert float32.result is float32.current is not float32.network


@pytest.mark.parametrize("ema_decay", [0.0, 0.9])
def test_the_result_of_exact_arithmetic_is_the_network_on_its_grid(ema_decay):
    trainer = go(new({"epochs": 3, "ema_decay": ema_decay}))
    for found, wanted in zip(trainer.result.weights, trainer.current.weights, strict=True):
        np.testing.assert_array_equal(found, round_weights(wanted))
        np.testing.assert_allclose(found, wanted, atol=2.0**-20)
    images, _ = problem()
    np.testing.assert_array_equal(trainer.result.scores(images), trainer.current.scores(images))


@pytest.mark.parametrize(
    ("monitor", "values", "best"),
    [("loss", [3.0, 1.0, 1.0, 2.0, 0.5], 2), ("accuracy", [0.5, 0.9, 0.9, 0.8, 1.0], 2)],
)
def test_patience(monitor, values, best):
    trainer = new({"epochs": 10, "patience": 2, "monitor": monitor})
    images, targets = problem()
    kept = []
    for epoch in trainer.train_epochs(images, targets):
        kept.append(round_weights(trainer.current.weights[0]))
        value = values[epoch.number - 1]
        trainer.record_validation(Score(loss=value, accuracy=value))
    assert trainer.epoch == best + 2  # an equal score is no better, so patience ran out
    assert trainer.finished
    np.testing.assert_array_equal(trainer.result.weights[0], kept[best - 1])


def test_images_without_a_shape_cannot_be_augmented():
    with pytest.raises(
        ValueError, match="image_shape: expected height and width of the images of 8"
    ):
        Trainer(TrainingConfig(shift=1.0), sizes=(8, 3), seed=0)
    with pytest.raises(ValueError, match=r"image_shape: expected 8 pixels, got \(2, 3\)"):
        Trainer(TrainingConfig(shift=1.0), sizes=(8, 3), seed=0, image_shape=(2, 3))
    assert Trainer(TrainingConfig(shift=1.0), sizes=(9, 3), seed=0).network.image_shape == (3, 3)


def test_pickled_with_array_memory_mapped_or_not_it_goes_on_alike(tmp_path):
    whole, half = go(new(RICH)), go(new(RICH), until=2)
    joblib.dump(half, tmp_path / "trainer")
    restored = [joblib.load(tmp_path / "trainer"), pickle.loads(pickle.dumps(half))]
    for trainer in restored:
        assert bits(go(trainer)) == bits(whole)


def test_another_config_from_the_start_or_from_the_same_epoch():
    trainer = go(new({"epochs": 2, "optimizer": "adam", "learning_rate": 0.01}))
    with pytest.raises(ValueError, match="hidden: expected"):
        trainer.reconfigure(TrainingConfig(hidden=(8,), optimizer="adam"), from_the_start=True)
    broken = TrainingConfig(hidden=trainer.config.hidden, optimizer="adam", batch_size=0)
    with pytest.raises(ValueError, match="batch_size"):
        trainer.reconfigure(broken, from_the_start=True)
    steps, longer = trainer._optimizer.steps, replace(trainer.config, epochs=3, patience=1)
    trainer.reconfigure(longer, from_the_start=False)
    assert (trainer.epoch, go(trainer).epoch, trainer.finished) == (2, 3, True)
    trainer.reconfigure(longer, from_the_start=True)
    assert (trainer.epoch, trainer.finished) == (0, False)
    assert trainer._optimizer.steps == steps * 3 // 2  # its state is kept


def test_a_stopped_run_stays_stopped():
    trainer, samples = new({"epochs": 10, "patience": 1}), problem()
    for _ in trainer.train_epochs(*samples):
        trainer.record_validation(Score(loss=1.0, accuracy=0.5))
    assert trainer.epoch == 2
    assert list(trainer.train_epochs(*samples)) == []


def test_as_seen_is_what_training_makes_of_images():
    images, _ = problem()
    np.testing.assert_array_equal(new({}).as_seen(images), images)
    augmented = new(RICH).as_seen(images)
    np.testing.assert_array_equal(augmented, new(RICH).as_seen(images))
    assert abs(augmented - images).mean() > 0.01
