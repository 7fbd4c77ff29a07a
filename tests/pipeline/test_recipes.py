"""The ladder: a rung of it run by the real `dvc`, shortened; what its files promise."""

import json
import re
from pathlib import Path

import pytest
import yaml

from nn import Recipe
from stages.knobs import recipe_of

ROOT = Path(__file__).parent.parent.parent
PARAMS = yaml.safe_load((ROOT / "recipes" / "params.yaml").read_text())


@pytest.mark.parametrize("name", PARAMS["recipes"])
def test_every_rung_is_a_recipe_of_sigmoid_units(name):
    knobs = dict(PARAMS["recipes"][name])
    del knobs["seed"], knobs["class_weight"]
    assert set(knobs) == set(vars(Recipe()))
    recipe_of("train", knobs)
    assert knobs["activation"] == "sigmoid"


def test_every_rung_has_three_runs_that_differ_in_their_seed_only():
    for name in PARAMS["rungs"].values():
        runs = [PARAMS["runs"][f"{name}-{k}"] for k in range(3)]
        assert len({run["seed"] for run in runs}) == 3
        for run in runs:
            assert run | {"seed": 0} == PARAMS["recipes"][name]


def test_the_first_rung_is_the_articles_configuration_and_the_second_the_default():
    main = yaml.safe_load((ROOT / "params.yaml").read_text())["train"]
    assert PARAMS["recipes"]["scaled"] == main
    assert PARAMS["recipes"]["article"] == main | {"initialization": "normal"}


def test_a_rung_is_run_and_shown(clone):
    path = clone.folder / "recipes" / "params.yaml"
    text = path.read_text()
    for key, value in {
        "epochs": "2", "hidden": "[8]", "test_size": "300", "validation_size": "200",
    }.items():  # fmt: skip
        text = re.sub(rf"(^ +{key}: )\S+(?: \d+\])?", rf"\g<1>{value}", text, flags=re.M)
    path.write_text(text)
    clone.dvc("repro", "recipes/dvc.yaml:rung@6-deformed")
    found = json.loads(clone.read("recipes/metrics/6-deformed.json"))
    runs = [f"data/recipes/deformed-{k}" for k in range(3)]
    values = [json.loads(clone.read(f"{run}/metrics.json"))["test"]["accuracy"] for run in runs]
    assert found["runs"] == 3
    assert found["test"]["accuracy"] == pytest.approx(sum(values) / 3)
    assert re.search(r"recipes/metrics/6-deformed\.json.*", clone.dvc("metrics", "show"))
    assert clone.repro() == []  # the main pipeline is another one
