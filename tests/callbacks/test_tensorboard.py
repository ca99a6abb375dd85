"""Event files, as TensorBoard itself reads them."""

import sys

import numpy as np
import pytest

from fastmlp import MLP
from fastmlp.callbacks import Callback, TensorBoard
from fastmlp.errors import InputError
from fastmlp.training.checkpoints import CheckpointStore, Paused

pytest.importorskip("tensorboardX")
accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")

RANDOM = np.random.RandomState(3)
X = RANDOM.standard_normal((120, 6)).astype(np.float32)
Y = (X[:, 0] > 0).astype(int)
SETTINGS = {"hidden": (5,), "batch_size": 20, "epochs": 4, "engine": "numpy", "schedule": "cosine"}


def curve(folder, tag):
    """(epoch, value) of each point that TensorBoard shows."""
    events = accumulator.EventAccumulator(str(folder))
    events.Reload()
    return [(event.step, event.value) for event in events.Scalars(tag)]


def check(folder, mlp):
    for part, tag, column in (
        ("train", "loss", "train_loss"), ("train", "accuracy", "train_accuracy"),
        ("train", "learning_rate", "learning_rate"),
        ("validation", "loss", "validation_loss"), ("validation", "accuracy", "validation_accuracy"),
    ):  # fmt: skip
        steps, values = zip(*curve(folder / part, tag), strict=True)
        assert list(steps) == mlp.history["epoch"], (part, tag)
        np.testing.assert_allclose(values, mlp.history[column], rtol=1e-6)


def test_tensorboard_reads_every_figure_of_the_history(tmp_path):
    check(tmp_path, MLP(**SETTINGS).fit(X, Y, validation_split=0.2, callbacks=[TensorBoard(tmp_path)]))


def test_a_later_training_takes_the_place_of_the_one_before(tmp_path):
    logger = TensorBoard(tmp_path)
    MLP(**{**SETTINGS, "epochs": 6}).fit(X, Y, validation_split=0.2, callbacks=[logger])
    check(tmp_path, MLP(**SETTINGS, seed=1).fit(X, Y, validation_split=0.2, callbacks=[logger]))


def test_a_training_that_resumes_is_shown_whole_and_no_epoch_twice(tmp_path):
    store = CheckpointStore(tmp_path / "state", seconds=0.0)

    class Pause(Callback):
        def on_epoch_end(self, view):
            if view.epoch == 2:
                store.stop.set()

    data = {"validation_split": 0.2, "checkpoint": store}
    with pytest.raises(Paused):
        MLP(**SETTINGS).fit(X, Y, callbacks=[TensorBoard(tmp_path / "logs"), Pause()], **data)
    assert len(curve(tmp_path / "logs" / "train", "loss")) == 2
    store.stop.clear()
    check(tmp_path / "logs", MLP(**SETTINGS).fit(X, Y, callbacks=[TensorBoard(tmp_path / "logs")], **data))


def test_without_a_validation_set_there_is_no_curve_of_one(tmp_path):
    MLP(**SETTINGS).fit(X, Y, callbacks=[TensorBoard(tmp_path)])
    assert [folder.name for folder in tmp_path.iterdir()] == ["train"]


def test_the_accuracy_of_numbers_has_a_name_that_tensorboard_takes(tmp_path):
    mlp = MLP(**SETTINGS, loss="squared_error").fit(X, X[:, 0], callbacks=[TensorBoard(tmp_path)])
    np.testing.assert_allclose([value for _, value in curve(tmp_path / "train", "R2")], mlp.history["train_accuracy"])


def test_without_its_library_it_says_how_to_install_it(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "tensorboardX", None)
    with pytest.raises(InputError, match=r"pip install 'fastmlp\[tensorboard\]'"):
        TensorBoard(tmp_path)
