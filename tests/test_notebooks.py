"""The notebooks run from the top, show what they speak of, and are stored without outputs."""

import csv
import re
import sys
from pathlib import Path

import nbclient
import nbformat
import pytest

DOCS = Path(__file__).parents[1] / "docs"
NOTEBOOKS = sorted(DOCS.glob("*.ipynb"))


def read(name):
    return nbformat.read(DOCS / name, as_version=4)


@pytest.fixture
def execute(tmp_path, monkeypatch):
    """execute(name, changes): run a changed notebook in an empty folder; (kind, value) of all that its cells show."""
    monkeypatch.setenv("PYTHONPATH", ":".join(sys.path))
    monkeypatch.setenv("PYTHONWARNINGS", "ignore")
    monkeypatch.setenv("TMPDIR", str(tmp_path))  # where the tutorial has its run

    def run(name, changes=()):
        notebook = read(name)
        for old, new in changes:
            (cell,) = (cell for cell in notebook.cells if cell.cell_type == "code" and old in cell.source)
            cell.source = cell.source.replace(old, new)
        resources = {"metadata": {"path": str(tmp_path)}}
        nbclient.NotebookClient(notebook, kernel_name="python3", timeout=300, resources=resources).execute()
        outputs = [output for cell in notebook.cells for output in cell.get("outputs", ())]
        return [(kind, value) for output in outputs for kind, value in output.get("data", {}).items()]

    return run


def cards(shown):
    return [value for kind, value in shown if kind == "text/html" and value.startswith('<div class="fastmlp-card">')]


def images(shown):
    return [value for kind, value in shown if kind == "image/png"]


def test_the_tutorial_goes_from_data_to_a_report(execute):
    few = [('"epochs": 50', '"epochs": 5'), ("[20, 40]", "[2, 4]"), ("10000", "2000")]  # of the sweep
    shown = execute("tutorial.ipynb", few)
    network, swept, evaluated = cards(shown)
    assert "MLP 784-64-10" in network
    assert "not measured yet" in swept
    assert "not measured yet" not in evaluated
    assert len(images(shown)) == 5
    texts = [value for kind, value in shown if kind == "text/plain"]
    assert any(text.startswith(f"epoch 6 of 6 {'█' * 20}") for text in texts)
    assert any("report.html" in text for text in texts)


def test_the_notebook_of_a_table_ends_with_a_submission(execute, tmp_path):
    shown = execute("table.ipynb")
    assert len(cards(shown)) == 1
    assert len(images(shown)) == 1
    with open(tmp_path / "submission.csv", newline="", encoding="utf-8") as file:
        header, *rows = csv.reader(file)
    assert header == ["Id", "price"]
    assert [row[0] for row in rows] == [str(number) for number in range(2400, 3000)]
    assert all(0 < float(price) < 2e6 for _, price in rows)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)
def test_a_notebook_is_stored_without_outputs(path):
    cells = [cell for cell in read(path).cells if cell.cell_type == "code"]
    assert cells
    assert not any(cell.outputs or cell.execution_count for cell in cells)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)
def test_what_a_notebook_links_to_is_there_and_the_readme_lists_it(path):
    text = "\n".join(cell.source for cell in read(path).cells if cell.cell_type == "markdown")
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        assert (DOCS / target).exists(), target
    assert f"(docs/{path.name})" in (DOCS.parent / "README.md").read_text(encoding="utf-8")
