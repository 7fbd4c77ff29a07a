"""Chunks of samples: what is in them, in which order."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nn import Augmentation, Augmenter
from nn.regularization import smooth_labels
from nn.training.batches import Loader, Samples


def samples(n, weighted=False):
    rng = np.random.default_rng(0)
    weights = rng.random(n, np.float32) if weighted else None
    return Samples(rng.random((n, 4), np.float32), rng.random((n, 2), np.float32), weights)


def all_of(loader, order, seed=0):
    parts = []
    for chunk, count in loader.chunks(order, np.random.default_rng(seed)):
        parts.append(loader.memory[chunk].rows(np.arange(count)))
    return Samples(*(None if a[0] is None else np.concatenate(a) for a in zip(*parts, strict=True)))


@settings(max_examples=40, deadline=None)
@given(n=st.integers(1, 30), rows=st.integers(1, 30), weighted=st.booleans(), data=st.data())
def test_every_sample_in_its_order(n, rows, weighted, data):
    rows = min(rows, n)
    order = np.array(data.draw(st.permutations(range(n))), dtype=np.intp)
    source = samples(n, weighted)
    found = all_of(Loader(source, rows), order)
    for mine, theirs in zip(found, source.rows(order), strict=True):
        assert (mine is None) == (theirs is None)
        assert mine is None or mine.tobytes() == theirs.tobytes()


def test_targets_are_smoothed_and_the_source_is_left_alone():
    source = samples(10)
    before = source.targets.copy()
    found = all_of(Loader(source, 3, label_smoothing=0.3), np.arange(10))
    np.testing.assert_allclose(found.targets, smooth_labels(before.copy(), 0.3))
    np.testing.assert_array_equal(source.targets, before)


@pytest.mark.parametrize("rows", [3, 10])
def test_images_are_augmented_by_the_generator_that_is_passed_in(rows):
    source = samples(10)
    augmenter = Augmenter(Augmentation(shift=1.0), (2, 2))
    loader = Loader(source, rows, augmenter=augmenter)
    once, again, other = (all_of(loader, np.arange(10), seed).images for seed in (1, 1, 2))
    np.testing.assert_array_equal(once, again)
    assert not np.array_equal(once, other)


def test_leaving_early_is_fine():
    prepared = []
    loader = Loader(samples(10), 2, prepare=lambda chunk, count: prepared.append(chunk))
    for _ in loader.chunks(np.arange(10), np.random.default_rng(0)):
        break
    assert prepared == [0, 1]  # nothing goes on in the background
    assert len(all_of(loader, np.arange(10)).images) == 10


def test_an_error_in_the_second_thread_arrives_in_the_first():
    loader = Loader(samples(10), 2, augmenter=Augmenter(Augmentation(shift=1.0), (3, 3)))
    with pytest.raises(ValueError, match="reshape"):
        all_of(loader, np.arange(10))
