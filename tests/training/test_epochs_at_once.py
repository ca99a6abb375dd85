"""Epochs that nobody watches pass in one call of the kernels: nothing but the time tells them from single ones."""

import math

import numpy as np
import pytest

from fastmlp import MLP
from fastmlp.kernels.cache import KernelCache
from fastmlp.training.callbacks import Callback
from fastmlp.training.diagnostics import DiagnosticsCallback
from fastmlp.training.history import COLUMNS
from fastmlp.training.state import TrainingState

ROWS, EPOCHS = 90, 40
SETTINGS = {
    "batches, the last one smaller": {"batch_size": 40, "optimizer": "adam", "learning_rate": 0.01},
    "plain SGD": {"batch_size": 30, "learning_rate": 0.1},
    "one batch": {"batch_size": ROWS, "optimizer": "adam", "threads": 2},
    "in order": {"batch_size": 25, "shuffle": False, "momentum": 0.9},
    "a schedule": {"batch_size": 30, "schedule": "cosine", "learning_rate": 0.1},
    "float64": {"batch_size": 30, "dtype": "float64", "optimizer": "rmsprop"},
    "numpy": {"batch_size": 40, "engine": "numpy", "optimizer": "adam"},
}


class Watching(Callback):
    """Looks after every epoch."""

    def __init__(self):
        self.epochs = []

    def on_epoch_end(self, view):
        self.epochs.append(view.epoch)


class CountingChunks(Callback):
    """Is called between calls of the kernels alone."""

    calls = 0

    def on_chunk_end(self, view):
        self.calls += 1


def samples():
    random = np.random.RandomState(0)
    return random.standard_normal((ROWS, 6)), random.randint(0, 3, ROWS)


def fitted(callbacks, **settings):
    mlp = MLP(**{"hidden": (9, 5), "epochs": EPOCHS, "train_metrics": "running", "scaling": "none", **settings})
    return mlp.fit(*samples(), callbacks=callbacks)


def everything(mlp):
    """Weights, optimizer states and history, but for the seconds."""
    parameters = mlp._fitted.parameters
    columns = mlp.history.to_numpy()
    return [parameters.buffer, parameters.states, *(columns[name] for name in COLUMNS if name != "seconds")]


@pytest.mark.parametrize("settings", SETTINGS.values(), ids=SETTINGS)
def test_epochs_at_once_leave_what_single_epochs_leave(settings):
    watching = Watching()
    single, at_once = fitted([watching], **settings), fitted([], **settings)
    assert watching.epochs == list(range(1, EPOCHS + 1))
    for expected, found in zip(everything(single), everything(at_once), strict=True):
        np.testing.assert_array_equal(found, expected)
    assert all(seconds > 0 for seconds in at_once.history["seconds"])


@pytest.mark.parametrize(
    ("cause", "settings"),
    [
        ("dead-units", {"batch_size": 30, "learning_rate": 3.0}),
        ("saturated-units", {"batch_size": ROWS, "activation": "tanh", "init": "normal", "init_scale": 30.0}),
        ("updates-too-small", {"batch_size": ROWS, "learning_rate": 1e-6, "optimizer": "adam"}),
        ("updates-too-small", {"batch_size": ROWS, "learning_rate": 1e-6, "optimizer": "adam", "engine": "numpy"}),
    ],
)
def test_epochs_at_once_are_diagnosed_as_single_epochs_are(cause, settings):
    single, at_once = fitted([Watching()], **settings), fitted([], **settings)
    assert at_once.history.diagnoses == single.history.diagnoses
    first = at_once.history.diagnoses[0]
    assert first["cause"] == cause
    assert first["epoch"] < EPOCHS
    for expected, found in zip(everything(single), everything(at_once), strict=True):
        np.testing.assert_array_equal(found, expected)


def test_an_exception_in_a_diagnosis_leaves_the_network_after_the_last_whole_epoch(monkeypatch):
    fitted([], batch_size=ROWS)  # so that the next one knows how many epochs to take at once

    def fail(*_):
        raise OSError("out of luck")

    monkeypatch.setattr(DiagnosticsCallback, "_probe", fail)
    mlp = MLP(hidden=(9, 5), epochs=EPOCHS, train_metrics="running", scaling="none", batch_size=ROWS)
    with pytest.raises(OSError, match="out of luck"):
        mlp.fit(*samples())
    monkeypatch.undo()
    for expected, found in zip(
        everything(fitted([], batch_size=ROWS, epochs=len(mlp.history))), everything(mlp), strict=True
    ):
        np.testing.assert_array_equal(found, expected)


def test_fewer_calls_than_epochs_are_made():
    counting = CountingChunks()
    fitted([counting], batch_size=ROWS)
    assert 0 < counting.calls < EPOCHS / 4


@pytest.mark.parametrize("engine", ["numba", "numpy"])
def test_epochs_at_once_end_with_the_first_loss_that_is_not_finite(engine):
    X, y = samples()
    settings = {"hidden": (9,), "epochs": EPOCHS, "loss": "squared_error", "train_metrics": "running"}
    settings |= {"batch_size": ROWS, "learning_rate": 3.0, "activation": "identity", "engine": engine, "seed": 1}
    with np.errstate(all="ignore"):
        single, at_once = (
            MLP(**settings).fit(X, y.astype(float), callbacks=callbacks) for callbacks in ([Watching()], [])
        )
    assert 3 < len(at_once.history) < EPOCHS
    assert not math.isfinite(at_once.history["train_loss"][-1])
    for expected, found in zip(everything(single), everything(at_once), strict=True):
        np.testing.assert_array_equal(found, expected)


def test_rows_in_order_are_trained_by_the_kernels_that_are_loaded_for_shuffled_ones(monkeypatch):
    loaded, load = [], KernelCache.load_overload
    fitted([], batch_size=30)
    monkeypatch.setattr(
        KernelCache, "load_overload", lambda cache, *wanted: loaded.append(wanted) or load(cache, *wanted)
    )
    fitted([], batch_size=30, shuffle=False)
    assert loaded == []


def test_epochs_without_a_record_are_undone_together():
    config = MLP(hidden=(4,)).config
    state = TrainingState.fresh(config, 3, 2)
    before = state.parameters.buffer.copy()
    state.begin_epoch()
    state.parameters.buffer += 1
    state.passed, state.position, state.steps = (np.ones(4), np.ones((4, 2))), 10, 5
    state.undo_epoch()
    np.testing.assert_array_equal(state.parameters.buffer, before)
    assert (state.epoch, state.position, state.steps, len(state.passed[0])) == (1, 0, 0, 0)
