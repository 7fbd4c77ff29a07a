"""The search as the README has it: by the real `dvc`, shortened, and its best put to use."""

import json
import os
import shlex

SPACE = "hidden: [[8], [12]]\nlearning_rate: [1, 3]\n"
FILES = ("best.json", "trade_off.png", "trials.csv")


def test_search_adopt_and_train(clone, monkeypatch):
    (clone.folder / "search/space.yaml").write_text(SPACE)
    clone.edit(train__epochs="5")
    assert clone.repro() == ["train", "evaluate", "export"]  # and no search

    monkeypatch.setitem(os.environ, "TUNE_WORKERS", "1")
    assert clone.repro("search/dvc.yaml") == ["tune"]
    found = [clone.read(f"data/search/{name}") for name in FILES]
    assert clone.repro("search/dvc.yaml") == []
    monkeypatch.setitem(os.environ, "TUNE_WORKERS", "2")
    assert clone.repro("search/dvc.yaml") == []  # no parameter
    monkeypatch.setitem(os.environ, "TUNE_ENGINE", "threading")
    assert clone.repro("--force", "--single-item", "search/dvc.yaml") == ["tune"]
    assert [clone.read(f"data/search/{name}") for name in FILES] == found

    best = json.loads(found[0])
    before = clone.read("params.yaml")
    clone.run(*shlex.split(best["command"]))
    trained = json.loads(clone.read("data/training/metrics.json"))
    assert trained["validation"]["accuracy"] == best["accuracy"]
    (clone.folder / "params.yaml").write_bytes(before)
    clone.run("python", "-m", "stages.adopt")
    assert clone.repro() == []  # the experiment was the same
    comments = [line.partition(b"#")[2] for line in before.splitlines()]
    assert [line.partition(b"#")[2] for line in clone.read("params.yaml").splitlines()] == comments


def test_the_engine_is_refused_as_a_parameter(clone):
    path = clone.folder / "search/params.yaml"
    path.write_text(path.read_text() + "  engine: dask\n")
    code, output = clone.dvc("repro", "search/dvc.yaml", check=False)
    assert code != 0
    assert "tune.engine: it is no parameter, since it does not change results; set" in output
    assert "Traceback" not in output
