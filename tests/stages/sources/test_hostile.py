"""Damaged and hostile files of every format end in one line, in bounded time and memory."""

import gzip
import io
import pickle
import shutil
import tarfile
import tracemalloc
import zipfile
from types import SimpleNamespace

import numpy as np
import pytest
from formats import FORMATS, NEEDS, flat, png
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from own_data import csv_text, digits, idx_bytes

from stages.common.command_line.errors import StageError
from stages.sources import archives, reading
from stages.sources.detect import from_path

IMAGES, LABELS = digits(40)


@pytest.fixture(scope="module", params=FORMATS)
def whole(request, tmp_path_factory):
    """The folder of a whole data set."""
    if request.param in NEEDS:
        pytest.importorskip(NEEDS[request.param])
    folder = tmp_path_factory.mktemp("whole")
    FORMATS[request.param](folder, IMAGES, LABELS)
    return folder


@settings(
    max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_damaged_files_are_read_or_refused_in_a_line(whole, data, tmp_path_factory):
    folder = tmp_path_factory.mktemp("damaged")
    shutil.copytree(whole, folder, dirs_exist_ok=True)
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    path = data.draw(st.sampled_from(files))
    content = bytearray(path.read_bytes())
    # Near the start are the headers, of which most damages can be noticed.
    at = data.draw(st.integers(0, len(content) - 1) | st.integers(0, min(200, len(content) - 1)))
    damage = data.draw(st.sampled_from(["cut", "flip", "zeros", "insert"]))
    if damage == "cut":
        del content[at:]
    elif damage == "flip":
        content[at] ^= 1 << data.draw(st.integers(0, 7))
    elif damage == "zeros":
        content[at : at + 40] = bytes(len(content[at : at + 40]))
    else:
        content[at:at] = data.draw(st.binary(min_size=1, max_size=40))
    path.write_bytes(content)
    try:
        from_path(folder)
    except StageError as refusal:
        assert "\n" not in refusal.format_message()  # noqa: PT017


def refusal_of(path):
    with pytest.raises(StageError) as refusal:
        from_path(path)
    assert "\n" not in refusal.value.format_message()
    return refusal.value.message


def test_a_mat_file_on_which_scipys_reader_crashes(tmp_path):
    FORMATS["mat by class"](tmp_path, IMAGES, LABELS)
    (path,) = tmp_path.iterdir()
    content = bytearray(path.read_bytes())
    content[170:210] = bytes(40)  # sizes and types of the first array
    path.write_bytes(content)
    assert refusal_of(path).startswith(f"{path}: expected a whole file of plain arrays, got")


class Execute:
    def __reduce__(self):
        return (exit, ())


@pytest.mark.parametrize("protocol", range(6))
def test_a_pickle_is_not_read(protocol, tmp_path):
    for content in (Execute(), ((IMAGES, LABELS), (IMAGES, LABELS)), {"data": IMAGES}):
        (tmp_path / "mnist.pkl").write_bytes(pickle.dumps(content, protocol))
        message = refusal_of(tmp_path / "mnist.pkl")
        if protocol > 1 or isinstance(content, tuple):
            assert "got a pickle, which can run code when it is read; docs/data.md has" in message


def test_a_file_of_torch_is_a_pickle(tmp_path):
    with zipfile.ZipFile(tmp_path / "training.pt", "w") as archive:
        archive.writestr("training/data.pkl", pickle.dumps(Execute()))
    assert "got a pickle, which can run code" in refusal_of(tmp_path / "training.pt")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "run git lfs pull"),
        (b"<!DOCTYPE html><html></html>", "a web page"),
        (b"%PDF-1.7\n", "a PDF"),
        (b"<svg/>", "an SVG drawing; convert it to PNG"),
        (b"\0\0\0\x18ftypheic", "a HEIC or AVIF photograph"),
        (b"7z\xbc\xaf\x27\x1c", "a 7z or RAR archive"),
        (png(IMAGES[0]), "a single image; give a folder of images"),
        (b"\x01\x02\0\x03", "another format"),
        (b"", "an empty file"),
    ],
)
def test_files_that_are_no_data_set_but_known(content, message, tmp_path):
    (tmp_path / "file").write_bytes(content)
    assert message in refusal_of(tmp_path / "file")


def test_a_spreadsheet(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.xlsx", "w") as archive:
        archive.writestr("[Content_Types].xml", "")
    assert "a spreadsheet; save it as CSV" in refusal_of(tmp_path / "a.xlsx")


NAMES = [
    "../evil",
    "/tmp/evil",
    "a/../../evil",
    "..\\evil",
    "C:\\evil",
    "\\\\host\\evil",
    "a/b/evil",
]


@pytest.mark.parametrize("kind", ["zip", "tar"])
def test_no_file_is_written_outside_the_folder(kind, tmp_path, monkeypatch):
    content = csv_text(flat(IMAGES), LABELS).encode()
    inside = tmp_path / "one" / "two" / "three"
    inside.mkdir(parents=True)
    path = inside / "archive"
    if kind == "zip":
        with zipfile.ZipFile(path, "w") as archive:
            for name in [*NAMES, "train.csv"]:
                archive.writestr(name, content)
    else:
        with tarfile.open(path, "w") as archive:
            for name, link in (("link", ".."), ("there", str(tmp_path)), ("hard", "/etc/hosts")):
                entry = tarfile.TarInfo(name)
                entry.type = tarfile.LNKTYPE if name == "hard" else tarfile.SYMTYPE
                entry.linkname = link
                archive.addfile(entry)
            fifo = tarfile.TarInfo("fifo")
            fifo.type = tarfile.FIFOTYPE
            archive.addfile(fifo)
            for name in [*NAMES, "link/evil", "there/evil", "train.csv"]:
                entry = tarfile.TarInfo(name)
                entry.size = len(content)
                archive.addfile(entry, io.BytesIO(content))
    temporary = tmp_path / "temporary" / "a" / "b"
    temporary.mkdir(parents=True)
    monkeypatch.setattr(archives.tempfile, "tempdir", str(temporary))
    with archives.unpacked(path) as folder:
        found = sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())
        assert not any(p.is_symlink() for p in folder.rglob("*"))
    links = ["link/evil", "there/evil"] if kind == "tar" else []
    assert set(found) == {"a/b/evil", "train.csv", *links}
    left = [p for p in tmp_path.rglob("*") if p.is_file()]
    assert left == [path]


def test_archives_that_would_fill_the_disk(tmp_path, monkeypatch):
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("train.csv", bytes(10**7))
    with tarfile.open(tmp_path / "a.tgz", "w:gz") as archive:
        entry = tarfile.TarInfo("train.csv")
        entry.size = 10**7
        archive.addfile(entry, io.BytesIO(bytes(10**7)))
    monkeypatch.setattr(archives.shutil, "disk_usage", lambda folder: SimpleNamespace(free=10**7))
    for name in ("a.zip", "a.tgz"):
        assert "half of the free disk, got more." in refusal_of(tmp_path / name)


def test_an_archive_whose_headers_would_fill_the_memory(tmp_path):
    header = tarfile.TarInfo("././@PaxHeader")
    header.type, header.size = tarfile.XHDTYPE, 10**9
    content = header.tobuf() + bytes(10**7)
    (tmp_path / "a.tar").write_bytes(content)
    assert "expected a whole archive, got a damaged" in refusal_of(tmp_path / "a.tar")


def test_archives_inside_one_another(tmp_path):
    content = csv_text(flat(IMAGES), LABELS).encode()
    for depth in range(12):
        file = io.BytesIO()
        with zipfile.ZipFile(file, "w") as archive:
            archive.writestr("train.csv" if depth == 0 else "inner.zip", content)
        content = file.getvalue()
        (tmp_path / "a.zip").write_bytes(content)
        if depth < 3:
            np.testing.assert_array_equal(from_path(tmp_path / "a.zip").pixels, flat(IMAGES))
    assert "expected at most 8 folders inside one another" in refusal_of(tmp_path / "a.zip")


def test_an_archive_with_a_password_or_a_lying_size(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("train.csv", csv_text(flat(IMAGES), LABELS))
    whole = (tmp_path / "a.zip").read_bytes()
    at = whole.rindex(b"PK\1\2")
    locked = bytearray(whole)
    locked[6] |= 1
    locked[at + 8] |= 1
    (tmp_path / "a.zip").write_bytes(locked)
    assert "got a damaged or encrypted one (" in refusal_of(tmp_path / "a.zip")
    lying = bytearray(whole)
    lying[at + 24 : at + 28] = (100).to_bytes(4, "little")
    (tmp_path / "a.zip").write_bytes(lying)
    assert "a.zip" in refusal_of(tmp_path / "a.zip")


@pytest.mark.parametrize(
    ("name", "head", "unit"),
    [
        ("rows.csv.gz", b"label,p0,p1,p2\n", b"1,0,0,0\n"),
        ("rows.csv", b"", b"1,0,0,0\n"),
        ("line.csv", b"label,p0,p1\n1,", b"0"),
        ("first-line.csv", b"", b"0"),
        ("libsvm", b"1 99999999:1\n" * 2, b"1 1:1\n"),
        ("train-images-idx3-ubyte", b"\0\0\x08\x03\0\1\0\0\0\0\0\x1c\0\0\0\x1c", b"\0"),
        ("a.tar", tarfile.TarInfo("train.csv").tobuf(), b"\0"),
        ("a.mat", b"MATLAB 5.0 MAT-file".ljust(124) + b"\0\1IM", b"\0"),
        ("images.npy", b"\x93NUMPY\1\0", b"\0"),
    ],
)
def test_small_files_that_unpack_to_more_than_the_memory(name, head, unit, tmp_path, monkeypatch):
    limit, size = 2 << 20, 40 << 20
    monkeypatch.setattr(reading, "room", lambda: limit)
    (tmp_path / "train-labels-idx1-ubyte").write_bytes(idx_bytes(np.zeros(9, np.uint8)))
    np.save(tmp_path / "labels.npy", np.zeros(9))
    file = io.BytesIO()
    with gzip.open(file, "wb", compresslevel=1) as out:
        out.write(head)
        for _ in range(size >> 20):
            out.write(unit * ((1 << 20) // len(unit)))
    (tmp_path / name).write_bytes(file.getvalue())
    tracemalloc.start()
    try:
        refusal_of(tmp_path / name)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 200 << 20  # a few copies of the longest line, 16 MB
