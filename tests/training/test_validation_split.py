"""`fit(validation_split=...)`: which samples are drawn, and that the training is that of two sets given by hand."""

import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_matrix

from fastmlp import MLP
from fastmlp.errors import InputError, InputTypeError
from fastmlp.training.callbacks import Callback
from fastmlp.training.preparation import prepare

RANDOM = np.random.RandomState(4)
X = RANDOM.standard_normal((200, 5))
X[:, 0] = np.arange(200)  # by which a row is known
Y = np.array(["rare"] * 20 + ["often"] * 180)  # sorted by class: the last rows lack one
SETTINGS = {"hidden": (4,), "epochs": 2, "batch_size": 20, "scaling": "none", "learning_rate": 0.01, "engine": "numpy"}


class Parts(Callback):
    """Notes the row numbers of both sets, by their first column."""

    def on_fit_start(self, view):
        data = view._session.data
        self.training = data.batches.X[:, 0].astype(int)
        self.validation = data.validation[0][:, 0].astype(int)


def parts(X, y, split, **settings):
    noted = Parts()
    MLP(**SETTINGS, **settings).fit(X, y, validation_split=split, callbacks=[noted])
    assert sorted([*noted.training, *noted.validation]) == list(range(200))
    return noted


def test_each_class_has_its_share_in_the_validation_set():
    drawn = parts(X, Y, 0.1).validation
    assert len(drawn) == 20
    assert (Y[drawn] == "rare").sum() == 2


def test_a_whole_number_is_a_number_of_samples():
    assert len(parts(X, Y, 50).validation) == 50


def test_the_same_seed_draws_the_same_samples_and_another_one_others():
    first, again, other = (parts(X, Y, 0.2, seed=seed).validation for seed in (3, 3, 4))
    assert first.tolist() == again.tolist()
    assert first.tolist() != other.tolist()


def test_numbers_are_drawn_from_small_to_large():
    drawn = parts(X, np.arange(200.0), 0.1, loss="squared_error").validation
    assert np.bincount(drawn // 20, minlength=10).tolist() == [2] * 10


def test_several_columns_are_drawn_without_regard_to_them():
    for loss, y in (("squared_error", X[:, :2]), ("binary_cross_entropy", (X[:, 1:3] > 0).astype(int))):
        assert len(parts(X, y, 0.1, loss=loss).validation) == 20


@pytest.mark.parametrize("form", [np.asarray, csr_matrix, pd.DataFrame, lambda X: X.tolist()])
@pytest.mark.parametrize(
    "labels", [np.asarray, list, pd.Series, lambda Y: np.column_stack([Y == "often", Y == "rare"])]
)
def test_the_training_is_that_of_two_sets_that_are_given(form, labels):
    chosen = parts(X, Y, 0.1)
    weights = np.linspace(1, 2, 200)
    settings = {**SETTINGS, "engine": "numba"}
    mlp = MLP(**settings).fit(form(X), labels(Y), validation_split=0.1, sample_weight=weights)
    rest, held_out = chosen.training, chosen.validation
    same = MLP(**settings).fit(X[rest], Y[rest], (X[held_out], Y[held_out]), sample_weight=weights[rest])
    assert mlp.history["validation_loss"] == same.history["validation_loss"]
    for one, other in zip(mlp.weights, same.weights, strict=True):
        np.testing.assert_array_equal(one, other)


def test_what_is_measured_of_the_inputs_is_measured_on_the_rows_to_train_on():
    chosen = parts(X, Y, 0.5)
    mlp = MLP(**{**SETTINGS, "scaling": "standard"}).fit(X, Y, validation_split=0.5)
    other = MLP(**{**SETTINGS, "scaling": "standard"}).fit(X[chosen.training], Y[chosen.training])
    assert mlp.encoder == other.encoder


def test_early_stopping_watches_the_samples_that_are_drawn():
    mlp = MLP(**{**SETTINGS, "epochs": 40}, early_stopping=1).fit(X, Y, validation_split=0.2)
    assert np.isfinite(mlp.history["validation_loss"]).all()
    with pytest.raises(InputError, match=r"validation_split=0\.1"):
        MLP(**SETTINGS, early_stopping=1).fit(X, Y)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"validation_split": 0.1, "validation": (X, Y)}, InputError, "expected one of the two: leave one out"),
        ({"validation_split": 1.0}, InputError, "validation_split is 1.0; expected a fraction between 0 and 1"),
        ({"validation_split": 200}, InputError, "validation_split is 200, 200 of 200 samples"),
        ({"validation_split": 0.001}, InputError, "0 of 200 samples; expected at least one sample in each part"),
        ({"validation_split": "0.1"}, InputTypeError, "validation_split is '0.1'; expected a fraction"),
        ({"validation_split": 0.1, "sample_weight": np.ones(7)}, InputError, "7"),
    ],
)
def test_what_cannot_be_divided_is_refused(arguments, error, message):
    with pytest.raises(error, match=message):
        MLP(**SETTINGS).fit(X, Y, **arguments)


def test_prepared_data_are_not_divided():
    mlp = MLP(**SETTINGS)
    with pytest.raises(InputError, match="validation_split was given with prepared data"):
        mlp.fit(prepare(mlp.config, X, Y), validation_split=0.1)
