"""What all stages share: names in messages, what YAML can say and a command line cannot, help."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from stages import evaluate, fetch, preprocess, train
from stages.common.command_line import command
from stages.common.command_line.terminal import echo
from tools import tune

ROOT = Path(__file__).parents[4]
STAGES = [fetch, preprocess, train, evaluate, tune]


@pytest.mark.parametrize("stage", STAGES, ids=lambda stage: stage.__name__)
def test_help_teaches_and_importing_does_nothing(stage, run, tmp_path):
    result = run(stage, "--help")
    assert result.exit_code == 0
    lines = [line.strip() for line in result.output.splitlines()]
    example = lines[lines.index("Example:") + 1]
    assert example.startswith(f"python -m {stage.__name__}")
    for option in stage.main.params:
        assert option.help, option
        assert option.opts[0].removeprefix("--") in result.output
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("stage", STAGES, ids=lambda stage: stage.__name__)
def test_help_as_a_module_is_quick_to_load(stage):
    slow = ("sklearn", "matplotlib", "dvclive", "dvc")
    code = f"import sys, {stage.__name__}; print([m for m in {slow} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--seed", 1, "--seed", 2), "preprocess.seed: expected one value, got 2 "
                                        "(a list, or a key in two sections)."),
        (("--seed", "--shuffle"), "preprocess.seed: expected a value, "
                                  "got none (or true or false)."),
        (("--seed",), "preprocess.seed: expected a value, got none (or true or false)."),
        (("--shuffle", "flase"), "preprocess.shuffle: expected true or false, got 'flase'."),
        (("--seed", 1, 2), "preprocess.seed: expected one value, and after it got '2'."),
        (("--no-seed",), "preprocess.seed: there is no such parameter. "
                        "Did you mean seed or shuffle?"),
        (("--sead", 1), "preprocess.sead: there is no such parameter. Did you mean seed?"),
        (("--test_sise", 1), "preprocess.test_sise: there is no such parameter. "
                             "Did you mean test_size?"),
        (("stray",), "preprocess: expected options only, got 'stray'."),
    ],
)  # fmt: skip
def test_what_yaml_can_say_and_click_would_misread(options, message, refused):
    assert refused(preprocess, *options) == message


def test_underscores_as_in_yaml_and_hyphens_as_in_a_shell(refused):
    for option in ("--test_size", "--test-size"):
        assert refused(preprocess, option, "x").startswith("preprocess.test_size: ")


def test_under_dvc_a_parameter_that_is_not_given_is_named(refused, monkeypatch):
    monkeypatch.setenv("DVC_STAGE", "train")
    line = refused(train, "--epochs", 1)
    assert line == (
        "train.hidden: expected a value, such as [100], "
        "got an empty list, a mapping, or no such key in params.yaml."
    )
    assert refused(train, "--epochs", "None") == (
        "train.epochs: expected a value, such as 30, got null."
    )
    for option in (("--epochs", 1, "--model-path", "/tmp/x"), ("--help",)):
        assert "there is no such parameter" in refused(train, *option)
    line = refused(train, "--hidden", 3, "--epochs", 1)
    assert line.startswith("train.activation: expected a value, such as sigmoid, got an empty")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--epochs", 1, "--help", "--seed", 0),
         "train.help: there is no such parameter; dvc.yaml sets paths."),
        (("None", "--schedule", "constant"),
         "train: expected parameters such as hidden, got an empty section."),
    ],
)  # fmt: skip
def test_what_params_yaml_says_and_a_command_line_would_misread(
    options, message, refused, monkeypatch
):
    monkeypatch.setenv("DVC_STAGE", "train")
    assert refused(train, *options).startswith(message)


def test_a_bad_parameter_exits_like_any_misuse_of_a_command_line(run):
    assert run(train, "--hidden", 0).exit_code == 2


def test_an_interruption_that_a_library_takes_for_an_error_of_its_own():
    @command.stage("demo")
    def main():
        try:
            signal.raise_signal(signal.SIGINT)
        except KeyboardInterrupt:
            raise TypeError("not what I expected") from None

    result = CliRunner().invoke(main)
    assert result.output.strip() == "Aborted!"
    assert result.exit_code == 1
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_an_interruption_that_somebody_else_handles():
    ignored = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        result = CliRunner().invoke(
            command.stage("demo")(lambda: signal.raise_signal(signal.SIGINT))
        )
    finally:
        signal.signal(signal.SIGINT, ignored)
    assert result.exit_code == 0


INTERRUPTED_IMPORT = """
import os, signal, sys
class Interrupter:
    def find_spec(self, name, path, target=None):
        if name == "numpy":
            os.kill(os.getpid(), signal.SIGINT)
sys.meta_path.insert(0, Interrupter())
"""


@pytest.mark.parametrize("module", ["stages.train", "tools.predict"])
def test_an_interruption_of_the_imports_leaves_no_traceback(module, tmp_path):
    (tmp_path / "sitecustomize.py").write_text(INTERRUPTED_IMPORT)
    done = subprocess.run(
        [sys.executable, "-m", module, "--help"],
        env=os.environ | {"PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT}"},
        capture_output=True,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (-signal.SIGINT, b"", b"")


def test_names_cannot_send_commands_to_the_terminal(refused, capsys):
    name = os.fsdecode(b"red\x1b[31m\xff\xc2\x9b2J\n.png")
    assert refused(fetch, "--source", name).count("red\\x1b[31m\\udcff\\x9b2J\\n.png") == 1
    echo(f"{name} été")
    assert capsys.readouterr().out == "red\\x1b[31m\\udcff\\x9b2J\n.png été\n"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has a full device")
def test_a_full_disk_under_the_help_is_one_line():
    command = [sys.executable, "-m", "stages.train", "--help"]
    with open("/dev/full", "w") as full:
        done = subprocess.run(command, cwd=ROOT, stdout=full, stderr=subprocess.PIPE, check=False)
    assert done.stderr.startswith(b"Error: No space left on device.")
    assert done.stderr.count(b"\n") == 1
