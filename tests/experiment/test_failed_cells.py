"""Cells that truly cannot be trained, as no machine has the memory: what the rest of a run makes of them."""

import json

import pytest
from faults import draw_quickly

from fastmlp.cli import main

RECIPE = """
title = "Bars"
[data]
validation = 0.25
[training]
batch_size = 20
epochs = 2
learning_rate = 0.2
[grid]
hidden = [WIDTHS]
"""
REFERENCE = '[[reference]]\nsource = "the course"\ncells = [{ cell = "hidden-8", validation_accuracy = 0.5 }]\n'
TOO_WIDE = "[10_000_000_000_000]"  # more than the addresses of a process


@pytest.fixture(autouse=True)
def _quick(monkeypatch):
    draw_quickly(monkeypatch)
    monkeypatch.setattr("fastmlp.experiment.side_by_side.SECONDS_PER_TRIAL", 0.001)


@pytest.fixture
def run_of(tmp_path, train_file):
    """A function that sweeps these widths into a folder: the exit status, and the folder."""
    folder = tmp_path / "run"

    def run(*widths, more="", options=()):
        path = tmp_path / "recipe.toml"
        path.write_text(RECIPE.replace("WIDTHS", ", ".join(widths)) + more, encoding="utf-8")
        arguments = ["sweep", "--recipe", path, "--data", train_file, "--out", folder, *options]
        return main(list(map(str, arguments))), folder

    return run


def test_a_failed_cell_beside_references_has_no_accuracy_in_the_summary(run_of):
    status, folder = run_of("[8]", TOO_WIDE, more=REFERENCE)
    assert status == 3
    text = (folder / "summary.md").read_text(encoding="utf-8")
    assert "| hidden 10000000000000 | - |  |" in text
    assert "hidden 10000000000000 failed: MemoryError" in text
    assert [main([verb, str(folder)]) for verb in ("retrain", "report")] == [0, 0]


def test_a_first_cell_that_cannot_be_timed_fails_alone(run_of, capsys):
    status, folder = run_of(TOO_WIDE, "[8]", options=["--threads", "2"])
    assert status == 3
    assert "plan: 2 cells, 2 side by side on 1 core each\n" in capsys.readouterr().err
    assert json.loads((folder / "run.json").read_text(encoding="utf-8"))["best"] == "hidden-8"


def test_a_run_in_which_all_failed_says_so_and_has_a_report(run_of, capsys):
    status, folder = run_of(TOO_WIDE)
    assert status == 1
    assert main(["report", str(folder)]) == 0
    assert main(["retrain", str(folder)]) == 2
    assert "all diverged or failed" in capsys.readouterr().err
