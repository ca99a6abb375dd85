"""A training that was done elsewhere is replayed to callbacks as they would have seen it here."""

import numpy as np
import pytest

from fastmlp import MLP, History
from fastmlp.callbacks import Callback, CSVLogger, ModelCheckpoint
from fastmlp.errors import InputError, InputTypeError
from fastmlp.experiment.executors.replay import replay

RANDOM = np.random.RandomState(3)
X = RANDOM.standard_normal((110, 6))
Y = (X[:, 0] > 0).astype(int)
SETTINGS = {"hidden": (5,), "batch_size": 20, "epochs": 4, "engine": "numpy"}


class Recorder(Callback):
    """Notes all that a view has but predictions, with the names of the calls."""

    def __init__(self):
        self.seen = []

    def note(self, call, view):
        plain = ("config", "epoch", "last_epoch", "position", "rows", "steps", "record", "failure_reason", "is_over")
        history = view.history
        # Why a training failed is found at its end, and is a diagnosis of its last epoch.
        diagnoses = [one for one in history.diagnoses if one["cause"] not in ("diverged", "died", "stuck")]
        values = {name: getattr(view, name) for name in plain}
        self.seen.append((call, values, view.error, history.to_dict(), diagnoses))

    def on_fit_start(self, view):
        self.note("start", view)

    def on_epoch_end(self, view):
        self.note("epoch", view)

    def on_fit_end(self, view):
        self.note("end", view)


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"optimizer": "lbfgs"},
        {"learning_rate": 1e-9},  # of which two diagnoses are made, one of them of the whole training
        {"learning_rate": 1e9},  # which fails before its last epoch
        {"early_stopping": 1, "learning_rate": 2.0, "epochs": 30},
        {"batch_size": 1000},
    ],
    ids=str,
)
def test_a_callback_sees_what_it_would_have_seen_here(settings):
    here, elsewhere = Recorder(), Recorder()
    with np.errstate(all="ignore"):
        mlp = MLP(**{**SETTINGS, **settings}).fit(X, Y, (X[:30], Y[:30]), callbacks=[here])
    replay([elsewhere], MLP.from_bytes(mlp.to_bytes()), len(X))
    assert [call for call, *_ in elsewhere.seen] == [call for call, *_ in here.seen]
    for one, other in zip(elsewhere.seen, here.seen, strict=True):
        np.testing.assert_equal(one, other)


def test_callbacks_take_turns_as_in_a_training():
    turns = []

    class Turn(Callback):
        def __init__(self, name):
            self.name = name

        def on_epoch_end(self, view):
            turns.append((view.epoch, self.name))

    mlp = MLP(**{**SETTINGS, "epochs": 2}).fit(X, Y)
    replay([Turn("a"), Turn("b")], mlp, len(X))
    assert turns == [(1, "a"), (1, "b"), (2, "a"), (2, "b")]


def test_the_network_predicts_once_it_is_home():
    mlp = MLP(**SETTINGS).fit(X, Y)

    class Predict(Callback):
        def on_epoch_end(self, view):
            with pytest.raises(InputError, match=r"its weights after epoch \d are not here; call"):
                view.predict(X)

        def on_fit_end(self, view):
            self.predictions = view.predict(X)

    predict = Predict()
    replay([predict], mlp, len(X))
    np.testing.assert_array_equal(predict.predictions, mlp.predict(X))


def test_a_log_is_written_and_what_has_to_be_there_is_refused(tmp_path):
    mlp = MLP(**SETTINGS).fit(X, Y)
    replay([CSVLogger(tmp_path / "log.csv")], mlp, len(X))
    assert History.from_csv(tmp_path / "log.csv").to_csv() == mlp.history.to_csv()
    with pytest.raises(InputTypeError, match="ModelCheckpoint has to be where the training is"):
        replay([ModelCheckpoint(tmp_path / "best.safetensors")], mlp, len(X))
