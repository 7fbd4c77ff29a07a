"""A search by the real `dvc`, and a training with its best parameters."""

import json
import os
import shlex

SPACE = "hidden: [[8], [12]]\nlearning_rate: [1, 3]\n"
FILES = ("best.json", "trade_off.png", "trials.csv")


def test_search_and_train_the_best(clone, monkeypatch):
    (clone.folder / "experiments/search/space.yaml").write_text(SPACE)
    assert clone.repro() == []  # the main pipeline has no search

    monkeypatch.setitem(os.environ, "TUNE_WORKERS", "1")
    assert clone.experiment("search/dvc.yaml") == ["tune"]
    found = [clone.read(f"data/search/{name}") for name in FILES]
    assert clone.experiment("search/dvc.yaml") == []
    monkeypatch.setitem(os.environ, "TUNE_WORKERS", "2")
    assert clone.experiment("search/dvc.yaml") == []  # no parameter
    assert clone.experiment("search/dvc.yaml", "--force", "--single-item") == ["tune"]
    assert [clone.read(f"data/search/{name}") for name in FILES] == found

    best = json.loads(found[0])
    before = clone.read("params.yaml")
    clone.run(*shlex.split(best["command"]))
    trained = json.loads(clone.read("data/training/metrics.json"))
    assert trained["validation"]["accuracy"] == best["accuracy"]
    comments = [line.partition(b"#")[2] for line in before.splitlines() if b"#" in line]
    after = clone.read("params.yaml").splitlines()
    assert [line.partition(b"#")[2] for line in after if b"#" in line] == comments
    assert clone.repro() == []  # params.yaml has the best values


def test_the_workers_are_not_parameters(clone):
    path = clone.folder / "experiments/search/params.yaml"
    path.write_text(path.read_text() + "  workers: 2\n")
    code, output = clone.dvc("--cd", "experiments", "repro", "search/dvc.yaml", check=False)
    assert code != 0
    assert "tune.workers: not a parameter, because it does not change results; set" in output
    assert "Traceback" not in output
