"""verify: comparison with dvc.lock, size of a difference and its likely cause."""

import hashlib
import io
import json
from importlib import metadata

import numpy as np
import pytest

from tools.verification.differences import causes, difference, other_versions
from tools.verify import compare


class Recorded:
    """The recorded files of folders; stands for `DVCFileSystem`."""

    def __init__(self, digests):
        self.digests = digests

    def find(self, folder):
        found = [path for path in self.digests if path.startswith(f"{folder}/")]
        if not found:
            raise FileNotFoundError(folder)
        return found

    def info(self, path):
        return {"md5": self.digests[path]}


def npy(array):
    file = io.BytesIO()
    np.save(file, np.asarray(array))
    return file.getvalue()


def npz(**arrays):
    file = io.BytesIO()
    np.savez(file, **arrays)
    return file.getvalue()


def lock(out, digest, **entry):
    return {"make": {"outs": [{"path": out, "md5": digest}], **entry}}


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "data/sub").mkdir(parents=True)
    for name in ("a", "b", "sub/c"):
        (tmp_path / "data" / name).write_text(name)
    return tmp_path


def digest(text):
    return hashlib.md5(text.encode()).hexdigest()


def test_files_of_a_folder_with_the_same_digest_are_the_same(folder):
    rows = list(compare(lock("data", "1.dir"), lock("data", "1.dir"), folder, Recorded({})))
    assert rows == [("make", f"data/{name}", True) for name in ("a", "b", "sub/c")]


def test_files_of_a_folder_with_another_digest_are_compared_one_by_one(folder):
    old = Recorded(
        {"data/a": digest("a"), "data/b": digest("?"), "data/gone": digest("x"), "other/a": ""}
    )
    rows = list(compare(lock("data", "1.dir"), lock("data", "2.dir"), folder, old))
    assert [(path, same) for _, path, same in rows] == [
        ("data/a", True), ("data/b", False), ("data/gone", False), ("data/sub/c", False),
    ]  # fmt: skip


def test_a_folder_whose_recorded_files_are_unknown_is_one_row(folder):
    rows = list(compare(lock("data", "1.dir"), lock("data", "2.dir"), folder, Recorded({})))
    assert rows == [("make", "data", False)]


def test_a_stage_or_a_file_that_the_lock_does_not_have_is_different(folder):
    assert [same for *_, same in compare({}, lock("data/a", "1"), folder, Recorded({}))] == [False]
    rows = compare(lock("data/b", "1"), lock("data/a", "1"), folder, Recorded({}))
    assert [same for *_, same in rows] == [False]


@pytest.mark.parametrize(
    ("path", "old", "new", "expected"),
    [
        ("a.npy", npy([1.0, 2.0]), npy([1.0, 2.25]), "at most 0.25"),
        ("a.npy", npy(np.uint8([1, 255])), npy(np.uint8([3, 255])), "at most 2"),
        ("a.npy", npy([1.0]), npy([1.0, 2.0]), "arrays have other shapes"),
        ("a.npy", npy(np.float32([1.0])), npy([1.0]), "bytes differ, numbers do not"),
        ("a.npy", b"damaged", npy([1.0]), "bytes differ"),
        (
            "a.npz",
            npz(w=np.zeros(3), b=np.ones(2), name=np.array("x")),
            npz(w=np.zeros(3), b=np.array([1.0, 1.5]), name=np.array("y")),
            "at most 0.5 in b",
        ),
        ("a.npz", npz(w=np.zeros(3)), npz(v=np.zeros(3)), "it has other entries"),
        (
            "m.json",
            json.dumps({"test": {"loss": 0.5}, "name": "x"}).encode(),
            json.dumps({"test": {"loss": 0.375}, "name": "x"}).encode(),
            "at most 0.125 in test.loss",
        ),
        ("m.json", b'{"name": "x"}', b'{"name": "y"}', "bytes differ, numbers do not"),
        ("a.png", b"1", b"2", "bytes differ"),
    ],
)
def test_the_size_of_a_difference(path, old, new, expected):
    assert difference(path, old, new) == expected


def entry(code="1", data="1", **train):
    deps = [{"path": "nn", "md5": code}, {"path": "data/prepared/x.npy", "md5": data}]
    return lock("model", "1", deps=deps, params={"params.yaml": {"train": train}}) | {
        "preprocess": {"outs": [{"path": "data/prepared", "md5": "1.dir"}]}
    }


def test_changed_parameters_code_and_packages_are_causes():
    found = causes("make", entry(epochs=3), entry(code="2", epochs=4, data="2"), ["numpy 1 (2)"])
    assert len(found) == 3
    assert "train.epochs was 3, is 4" in found[0]
    assert found[1].endswith(": nn")
    assert found[2].endswith(": numpy 1 (2)")


def test_without_another_cause_it_is_the_processor():
    (cause,) = causes("make", entry(arithmetic="float32"), entry(arithmetic="float32"), [])
    assert cause.startswith("another processor")
    assert "float32" in cause
    (cause,) = causes("make", entry(arithmetic="exact"), entry(arithmetic="exact"), [])
    assert cause.startswith("another processor")
    assert "bug" in cause


def test_packages_of_another_version_are_listed():
    installed = metadata.version("numpy")
    constraints = f"numpy=={installed}\nclick==0.1 ; python_version < '4'\nnot-installed==1.0\n"
    (found,) = other_versions(constraints)
    assert found == f"click {metadata.version('click')} (expected 0.1)"
