"""CSV files: round trips with and without labels, and errors that name the line."""

import gzip

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from own_data import csv_text

from stages.common.command_line.errors import ParameterError, StageError
from stages.sources.conversion import to_class_indexes
from stages.sources.csv import from_csv, read_csv, read_unlabelled
from stages.sources.detect import from_path

BYTES = st.integers(0, 255)
NUMBERS = st.floats(-1e6, 1e6, width=32) | BYTES.map(float)


@settings(max_examples=60, deadline=None)
@given(
    pixels=hnp.arrays(np.uint8, hnp.array_shapes(min_dims=2, max_dims=2, max_side=9))
    | hnp.arrays(np.float32, hnp.array_shapes(min_dims=2, max_dims=2), elements=NUMBERS),
    labelled=st.booleans(),
    zipped=st.booleans(),
    end=st.sampled_from(["\n", "\r\n"]),
)
def test_what_is_written_is_read(pixels, labelled, zipped, end, tmp_path_factory):
    path = tmp_path_factory.getbasetemp() / "any.csv"
    labels = [f"c{k % 3}" for k in range(len(pixels))] if labelled else None
    content = csv_text(pixels, labels, end).encode()
    path.write_bytes(gzip.compress(content) if zipped else content)
    found, texts, *_ = read_csv(path) if labelled else read_unlabelled(path)
    assert texts.tolist() == (labels or [])
    are_bytes = ((pixels >= 0) & (pixels <= 255) & (pixels == np.round(pixels))).all()
    assert found.dtype == (np.uint8 if are_bytes else np.float32)
    np.testing.assert_array_equal(found, pixels)


@pytest.mark.parametrize(
    "text",
    [
        "\ufefflabel,pixel0,pixel1\n7,0,255\n\n8,1,2\n",
        '"label","pixel0","pixel1"\n"7",0,255\n8,1,2',
        "Label, 1x1, 1x2\n7, 0, 255\n8 ,1.0,2e0\n   \n",
    ],
)
def test_what_spreadsheets_make_of_it(text, tmp_path):
    path = tmp_path / "train.csv"
    path.write_text(text)
    pixels, labels = read_csv(path)
    assert pixels.dtype == np.uint8
    assert pixels.tolist() == [[0, 255], [1, 2]]
    assert labels.tolist() == ["7", "8"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "expected lines of numbers, one per image, got none."),
        (
            "pixel0,pixel1\n1,2\n",
            "expected a column of labels, named label, class, target or y, got the columns "
            "'pixel0,pixel1', …; set fetch.label to the name of one; Kaggle's file with labels is "
            "train.csv.",
        ),
        ("label\n1\n", "expected columns of pixels, got 'label'."),
        ("hello\n", "expected"),
        ("a b c\nd e f\n", "expected"),
        ("label,p0,p1\n", "expected images after the header, got none."),
        ("label,p0,p1\n1,2,3\n\n1,2\n", "line 4: expected 3 values, as in the header, got 2."),
        ("label,p0,p1\n1,2,3,4\n", "line 2: expected 3 values, as in the header, got 4."),
        ("label,p0,p1\n1,2,x\n", "line 2: expected a number as p1, got 'x'."),
        ("label,p0,p1\n1,2,3\n1,,3\n", "line 3: expected a number as p0, got ''."),
        ("label,p0,p1\n1,nan,3\n", "line 2: expected a number as p0, got 'nan'."),
        ("label,p0,p1\n1,2,1e99\n", "line 2: expected a number as p1, got '1e99'."),
        ("label,p0,p1\n1,2,3\n,2,3\n", "line 3: expected a class label, got an empty cell."),
        ("label,p0,p1\n1,0.5,3\n1,2,?\n", "line 3: expected a number as p1, got '?'."),
        ("label,p0,p1\n1,2,1_0\n", "line 2: expected a number as p1, got '1_0'."),
    ],
)
def test_bad_lines_are_named(text, message, tmp_path):
    path = tmp_path / "train.csv"
    path.write_text(text)
    with pytest.raises(StageError) as refusal:
        read_csv(path)
    assert refusal.value.message.startswith(f"{path}: {message}")
    assert "\n" not in refusal.value.message


def test_test_csv_has_no_labels_and_train_csv_has(tmp_path):
    path = tmp_path / "test.csv"
    path.write_text("pixel0,pixel1\n1,2\n")
    with pytest.raises(StageError, match=r"Kaggle's file with labels is train\.csv"):
        read_csv(path)
    path.write_text("label,pixel0\n1,2\n")
    with pytest.raises(StageError, match="expected the header pixel0,pixel1,…"):
        read_unlabelled(path)


def test_binary_files_are_no_csv(tmp_path):
    path = tmp_path / "train.csv"
    path.write_bytes(b"\xff\xfe,\0,")
    with pytest.raises(StageError, match="expected a table in UTF-8 text"):
        read_csv(path)


NUMBERS = [f"{k % 3},{k * 7 % 10},{k * 5 % 3}" for k in range(9)]


def test_which_of_two_columns_is_the_label_is_for_the_user_to_say(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("\n".join(NUMBERS))
    with pytest.raises(ParameterError) as refusal:
        from_csv(path, "auto")
    assert refusal.value.message == (
        f"fetch.label: expected labels in the first or the last column of {path}, which has no "
        "header, got values with which both may be labels; set it to first or last."
    )
    first, last = (from_csv(path, label) for label in ("first", "last"))
    assert first.labels.tolist() == [str(k % 3) for k in range(9)]
    assert last.labels.tolist() == [str(k * 5 % 3) for k in range(9)]
    np.testing.assert_array_equal(first.pixels[:, 0], last.pixels[:, 1])
    assert "label in the first column, 9 rows of 2 pixels" in first.notes[0]
    with pytest.raises(ParameterError, match=r"fetch\.label: expected auto, first or last for a"):
        from_csv(path, "label")


def test_a_header_with_several_labels_or_with_none(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("class,p0,p1,y\n" + "\n".join(f"{row},a" for row in NUMBERS))
    with pytest.raises(ParameterError, match=r"got 2 that may be it \('class', 'y'\); set it to"):
        from_csv(path, "auto")
    found = from_csv(path, "y")
    assert found.labels.tolist() == ["a"] * 9
    assert found.pixels.shape == (9, 3)
    assert 'label in the column "y" (last)' in found.notes[0]
    with pytest.raises(ParameterError, match=r"fetch\.label: expected auto, first, last or the na"):
        from_csv(path, "z")


@pytest.mark.parametrize("values", [["1", "2", "10"], ["1.0", "2.0", "10.0"], ["1", "2.", "10.00"]])
def test_labels_that_are_written_as_floats(values, tmp_path):
    texts = [values[k % 3] for k in range(9)]
    (tmp_path / "a.csv").write_text(csv_text(np.eye(9, dtype=int), texts))
    found = from_csv(tmp_path / "a.csv", "auto")
    assert to_class_indexes(found.labels, "x")[1] == ["1", "2", "10"]


def test_an_id_column_of_a_test_file_is_no_pixel(tmp_path):
    (tmp_path / "test.csv").write_text("id,pixel0,pixel1\n0,5,6\n1,7,8\n")
    pixels, ids, column = read_unlabelled(tmp_path / "test.csv")
    assert pixels.tolist() == [[5, 6], [7, 8]]
    assert (ids.tolist(), column) == (["0", "1"], "id")


def test_the_tables_of_emnist_beside_its_mapping_and_notes(tmp_path):
    images = np.arange(1, 97).reshape(6, 16) % 90
    images[:, -1] = 0
    for part, rows in (("train", slice(4)), ("test", slice(4, 6))):
        table = np.c_[np.arange(6)[rows] % 2, images[rows]]
        np.savetxt(tmp_path / f"emnist-balanced-{part}.csv", table, "%d", ",")
    (tmp_path / "emnist-balanced-mapping.txt").write_text("0 65\n1 66\n")
    (tmp_path / "classes.txt").write_text("0\n1\n")
    (tmp_path / "README.txt").write_text("The data set\nof a test.\n")
    found = from_path(tmp_path)
    np.testing.assert_array_equal(found.pixels, images)
    assert found.parts == {"train": 4, "test": 2}
    assert found.column_major
    assert found.names == {"0": "A", "1": "B"}
    assert found.notes[-1].startswith(f"{tmp_path}: left out README.txt, classes.txt, emnist-bal")
