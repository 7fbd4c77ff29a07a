"""Training by a team: the bytes of training alone, however the samples are divided."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nn import ACTIVATIONS, LOSSES, OPTIMIZERS, DivergedError, Trainer, TrainingConfig
from nn.training.inputs import Samples
from nn.training.team import Team, Threads, shares

# The labels are random.
pytestmark = pytest.mark.filterwarnings("ignore::nn.NotLearningWarning")
PIXELS, CLASSES = 36, 3


def samples(n, black, levels):
    rng = np.random.default_rng(n)
    grey = rng.integers(0, levels + 1, (n, PIXELS)) * (rng.random((n, PIXELS)) >= black)
    targets = np.eye(CLASSES, dtype=np.float32)[rng.integers(0, CLASSES, n)]
    return (grey / np.float32(levels)).astype(np.float32), targets, rng.random(n, np.float32)


def trained(config, images, targets, weights, workers):
    """Everything that training leaves behind."""
    sizes = images.shape[1], targets.shape[1]
    trainer = Trainer(config, sizes=sizes, seed=1, pixel_range=(0.0, 255.0))
    scores = [
        epoch.score for epoch in trainer.train_epochs(images, targets, weights, workers=workers)
    ]
    return scores, {name: array.tobytes() for name, array in trainer.state().items()}


@settings(max_examples=60, deadline=None)
@given(
    n=st.integers(1, 30),
    batch_size=st.sampled_from([1, 2, 7, 30]),
    members=st.integers(1, 8),
    black=st.sampled_from([0.0, 0.8]),
    levels=st.sampled_from([255, 65535]),
    weighted=st.booleans(),
    config=st.fixed_dictionaries(
        {
            "hidden": st.sampled_from([(), (5,), (6, 4)]),
            "optimizer": st.sampled_from([*OPTIMIZERS]),
            "activation": st.sampled_from([*ACTIVATIONS]),
            "loss": st.sampled_from([*LOSSES]),
        },
        optional={
            "l2": st.just(0.01),
            "weight_decay": st.just(0.01),
            "max_norm": st.just(1.0),
            "dropout_input": st.just(0.3),
            "dropout_hidden": st.just(0.3),
            "label_smoothing": st.just(0.1),
            "ema_decay": st.just(0.9),
            "schedule": st.just("cosine"),
            "rotation": st.just(10.0),
            "elastic": st.just(1.0),
        },
    ),
)
def test_the_bytes_do_not_depend_on_the_team(
    n, batch_size, members, black, levels, weighted, config
):
    images, targets, weights = samples(n, black, levels)
    config = TrainingConfig(epochs=2, batch_size=batch_size, learning_rate=0.1, **config)
    arguments = config, images, targets, weights if weighted else None
    assert trained(*arguments, Threads(members)) == trained(*arguments, None)


def test_float32_with_one_member_is_training_alone_and_with_others_close_to_it():
    images, targets, _ = samples(40, 0.8, 255)
    config = TrainingConfig(epochs=2, learning_rate=0.5, arithmetic="float32")
    alone, of_one, of_three = (
        trained(config, images, targets, None, workers)
        for workers in (None, Threads(1), Threads(3))
    )
    assert of_one == alone
    for name, array in of_three[1].items():
        if name.startswith("network"):
            mine, theirs = (np.frombuffer(a, np.float32) for a in (array, alone[1][name]))
            np.testing.assert_allclose(mine, theirs, rtol=1e-3, atol=1e-5)


def test_a_training_continues_without_its_team():
    images, targets, weights = samples(30, 0.8, 255)
    config = TrainingConfig(epochs=4, hidden=(5,), optimizer="adam", learning_rate=0.01)
    expected = trained(config, images, targets, weights, None)[1]
    trainer = Trainer(config, sizes=(PIXELS, CLASSES), seed=1, pixel_range=(0.0, 255.0))
    for workers, until in ((Threads(2), 1), (None, 2), (Threads(5), 4)):
        for _ in trainer.train_epochs(images, targets, weights, until=until, workers=workers):
            pass
    assert {name: array.tobytes() for name, array in trainer.state().items()} == expected


def test_an_error_of_a_member_is_raised():
    images, targets, _ = samples(20, 0.0, 255)
    config = TrainingConfig(epochs=5, hidden=(), learning_rate=1e6, loss="cross_entropy")
    with pytest.raises(DivergedError):
        trained(config, images, targets, None, Threads(3))

    def fail(samples, team):
        if team.first:
            raise MemoryError("here")
        return team.largest(1.0)

    with pytest.raises(MemoryError, match="here"):
        Threads(2).run(fail, Samples(images, targets))


@given(samples=st.integers(1, 100), members=st.integers(1, 30))
def test_shares_are_of_about_the_same_size(samples, members):
    parts = shares(samples, members)
    assert [k for part in parts for k in range(samples)[part]] == [*range(samples)]
    sizes = [part.stop - part.start for part in parts]
    assert len(parts) == min(samples, members)
    assert max(sizes) - min(sizes) <= 1


def test_members_exchange_maxima_and_sums():
    def work(samples, team):
        mine = [np.full((2, 3), float(len(samples.targets))), np.arange(4) * (team.first + 1)]
        team.add(mine)
        return team.size, team.samples, team.largest(float(team.first)), mine

    size, count, largest, (first, second) = Threads(3).run(work, Samples(*samples(9, 0, 255)[:2]))
    assert (size, count, largest) == (3, 9, 6.0)
    np.testing.assert_array_equal(first, np.full((2, 3), 9.0))
    np.testing.assert_array_equal(second, np.arange(4) * (1 + 4 + 7))
    alone = Team()
    alone.add(again := [first.copy()])
    assert alone.largest(2.0) == 2.0
    np.testing.assert_array_equal(again[0], first)
