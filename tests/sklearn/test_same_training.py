"""A training is that of scikit-learn's own perceptrons: same first weights, same order, same losses, same end."""

import warnings

import numpy as np
import pytest
from scipy.sparse import csr_array
from sklearn import neural_network
from sklearn.datasets import make_multilabel_classification

from fastmlp.sklearn import MLPClassifier, MLPRegressor
from fastmlp.sklearn.batches import ACCURACY, EXACT_EPOCHS

pytestmark = pytest.mark.filterwarnings(
    "ignore::sklearn.exceptions.ConvergenceWarning",
    "ignore:scipy.optimize. The .disp. and .iprint.:DeprecationWarning",  # scikit-learn 1.7 gives them
)

RANDOM = np.random.RandomState(0)
X = RANDOM.standard_normal((150, 8))
LABELS = {
    "two": (X[:, 0] + X[:, 1] ** 2 > 1).astype(int),
    "three": np.digitize(X[:, 0], [-0.5, 0.5]),
    "several": (X[:, :3] > 0).astype(int),
}
NUMBERS = {"one": np.sin(X[:, 0]) + X[:, 1], "two": np.c_[X[:, 0] * X[:, 1], X[:, 2]]}
KINDS = {
    "classifier": (MLPClassifier, neural_network.MLPClassifier),
    "regressor": (MLPRegressor, neural_network.MLPRegressor),
}
SMALL = {"hidden_layer_sizes": (7, 5), "max_iter": 12, "random_state": 3}


def both(kind, y, sample_weight=None, inputs=X, **settings):
    """Ours and scikit-learn's estimator, trained alike."""
    return tuple(one(**{**SMALL, **settings}).fit(inputs, y, sample_weight) for one in KINDS[kind])


def assert_same(ours, theirs, tolerance=1e-11):
    """The same but for rounding; the penalty's part of the losses after the first epochs, but for its measurement."""
    assert ours.n_iter_ == theirs.n_iter_
    assert ours.t_ == theirs.t_
    first, rest = slice(EXACT_EPOCHS), slice(EXACT_EPOCHS, None)
    np.testing.assert_allclose(ours.loss_curve_[first], theirs.loss_curve_[first], rtol=tolerance)
    np.testing.assert_allclose(ours.loss_curve_[rest], theirs.loss_curve_[rest], rtol=max(tolerance, 10 * ACCURACY))
    for mine, their in zip(ours.coefs_ + ours.intercepts_, theirs.coefs_ + theirs.intercepts_, strict=True):
        np.testing.assert_allclose(mine, their, rtol=0, atol=tolerance)


@pytest.mark.parametrize("solver", ["sgd", "adam"])
@pytest.mark.parametrize("labels", list(LABELS))
@pytest.mark.parametrize("shuffle", [False, True])
def test_a_classifier_has_scikit_learns_losses_and_weights(solver, labels, shuffle):
    assert_same(*both("classifier", LABELS[labels], solver=solver, shuffle=shuffle, batch_size=40))


@pytest.mark.parametrize("solver", ["sgd", "adam"])
@pytest.mark.parametrize("numbers", list(NUMBERS))
def test_a_regressor_has_scikit_learns_losses_and_weights(solver, numbers):
    assert_same(*both("regressor", NUMBERS[numbers], solver=solver, batch_size=40))


@pytest.mark.parametrize(
    "settings",
    [
        {"activation": "logistic"},
        {"activation": "tanh", "alpha": 0.0},
        {"activation": "identity", "alpha": 0.5},
        {"solver": "sgd", "momentum": 0.0},
        {"solver": "sgd", "nesterovs_momentum": False, "learning_rate_init": 0.05},
        {"solver": "sgd", "learning_rate": "invscaling", "power_t": 0.3, "learning_rate_init": 0.1},
        {"beta_1": 0.0, "beta_2": 0.5, "epsilon": 1e-2, "learning_rate_init": 0.01},
        {"hidden_layer_sizes": 4, "batch_size": 1000},
        {"hidden_layer_sizes": ()},
    ],
    ids=str,
)
def test_every_parameter_means_what_it_means_to_scikit_learn(settings):
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Got `batch_size`|batch_size is 1000", UserWarning)
        assert_same(*both("classifier", LABELS["three"], **{"batch_size": 40, **settings}))


@pytest.mark.parametrize("solver", ["sgd", "adam"])
@pytest.mark.parametrize("numbers", list(NUMBERS))
def test_the_poisson_deviance_is_scikit_learns(solver, numbers):
    assert_same(*both("regressor", np.exp(NUMBERS[numbers] / 2), solver=solver, loss="poisson", batch_size=40))


def test_lbfgs_goes_scikit_learns_way_with_the_poisson_deviance():
    ours, theirs = both("regressor", np.exp(NUMBERS["one"] / 2), solver="lbfgs", loss="poisson")
    assert ours.loss_ == pytest.approx(theirs.loss_, rel=1e-11)
    assert ours.out_activation_ == theirs.out_activation_ == "exp"
    np.testing.assert_allclose(ours.predict(X), theirs.predict(X), rtol=1e-11)


@pytest.mark.parametrize("settings", [{}, {"alpha": 0.0}, {"early_stopping": True}], ids=str)
def test_weights_of_rows_count_as_they_do_in_scikit_learn(settings):
    weights = np.arange(150) % 4 + 0.5
    assert_same(*both("classifier", LABELS["three"], weights, batch_size=40, **settings))
    assert_same(*both("regressor", NUMBERS["one"], weights, batch_size=40, **settings))


@pytest.mark.parametrize("labels", ["two", "three"])
def test_it_stops_early_in_the_same_epoch_with_the_same_scores(labels):
    settings = {"early_stopping": True, "n_iter_no_change": 3, "max_iter": 300, "learning_rate_init": 0.01}
    ours, theirs = both("classifier", LABELS[labels], **settings)
    assert ours.n_iter_ < 300
    assert_same(ours, theirs)
    assert ours.validation_scores_ == pytest.approx(theirs.validation_scores_)
    assert ours.best_validation_score_ == pytest.approx(theirs.best_validation_score_)
    assert ours.best_loss_ is theirs.best_loss_ is None
    ours, theirs = both("regressor", NUMBERS["two"], **settings)
    assert_same(ours, theirs)
    assert ours.validation_scores_ == pytest.approx(theirs.validation_scores_)


@pytest.mark.parametrize("learning_rate", ["constant", "adaptive"])
def test_it_stops_in_the_same_epoch_when_the_loss_no_longer_falls(learning_rate):
    settings = {"solver": "sgd", "learning_rate": learning_rate, "tol": 0.01, "n_iter_no_change": 2, "max_iter": 500}
    ours, theirs = both("classifier", LABELS["two"], learning_rate_init=0.05, **settings)
    assert 10 < ours.n_iter_ < 500
    assert_same(ours, theirs, 1e-9)
    assert ours.best_loss_ == pytest.approx(theirs.best_loss_, rel=1e-9)


@pytest.mark.parametrize("solver", ["sgd", "adam"])
def test_passes_and_warm_starts_continue_as_scikit_learns_do(solver):
    settings = {**SMALL, "solver": solver, "batch_size": 40, "max_iter": 3, "learning_rate": "invscaling"}
    pair = [kind(**settings) for kind in (MLPClassifier, neural_network.MLPClassifier)]
    for one in pair:
        for _ in range(4):
            one.partial_fit(X, LABELS["three"], classes=[0, 1, 2])
    assert_same(*pair)
    for one in pair:
        one.set_params(warm_start=True).fit(X, LABELS["three"]).fit(X, LABELS["three"])
    assert_same(*pair)
    for one in pair:
        one.partial_fit(X[::2], LABELS["three"][::2])
    assert_same(*pair)


def test_inputs_of_float32_are_trained_in_float32():
    ours, theirs = both("classifier", LABELS["three"], inputs=X.astype(np.float32), batch_size=40)
    assert {array.dtype for array in ours.coefs_ + ours.intercepts_} == {np.dtype(np.float32)}
    assert ours.predict_proba(X.astype(np.float32)).dtype == np.float32
    assert_same(ours, theirs, 1e-4)


def test_sparse_inputs_are_trained_on_as_dense_ones():
    thin = np.where(RANDOM.random_sample(X.shape) < 0.7, 0, X)
    ours, theirs = both("classifier", LABELS["three"], inputs=csr_array(thin), batch_size=40)
    assert_same(ours, theirs)
    np.testing.assert_allclose(ours.predict_proba(csr_array(thin)), theirs.predict_proba(thin), rtol=1e-9)


def test_lbfgs_goes_scikit_learns_way():
    for y in (LABELS["two"], LABELS["three"]):
        ours, theirs = both("classifier", y, solver="lbfgs", max_iter=15, activation="tanh")
        assert ours.n_iter_ == theirs.n_iter_
        assert ours.loss_ == pytest.approx(theirs.loss_, rel=1e-9)
        np.testing.assert_allclose(ours.coefs_[0], theirs.coefs_[0], atol=1e-9)


def test_lbfgs_ends_by_itself_where_scikit_learns_does():
    ours, theirs = both("classifier", LABELS["two"], solver="lbfgs", hidden_layer_sizes=(), max_iter=500, alpha=1.0)
    assert ours.n_iter_ == theirs.n_iter_ < 500
    np.testing.assert_allclose(ours.predict_proba(X), theirs.predict_proba(X), atol=1e-5)


def test_the_penalty_of_many_small_batches_is_measured_in_few_of_them():
    settings = {"hidden_layer_sizes": (20,), "batch_size": 2, "learning_rate_init": 1e-4, "alpha": 1e-2}
    ours, theirs = both("classifier", LABELS["three"], **settings)
    assert ours._calls < 75
    np.testing.assert_allclose(ours.loss_curve_[:EXACT_EPOCHS], theirs.loss_curve_[:EXACT_EPOCHS], rtol=1e-12)
    np.testing.assert_allclose(ours.loss_curve_, theirs.loss_curve_, rtol=1e-5)
    np.testing.assert_allclose(ours.coefs_[0], theirs.coefs_[0], rtol=0, atol=1e-11)


def test_labels_of_several_kinds_in_a_matrix_are_told_apart():
    inputs, y = make_multilabel_classification(100, 10, n_classes=4, random_state=0)
    ours, theirs = both("classifier", y, inputs=inputs, max_iter=40)
    np.testing.assert_array_equal(ours.predict(inputs), theirs.predict(inputs))
    np.testing.assert_allclose(ours.predict_proba(inputs), theirs.predict_proba(inputs), rtol=1e-7)
