"""One data set in every format is read with the same pixels, labels and classes."""

from pathlib import Path

import numpy as np
import pytest
from formats import FORMATS, NEEDS
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from stages.sources.conversion import to_raw
from stages.sources.detect import from_path
from stages.sources.formats import formats_table

# Square, because a table does not tell the height; n differs from height and width.
IMAGES = hnp.arrays(np.uint8, st.tuples(st.integers(12, 20), st.just(4), st.just(4)))


@pytest.mark.parametrize("name", FORMATS)
@settings(max_examples=5, deadline=None)
@given(images=IMAGES, seed=st.integers(0, 99))
def test_every_format_is_the_same_data_set(name, images, seed, tmp_path_factory):
    if name in NEEDS:
        pytest.importorskip(NEEDS[name])
    # The first and the last pixel of most images are background; each class occurs.
    images[:, 0, 0] = images[:, -1, -1] = 0
    images[0, -1, -2] = 200  # LIBSVM leaves out what is 0 in all images
    images[:, 1, 1] = 1 + np.arange(len(images))  # so that no two images are equal
    labels = np.random.default_rng(seed).permutation(np.arange(len(images)) % 10)
    if "by class" in name:  # they follow one another
        labels = np.sort(labels)
    folder = tmp_path_factory.mktemp("data")
    FORMATS[name](folder, images, labels)
    found = from_path(folder)
    raw = to_raw(found.pixels, found.labels, found.image_shape, "x", found.names)
    assert raw.images.dtype == np.uint8
    np.testing.assert_array_equal(raw.images, images.reshape(len(images), 16))
    assert [raw.classes[k] for k in raw.labels] == [str(label) for label in labels]
    assert raw.classes == list("0123456789")
    assert raw.image_shape == (4, 4)
    assert found.notes
    assert str(folder) in found.notes[0]


def test_the_table_of_the_documentation_is_that_of_the_code():
    document = Path(__file__).parents[3] / "docs" / "data.md"
    assert formats_table() in document.read_text(), formats_table()
