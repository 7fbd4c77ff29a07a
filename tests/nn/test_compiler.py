"""The cache of compiled operations: used by other processes, and never if it is damaged."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import compilations
import pytest
from compilations import PAIRS

import nn

pytest.importorskip("numba")
from nn.compiled import compiler

PACKAGE = Path(nn.__file__).parent
SUPPORT = Path(compilations.__file__).parent
ONE = PAIRS[0]


def start(folder, *pairs, package=PACKAGE, environment=None):
    own = {
        "NUMBA_CACHE_DIR": str(folder),
        "PYTHONPATH": f"{package.parent}{os.pathsep}{SUPPORT}",
    }
    return subprocess.Popen(
        [sys.executable, compilations.__file__, *pairs],
        env=os.environ | own | (environment or {}),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def finish(process, package=PACKAGE):
    """What a process has said on its standard error stream, in lines."""
    output, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors
    assert output.split() == ["right", str(package / "__init__.py")]
    return errors.splitlines()


def run(folder, *pairs, package=PACKAGE, environment=None):
    process = start(folder, *pairs, package=package, environment=environment)
    return finish(process, package)


def said_once(lines):
    return len(lines) == 1 and lines[0].startswith("Compiling")


def place(folder, pair):
    """The folder of an operation."""
    arithmetic, name = pair.split(":")
    (found,) = folder.glob(f"*/{arithmetic}/{name}")
    return found


def contents(folder):
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture(scope="module")
def filled(tmp_path_factory):
    """A cache with all pairs, which is not changed."""
    folder = tmp_path_factory.mktemp("cache")
    assert said_once(run(folder, *PAIRS))
    return folder


@pytest.fixture
def cache(filled, tmp_path):
    return Path(shutil.copytree(filled, tmp_path / "cache"))


def test_a_second_process_compiles_nothing(cache):
    before = contents(cache)
    assert len(before) >= 3 * len(PAIRS)
    assert run(cache, *PAIRS) == []
    assert contents(cache) == before


def bit_flipped(content, bit):
    middle = len(content) // 2
    return content[:middle] + bytes([content[middle] ^ 1 << bit]) + content[middle + 1 :]


DAMAGES = {
    "truncated": lambda content: content[: len(content) // 2],
    "one bit": lambda content: bit_flipped(content, 2),
    # Which makes a text no text.
    "highest bit": lambda content: bit_flipped(content, 7),
    "overwritten": lambda content: b"x" * len(content),
    "empty": lambda content: b"",
    # What a process leaves that is killed while it writes.
    "gone": None,
}
ALWAYS = ("truncated", "one bit", "gone")


def test_damaged_files_are_not_used(cache):
    kinds = [(end, kind) for kind in ALWAYS for end in (".nbc", ".nbi", "digest")]
    kinds += [("digest", kind) for kind in DAMAGES if kind not in ALWAYS]
    before = contents(cache)
    for pair, (end, kind) in zip(PAIRS, kinds, strict=True):
        for path in place(cache, pair).iterdir():
            if path.name.endswith(end):
                if kind == "gone":
                    path.unlink()
                else:
                    path.write_bytes(DAMAGES[kind](path.read_bytes()))
                    assert path.read_bytes() != before[path]
    assert said_once(run(cache, *PAIRS))
    assert contents(cache).keys() == before.keys()
    # And then they are whole.
    assert run(cache, *PAIRS) == []


@pytest.mark.parametrize("everywhere", [True, False])
def test_where_nothing_can_be_written_each_process_compiles_for_itself(everywhere, tmp_path):
    folder = tmp_path / "cache"
    if everywhere:
        folder.write_text("a file")
    else:
        at = folder / compiler._folder("exact").parent.name
        (at / "exact" / "lock").mkdir(parents=True)
        (at / "float32").mkdir()
        (at / "float32" / "average").write_text("a file")
        (at / "float64").write_text("a file")
    assert said_once(run(folder, "exact:average", "float32:average", "float64:average"))


def test_a_full_disk(tmp_path):
    assert said_once(run(tmp_path, ONE, environment={"LONGEST_FILE": "1000"}))
    assert said_once(run(tmp_path, ONE))
    assert run(tmp_path, ONE) == []


def test_processes_that_start_at_the_same_time(tmp_path):
    processes = [start(tmp_path, *PAIRS[:3]) for _ in range(2)]
    said = [finish(process) for process in processes]
    assert all(lines == [] or said_once(lines) for lines in said)
    assert [] in said or all(map(said_once, said))
    assert run(tmp_path, *PAIRS[:3]) == []


def test_a_copy_of_the_package_shares_the_cache_and_another_version_does_not(cache, tmp_path):
    package = tmp_path / "elsewhere" / "nn"
    shutil.copytree(PACKAGE, package, ignore=shutil.ignore_patterns("__pycache__"))
    before = contents(cache)
    assert run(cache, *PAIRS[:3], package=package) == []
    assert contents(cache) == before
    with (package / "compiled" / "updates.py").open("a") as file:
        file.write("# another version\n")
    assert said_once(run(cache, ONE, package=package))
    assert run(cache, ONE, package=package) == []
    assert before.items() <= contents(cache).items()


def test_the_folder_depends_on_the_processor(monkeypatch):
    monkeypatch.setenv("NUMBA_CACHE_DIR", "/cache")
    found = set()
    for cpu, features in ((None, None), ("x86-64", None), ("x86-64", "+sse2"), (None, "+sse2")):
        for name, value in (("NUMBA_CPU_NAME", cpu), ("NUMBA_CPU_FEATURES", features)):
            if value is None:
                monkeypatch.delenv(name, raising=False)
            else:
                monkeypatch.setenv(name, value)
        compiler._folder.cache_clear()
        found |= {compiler._folder("exact"), compiler._folder("float32")}
    compiler._folder.cache_clear()
    assert len(found) == 8
    assert all(path.is_relative_to("/cache") for path in found)


@pytest.mark.skipif(sys.platform == "darwin", reason="its folder has another name")
def test_the_cache_is_in_the_users_folder(tmp_path):
    code = "import os; del os.environ['NUMBA_CACHE_DIR']; from nn.compiled import compiler; "
    code += "print(compiler._folder('exact'))"
    environment = {"XDG_CACHE_HOME": str(tmp_path), "NUMBA_CACHE_DIR": "x",
                   "PYTHONPATH": str(PACKAGE.parent)}  # fmt: skip
    done = subprocess.check_output(
        [sys.executable, "-c", code], env=os.environ | environment, text=True
    )
    assert Path(done.strip()).parent.parent == tmp_path / "numpy-digits-pipeline"
