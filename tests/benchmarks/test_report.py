import json
from pathlib import Path

import pytest

from benchmarks.report import DOCUMENT, KEPT, with_tables

ROOT = Path(__file__).parents[2]


def test_the_tables_of_the_document_are_those_of_the_results_in_git():
    text = (ROOT / DOCUMENT).read_text()
    assert text.count("<!-- benchmark: ") == len(list((ROOT / KEPT).glob("*.json"))) + 1
    assert with_tables(text, ROOT / KEPT) == text


@pytest.fixture
def results(tmp_path):
    for name, kernels in ("epoch", ("Haswell", "SkylakeX")), ("stage", ("Haswell",)):
        content = {
            kernel: {
                "command": f"python -m benchmarks.{name} --kernel {kernel}",
                "machine": "2 cores",
                "versions": {"numpy": "2.4.6"},
                "header": ["competitor", "seconds", "images"],
                "rows": [["this project", 0.1234, 70000], ["bare products", 1200.0, 1]],
            }
            for kernel in kernels
        }
        (tmp_path / f"{name}.json").write_text(json.dumps(content))
    return tmp_path


def test_a_table_replaces_what_stands_between_the_marks(results):
    text = "before\n<!-- benchmark: stage -->\nold\n<!-- end -->\nafter\n"
    assert with_tables(text, results) == (
        "before\n<!-- benchmark: stage -->\n\n"
        "Kernel Haswell, `python -m benchmarks.stage --kernel Haswell`:\n\n"
        "| competitor | seconds | images |\n"
        "| --- | --- | --- |\n"
        "| this project | 0.123 | 70 000 |\n"
        "| bare products | 1200 | 1 |\n"
        "\n<!-- end -->\nafter\n"
    )


def test_each_kernel_has_a_table_and_each_machine_a_line(results):
    text = with_tables(
        "<!-- benchmark: machines -->\n<!-- end -->\n<!-- benchmark: epoch -->\n<!-- end -->",
        results,
    )
    assert text.count("| competitor |") == 2
    assert "- kernel Haswell (epoch, stage): 2 cores; numpy 2.4.6\n" in text
    assert "- kernel SkylakeX (epoch): 2 cores; numpy 2.4.6\n" in text


def test_a_place_without_results_is_an_error(results):
    with pytest.raises(FileNotFoundError, match="scale"):
        with_tables("<!-- benchmark: scale -->\n<!-- end -->", results)
