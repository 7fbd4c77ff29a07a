"""Kaggle's CSV: there and back, with labels and without; bad lines by their number."""

import gzip

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from own_data import csv_text

from stages.cli import Refusal
from stages.own_data import kaggle
from stages.own_data.kaggle import read_kaggle_csv

BYTES = st.integers(0, 255)
NUMBERS = st.floats(-1e6, 1e6, width=32) | BYTES.map(float)


@settings(max_examples=60, deadline=None)
@given(
    pixels=hnp.arrays(np.uint8, hnp.array_shapes(min_dims=2, max_dims=2, max_side=9))
    | hnp.arrays(np.float32, hnp.array_shapes(min_dims=2, max_dims=2), elements=NUMBERS),
    labelled=st.booleans(),
    zipped=st.booleans(),
    end=st.sampled_from(["\n", "\r\n"]),
    piece=st.integers(1, 100),
)
def test_what_is_written_is_read(pixels, labelled, zipped, end, piece, tmp_path_factory):
    path = tmp_path_factory.getbasetemp() / "any.csv"
    labels = [f"c{k % 3}" for k in range(len(pixels))] if labelled else None
    content = csv_text(pixels, labels, end).encode()
    path.write_bytes(gzip.compress(content) if zipped else content)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(kaggle, "_BYTES_AT_ONCE", piece)  # pieces of few lines
        found, texts = read_kaggle_csv(path, labels=labelled)
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
    pixels, labels = read_kaggle_csv(path, labels=True)
    assert pixels.dtype == np.uint8
    assert pixels.tolist() == [[0, 255], [1, 2]]
    assert labels.tolist() == ["7", "8"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "its first line begins with ''; right would be the header label,pixel0,pixel1,…"),
        ("5,0,255\n", "its first line begins with '5,0,255'; right would be the header"),
        ("pixel0,pixel1\n1,2\n", "its first line begins with 'pixel0,pixel1'; right"),
        ("label\n1\n", "its first line begins with 'label'"),
        ("label,0,255\n1,2,3\n", "its first line begins with 'label,0,255'"),
        ("label,p0,p1\n", "it has a header and no images."),
        ("label,p0,p1\n1,2,3\n\n1,2\n", "line 4: it has 2 values; the header has 3 names."),
        ("label,p0,p1\n1,2,3,4\n", "line 2: it has 4 values; the header has 3 names."),
        ("label,p0,p1\n1,2,x\n", "line 2: p1 is 'x'; right would be a number."),
        ("label,p0,p1\n1,2,3\n1,,3\n", "line 3: p0 is ''; right would be a number."),
        ("label,p0,p1\n1,nan,3\n", "line 2: p0 is 'nan'; right would be a number."),
        ("label,p0,p1\n1,2,1e99\n", "line 2: p1 is '1e99'; right would be a number."),
        ("label,p0,p1\n1,2,3\n,2,3\n", "line 3: it has no label"),
        ("label,p0,p1\n1,0.5,3\n1,2,?\n", "line 3: p1 is '?'; right would be a number."),
    ],
)
@pytest.mark.parametrize("piece", [1, 1 << 22])
def test_bad_lines_are_named(text, message, piece, tmp_path, monkeypatch):
    monkeypatch.setattr(kaggle, "_BYTES_AT_ONCE", piece)
    path = tmp_path / "train.csv"
    path.write_text(text)
    with pytest.raises(Refusal) as refusal:
        read_kaggle_csv(path, labels=True)
    assert refusal.value.message.startswith(f"{path}: {message}")
    assert "\n" not in refusal.value.message


def test_test_csv_has_no_labels_and_train_csv_has(tmp_path):
    path = tmp_path / "test.csv"
    path.write_text("pixel0,pixel1\n1,2\n")
    with pytest.raises(Refusal, match=r"Kaggle's file with labels is train\.csv"):
        read_kaggle_csv(path, labels=True)
    path.write_text("label,pixel0\n1,2\n")
    with pytest.raises(Refusal, match="right would be the header pixel0,pixel1,…"):
        read_kaggle_csv(path, labels=False)


def test_binary_files_are_no_csv(tmp_path):
    path = tmp_path / "train.csv"
    path.write_bytes(b"\xff\xfe,\0,")
    with pytest.raises(Refusal, match="it is no CSV file"):
        read_kaggle_csv(path, labels=True)
