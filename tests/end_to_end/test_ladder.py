"""The ladder: its parameters, and one variant in short form, run by the real `dvc`."""

import json
import os
import re
import sys
from pathlib import Path

import pytest
import yaml

from nn import TrainingConfig
from stages.training.options import SECTIONS, config_from_options

ROOT = Path(__file__).parent.parent.parent
PARAMS = yaml.safe_load((ROOT / "experiments" / "ladder" / "params.yaml").read_text())


@pytest.mark.parametrize("name", PARAMS["variants"])
def test_every_variant_is_a_configuration_with_sigmoid_units(name):
    values = dict(PARAMS["variants"][name]["options"])
    del values["seed"], values["class_weight"]
    assert set(values) == set(vars(TrainingConfig()))
    config_from_options(values)
    assert values["activation"] == "sigmoid"


def test_every_summary_is_of_three_runs_that_differ_in_their_seed_only():
    for summary in PARAMS["summaries"].values():
        name = summary["variant"]
        runs = [PARAMS["runs"][f"{name}-{k}"] for k in range(3)]
        assert len({run["options"]["seed"] for run in runs}) == 3
        for run in runs:
            options = run["options"] | {"seed": 0}
            assert run | {"options": options} == PARAMS["variants"][name]


def test_the_first_variant_is_the_articles_configuration_and_the_second_the_default():
    params = yaml.safe_load((ROOT / "params.yaml").read_text())
    main = {key: value for section in SECTIONS.values() for key, value in params[section].items()}
    variants = {name: variant["options"] for name, variant in PARAMS["variants"].items()}
    assert variants["scaled"] == main
    assert variants["article"] == main | {"initialization": "normal"}


def test_a_variant_is_run_and_summarized(clone):
    path = clone.folder / "experiments" / "ladder" / "params.yaml"
    text = path.read_text()
    for key, value in {
        "epochs": "2", "hidden": "[8]", "test_size": "300", "validation_size": "200",
        "examples": "4", "units": "4",
    }.items():  # fmt: skip
        text = re.sub(rf"(^ +{key}: )\S+(?: \d+\])?", rf"\g<1>{value}", text, flags=re.M)
    path.write_text(text)
    clone.dvc("--cd", "experiments", "repro", "ladder/dvc.yaml:summarize@fast")
    found = json.loads(clone.read("experiments/ladder/metrics/fast.json"))
    runs = [f"data/ladder/fast-{k}" for k in range(3)]
    values = [json.loads(clone.read(f"{run}/metrics.json"))["test"]["accuracy"] for run in runs]
    assert found["runs"] == 3
    assert found["test"]["accuracy"] == pytest.approx(sum(values) / 3)
    table = clone.run(
        sys.executable, "-m", "tools.summarize", "experiments/ladder/metrics/fast.json"
    )
    assert f"{found['test']['accuracy']:.2%} ± " in table
    # The main pipeline has other stages and metrics.
    assert "ladder" not in clone.dvc("status") + clone.dvc("dag", "--dot")
    shown = json.loads(clone.dvc("metrics", "show", "--json"))[""]["data"]
    assert set(shown) == {"metrics.json"}

    comments = re.findall("#.*", clone.read("params.yaml").decode())
    # Also if the environment is not activated.
    clone.run("env", f"PATH={os.defpath}", sys.executable, "-m", "tools.variant", "fast")
    params = yaml.safe_load(clone.read("params.yaml"))
    assert params["preprocess"]["deslant"] is True
    assert (params["train"]["optimizer"], params["train"]["hidden"]) == ("adam", [8])
    wanted = PARAMS["variants"]["fast"]["options"]
    assert params["augmentation"] == {name: wanted[name] for name in params["augmentation"]}
    assert re.findall("#.*", clone.read("params.yaml").decode()) == comments
    assert "images were deslanted" in clone.read("data/export/README.md").decode()
