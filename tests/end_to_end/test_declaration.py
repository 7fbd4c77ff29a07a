"""dvc.yaml, params.yaml and docs/parameters.md against the code."""

import ast
import json
import os
import re
import subprocess
import sys
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import yaml
from own_data import digits

from stages import evaluate, export, fetch, preprocess, train
from stages.common.command_line.command import is_parameter
from stages.training.options import SECTIONS
from tools import tune
from tools.parameters import parameters_table

pytestmark = pytest.mark.xdist_group("declaration")  # one worker runs the stages
ROOT = Path(__file__).parent.parent.parent
STAGES = {
    "fetch": fetch,
    "preprocess": preprocess,
    "train": train,
    "evaluate": evaluate,
    "export": export,
}
PACKAGES = ("nn", "stages", "tools", "benchmarks")
# Packages that hold rooms. Every module in them imports them, but a stage need not declare them,
# because they load no other module until a name of it is used, and that module is then declared.
HOLD_ROOMS = ("nn", "stages", "stages.common", "tools")
RUNS = {
    "stages.fetch": ["--source", "digits.npz"],
    "stages.preprocess": ["--test-size", "60", "--validation-size", "60"],
    "stages.train": ["--epochs", "2", "--shift", "1", "--class-weight", "balanced",
                     "--pictures-path", "pictures"],
    "stages.evaluate": ["--examples", "4", "--units", "4"],
    "stages.export": [],
    "tools.tune": ["--epochs", "1", "--trials", "1", "--workers", "1",
                   "--space-path", "space.yaml"],
}  # fmt: skip
# Runs a module as `python -m` does, and prints the files of all modules that were imported.
PROBE = """
import json, runpy, sys
module, *sys.argv[1:] = sys.argv[1:]
try:
    runpy.run_module(module, run_name="__main__", alter_sys=True)
except SystemExit as end:
    assert not end.code, end.code
print(json.dumps([m.__file__ for m in list(sys.modules.values()) if getattr(m, "__file__", None)]))
"""


@pytest.fixture(scope="module")
def imported(tmp_path_factory):
    """Files of this project that the run of each stage imports, as dvc.yaml would name them."""
    folder = tmp_path_factory.mktemp("runs")
    images, labels = digits(300)
    np.savez(folder / "digits.npz", images=images, labels=labels)
    (folder / "space.yaml").write_text("learning_rate: [1, 3]\n")
    found = {}
    for module, options in RUNS.items():
        done = subprocess.run(
            [sys.executable, "-c", PROBE, module, *options],
            cwd=folder,
            env=os.environ | {"PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        files = map(Path, json.loads(done.stdout.splitlines()[-1]))
        script = module.replace(".", "/") + ".py"
        found[module] = {script} | {
            file.relative_to(ROOT).as_posix()
            for file in files
            if any(file.is_relative_to(ROOT / name) for name in ("nn", "stages", "tools"))
        }
        found[module] -= {f"{name.replace('.', '/')}/__init__.py" for name in HOLD_ROOMS}
    return found


@cache
def read_yaml(file):
    return yaml.safe_load((ROOT / file).read_text())


def declared(file, name):
    return read_yaml(file)["stages"][name]["deps"]


def is_declared(file, deps):
    return any(Path(file).is_relative_to(path) for path in deps)


@pytest.mark.parametrize("name", STAGES)
def test_each_stage_declares_the_code_that_it_imports(name, imported):
    files = imported[f"stages.{name}"]
    assert len(files) > 10
    assert [f for f in files if not is_declared(f, declared("dvc.yaml", name))] == []


@pytest.mark.parametrize("package", HOLD_ROOMS)
def test_a_package_that_holds_rooms_loads_none_of_them(package):
    code = f"import {package}, json, sys; print(json.dumps(list(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, check=True)
    loaded = {name for name in json.loads(done.stdout) if name.split(".")[0] in PACKAGES}
    assert loaded <= set(HOLD_ROOMS)


AFTER_TRAINING = ["train", "evaluate", "export"]


@pytest.mark.parametrize(
    ("file", "stages"),
    [
        ("nn/optimizers.py", AFTER_TRAINING),
        ("nn/compiled/updates.py", AFTER_TRAINING),
        ("nn/images/pixels.py", list(STAGES)),
        ("nn/checks/arrays.py", list(STAGES)),
        ("stages/common/command_line/errors.py", list(STAGES)),
        ("stages/common/files/artifacts.py", list(STAGES)),
        ("stages/common/models/snapshots.py", AFTER_TRAINING),
        ("stages/common/pictures/mosaics.py", ["train", "evaluate"]),
        ("stages/sources/idx.py", ["fetch"]),
        ("stages/training/checkpoint.py", ["train"]),
        ("stages/reporting/plots.py", ["evaluate"]),
        ("stages/reporting/galleries.py", ["evaluate"]),
        ("stages/exporting/drawing_page.py", ["export"]),
        ("tools/tune.py", []),
    ],
)
def test_an_edited_file_makes_these_stages_out_of_date(file, stages, clone):
    path = clone.folder / file
    path.write_text(path.read_text() + "# An edit.\n")
    assert set(json.loads(clone.dvc("status", "--json"))) == set(stages)


def test_an_edited_plot_reruns_its_stage_only(clone):
    path = clone.folder / "stages/reporting/plots.py"
    path.write_text(
        path.read_text().replace('_RIGHT, _WRONG = "#1a7f37"', '_RIGHT, _WRONG = "#000000"')
    )
    before = clone.read("data/evaluation/confident.png")
    assert clone.repro() == ["evaluate"]
    assert clone.read("data/evaluation/confident.png") != before


def in_params_yaml(name):
    """The sections of a stage, as one dictionary."""
    sections = dict.fromkeys(SECTIONS.values()) if name == "train" else [name]
    params = read_yaml("params.yaml")
    return {(section, key): value for section in sections for key, value in params[section].items()}


@pytest.mark.parametrize("name", STAGES)
def test_params_yaml_has_every_option_and_the_options_have_its_defaults(name):
    command, params = STAGES[name].main, in_params_yaml(name)
    options = {(command.section(o.name), o.name): o for o in command.params if is_parameter(o)}
    assert list(params) == list(options)
    for key, value in params.items():
        if not options[key].required:
            default = options[key].default
            assert (list(default) if options[key].multiple else default) == value, key


def test_the_train_stage_is_given_all_its_sections():
    stage = read_yaml("dvc.yaml")["stages"]["train"]
    assert stage["params"] == list(dict.fromkeys(SECTIONS.values()))
    assert re.findall(r"\$\{(\w+)\}", stage["cmd"]) == stage["params"]


@pytest.mark.parametrize("name", STAGES)
def test_every_option_has_a_comment_in_params_yaml(name):
    lines = (ROOT / "params.yaml").read_text().splitlines()
    for _, key in in_params_yaml(name):
        assert any(line.strip().startswith(f"{key}:") and "#" in line for line in lines)


def test_the_table_of_parameters_is_up_to_date():
    assert (ROOT / "docs" / "parameters.md").read_text() == parameters_table(), "run make docs"


def test_the_search_declares_its_code_and_every_parameter_of_it_or_of_train(imported):
    deps = declared("experiments/search/dvc.yaml", "tune")
    assert [file for file in imported["tools.tune"] if not is_declared(file, deps)] == []
    text = (ROOT / "experiments" / "search" / "params.yaml").read_text()
    params = yaml.safe_load(text)["tune"]
    of_train = [option.name for option in train.main.params if is_parameter(option)]
    options = [p for p in tune.main.params if is_parameter(p)]
    assert [option.name for option in options] == [*params, *of_train]
    for option in options[: len(params)]:
        assert option.default == params[option.name]
        assert re.search(rf"^  {option.name}: .* # ", text, flags=re.M)


def imported_names(file):
    """The module and the name (or None) of each import in a file."""
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.ImportFrom):
            yield from ((node.module, alias.name) for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from ((alias.name, None) for alias in node.names)


def test_no_file_imports_a_private_name_of_another_module():
    for package in PACKAGES:
        for file in (ROOT / package).rglob("*.py"):
            for module, name in imported_names(file):
                if module.split(".")[0] in PACKAGES:
                    parts = [*module.split("."), name or ""]
                    assert not any(p.startswith("_") for p in parts), f"{file}: {module} {name}"


# What the files of each room of stages/common may import from it.
COMMON_ROOMS = {
    "command_line": {"command_line"},
    "files": {"command_line", "files"},
    "models": {"command_line", "files", "models"},
    "photographs": {"files", "photographs"},
    "pictures": {"pictures"},
}


def test_imports_point_one_way():
    for file in (ROOT / "stages").rglob("*.py"):
        room, inner, *_ = (*file.relative_to(ROOT / "stages").parent.parts, "", "")
        for module, name in imported_names(file):
            package, *below = *module.split("."), name
            assert package not in ("tools", "benchmarks"), file
            if package == "stages" and room:
                assert below[0] in {room, "common"}, f"{file}: {module}"
                if inner in COMMON_ROOMS:
                    assert below[1] in COMMON_ROOMS[inner], f"{file}: {module}"


def test_nn_imports_neither_stages_nor_command_line_packages():
    others = ("stages", "tools", "benchmarks", "click", "dvc", "dvclive", "tqdm")
    for file in (ROOT / "nn").rglob("*.py"):
        for module, _ in imported_names(file):
            assert module.split(".")[0] not in others, f"{file}: {module}"


# What the files of each room of nn may import from nn; "" is nn itself.
ROOMS = {
    "checks": {"checks"},
    "exact": {"exact"},
    "images": {"checks", "images"},
    "": {"", "checks", "exact", "images", "compiled"},
    "compiled": {"", "compiled"},
    "training": {"", "checks", "exact", "images", "training"},
    "models": {"", "checks", "exact", "images", "training", "models"},
}


def test_the_rooms_of_nn_import_one_way_and_only_compiled_imports_numba():
    for file in (ROOT / "nn").rglob("*.py"):
        room = "" if file.parent.name == "nn" else file.parent.name
        for module, _ in imported_names(file):
            package, *below = module.split(".")
            assert package not in ("numba", "llvmlite") or room == "compiled", file
            if package == "nn" and file.name != "__init__.py":
                target = below[0] if below and below[0] in ROOMS else ""
                assert target in ROOMS[room], f"{file}: {module}"


def test_stages_do_not_import_one_another(imported):
    for name in STAGES:
        others = {f"stages/{other}.py" for other in STAGES if other != name}
        assert not others & imported[f"stages.{name}"]
