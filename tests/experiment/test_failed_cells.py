"""Cells that truly cannot be trained, as no machine has the memory: what the rest of a run makes of them."""

import json
import os
import subprocess
import sys

import pytest
from faults import run_quickly

from fastmlp.cli.main import main

RECIPE = """
title = "Bars"
[data]
validation = 0.25
[training]
batch_size = 20
epochs = 2
{}
"""
GRID = "learning_rate = 0.2\n[grid]\nhidden = [{}]"
SEARCH = """[search]
method = "optuna"
trials = 6
hidden = {{ choices = [[8], {}] }}
learning_rate = {{ from = 0.05, to = 0.5 }}
"""
REFERENCE = '[[reference]]\nsource = "the course"\ncells = [{ cell = "hidden-8", validation_accuracy = 0.5 }]\n'
TOO_WIDE = "[10_000_000_000_000]"  # more than the addresses of a process


@pytest.fixture(autouse=True)
def _quick(monkeypatch):
    run_quickly(monkeypatch)


@pytest.fixture
def run_of(tmp_path, train_file):
    """A function that sweeps these widths into a folder: the exit status, and the folder."""
    folder = tmp_path / "run"

    def run(*widths, more="", options=(), varied=None):
        path = tmp_path / "recipe.toml"
        text = RECIPE.format(varied or GRID.format(", ".join(widths)))
        path.write_text(text + more, encoding="utf-8")
        arguments = ["sweep", "--recipe", path, "--data", train_file, "--out", folder, *options]
        return main(list(map(str, arguments))), folder

    return run


def test_a_failed_cell_beside_references_has_no_accuracy_in_the_summary(run_of):
    status, folder = run_of("[8]", TOO_WIDE, more=REFERENCE)
    assert status == 3
    text = (folder / "summary.md").read_text(encoding="utf-8")
    assert "| hidden 10000000000000 | - |  |" in text
    assert "hidden 10000000000000 failed: a network with 64 inputs, hidden layers (10000000000000,) and" in text
    assert [main([command, str(folder)]) for command in ("retrain", "report")] == [0, 0]


def test_a_first_cell_that_cannot_be_timed_fails_alone(run_of, capsys):
    status, folder = run_of(TOO_WIDE, "[8]", options=["--threads", "2"])
    assert status == 3
    assert "plan: 2 cells, 2 side by side, each on 1 core\n" in capsys.readouterr().err
    assert json.loads((folder / "run.json").read_text(encoding="utf-8"))["best"] == "hidden-8"


def test_a_run_in_which_all_failed_says_so_and_has_a_report(run_of, capsys):
    status, folder = run_of(TOO_WIDE)
    assert status == 1
    assert main(["report", str(folder)]) == 0
    assert main(["retrain", str(folder)]) == 2
    assert "all diverged or failed" in capsys.readouterr().err


SIDE_BY_SIDE = """
import resource
import numpy as np
from fastmlp.config.network import NetworkConfig
from fastmlp.data import Dataset
from fastmlp.experiment.executors.base import SweepData
from fastmlp.experiment.executors.threads import ThreadExecutor
from fastmlp.runs.cells import Cell
from fastmlp.training.callbacks import Callback
from fastmlp.training.start import training_bytes

class Telling(Callback):
    def on_fit_start(self, view):
        print("begins")

    def on_fit_end(self, view):
        print("ends")

X = np.random.RandomState(3).standard_normal((100, 100)).astype(np.float32)
data = SweepData(Dataset(X, np.arange(100) % 3, np.arange(3), None, "noise"))
wide = {"hidden": (30_000,), "epochs": 1, "learning_rate": 1e-6, "engine": "numpy"}
needed = training_bytes(NetworkConfig(**wide), data.prepared(NetworkConfig(**wide)))
taken = resource.getpagesize() * int(open("/proc/self/statm").read().split()[0])
resource.setrlimit(resource.RLIMIT_AS, (int(taken + 1.9 * needed),) * 2)
cells = [Cell("", "", {**wide, "seed": seed}, "", "") for seed in range(2)]
for _, result in ThreadExecutor(threads=2).train():
    assert not result.failed, result.mlp.failure_reason
"""


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the free memory is not known")
@pytest.mark.parametrize("cells", ["cells, data", "iter(cells), data, count=2"], ids=["known", "drawn"])
def test_cells_that_do_not_fit_into_the_memory_together_are_trained_one_after_the_other(cells):
    script = SIDE_BY_SIDE.replace("train()", f"train({cells}, callbacks=lambda *_: [Telling()])")
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, env={**os.environ, "MALLOC_ARENA_MAX": "1"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["begins", "ends"] * 2


# ------------------------------------------------------------------------------------------------ what was there before


def test_a_sweep_that_is_refused_leaves_the_finished_one_as_it_was(run_of, capsys):
    pytest.importorskip("optuna", reason="optuna is not installed")
    _, folder = run_of("[8]")
    before = (folder / "run.json").read_bytes()
    searched = ("--method", "optuna", "--trials", "2", "--storage", "nowhere://host")
    assert run_of("[8]", options=searched)[0] == 2
    assert (folder / "run.json").read_bytes() == before
    assert main(["retrain", str(folder)]) == 0


def test_a_run_in_which_all_failed_can_be_interrupted_and_given_again(run_of, monkeypatch):
    def interrupted(*_):
        raise KeyboardInterrupt

    _, folder = run_of(TOO_WIDE)
    with monkeypatch.context() as patch:
        patch.setattr("fastmlp.experiment.executors.threads.choose_plan", interrupted)
        assert run_of(TOO_WIDE)[0] == 130
    assert run_of(TOO_WIDE, "[8]") == (3, folder)


# ------------------------------------------------------------------------------------------------------------- a search


def test_a_failed_trial_takes_no_others_with_it_and_is_tried_again_by_the_next_start(run_of):
    pytest.importorskip("optuna", reason="optuna is not installed")
    starts = []
    for _ in range(2):
        status, folder = run_of(varied=SEARCH.format(TOO_WIDE), options=["--threads", "1"])
        assert status == 3
        cells = json.loads((folder / "run.json").read_text(encoding="utf-8"))["cells"]
        starts.append({cell["slug"]: cell["failure_reason"] is not None for cell in cells})
        assert len(cells) == 6
    assert starts[0] == starts[1]
    assert 0 < sum(starts[0].values()) < 6


def test_a_cell_that_diverged_after_it_had_kept_good_weights_is_sound(run_of):
    settings = "early_stopping = 2\ndecay_epochs = [1]\ndecay_factor = 1e30\n[grid]\nlearning_rate = [0.2]"
    status, folder = run_of(varied=settings)
    assert status == 0
    (cell,) = json.loads((folder / "run.json").read_text(encoding="utf-8"))["cells"]
    assert cell["failure_reason"] is None
    assert cell["kept_epoch"] == 1 < cell["epochs"]
    assert cell["train_loss"] > 0
    told = f"and the weights of epoch {cell['kept_epoch']}, the best one, are kept"
    assert told in (folder / "summary.md").read_text(encoding="utf-8")
    assert [main([command, str(folder)]) for command in ("retrain", "report")] == [0, 0]
    assert told in (folder / "report.html").read_text(encoding="utf-8")
