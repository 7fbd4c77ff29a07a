"""The code that docs/tour.md quotes is in the files that it names."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
TOUR = (ROOT / "docs" / "tour.md").read_text()
BLOCK = re.compile(r"^```(python|yaml)\n(.*?)^```$", flags=re.MULTILINE | re.DOTALL)


def test_every_line_of_code_is_in_the_file_that_is_named_before_it():
    blocks = list(BLOCK.finditer(TOUR))
    assert len(blocks) >= 9
    for block in blocks:
        if block[1] == "yaml":
            file = "dvc.yaml"
        else:
            file = re.findall(r"`(nn/[\w/]+\.py)[`;]", TOUR[: block.start()])[-1]
        assert block[2] in (ROOT / file).read_text(), f"{file}:\n{block[2]}"


def test_every_file_and_picture_that_is_mentioned_is_there():
    names = re.findall(r"`((?:nn|stages|tests)/[\w/.]+)`", TOUR)
    assert len(names) > 10
    for name in names:
        assert (ROOT / name).exists(), name
    for picture in re.findall(r"!\[[^]]*]\(([^)]+)\)", TOUR):
        assert (ROOT / "docs" / picture).exists(), picture
