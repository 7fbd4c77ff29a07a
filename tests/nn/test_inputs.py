"""Samples as the first layer reads them: what is in them, in which order, in which form."""

import threading

import needs
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nn import Augmentation, Augmenter
from nn.arithmetic import operations_for
from nn.regularization import smooth_labels
from nn.training import inputs
from nn.training.inputs import Loader, Samples, Sparse, are_grey, convert_images


def samples(n, weighted=False):
    rng = np.random.default_rng(0)
    weights = rng.random(n, np.float32) if weighted else None
    return Samples(rng.random((n, 4), np.float32), rng.random((n, 2), np.float32), weights)


def unchanged(images):
    return images


def all_of(loader, order, seed=0):
    parts = []
    for chunk, places, _ in loader.chunks(order, np.random.default_rng(seed), 0):
        parts.append(chunk.rows(places))
    return Samples(*(None if a[0] is None else np.concatenate(a) for a in zip(*parts, strict=True)))


@pytest.fixture
def in_chunks(monkeypatch):
    """Make loaders prepare chunks of at least so many samples."""

    def set_rows(rows):
        monkeypatch.setattr(inputs, "_PIXELS_AT_ONCE", 0)
        monkeypatch.setattr(inputs, "_ROWS_IN_A_CHUNK", rows)
        monkeypatch.setattr(inputs, "_ROWS_IN_A_UNIT", 1)

    return set_rows


@settings(max_examples=60, deadline=None)
@given(
    n=st.integers(1, 30),
    batch_size=st.integers(1, 30),
    rows=st.sampled_from([None, 1, 2, 7, 30]),
    weighted=st.booleans(),
    data=st.data(),
)
def test_every_sample_in_its_order(n, batch_size, rows, weighted, data):
    batch_size = min(batch_size, n)
    order = np.array(data.draw(st.permutations(range(n))), dtype=np.intp)
    source = samples(n, weighted)
    sizes = []
    with pytest.MonkeyPatch.context() as patch:
        if rows:
            patch.setattr(inputs, "_PIXELS_AT_ONCE", 0)
            patch.setattr(inputs, "_ROWS_IN_A_CHUNK", rows)
            patch.setattr(inputs, "_ROWS_IN_A_UNIT", 1)
        loader = Loader(source, batch_size, lambda images: sizes.append(len(images)) or images)
        found = all_of(loader, order)
    for mine, theirs in zip(found, source.rows(order), strict=True):
        assert (mine is None) == (theirs is None)
        assert mine is None or mine.tobytes() == theirs.tobytes()
    # Only the last minibatch may be smaller, and so only the last chunk.
    assert sum(sizes) == n
    assert all(size % batch_size == 0 for size in sizes[:-1])
    assert len(sizes) == (-(-n // (batch_size * -(-rows // batch_size))) if rows else 1)


@pytest.mark.parametrize("rows", [None, 3])
def test_targets_are_smoothed_and_the_source_is_left_alone(rows, in_chunks):
    if rows:
        in_chunks(rows)
    source = samples(10, weighted=True)
    before = Samples(*(a.copy() for a in source))
    loader = Loader(source, 3, unchanged, label_smoothing=0.3)
    for _ in range(2):
        found = all_of(loader, np.arange(10))
        np.testing.assert_allclose(found.targets, smooth_labels(before.targets.copy(), 0.3))
    for mine, theirs in zip(source, before, strict=True):
        np.testing.assert_array_equal(mine, theirs)


@pytest.mark.parametrize("rows", [3, 10])
def test_images_are_augmented_by_the_generator_that_is_passed_in(rows, in_chunks):
    in_chunks(rows)
    source = samples(10)
    augmenter = Augmenter(Augmentation(shift=1.0), (2, 2))
    loader = Loader(source, 1, unchanged, augmenter=augmenter)
    once, again, other = (all_of(loader, np.arange(10), seed).images for seed in (1, 1, 2))
    np.testing.assert_array_equal(once, again)
    assert not np.array_equal(once, other)
    np.testing.assert_array_equal(source.images, samples(10).images)


def test_images_are_prepared_once_or_anew_in_every_epoch(in_chunks):
    prepared = []

    def convert(images):
        prepared.append(len(images))
        return images

    loader = Loader(samples(10), 2, convert)
    for _ in range(3):
        all_of(loader, np.arange(10))
    assert prepared == [10]
    in_chunks(5)
    loader = Loader(samples(10), 2, convert)
    for _ in range(3):
        all_of(loader, np.arange(10))
    assert prepared == [10] + 3 * [6, 4]


def test_leaving_early_is_fine(in_chunks):
    in_chunks(2)
    prepared = []

    def convert(images):
        prepared.append(len(images))
        return images

    loader = Loader(samples(10), 2, convert)
    for _ in loader.chunks(np.arange(10), np.random.default_rng(0), 0):
        break
    assert prepared == [2, 2]  # nothing goes on in the background
    assert len(all_of(loader, np.arange(10)).images) == 10


def test_an_error_in_the_second_thread_arrives_in_the_first(in_chunks):
    in_chunks(2)
    prepared = []

    def convert(images):
        prepared.append(threading.get_ident())
        if len(prepared) == 3:
            raise OSError("the disk is gone")
        return images

    loader = Loader(samples(10), 2, convert)
    with pytest.raises(OSError, match="the disk is gone"):
        all_of(loader, np.arange(10))
    assert threading.get_ident() not in prepared
    assert len(all_of(loader, np.arange(10)).images) == 10


def dense(images, width, dtype):
    """The images that a `Sparse` stands for."""
    found = np.zeros((len(images.starts) - 1, width), dtype)
    for k, row in enumerate(found):
        part = slice(images.starts[k], images.starts[k + 1])
        assert (np.diff(images.columns[part].astype(int)) > 0).all()
        assert (images.values[part] != 0).all()
        row[images.columns[part]] = images.values[part]
    return found


LAYOUTS = {
    "in memory": lambda images: images,
    "by columns": np.asfortranarray,
    "every second": lambda images: np.repeat(images, 2, axis=1)[:, ::2],
    "read-only": lambda images: np.frombuffer(images.tobytes(), images.dtype).reshape(images.shape),
}


@needs.numba
@pytest.mark.parametrize(
    ("arithmetic", "levels"),
    [("exact", None), ("exact", 255), ("exact", 16), ("float32", None), ("float64", None)],
)  # fmt: skip
@pytest.mark.parametrize("black", [0.0, 0.8, 1.0])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_sparse_images_are_the_images(arithmetic, levels, black, layout, monkeypatch):
    monkeypatch.setattr(inputs, "_PIECE", 4)
    dtype = np.float64 if arithmetic == "float64" else np.float32
    rng = np.random.default_rng(0)
    grey = rng.integers(1, (levels or 255) + 1, (11, 30)) * (rng.random((11, 30)) >= black)
    grey[3] = 0
    source = LAYOUTS[layout]((grey / dtype(levels or 255)).astype(dtype))
    before = source.copy()
    found = convert_images(source, functions=operations_for(arithmetic), sparse=True, levels=levels)
    assert isinstance(found, Sparse)
    assert (found.starts.dtype, found.columns.dtype) == (np.int64, np.uint16)
    assert found.values.dtype == (np.uint8 if levels else dtype)
    expected = grey if levels else source
    np.testing.assert_array_equal(dense(found, 30, expected.dtype), expected)
    np.testing.assert_array_equal(source, before)


@needs.numba
def test_memory_mapped_images_are_made_sparse(tmp_path):
    images = np.where(np.random.default_rng(0).random((9, 7)) < 0.8, 0, 0.5).astype(np.float32)
    np.save(tmp_path / "images.npy", images)
    mapped = np.load(tmp_path / "images.npy", mmap_mode="r")
    found = convert_images(mapped, functions=operations_for("exact"), sparse=True, levels=0)
    np.testing.assert_array_equal(dense(found, 7, np.float32), images)


@needs.numba
def test_the_last_of_the_most_columns_is_found():
    images = np.zeros((2, 2**16), np.float32)
    images[:, [0, -1]] = 0.25
    found = convert_images(images, functions=operations_for("exact"), sparse=True, levels=0)
    assert found.columns[:4].tolist() == [0, 2**16 - 1] * 2
    assert found.starts.tolist() == [0, 2, 4]


@pytest.mark.parametrize("levels", [None, 255])
def test_images_with_few_zeros_stay_dense(levels):
    images = np.random.default_rng(0).integers(0, 256, (2100, 3)).astype(np.float32)
    images /= np.float32(255)
    found = convert_images(images, functions=operations_for("exact"), sparse=False, levels=levels)
    if levels:
        assert found.dtype == np.uint8
        np.testing.assert_array_equal(found, np.rint(images * 255))
    else:
        assert found is images


@settings(max_examples=60, deadline=None)
@given(
    levels=st.sampled_from([1, 2, 4, 15, 16, 17, 255]),
    pixels=st.integers(1, 70_000),
    seed=st.integers(0, 99),
)
def test_grey_levels_are_those_of_the_pixels(levels, pixels, seed):
    grey = np.random.default_rng(seed).integers(0, levels + 1, (5, 8))
    images = (grey / np.float32(levels)).astype(np.float32)
    assert are_grey(images, levels)
    whole = pixels < 256 and not (images * np.float32(pixels) % 1).any()
    assert are_grey(images, float(pixels)) == whole


@pytest.mark.parametrize("value", [-1.0, 2.0, 0.3, np.float32(0.5) + np.float32(2.0**-20)])
@pytest.mark.parametrize("row", [0, 1500, 2099])
def test_other_values_are_no_grey_levels(value, row):
    images = np.zeros((2100, 3), np.float32)
    assert are_grey(images, 2)
    images[row, 1] = value
    assert not are_grey(images, 2)


def test_images_with_very_many_pixels_have_no_grey_levels():
    for pixels, expected in ((2048, True), (2049, False)):
        assert are_grey(np.zeros((1, pixels), np.float32), 255.0) == expected


@pytest.mark.parametrize("rows", [None, 5])
@pytest.mark.parametrize("augments", [False, True])
def test_members_of_a_team_have_the_samples_of_a_training_in_one_piece(rows, augments, in_chunks):
    if rows:
        in_chunks(rows)
    source, order = samples(23, weighted=True), np.random.default_rng(1).permutation(23)
    augmenter = Augmenter(Augmentation(shift=1.0, elastic=1.0), (2, 2)) if augments else None
    whole = all_of(Loader(source, 5, unchanged, augmenter=augmenter), order)
    seen = np.zeros(23, bool)
    for part in (slice(0, 4), slice(4, 4), slice(4, 5), slice(5, 23)):
        loader = Loader(source.rows(part), 5, unchanged, augmenter=augmenter, first=part.start)
        chunks = [*loader.chunks(order, np.random.default_rng(0), 0)]
        mine = np.concatenate([chosen for _, _, chosen in chunks])
        found = [chunk.rows(places) for chunk, places, _ in chunks]
        for theirs, parts in zip(whole, zip(*found, strict=True), strict=True):
            np.testing.assert_array_equal(np.concatenate(parts), theirs[mine])
        assert mine.sum() == part.stop - part.start
        seen |= mine
    assert seen.all()
