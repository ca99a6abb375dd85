"""The model file of the best epoch: which epoch is in it, and that it survives what ends the training."""

import numpy as np
import pytest

from fastmlp import MLP
from fastmlp.callbacks import Callback, ModelCheckpoint
from fastmlp.errors import InputError, InputTypeError
from fastmlp.training.checkpoints import CheckpointStore, Paused

RANDOM = np.random.RandomState(7)
X = RANDOM.standard_normal((80, 30))
Y = (X[:, 0] + RANDOM.standard_normal(80) > 0).astype(int)
HELD_OUT = X[50:], Y[50:]
# So few noisy rows that the validation loss falls, then rises.
SETTINGS = {"hidden": (20,), "batch_size": 10, "epochs": 12, "learning_rate": 0.05, "engine": "numpy"}


def fit(*callbacks, **settings):
    checkpoint = settings.pop("checkpoint", None)
    return MLP(**{**SETTINGS, **settings}).fit(X[:50], Y[:50], HELD_OUT, callbacks=callbacks, checkpoint=checkpoint)


@pytest.mark.parametrize(("monitor", "best"), [("validation_loss", np.argmin), ("validation_accuracy", np.argmax)])
def test_the_file_has_the_network_of_the_best_epoch(tmp_path, monitor, best):
    saver = ModelCheckpoint(tmp_path / "best.safetensors", monitor)
    mlp = fit(saver)
    epoch = 1 + int(best(mlp.history[monitor]))
    assert 1 < epoch < 12
    assert (saver.best_epoch, saver.best_value) == (epoch, mlp.history[monitor][epoch - 1])
    kept = MLP.load(tmp_path / "best.safetensors")
    assert len(kept.history) == kept.kept_epoch == epoch
    for one, other in zip(kept.weights, fit(epochs=epoch).weights, strict=True):
        np.testing.assert_array_equal(one, other)
    assert kept.evaluate(*HELD_OUT)[0] == pytest.approx(mlp.history["validation_loss"][epoch - 1], rel=1e-6)


def test_a_gain_below_min_delta_is_none(tmp_path):
    saver = ModelCheckpoint(tmp_path / "best.safetensors", min_delta=100)
    fit(saver)
    assert saver.best_epoch == 1


def test_the_file_is_there_while_the_training_goes_on(tmp_path):
    class Reader(Callback):
        def on_epoch_end(self, view):
            losses = view.history["validation_loss"]
            assert len(MLP.load(tmp_path / "best.safetensors").history) == 1 + int(np.argmin(losses))

    fit(ModelCheckpoint(tmp_path / "best.safetensors"), Reader())


def test_the_best_epoch_is_known_after_an_interruption(tmp_path):
    best = 1 + int(np.argmin(fit().history["validation_loss"]))
    store = CheckpointStore(tmp_path / "state", seconds=0.0)

    class Pause(Callback):
        def on_epoch_end(self, view):
            if view.epoch == best + 2:
                store.stop.set()

    with pytest.raises(Paused):
        fit(ModelCheckpoint(tmp_path / "best.safetensors"), Pause(), checkpoint=store)
    store.stop.clear()
    (tmp_path / "best.safetensors").unlink()  # none of the later epochs is better, and none is written
    saver = ModelCheckpoint(tmp_path / "best.safetensors")
    fit(saver, checkpoint=store)
    assert saver.best_epoch == best
    assert not (tmp_path / "best.safetensors").exists()


def test_another_training_begins_with_no_best_epoch(tmp_path):
    saver = ModelCheckpoint(tmp_path / "best.safetensors")
    fit(saver)
    mlp = fit(saver, learning_rate=1e-4)  # which comes nowhere near the first
    assert len(MLP.load(tmp_path / "best.safetensors").history) == 1 + int(np.argmin(mlp.history["validation_loss"]))


def test_early_stopping_by_another_measure_does_not_name_another_epoch(tmp_path):
    saver = ModelCheckpoint(tmp_path / "best.safetensors", "validation_accuracy")
    fit(saver, early_stopping={"patience": 11, "monitor": "validation_loss"})
    assert MLP.load(tmp_path / "best.safetensors").kept_epoch == saver.best_epoch


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (
            {"monitor": "val_loss"},
            InputError,
            "monitor of ModelCheckpoint is 'val_loss'; it is called 'validation_loss' here",
        ),
        ({"monitor": "train_loss"}, InputError, "training results improve while a network overfits"),
        ({"min_delta": "0"}, InputTypeError, "min_delta of ModelCheckpoint is '0'"),
        ({"min_delta": -1}, InputError, "min_delta of ModelCheckpoint is -1"),
    ],
)
def test_what_cannot_be_watched_is_refused(tmp_path, arguments, error, message):
    with pytest.raises(error, match=message):
        ModelCheckpoint(tmp_path / "best.safetensors", **arguments)


def test_a_training_without_a_validation_set_is_refused_before_it_begins(tmp_path):
    with pytest.raises(InputError, match=r"ModelCheckpoint watches validation_loss .* validation_split=0\.1"):
        MLP(**SETTINGS).fit(X, Y, callbacks=[ModelCheckpoint(tmp_path / "best.safetensors")])
