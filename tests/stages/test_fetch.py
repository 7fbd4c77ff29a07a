"""fetch, against a loopback stand-in for OpenML, and scikit-learn's cache."""

import hashlib
import json
import re
import socket

import numpy as np
import pytest
from openml_stand_in import answers, fill_cache, serving, squares

from stages import fetch
from stages.common.command_line.errors import ParameterError
from stages.sources.conversion import to_class_indexes, to_pixels

NINE = ("--name", "squares", "--version", 3, "--source", "openml")


def raw(tmp_path):
    folder = tmp_path / "data" / "raw"
    classes = json.loads((folder / "about.json").read_text())["classes"]
    return np.load(folder / "images.npy"), np.load(folder / "labels.npy"), classes


def no_file_in(folder):
    return not folder.exists() or not any(path.is_file() for path in folder.rglob("*"))


def test_openml_by_its_api_and_then_from_the_cache(run, home, tmp_path, monkeypatch):
    pixels, labels = squares()
    with serving(answers("squares", 3, pixels, labels), monkeypatch) as asked:
        result = run(fetch, *NINE)
    assert result.exit_code == 0, result.output
    assert len(asked) == 5
    images, indexes, classes = raw(tmp_path)
    assert images.dtype == np.uint8
    assert images.flags.c_contiguous
    np.testing.assert_array_equal(images, pixels)
    assert classes == ["cat", "dog"]
    assert np.array(classes)[indexes].tolist() == labels.tolist()

    before = (tmp_path / "data/raw/images.npy").read_bytes()
    with serving({}, monkeypatch) as asked:
        assert run(fetch, *NINE).exit_code == 0
    assert asked == []
    assert (tmp_path / "data/raw/images.npy").read_bytes() == before


def test_cache_of_an_air_gapped_user(run, home, tmp_path, monkeypatch):
    fill_cache(home, answers("Squares", 3, *squares()))
    monkeypatch.setattr(socket, "create_connection", forbidden)
    result = run(fetch, "--name", "Squares", "--version", 3)
    assert result.exit_code == 0, result.output
    assert len(raw(tmp_path)[0]) == 60


def forbidden(*args, **kwargs):
    raise AssertionError("the network was used")


def test_unknown_data_set(refused, home, tmp_path, monkeypatch):
    with serving({}, monkeypatch):
        line = refused(fetch, "--name", "mnist_784", "--version", 99)
    assert line.startswith("fetch.name: OpenML has no data set 'mnist_784' with version 99")
    assert no_file_in(tmp_path / "data")


@pytest.mark.parametrize("kind", ["nominal", "string"])
def test_columns_that_are_no_pixels(kind, refused, home, monkeypatch):
    pixels, labels = squares()
    pixels = pixels.astype(object)
    pixels[:, 4] = np.where(np.arange(60) % 3 == 0, "a", "b")
    kinds = ["numeric"] * 4 + [kind] + ["numeric"] * 4
    with serving(answers("squares", 3, pixels, labels, kinds=kinds), monkeypatch):
        line = refused(fetch, *NINE)
    assert line.startswith("fetch.name: expected numeric pixels, got c")
    assert "in squares version 3" in line


def test_missing_values_are_no_pixels(refused, home, monkeypatch):
    pixels, labels = squares()
    pixels = pixels.astype(object)
    pixels[7, 2] = "?"
    with serving(answers("squares", 3, pixels, labels), monkeypatch):
        assert "got missing, infinite or too large values" in refused(fetch, *NINE)


def test_a_file_that_does_not_match_its_checksum(refused, home, tmp_path, monkeypatch):
    pages = answers("squares", 3, *squares())
    file = next(path for path in pages if path.endswith(".arff"))
    pages[file] = pages[file].replace(b"cat", b"dog", 1)
    with serving(pages, monkeypatch):
        assert "does not match the expected checksum" in refused(fetch, *NINE)
    assert no_file_in(tmp_path / "data")


@pytest.mark.parametrize("page", [500, 503, b"<html>log in to the hotel's network</html>", b"{}"])
def test_an_openml_with_foreign_answers(page, refused, home, monkeypatch):
    path = "api/v1/json/data/list/data_name/squares/limit/2/data_version/3"
    with serving({path: page}, monkeypatch):
        line = refused(fetch, *NINE)
    assert line.startswith(
        f"fetch.source: OpenML cannot be reached (HTTP status {page})"
        if isinstance(page, int)
        else "fetch.source: expected the data set squares version 3 from OpenML, got "
    )


def test_no_network_and_no_mirror_for_this_data_set(refused, home, monkeypatch):
    monkeypatch.setattr(socket, "create_connection", unreachable)
    line = refused(fetch, "--name", "squares")
    assert line.startswith("fetch.source: OpenML cannot be reached (")
    assert "SCIKIT_LEARN_DATA" in line


def unreachable(*args, **kwargs):
    raise OSError("Network is unreachable")


def test_a_damaged_cache_without_a_network_is_reported(refused, home, monkeypatch):
    pages = answers("squares", 3, *squares())
    fill_cache(home, pages)
    file = next((home / "openml").rglob("*.arff.gz"))
    file.write_bytes(file.read_bytes()[:-20])
    monkeypatch.setattr(socket, "create_connection", unreachable)
    line = refused(fetch, *NINE)
    assert "the damaged copy in scikit-learn's cache was deleted" in line


@pytest.mark.parametrize("content", [b"", b"<html>", b"@relation x\n@attribute p real\n@data\nx\n"])
def test_a_file_that_is_no_arff(content, refused, home, monkeypatch):
    pages = answers("squares", 3, *squares())
    file = next(path for path in pages if path.endswith(".arff"))
    description = json.loads(pages["api/v1/json/data/4242"])
    description["data_set_description"]["md5_checksum"] = hashlib.md5(content).hexdigest()
    pages |= {file: content, "api/v1/json/data/4242": json.dumps(description).encode()}
    with serving(pages, monkeypatch):
        assert refused(fetch, *NINE).startswith("fetch.source: expected the data set squares")


def test_mnist_from_openml_must_be_mnist(refused, home, tmp_path, monkeypatch):
    pixels = np.zeros((20, 784), int)
    with serving(answers("mnist_784", 1, pixels, np.arange(20) % 10), monkeypatch):
        line = refused(fetch, "--source", "openml")
    assert line.startswith("fetch.name: expected SHA-256 5b92582eb909c82a9bfefcd44acbe9233be3eb5b")
    assert line.endswith("To use a mirror, set fetch.source: auto.")
    assert no_file_in(tmp_path / "data")


def test_a_refused_source_leaves_the_old_data_alone(run, refused, home, tmp_path, monkeypatch):
    fill_cache(home, answers("squares", 3, *squares()))
    assert run(fetch, *NINE).exit_code == 0
    before = {path: path.read_bytes() for path in (tmp_path / "data").rglob("*.*")}
    with serving({}, monkeypatch):
        refused(fetch, "--name", "other")
    assert {path: path.read_bytes() for path in (tmp_path / "data").rglob("*.*")} == before


@pytest.mark.parametrize("name", ["mnist 784", "../etc", "", "a/b", "mnist\n784"])
def test_names_that_cannot_be_names(name, refused):
    assert refused(fetch, "--name", name).startswith("fetch.name: ")


def test_labels_of_any_kind_become_indexes_in_a_sensible_order():
    def check(labels, names):
        indexes, classes = to_class_indexes(np.array(labels), "x")
        assert classes == names
        expected = [re.sub(r"\.0*$", "", str(label)) for label in labels]
        assert [classes[k] for k in indexes] == expected

    check(["10", "9", "1", "9"], ["1", "9", "10"])
    check([3.0, -1.0, 3.0], ["-1", "3"])
    check(["b", "a", "2"], ["2", "a", "b"])
    check([True, False], ["False", "True"])
    check(["7.0", "7", "10.", "1"], ["1", "7", "10"])


def test_names_of_the_classes():
    labels = np.array([10, 1, 2, 10, 1])

    def named(names):
        indexes, classes = to_class_indexes(labels, "x", names)
        return [classes[k] for k in indexes], classes

    assert named("1, 2,0") == (["0", "1", "2", "0", "1"], ["0", "1", "2"])
    assert named("cat,dog,ape") == (["ape", "cat", "dog", "ape", "cat"], ["cat", "dog", "ape"])
    assert named({"10": "Z", "1": "A"}) == (["Z", "A", "2", "Z", "A"], ["A", "2", "Z"])
    assert named("a,b,a") == (["a", "a", "b", "a", "a"], ["a", "b"])
    for names in ("1,2", "1,2,3,4", "1,,3", ""):
        with pytest.raises(ParameterError, match=r"fetch\.classes: expected 3 names separated"):
            named(names)
    with pytest.raises(ParameterError, match=r"fetch\.classes: expected two or more names"):
        named("a,a,a")


@pytest.mark.parametrize(
    ("name", "transpose", "is_transposed"),
    [
        ("EMNIST_Balanced", "auto", True),
        ("EMNIST_Balanced", "never", False),
        ("squares", "auto", False),
        ("squares", "always", True),
    ],
)
def test_emnist_of_openml_is_transposed(name, transpose, is_transposed, run, home, tmp_path):
    pixels, labels = squares()
    fill_cache(home, answers(name, 3, pixels, labels))
    result = run(fetch, "--name", name, "--version", 3, "--transpose", transpose)
    assert result.exit_code == 0, result.output
    images, _, _ = raw(tmp_path)
    expected = pixels.reshape(-1, 3, 3)
    expected = expected.transpose(0, 2, 1) if is_transposed else expected
    np.testing.assert_array_equal(images, expected.reshape(-1, 9))
    assert ("images transposed" in result.stderr) == is_transposed


def test_the_warnings_of_openml_are_printed(run, home):
    pages = answers("squares", 3, *squares())
    about = json.loads(pages["api/v1/json/data/4242"])
    about["data_set_description"] |= {"status": "deactivated", "warning": "labels are\nshifted"}
    fill_cache(home, pages | {"api/v1/json/data/4242": json.dumps(about).encode()})
    result = run(fetch, *NINE)
    assert result.exit_code == 0
    assert "squares version 3: Version 3 of dataset squares is inactive, meaning" in result.stderr
    assert "It might be unusable. Warning: labels are shifted\n" in result.stderr


@pytest.mark.parametrize(
    ("labels", "reason"),
    [
        (["1.5", "2.0"], "expected class labels, got numbers such as 1.5"),
        ([1.5, 2.0], "expected class labels, got numbers such as 1.5"),
        ([float("nan"), 1.0], "without a label"),
        (np.array([None, "a"], object), "without a label"),
        (["a", "a"], "different labels, got 1"),
        (list(range(2000)), "different labels, got 2000"),
    ],
)
def test_labels_that_are_no_classes(labels, reason):
    with pytest.raises(ParameterError, match=reason):
        to_class_indexes(np.array(labels), "x")


def test_pixels_that_are_no_bytes_stay_floats():
    assert to_pixels(np.array([[0.0, 255.0]]), "x").dtype == np.uint8
    for values in ([[0.5, 1.0]], [[-1.0, 1.0]], [[0.0, 256.0]]):
        found = to_pixels(np.array(values), "x")
        assert found.dtype == np.float32
        assert found.tolist() == values
