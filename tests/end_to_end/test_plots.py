"""The page of `dvc plots show`: what it shows, in which order, and without a network."""

import re
import sys

import browser
import pytest
import yaml

from tools import offline_plots


@pytest.fixture
def page(clone):
    clone.run(sys.executable, "-m", "tools.offline_plots")
    assert clone.git("status", "--porcelain") == ""
    clone.dvc("plots", "show")
    return clone.folder / "dvc_plots/index.html"


def test_curves_come_first_and_nothing_is_loaded_from_the_network(page):
    html = page.read_text()
    assert re.findall(r'id = "(\w+)"', html)[:2] == ["accuracy", "loss"]
    pictures = re.findall(r'<img src="([^"$]+)"', html)
    assert len(pictures) == 4
    assert all((page.parent / name).is_file() for name in pictures)
    with browser.chromium() as chromium:
        tab, requests, faults = chromium.new_page(), [], []
        tab.on("request", lambda request: requests.append(request.url))
        tab.on("pageerror", lambda error: faults.append(str(error)))
        tab.goto(page.as_uri())
        tab.wait_for_function("document.querySelectorAll('.vega-embed svg.marks').length === 4")
    assert faults == []
    assert all(url.startswith(("file:", "data:")) for url in requests)


def test_the_confusion_matrix_has_the_orientation_of_the_picture(clone):
    plots = {name: plot for entry in yaml.safe_load(clone.read("dvc.yaml"))["plots"]
             if isinstance(entry, dict) for name, plot in entry.items()}  # fmt: skip
    confusion = plots["data/evaluation/confusion.csv"]
    assert (confusion["x"], confusion["y"]) == ("predicted", "actual")


def test_without_the_package(refused, monkeypatch):
    monkeypatch.setitem(sys.modules, "vl_convert", None)
    assert "pip install -c constraints.txt -e '.[plots]'" in refused(offline_plots)


def test_outside_the_project(refused):
    assert "expected the folder .dvc" in refused(offline_plots)
