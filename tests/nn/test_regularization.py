"""Dropout, max-norm and label smoothing: moments, bounds, identities."""

import numpy as np
import pytest
from small_training import Steps

from nn import Network, Regularization, train_epochs
from nn.regularization import dropout_mask, limit_norms, smooth_labels


@pytest.mark.parametrize("dropped", [0.1, 0.5, 0.9])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_masks_silence_the_right_share_and_keep_the_mean(dropped, dtype):
    mask = dropout_mask((400, 500), dropped, np.random.default_rng(0), dtype)
    assert mask.dtype == dtype
    assert (mask == 0).mean() == pytest.approx(dropped, abs=0.005)
    assert mask.mean() == pytest.approx(1, rel=0.02)
    assert np.unique(mask).tolist() == pytest.approx([0, 1 / (1 - dropped)])


@pytest.mark.parametrize("exact", [False, True])
@pytest.mark.parametrize("black", [0.0, 0.9])
def test_dropout_is_new_for_every_step_and_the_same_for_a_seed(exact, black):
    images = np.ones((20, 50), np.float32)
    images[:, : int(50 * black)] = 0.0

    def inputs(seed):
        network = Network.initialize([50, 4, 3], np.random.default_rng(0))
        steps = Steps(
            network, images, np.ones((20, 3), np.float32), rng=np.random.default_rng(seed),
            exact=exact, dropout_input=0.5, dropout_hidden=0.25,
        )  # fmt: skip
        seen = []
        for _ in range(2):
            steps.take(np.arange(20), 0.0)
            seen.append([layer.x.copy() for layer in steps.layers])
        return seen

    first, again, other = inputs(1), inputs(1), inputs(2)
    for layer in range(2):
        for one, two in zip(first, again, strict=True):
            np.testing.assert_array_equal(one[layer], two[layer])
        assert not np.array_equal(first[0][layer], first[1][layer])
        assert not np.array_equal(first[0][layer], other[0][layer])
    assert set(np.unique(first[0][0])) == {0.0, 2.0}
    kept = first[0][0][:, int(50 * black) :] > 0
    assert kept.mean() == pytest.approx(0.5, abs=0.1)


@pytest.mark.parametrize("exact", [False, True])
@pytest.mark.parametrize("black", [0.0, 0.9])
def test_without_dropout_nothing_is_copied_and_no_random_number_is_drawn(exact, black):
    rng = np.random.default_rng(0)
    before = rng.bit_generator.state
    images = np.ones((2, 50), np.float32)
    images[:, : int(50 * black)] = 0.0
    network = Network.initialize([50, 4, 3], np.random.default_rng(0))
    steps = Steps(network, images, np.ones((2, 3), np.float32), rng=rng, exact=exact)
    steps.take(np.arange(2), 0.1)
    below, above = steps.layers
    assert above.x is below.a
    assert rng.bit_generator.state == before


def test_max_norm_shortens_long_rows_only():
    weights = np.array([[3.0, 4.0], [0.3, 0.4], [0.0, 0.0]])
    limit_norms(weights, 2.0)
    np.testing.assert_allclose(weights, [[1.2, 1.6], [0.3, 0.4], [0, 0]])


def test_training_respects_max_norm():
    rng = np.random.default_rng(0)
    network = Network.initialize([6, 5, 2], rng, initialization="normal")
    images, targets = rng.random((30, 6), np.float32), np.eye(2, dtype=np.float32)[[0, 1] * 15]
    options = {"epochs": 2, "batch_size": 7, "learning_rate": 5.0, "rng": rng}
    list(
        train_epochs(
            network, images, targets, regularization=Regularization(max_norm=0.5), **options
        )
    )
    for w in network.weights:
        assert np.linalg.norm(w, axis=1).max() <= 0.5 * (1 + 1e-6)


def test_smoothed_targets_still_sum_to_one():
    smoothed = smooth_labels(np.eye(4), 0.2)
    np.testing.assert_allclose(smoothed.sum(axis=1), 1)
    np.testing.assert_allclose(np.diag(smoothed), 0.85)
    np.testing.assert_array_equal(smooth_labels(np.eye(3), 0.0), np.eye(3))


@pytest.mark.parametrize(
    "wrong",
    [{"l2": -1}, {"dropout_hidden": 1}, {"label_smoothing": 1}, {"dropout_input": np.nan},
     {"max_norm": np.inf}],
)  # fmt: skip
def test_impossible_amounts_are_refused(wrong):
    with pytest.raises(ValueError, match=f"{next(iter(wrong))}: "):
        Regularization(**wrong)
