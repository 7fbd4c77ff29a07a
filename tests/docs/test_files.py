"""The documentation mentions files, modules and versions that exist."""

import re
import tomllib
from importlib.util import find_spec
from itertools import chain
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
DOCUMENTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
FOLDERS = "nn|stages|tools|experiments|benchmarks|docs|tests|\\.github"


def anchors(document):
    """Anchors of the headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", document.read_text(), flags=re.MULTILINE)
    return {
        re.sub(r"[^\w -]", "", heading).strip().lower().replace(" ", "-") for heading in headings
    }


def test_the_readme_is_short():
    assert len((ROOT / "README.md").read_text().splitlines()) <= 180


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_link_leads_to_a_file_and_a_heading(document):
    for target in re.findall(r"\]\((?!https?:)([^)\s]+)\)", document.read_text()):
        name, _, anchor = target.partition("#")
        file = document.parent / name if name else document
        assert file.exists(), target
        assert not anchor or anchor in anchors(file), target


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_file_and_module_that_is_mentioned_exists(document):
    text = document.read_text()
    # Names in capitals stand for names to choose, such as stages/NAME.py.
    for name in re.findall(rf"(?<![\w/.])((?:{FOLDERS})/[\w/.-]*\w)", text):
        assert (ROOT / name).exists() or "NAME" in name, name
    for module in re.findall(r"python -m ((?:stages|tools|benchmarks)\.\w+)", text):
        assert find_spec(module) or "NAME" in module, module


def test_every_dependency_is_pinned_within_its_bounds():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    pins = {}
    for line in (ROOT / "constraints.txt").read_text().splitlines():
        pin = Requirement(line)
        pins.setdefault(canonicalize_name(pin.name), []).append(pin.specifier)
    for text in chain(project["dependencies"], *project["optional-dependencies"].values()):
        wanted = Requirement(text)
        for (pinned,) in pins[canonicalize_name(wanted.name)]:
            assert pinned.operator == "==", wanted
            assert wanted.specifier.contains(pinned.version), wanted
