"""Ensembles of networks."""

import numpy as np
import pytest

from nn import Ensemble, Network, score


def member(seed, sizes=(4, 3, 2), **options):
    return Network.initialize(sizes, np.random.default_rng(seed), **options)


def test_probabilities_are_the_mean_of_the_members():
    members = [member(seed) for seed in range(3)]
    images = np.random.default_rng(0).random((7, 4), np.float32)
    ensemble = Ensemble(members)
    expected = np.mean([network.probabilities(images) for network in members], axis=0)
    np.testing.assert_allclose(ensemble.probabilities(images), expected, rtol=1e-6)
    np.testing.assert_array_equal(ensemble.predict(images), expected.argmax(axis=1))
    assert ensemble.probabilities(images[0]).shape == (2,)
    targets = np.eye(2, dtype=np.float32)[ensemble.predict(images)]
    assert score(ensemble, images, targets).accuracy == 1


def test_an_ensemble_of_one_predicts_what_that_network_predicts():
    images = np.random.default_rng(0).random((7, 4), np.float32)
    alone = member(0)
    np.testing.assert_array_equal(Ensemble([alone]).predict(images), alone.predict(images))


def test_members_may_have_other_hidden_layers():
    Ensemble([member(0), member(1, (4, 9, 9, 2))])


@pytest.mark.parametrize(
    "other",
    [
        {"sizes": (5, 3, 2)},
        {"classes": ["a", "b"]},
        {"pixel_range": (0.0, 255.0)},
        {"loss": "cross_entropy"},
    ],
    ids=str,
)
def test_members_must_have_the_same_inputs_and_outputs(other):
    name = next(iter(other)).replace("sizes", "inputs")
    with pytest.raises(ValueError, match=f"expected members with the same {name}"):
        Ensemble([member(0), member(1, **other)])
