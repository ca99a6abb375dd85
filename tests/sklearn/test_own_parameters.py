"""What the estimators have beyond scikit-learn's, and what they refuse."""

import subprocess
import sys

import numpy as np
import pytest
from sklearn import neural_network
from sklearn.datasets import make_classification
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.metrics import log_loss
from sklearn.utils import compute_sample_weight

from fastmlp import MLP
from fastmlp.errors import InputError
from fastmlp.sklearn import MLPClassifier, MLPRegressor
from fastmlp.training.callbacks import Callback

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

X, y = make_classification(200, 8, n_informative=5, n_classes=3, random_state=0)
HELD_OUT = X[150:], y[150:]
SMALL = {"hidden_layer_sizes": (9,), "max_iter": 8, "learning_rate_init": 0.01, "random_state": 0}
NUMBERS = np.c_[X[:, 0] * X[:, 1], X[:, 2]]


def fitted(labels=y, **settings):
    return MLPClassifier(**{**SMALL, **settings}).fit(X, labels)


@pytest.mark.parametrize("class_weight", ["balanced", {0: 5.0, 1: 0.5}])
@pytest.mark.parametrize("labels", [y, (y > 0).astype(int)], ids=["three", "two"])
def test_weights_of_classes_are_weights_of_their_rows(class_weight, labels):
    weights = compute_sample_weight(class_weight, labels)
    theirs = neural_network.MLPClassifier(**SMALL).fit(X, labels, weights)
    np.testing.assert_allclose(fitted(labels, class_weight=class_weight).coefs_[0], theirs.coefs_[0], atol=1e-12)


def test_validation_rows_that_are_given_are_measured_after_every_epoch():
    one = MLPClassifier(**SMALL).fit(X[:150], y[:150], validation_data=HELD_OUT)
    assert len(one.validation_scores_) == len(one.validation_loss_curve_) == 8
    assert one.validation_scores_[-1] == pytest.approx(one.score(*HELD_OUT))
    assert one.validation_loss_curve_[-1] == pytest.approx(log_loss(y[150:], one.predict_proba(X[150:])), rel=1e-9)
    assert one.best_validation_score_ == max(one.validation_scores_)
    without = MLPClassifier(**SMALL).fit(X[:150], y[:150])
    assert [W.tobytes() for W in without.coefs_] == [W.tobytes() for W in one.coefs_]
    assert without.validation_scores_ is without.validation_loss_curve_ is without.best_validation_score_ is None


def test_early_stopping_keeps_the_weights_that_were_best_on_the_rows_that_are_given():
    one = MLPClassifier(**{**SMALL, "max_iter": 400, "learning_rate_init": 0.03}, early_stopping=True)
    one.fit(X[:150], y[:150], validation_data=HELD_OUT)
    assert one.n_iter_ < 400
    assert one.validation_scores_[-1] < one.best_validation_score_
    assert one.score(*HELD_OUT) == pytest.approx(one.best_validation_score_)
    assert one.t_ == 150 * one.n_iter_  # none of the training rows was held out


@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_a_regressor_measures_validation_rows_too(solver):
    one = MLPRegressor(**SMALL, solver=solver).fit(X[:150], NUMBERS[:150], validation_data=(X[150:], NUMBERS[150:]))
    assert one.validation_scores_[-1] == pytest.approx(one.score(X[150:], NUMBERS[150:]))
    error = one.predict(X[150:]) - NUMBERS[150:]
    assert one.validation_loss_curve_[-1] == pytest.approx(0.5 * (error**2).mean(), rel=1e-9)


def test_dropout_drops_in_training_alone_and_follows_random_state():
    one, alike, other = (fitted(dropout=0.5, random_state=seed) for seed in (0, 0, 1))
    assert one.coefs_[0].tobytes() == alike.coefs_[0].tobytes() != other.coefs_[0].tobytes()
    assert abs(one.coefs_[0] - fitted().coefs_[0]).max() > 1e-3
    assert one.predict_proba(X).tobytes() == one.predict_proba(X).tobytes()


def test_callbacks_and_progress_see_every_epoch_and_may_stop():
    class Stop(Callback):
        def on_epoch_end(self, view):
            return view.epoch == 3

    records = []
    one = fitted(callbacks=[Stop()], progress=records.append)
    assert one.n_iter_ == len(records) == len(one.loss_curve_) == 3


def test_the_number_of_threads_changes_no_bit():
    assert len({fitted(threads=threads).coefs_[0].tobytes() for threads in (1, 2)}) == 1


def test_the_network_is_an_mlp_that_answers_alike_and_can_be_saved(tmp_path):
    words = np.array(["low", "middle", "top"])[y]
    one = fitted(words)
    one.network_.save(tmp_path / "one.safetensors")
    again = MLP.load(tmp_path / "one.safetensors")
    assert again.predict_proba(X).tobytes() == one.predict_proba(X).tobytes()
    assert again.predict(X).tolist() == one.predict(X).tolist()


def test_arrays_that_are_written_to_or_put_in_place_of_others_count():
    one = fitted()
    one.coefs_[1][...] = 0
    one.intercepts_[1] = np.array([0.0, 9.0, 0.0])
    assert (one.predict(X) == 1).all()
    one.coefs_, one.intercepts_ = [np.zeros((8, 2)), np.zeros((2, 3))], [np.zeros(2), np.zeros(3)]
    np.testing.assert_allclose(one.predict_proba(X), 1 / 3)


def test_a_training_that_did_not_converge_or_was_interrupted_warns():
    with pytest.warns(ConvergenceWarning, match=r"Maximum iterations \(8\) reached"):
        fitted()
    with pytest.warns(ConvergenceWarning, match=r"lbfgs failed to converge after 2 iteration\(s\)"):
        fitted(solver="lbfgs", max_iter=2)

    class Interrupt(Callback):
        def on_epoch_end(self, view):
            if view.epoch == 3:
                raise KeyboardInterrupt

    with pytest.warns(UserWarning, match="Training interrupted by user"):
        one = fitted(callbacks=[Interrupt()])
    assert one.coefs_[0].tobytes() == fitted(max_iter=3).coefs_[0].tobytes()
    with pytest.warns(UserWarning, match="batch_size is 900, more than the 200 rows"):
        fitted(batch_size=900)


def test_an_exception_in_a_callback_leaves_the_network_of_the_last_whole_epoch():
    class Fail(Callback):
        def on_epoch_end(self, view):
            if view.epoch == 3:
                raise ZeroDivisionError

    one = MLPClassifier(**SMALL, callbacks=[Fail()])
    with pytest.raises(ZeroDivisionError):
        one.fit(X, y)
    assert one.coefs_[0].tobytes() == fitted(max_iter=3).coefs_[0].tobytes()


def test_what_is_not_trained_yet_says_so():
    with pytest.raises(NotFittedError):
        MLPClassifier().predict(X)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"hidden_layer_sizes": (5, 0)}, "a width in hidden_layer_sizes is 0; expected"),
        ({"activation": "sigmoid"}, "activation is 'sigmoid'; expected one of identity, logistic, tanh, relu"),
        ({"solver": "adamw"}, "solver is 'adamw'; did you mean 'adam'"),
        ({"alpha": -1}, "alpha is -1; expected a finite number from 0"),
        ({"batch_size": 0}, "batch_size is 0; expected"),
        ({"batch_size": "all"}, "batch_size is 'all'; expected one of auto"),
        ({"learning_rate": 0.1}, "learning_rate is 0.1; expected one of constant, invscaling, adaptive"),
        ({"learning_rate_init": 0}, "learning_rate_init is 0; expected a number above 0"),
        ({"max_iter": 0}, "max_iter is 0; expected"),
        ({"n_iter_no_change": 0}, "n_iter_no_change is 0; expected"),
        ({"momentum": 1.0}, "momentum is 1.0; expected"),
        ({"shuffle": "yes"}, "shuffle is 'yes'; expected true or false"),
        ({"verbose": -1}, "verbose is -1; expected"),
        ({"dropout": 1.0}, "dropout is 1.0; expected"),
        ({"solver": "lbfgs", "dropout": 0.5}, "leave dropout out"),
        ({"class_weight": "even"}, "class_weight"),
    ],
)
def test_a_parameter_that_cannot_be_used_is_named(parameters, message):
    with pytest.raises((ValueError, TypeError), match=message):
        fitted(**parameters)


def test_the_loss_poisson_takes_numbers_from_0():
    with pytest.raises(InputError, match=r"y has -.* for loss 'poisson', or loss 'squared_error'"):
        MLPRegressor(loss="poisson").fit(X, NUMBERS)
    with pytest.raises(InputError, match="loss is 'huber'; expected one of squared_error, poisson"):
        MLPRegressor(loss="huber").fit(X, NUMBERS)


@pytest.mark.parametrize(
    ("validation_data", "message"),
    [
        (X, "validation_data is not a pair"),
        ((X, np.where(y == 2, 7, y)), r"validation_data has the labels \[.*7.*\]; expected those of y"),
        ((X[:, :3], y), "3 features, but MLPClassifier is expecting 8"),
    ],
)
def test_validation_rows_that_cannot_be_used_are_refused(validation_data, message):
    with pytest.raises((ValueError, TypeError), match=message):
        MLPClassifier(**SMALL).fit(X, y, validation_data=validation_data)


def test_weights_that_are_all_zero_are_refused():
    with pytest.raises(InputError, match="sample_weight is zero for every row"):
        MLPClassifier(**SMALL).fit(X, y, np.zeros(200))


def run(program):
    """What a fresh Python prints of a program."""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    return done.stdout + done.stderr


def test_the_library_does_without_scikit_learn_and_says_how_to_get_it():
    assert run("import sys, fastmlp.mlp; print('sklearn' in sys.modules)") == "False\n"
    assert (
        "fastmlp.sklearn needs scikit-learn, which is not installed; install it: pip install 'fastmlp[sklearn]'"
        in run("import sys; sys.modules['sklearn'] = None; import fastmlp.sklearn")
    )
