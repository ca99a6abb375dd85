"""When a training stops, which weights it keeps, and that it can be interrupted."""

import json
import math

import numpy as np
import pytest

from fastmlp import MLP
from fastmlp.config.early_stopping import EarlyStoppingConfig, check_setting, from_setting
from fastmlp.errors import InputError, InputTypeError
from fastmlp.training.early_stopping import EarlyStoppingCallback


def early(patience, **options):
    return EarlyStoppingCallback(EarlyStoppingConfig(patience, **options))


def told(stopping, values, first_epoch=1):
    """Tell one value per epoch, the parameters being (epoch, epoch); the epoch after which to stop, or None."""
    buffer = np.zeros(2)
    for epoch, value in enumerate(values, start=first_epoch):
        buffer[:] = epoch
        if stopping.update(epoch, value, buffer):
            return epoch
    return None


def test_it_stops_after_patience_epochs_without_improvement_and_keeps_the_best_weights():
    stopping = early(2)
    assert told(stopping, [1.0, 0.8, 0.9, 0.7, 0.75, 0.7, 0.1]) == 6
    assert stopping.best_epoch == 4
    assert stopping.best_weights.tolist() == [4, 4]


def test_it_goes_on_while_the_loss_falls():
    stopping = early(1)
    assert told(stopping, [1 / epoch for epoch in range(1, 50)]) is None
    assert stopping.best_epoch == 49


def test_an_accuracy_is_to_rise():
    stopping = early(2, monitor="validation_accuracy")
    assert told(stopping, [0.5, 0.6, 0.6, 0.59]) == 4
    assert stopping.best_epoch == 2


def test_gains_up_to_min_delta_do_not_count_until_they_add_up():
    stopping = early(3, min_delta=0.25)
    assert told(stopping, [1.0, 0.875, 0.75, 0.625, 0.5]) is None
    assert stopping.best_epoch == 4
    assert told(early(3, min_delta=0.25), [1.0, 0.875, 0.75, 0.75]) == 4


def test_nan_is_never_the_best():
    stopping = early(2)
    assert told(stopping, [math.nan, 0.5, math.nan, math.nan]) == 4
    assert stopping.best_epoch == 2
    lost = early(3)
    assert told(lost, [math.nan] * 5) == 3
    assert (lost.best_epoch, lost.best_weights) == (0, None)


def test_an_infinite_first_loss_is_improved_upon():
    stopping = early(1)
    assert told(stopping, [math.inf, 2.0]) is None
    assert stopping.best_epoch == 2


def test_there_is_one_copy_and_none_of_an_epoch_that_is_not_the_best():
    stopping, kept = early(9), None
    for epoch, loss in enumerate([1.0, 2.0, 0.5, 0.6], start=1):
        stopping.update(epoch, loss, np.full(3, epoch, np.float32))
        kept = stopping.best_weights if kept is None else kept
        assert stopping.best_weights is kept
    assert kept.tolist() == [3, 3, 3]
    assert kept.dtype == np.float32


@pytest.mark.parametrize("cut", range(1, 6))
def test_a_restored_one_goes_on_as_if_nothing_had_happened(cut):
    losses = [1.0, 0.8, 0.9, 0.7, 0.75, 0.71]
    whole, first, resumed = early(2), early(2), early(2)
    assert told(whole, losses) == 6
    assert told(first, losses[:cut]) is None
    state = dict(first.state_dict())
    weights = state.pop("best_weights")
    resumed.load_state_dict({**json.loads(json.dumps(state)), "best_weights": weights})
    weights[:] = -1
    assert told(resumed, losses[cut:], first_epoch=cut + 1) == 6
    np.testing.assert_equal(resumed.state_dict(), whole.state_dict())
    assert resumed.best_weights.tolist() == whole.best_weights.tolist()


def test_nothing_told_yet_can_be_restored_as_well():
    resumed = early(2)
    resumed.load_state_dict(early(2).state_dict())
    assert told(resumed, [1.0, 2.0, 2.0]) == 3


def test_a_setting_is_none_a_patience_or_a_table():
    assert from_setting(None) is None
    assert from_setting(4) == EarlyStoppingConfig(4)
    table = {"patience": 3, "monitor": "validation_accuracy"}
    assert from_setting(table) == EarlyStoppingConfig(3, 0.0, "validation_accuracy")


@pytest.mark.parametrize("setting", [None, 4, {"patience": 3, "min_delta": 0.5}])
def test_a_setting_survives_a_model_file(setting):
    assert json.loads(json.dumps(check_setting("early_stopping", setting))) == setting
    assert json.dumps(check_setting("early_stopping", np.int64(4))) == "4"


@pytest.mark.parametrize(
    ("setting", "kind", "expected"),
    [
        (True, InputTypeError, "True; expected the patience"),
        ("5", InputTypeError, "'5'; expected the patience"),
        (2.5, InputTypeError, "2.5; expected the patience"),
        (0, InputError, "patience of early_stopping is 0; expected at least 1"),
        ({}, InputError, "early_stopping has no 'patience'"),
        ({"patience": 2, "monitr": 1}, InputError, "'monitr'; did you mean 'monitor'"),
        ({"patience": 2, "min_delta": -1}, InputError, "min_delta of early_stopping is -1"),
        ({"patience": 2, "min_delta": math.nan}, InputError, "nan; expected a finite number"),
        ({"patience": 2, "monitor": "validation_los"}, InputError, "did you mean 'validation_loss'"),
        ({"patience": 2, "monitor": "train_loss"}, InputError, "'train_loss'; expected validation_loss"),
        ({"patience": 2, "monitor": None}, InputError, "None; expected one of validation_loss"),
    ],
    ids=str,
)
def test_a_bad_setting_is_refused_in_one_line(setting, kind, expected):
    with pytest.raises(kind) as caught:
        from_setting(setting)
    assert expected in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_training_without_validation_set_is_refused_with_the_mend():
    with pytest.raises(InputError, match=r"watches validation_loss and validation is None; pass fit"):
        EarlyStoppingConfig(3).check_validation(None)
    EarlyStoppingConfig(3).check_validation(("X", "y"))


# ------------------------------------------------------------------------------------------------ in a training

RANDOM = np.random.RandomState(0)
X = RANDOM.standard_normal((200, 6)).astype(np.float32)
RARE = (X[:, 0] > 1.2).astype(int)


@pytest.mark.parametrize("engine", ["numba", "numpy"])
def test_an_epoch_in_which_the_network_was_lost_is_not_kept_however_often_it_is_right_by_chance(engine):
    settings = {
        "hidden": (5,), "batch_size": 10, "learning_rate": 1e-3, "decay_epochs": (2,), "decay_factor": 1e35, "seed": 4,
        "early_stopping": {"patience": 3, "monitor": "validation_accuracy"}, "engine": engine,
        "scaling": "none",
    }  # fmt: skip
    with np.errstate(all="ignore"):
        mlp = MLP(**settings).fit(X[:80], RARE[:80], (X[80:], RARE[80:]))
    accuracies = mlp.history["validation_accuracy"]
    assert math.isnan(mlp.history["train_loss"][2])
    assert accuracies[2] > accuracies[1] > accuracies[0]
    assert mlp.kept_epoch == 2
    assert mlp.evaluate(X[80:], RARE[80:])[1] == accuracies[1]
