"""What the documentation says about `dvc`, driven for real in a temporary clone."""

import json
import shlex
import shutil
import subprocess
import sys

import pytest
from clones import Clone
from dvc.repo import Repo

from stages import train

STAGES = ["fetch", "preprocess", "train", "evaluate", "export"]


def metrics(clone):
    return json.loads(clone.read("metrics.json"))


def test_what_no_stage_depends_on_runs_nothing(clone):
    # What a killed process has left, and a lock, are no part of an output.
    for name in (".model.npz.0123.part", ".examples.npy.lock"):
        (clone.folder / "data" / "model" / name).write_text("half of a file")
    assert clone.git("status", "--porcelain") == ""
    path = clone.folder / "params.yaml"
    path.write_text("# a remark\n" + path.read_text().replace("# step size", "# the step size"))
    append_a_remark(clone, "tools/predict.py", "benchmarks/common.py", "tests/conftest.py")
    lock = clone.read("dvc.lock")
    assert clone.repro() == []
    assert clone.read("dvc.lock") == lock


def append_a_remark(clone, *files):
    for file in files:
        with (clone.folder / file).open("a") as opened:
            opened.write("\n# a remark\n")


def test_editing_code_runs_the_stages_that_use_it(clone):
    # A remark does not change the outputs, so the stages after them do not run.
    append_a_remark(clone, "stages/sources/idx.py")
    assert clone.repro() == ["fetch"]
    append_a_remark(clone, "stages/training/options.py", "stages/reporting/plots.py")
    assert clone.repro() == ["train", "evaluate"]
    append_a_remark(clone, "nn/optimizers.py")
    assert clone.repro("--dry") == ["train", "evaluate", "export"]


def test_what_depends_on_a_change_runs_and_is_compared_and_going_back_runs_nothing(clone):
    lock = clone.read("dvc.lock")
    shown = json.loads(clone.dvc("metrics", "show", "--json"))[""]["data"]
    assert shown == {"metrics.json": {"data": metrics(clone)}}
    before = metrics(clone)["test"]["accuracy"]

    clone.edit(train__learning_rate="0.05", preprocess__test_size="250")
    assert clone.repro() == ["preprocess", "train", "evaluate", "export"]
    changes = json.loads(clone.dvc("params", "diff", "--json"))
    rate = changes["params.yaml"]["train.learning_rate"]
    assert (rate["old"], rate["new"]) == (3.0, 0.05)
    change = json.loads(clone.dvc("metrics", "diff", "--json"))["metrics.json"]["test.accuracy"]
    assert (change["old"], change["new"]) == (before, metrics(clone)["test"]["accuracy"])
    assert change["new"] != change["old"]

    clone.dvc("plots", "show")
    page = clone.read("dvc_plots/index.html").decode()
    for title in ("Accuracy after each epoch", "Loss after each epoch", "Confusion", "F1 of each"):
        assert title in page
    for picture in ("mistakes", "confident", "weights", "confusion"):
        assert f"{picture}.png" in page
    clone.dvc("plots", "diff", "HEAD")
    page = clone.read("dvc_plots/index.html").decode()
    assert '"rev": "HEAD"' in page
    assert '"rev": "workspace"' in page

    clone.edit(train__learning_rate="3.0", preprocess__test_size="300")
    output = clone.dvc("repro")
    assert "Running stage" not in output
    assert output.count("is cached - skipping run") == 4
    assert clone.read("dvc.lock") == lock
    assert clone.git("status", "--porcelain") == ""


def test_data_deleted_and_checked_out(clone):
    model = clone.read("data/model/model.npz")
    for folder in ("raw", "prepared", "model", "training", "evaluation"):
        shutil.rmtree(clone.folder / "data" / folder)
    clone.dvc("checkout")
    assert clone.read("data/model/model.npz") == model
    assert clone.repro() == []


def test_push_and_pull_give_another_clone_the_model_without_training(clone, tmp_path):
    clone.dvc("remote", "add", "--default", "storage", tmp_path / "remote")
    clone.git("commit", "--quiet", "--all", "--message", "remote")
    clone.dvc("push")
    clone.git("clone", "--quiet", clone.folder, tmp_path / "second")
    second = Clone(tmp_path / "second", tmp_path / "home")
    second.dvc("pull", "data/model/model.npz")
    assert second.read("data/model/model.npz") == clone.read("data/model/model.npz")
    assert not (second.folder / "data" / "raw").exists()
    second.dvc("pull")
    assert second.repro() == []
    code = "from nn import load; print(load('data/model/model.npz').sizes)"
    assert second.run(sys.executable, "-c", code).strip() == "(64, 16, 10)"


BAD = [
    ({"train__hidden": "[]"}, "train.hidden: expected a value, such as [100], got an empty list"),
    ({"train__learning_rate": "[1,2]"}, "train.learning_rate: expected one value, got 2 (a list"),
    (
        {"train__learning_rate": ".nan"},
        "train.learning_rate: expected a number from 1e-08 to 1e+06, got 'nan'",
    ),
    (
        {"train__learning_rate": "null"},
        "train.learning_rate: expected a value, such as 3.0, got null",
    ),
    ({"train__epochs": "true"}, "train.epochs: expected a value, got none (or true or false)"),
    ({"train__epochs": "{a: 1}"}, "train.epochs.a: there is no such parameter"),
    ({"train__loss": "'a b'"}, "train.loss: 'a b' is not"),
]


@pytest.mark.parametrize(("change", "message"), BAD)
def test_bad_parameters_are_one_line(change, message, clone, refused, monkeypatch):
    monkeypatch.setenv("DVC_STAGE", "train")  # as DVC does when it runs the stage
    clone.edit(**change)
    with Repo(clone.folder) as repo:
        python, m, module, *options = shlex.split(
            repo.stage.load_one(str(clone.folder / "dvc.yaml"), "train").cmd
        )
    assert (python, m, module) == ("python", "-m", "stages.train")
    assert refused(train, *options).startswith(message)


def test_after_bad_parameters_nothing_is_lost(clone):
    model = clone.read("data/model/model.npz")
    original = clone.read("params.yaml")
    for change, message in (
        ({"train__hidden": "[[1]]"}, "Cannot interpolate nested iterable in 'hidden'"),
        BAD[0],
    ):
        clone.edit(**change)
        code, output = clone.dvc("repro", check=False)
        assert code != 0
        assert message in output
        assert "Traceback" not in output
        (clone.folder / "params.yaml").write_bytes(original)
    assert clone.repro() == []
    assert clone.read("data/model/model.npz") == model


def test_a_project_without_a_commit_is_told_so(clone):
    shutil.rmtree(clone.folder / ".git")
    clone.git("init", "--quiet")
    clone.edit(train__epochs="2")
    code, output = clone.dvc("repro", check=False)
    assert code != 0
    assert "needs a git repository with a commit" in output
    assert "Traceback" not in output


def test_without_git_at_all(clone):
    shutil.rmtree(clone.folder / ".git")
    command = [sys.executable, "-m", "stages.train", "--hidden", "4", "--epochs", "1"]
    done = subprocess.run(command, cwd=clone.folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
