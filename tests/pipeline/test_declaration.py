"""dvc.yaml and params.yaml against the code: what they say must be true."""

import ast
import importlib.util
import re
from pathlib import Path

import pytest
import yaml

from stages import evaluate, export, fetch, preprocess, train, tune
from stages.cli import is_knob

ROOT = Path(__file__).parent.parent.parent
STAGES = {
    "fetch": fetch,
    "preprocess": preprocess,
    "train": train,
    "evaluate": evaluate,
    "export": export,
}


def imported_by(module_name, found=None):
    """Files of this project that a module reaches by its imports, as dvc.yaml would name them.

    A name imported from the package `nn` counts as an import of the module that defines it.
    """
    found = set() if found is None else found
    file = Path(importlib.import_module(module_name).__file__)
    name = file.relative_to(ROOT).as_posix()
    if name in found:
        return found
    found.add(name)
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module.split(".")[0] in ("nn", "stages"):
            module = importlib.import_module(node.module)
            for alias in node.names:
                if hasattr(module, "__path__"):
                    full = f"{node.module}.{alias.name}"
                    is_module = importlib.util.find_spec(full) is not None
                    imported_by(full if is_module else defined_in(alias.name), found)
                else:
                    imported_by(node.module, found)
    return found


def defined_in(name):
    """The module from which the package `nn` takes a name."""
    for node in ast.walk(ast.parse((ROOT / "nn" / "__init__.py").read_text())):
        if isinstance(node, ast.ImportFrom) and name in [alias.name for alias in node.names]:
            return node.module
    raise AssertionError(name)


@pytest.mark.parametrize("name", STAGES)
def test_each_stage_declares_exactly_the_code_that_it_reaches(name):
    declared = yaml.safe_load((ROOT / "dvc.yaml").read_text())["stages"][name]["deps"]
    code = {path for path in declared if path.endswith(".py")}
    assert code == imported_by(f"stages.{name}")


@pytest.mark.parametrize("name", STAGES)
def test_params_yaml_has_every_option_and_the_options_have_its_defaults(name):
    params = yaml.safe_load((ROOT / "params.yaml").read_text())[name]
    options = {option.name: option for option in STAGES[name].main.params if is_knob(option)}
    assert list(params) == list(options)
    for key, value in params.items():
        if not options[key].required:
            default = options[key].default
            assert (list(default) if options[key].multiple else default) == value, key


@pytest.mark.parametrize("name", STAGES)
def test_every_option_has_a_comment_in_params_yaml(name):
    text = (ROOT / "params.yaml").read_text()
    for key in yaml.safe_load(text)[name]:
        assert any(line.strip().startswith(f"{key}:") and "#" in line for line in text.splitlines())


def test_the_search_declares_its_code_and_every_parameter_of_it_or_of_train():
    declared = yaml.safe_load((ROOT / "search" / "dvc.yaml").read_text())["stages"]["tune"]["deps"]
    assert {path for path in declared if path.endswith(".py")} == imported_by("stages.tune")
    text = (ROOT / "search" / "params.yaml").read_text()
    params = yaml.safe_load(text)["tune"]
    of_train = [option.name for option in train.main.params if "path" not in option.name]
    options = [p for p in tune.main.params if not p.envvar and "path" not in p.name]
    assert [option.name for option in options] == [*params, *of_train]
    for option in options[: len(params)]:
        assert option.default == params[option.name]
        assert re.search(rf"^  {option.name}: .* # ", text, flags=re.M)


def test_nn_knows_nothing_of_stages_files_or_tools():
    for file in (ROOT / "nn").glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            names = [node.module] if isinstance(node, ast.ImportFrom) else []
            names += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            for name in names:
                assert name.split(".")[0] not in ("stages", "click", "dvc", "dvclive", "tqdm")


def test_stages_do_not_import_one_another():
    for name in [*STAGES, "tune", "adopt"]:
        others = {f"stages/{other}.py" for other in [*STAGES, "tune", "adopt"] if other != name}
        assert not others & imported_by(f"stages.{name}")
