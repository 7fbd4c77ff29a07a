"""Several networks that decide together."""

import numpy as np
import pytest

from nn import Committee, Network, score


def member(seed, sizes=(4, 3, 2), **options):
    return Network.initialize(sizes, np.random.default_rng(seed), **options)


def test_probabilities_are_the_mean_of_the_members():
    members = [member(seed) for seed in range(3)]
    images = np.random.default_rng(0).random((7, 4), np.float32)
    committee = Committee.of(members)
    expected = np.mean([network.probabilities(images) for network in members], axis=0)
    np.testing.assert_allclose(committee.probabilities(images), expected, rtol=1e-6)
    np.testing.assert_array_equal(committee.predict(images), expected.argmax(axis=1))
    assert committee.probabilities(images[0]).shape == (2,)
    targets = np.eye(2, dtype=np.float32)[committee.predict(images)]
    assert score(committee, images, targets).accuracy == 1


def test_a_committee_of_one_decides_as_that_one():
    images = np.random.default_rng(0).random((7, 4), np.float32)
    alone = member(0)
    np.testing.assert_array_equal(Committee.of([alone]).predict(images), alone.predict(images))


def test_members_may_have_other_hidden_layers():
    Committee.of([member(0), member(1, (4, 9, 9, 2))])


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
def test_members_that_do_not_fit_together_are_refused(other):
    with pytest.raises(ValueError, match=f"differ in {next(iter(other))}"):
        Committee.of([member(0), member(1, **other)])
