import nbformat
import pytest

from tools import notebook

TEXT = """\
# Title

```python
a = 3
print(a)
```

<!-- #region -->
Shown, but not run:

```python
a = b
```
<!-- #endregion -->
"""


@pytest.fixture
def document(tmp_path):
    (tmp_path / "docs").mkdir()
    return tmp_path / "docs" / "tour.md"


def test_the_blocks_run_and_nothing_of_machine_or_time_is_kept(document, run):
    document.write_text(TEXT)
    assert run(notebook).exit_code == 0
    content = document.with_suffix(".ipynb").read_bytes()
    made = nbformat.reads(content.decode(), as_version=4)
    assert [cell.cell_type for cell in made.cells] == ["markdown", "code", "markdown"]
    assert made.cells[1].outputs[0].text == "3\n"
    assert made.metadata == {"language_info": {"name": "python"}}
    assert run(notebook).exit_code == 0
    assert document.with_suffix(".ipynb").read_bytes() == content


def test_a_block_that_fails_is_one_line(document, refused):
    document.write_text("```python\nopen('images')\n```\n")
    line = refused(notebook)
    assert "docs/tour.md: a block ended with FileNotFoundError" in line
    assert "dvc repro" in line
    assert not document.with_suffix(".ipynb").exists()
