"""Executors, callbacks and the order of imports: what a newcomer adds without touching a sweep."""

import ast
import json
import sys
from contextlib import closing, suppress
from graphlib import TopologicalSorter
from pathlib import Path

import numpy as np
import pytest

import fastmlp.experiment
from fastmlp.cli.main import main
from fastmlp.data import Dataset, load_split
from fastmlp.experiment.executors import base
from fastmlp.experiment.executors.base import SweepData
from fastmlp.experiment.executors.registry import EXECUTORS, Entry, open_executor
from fastmlp.experiment.recipe_file import load_recipe
from fastmlp.training.callbacks import Callback
from fastmlp.training.checkpoints import CheckpointStore, Paused
from fastmlp.training.history import History

TOY = '''
from fastmlp.experiment.executors.base import Executor, fit_network, no_callbacks
from fastmlp.runs.cells import CellResult
from fastmlp.training.callbacks import Callback

class ToyExecutor(Executor):
    """Trains one cell after the other in the main thread."""

    adaptive = True
    trained, closed = [], 0

    def train(self, cells, data, *, count=None, callbacks=no_callbacks, checkpoints=None):
        for position, cell in enumerate(cells):
            checkpoint = checkpoints and checkpoints(cell)
            mlp = fit_network(cell.settings, data, 1, callbacks(position, cell), checkpoint)
            self.trained.append(cell.slug)
            yield position, CellResult(cell, mlp)

    def close(self):
        type(self).closed += 1

class StopAfter(Callback):
    """Ends a training after some epochs."""

    def __init__(self, epochs):
        self.epochs, self.seen = epochs, []

    def on_epoch_end(self, view):
        self.seen.append(view.record["validation_accuracy"])
        return view.epoch >= self.epochs
'''


@pytest.fixture
def toy(tmp_path, monkeypatch):
    """A module with an executor and a callback; the executor is registered as "toy"."""
    folder = tmp_path / "modules"
    folder.mkdir()
    (folder / "toy_parts.py").write_text(TOY, encoding="utf-8")
    monkeypatch.syspath_prepend(folder)
    monkeypatch.setitem(EXECUTORS, "toy", Entry("toy_parts", "ToyExecutor"))
    import toy_parts

    yield toy_parts
    del sys.modules["toy_parts"]


def test_a_sweep_by_a_new_executor_is_the_sweep_by_threads(toy, swept, tmp_path, train_file, recipe_file):
    other = tmp_path / "other"
    arguments = ["--data", str(train_file), "--recipe", str(recipe_file), "--out", str(other), "--backend", "toy"]
    assert main(["sweep", *arguments]) == 0
    assert toy.ToyExecutor.trained == ["tanh-0.5", "tanh-0.05", "relu-0.5", "relu-0.05"]
    assert toy.ToyExecutor.closed == 1
    for folder in (swept / "cells").iterdir():
        ours, theirs = (
            History.from_csv(run / "cells" / folder.name / "history.csv").to_dict() for run in (swept, other)
        )
        del ours["seconds"], theirs["seconds"]
        assert ours == theirs


def test_a_new_executor_that_draws_its_cells_one_by_one_can_be_searched_by_optuna(
    toy, tmp_path, train_file, recipe_file
):
    pytest.importorskip("optuna", reason="optuna is not installed")
    arguments = ["--data", str(train_file), "--recipe", str(recipe_file), "--method", "optuna", "--trials", "3"]
    cells = []
    for backend in ("toy", "threads"):
        out = tmp_path / backend
        assert main(["sweep", *arguments, "--threads", "1", "--backend", backend, "--out", str(out)]) == 0
        record = json.loads((out / "run.json").read_text(encoding="utf-8"))
        cells.append([(cell["slug"], cell["validation_accuracy"]) for cell in record["cells"]])
    assert cells[0] == cells[1]
    toy.ToyExecutor.adaptive = False
    refused = [*arguments, "--backend", "toy", "--out", str(tmp_path / "refused")]
    assert main(["sweep", *refused]) == 2
    assert not (tmp_path / "refused").exists()


@pytest.mark.parametrize("backend", ["threads", "toy"])
def test_a_callback_sees_every_epoch_and_ends_the_training_of_its_cell_alone(toy, train_file, recipe_file, backend):
    cells, stop = load_recipe(recipe_file).cells()[:2], toy.StopAfter(2)
    data = SweepData(*load_split(train_file, validation=0.25))
    with closing(open_executor(backend, threads=1)) as executor:
        results = dict(executor.train(cells, data, callbacks=lambda position, cell: [stop] if position == 0 else []))
    assert [len(results[position].mlp.history) for position in (0, 1)] == [2, 4]
    assert stop.seen == results[0].mlp.history["validation_accuracy"]


def test_an_interrupted_cell_of_an_optimizer_that_cannot_resume_is_trained_anew(tmp_path):
    settings = {"hidden": (4,), "epochs": 6, "optimizer": "lbfgs", "engine": "numpy"}
    data = SweepData(Dataset(np.eye(40, dtype=np.float32), np.arange(40) % 2, np.arange(2), None, "rows"))
    first, second = (CheckpointStore(tmp_path / "checkpoint", identity="one") for _ in range(2))

    class CtrlC(Callback):
        def on_epoch_end(self, view):
            if view.epoch == 3:
                first.stop.set()

    with suppress(Paused):
        base.fit_network(settings, data, callbacks=[CtrlC()], checkpoint=first)
    again, uninterrupted = base.fit_network(settings, data, checkpoint=second), base.fit_network(settings, data)
    assert len(again.history) == len(uninterrupted.history) > 3
    assert np.array_equal(again.weights[0], uninterrupted.weights[0])


@pytest.fixture
def prepared(monkeypatch):
    """A list that counts preparations: "data", and "inputs" for each part whose inputs are converted."""
    counted = []
    for name, what in (("prepare", "data"), ("prepare_inputs", "inputs")):
        original = getattr(base, name)

        def counting(*arguments, original=original, what=what):
            counted.append(what)
            return original(*arguments)

        monkeypatch.setattr(base, name, counting)
    return counted


def test_data_are_prepared_once_for_all_cells_that_read_the_same_form(train_file, recipe_file, prepared):
    cells = load_recipe(recipe_file).cells()
    data = SweepData(*load_split(train_file, validation=0.25))
    with closing(open_executor("threads", threads=2)) as executor:
        assert len(list(executor.train(cells, data, count=len(cells)))) == 4
    assert prepared == ["inputs", "inputs", "data"]


def test_the_reference_engine_is_given_inputs_that_are_mostly_zero_as_they_are():
    X, y = np.eye(40, dtype=np.float32), np.arange(40) % 2
    data = SweepData(Dataset(X, y, np.arange(2), None, "mostly zero"))
    first_layers = {}
    for engine in ("numba", "numpy"):
        mlp = base.fit_network({"hidden": (4,), "epochs": 1, "engine": engine}, data)
        first_layers[engine] = mlp.fit_info["first_layer"]
    assert first_layers == {"numba": "sparse", "numpy": "dense"}


def test_cells_with_other_losses_share_the_inputs_and_others_with_another_form_do_not(train_file, prepared):
    data = SweepData(*load_split(train_file, validation=0.25))
    for loss, dtype in (("cross_entropy", "float32"), ("squared_error", "float32"), ("cross_entropy", "float64")):
        settings = {"hidden": (4,), "epochs": 2, "loss": loss, "dtype": dtype, "engine": "numpy"}
        shared = base.fit_network(settings, data)
        alone = base.fit_network(settings, SweepData(data.training, data.validation))
        assert [W.tobytes() for W in shared.weights] == [W.tobytes() for W in alone.weights]
    own = ["inputs", "inputs", "data"]
    assert prepared == [*own, *own, "data", *own, *own, *own]


def test_the_modules_of_experiment_stand_on_five_floors_without_a_circle():
    root = Path(fastmlp.experiment.__file__).parent
    above: dict[str, set[str]] = {}
    for path in root.rglob("*.py"):
        name = "fastmlp.experiment." + ".".join(path.relative_to(root).with_suffix("").parts)
        imported = {
            node.module for node in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(node, ast.ImportFrom)
        }
        above[name] = {module for module in imported if module and module.startswith("fastmlp.experiment.")} - {name}
    floors: dict[str, int] = {}
    for name in TopologicalSorter(above).static_order():  # raises CycleError
        floors[name] = 1 + max((floors[module] for module in above.get(name, ())), default=0)
    assert max(floors.values()) <= 5, floors
