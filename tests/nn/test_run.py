"""A training run as a whole: what it uses, and that it can be put away and taken up."""

import io
import pickle
from dataclasses import replace

import joblib
import numpy as np
import pytest

from nn import Recipe, Run, Score, score

# Nothing that has a state is left out.
RICH = {
    "hidden": (5,), "optimizer": "adam", "learning_rate": 0.02, "batch_size": 8, "epochs": 6,
    "schedule": "cosine", "warmup": 1, "average": 0.9, "dropout_input": 0.1, "dropout_hidden": 0.2,
    "label_smoothing": 0.1, "shift": 0.5, "elastic": 0.5, "smoothness": 1.0, "patience": 4,
}  # fmt: skip
CHOICES = [
    RICH,
    RICH | {"optimizer": "momentum", "average": 0.0},
    RICH | {"optimizer": "nesterov", "patience": 0},
    {"hidden": (5,), "epochs": 6},
]


def problem(n=43):
    rng = np.random.default_rng(5)
    return rng.random((n, 9), np.float32), np.eye(3, dtype=np.float32)[rng.integers(0, 3, n)]


def new(choices, **options):
    return Run(Recipe(**choices), sizes=(9, 3), seed=4, image_shape=(3, 3), **options)


def go(run, until=None):
    images, targets = problem()
    for _ in run.epochs(images, targets, until=until):
        run.judge(score(run.current, images, targets))
    return run


def bits(run):
    network = run.result
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
    run = go(new(RICH), until=2)
    state = run.state()
    before = {name: array.copy() for name, array in state.items()}
    go(run)
    for name, array in before.items():
        np.testing.assert_array_equal(state[name], array)


def test_the_state_of_another_recipe_is_refused():
    state = go(new({"hidden": (5,), "epochs": 1})).state()
    with pytest.raises(KeyError):
        new(RICH).restore(state)
    with pytest.raises(ValueError, match="broadcast"):
        new({"hidden": (7,)}).restore(state)


def test_the_same_seed_gives_the_same_bits_and_another_does_not():
    assert bits(go(new(RICH))) == bits(go(new(RICH)))
    other = Run(Recipe(**RICH), sizes=(9, 3), seed=5, image_shape=(3, 3))
    assert bits(go(other)) != bits(go(new(RICH)))


def test_averaged_weights_are_the_result_and_the_network_goes_its_own_way():
    plain, averaged = go(new({"epochs": 3})), go(new({"epochs": 3, "average": 0.9}))
    assert averaged.network.weights[0].tobytes() == plain.network.weights[0].tobytes()
    assert averaged.result is averaged.current is not averaged.network
    assert plain.result is plain.network


@pytest.mark.parametrize(
    ("monitor", "values", "best"),
    [("loss", [3.0, 1.0, 1.0, 2.0, 0.5], 2), ("accuracy", [0.5, 0.9, 0.9, 0.8, 1.0], 2)],
)
def test_patience(monitor, values, best):
    run = new({"epochs": 10, "patience": 2, "monitor": monitor})
    images, targets = problem()
    kept = []
    for epoch in run.epochs(images, targets):
        kept.append(run.current.weights[0].copy())
        run.judge(Score(loss=values[epoch - 1], accuracy=values[epoch - 1]))
    assert run.epoch == best + 2  # an equal score is no better, so patience ran out
    assert run.over
    np.testing.assert_array_equal(run.result.weights[0], kept[best - 1])


def test_images_without_a_shape_cannot_be_deformed():
    with pytest.raises(ValueError, match="image_shape: images of 8 pixels need one"):
        Run(Recipe(shift=1.0), sizes=(8, 3), seed=0)
    with pytest.raises(ValueError, match=r"image_shape: \(2, 3\) are not 8 pixels"):
        Run(Recipe(shift=1.0), sizes=(8, 3), seed=0, image_shape=(2, 3))
    assert Run(Recipe(shift=1.0), sizes=(9, 3), seed=0).network.image_shape == (3, 3)


def test_pickled_with_array_memory_mapped_or_not_it_goes_on_alike(tmp_path):
    whole, half = go(new(RICH)), go(new(RICH), until=2)
    joblib.dump(half, tmp_path / "run")
    restored = [joblib.load(tmp_path / "run"), pickle.loads(pickle.dumps(half))]
    for run in restored:
        assert bits(go(run)) == bits(whole)


def test_another_recipe_from_the_start_or_where_it_was():
    run = go(new({"epochs": 2, "optimizer": "adam", "learning_rate": 0.01}))
    with pytest.raises(ValueError, match="hidden: it cannot change from"):
        run.follow(Recipe(hidden=(8,), optimizer="adam"), from_the_start=True)
    with pytest.raises(ValueError, match="batch_size"):
        run.follow(Recipe(hidden=run.recipe.hidden, optimizer="adam", batch_size=0),
                   from_the_start=True)  # fmt: skip
    steps, longer = run._optimizer.steps, replace(run.recipe, epochs=3, patience=1)
    run.follow(longer, from_the_start=False)
    assert (run.epoch, go(run).epoch, run.over) == (2, 3, True)
    run.follow(longer, from_the_start=True)
    assert (run.epoch, run.over) == (0, False)
    assert run._optimizer.steps == steps * 3 // 2  # its state is kept


def test_a_stopped_run_stays_stopped():
    run, samples = new({"epochs": 10, "patience": 1}), problem()
    for _ in run.epochs(*samples):
        run.judge(Score(loss=1.0, accuracy=0.5))
    assert run.epoch == 2
    assert list(run.epochs(*samples)) == []


def test_as_seen_is_what_training_makes_of_images():
    images, _ = problem()
    np.testing.assert_array_equal(new({}).as_seen(images), images)
    deformed = new(RICH).as_seen(images)
    np.testing.assert_array_equal(deformed, new(RICH).as_seen(images))
    assert abs(deformed - images).mean() > 0.01
