"""Estimators carried over from scikit-learn's, and back."""

import numpy as np
import pytest
from sklearn import neural_network
from sklearn.datasets import make_classification, make_multilabel_classification
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression

from fastmlp.errors import InputTypeError
from fastmlp.sklearn import MLPClassifier, MLPRegressor, from_sklearn

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

X, y = make_classification(120, 6, n_informative=4, n_classes=3, random_state=0)
SMALL = {"hidden_layer_sizes": (7, 4), "max_iter": 10, "learning_rate_init": 0.01, "random_state": 0}
SEVERAL = make_multilabel_classification(120, 6, n_classes=3, random_state=0)[1]


@pytest.mark.parametrize("activation", ["identity", "logistic", "tanh", "relu"])
@pytest.mark.parametrize(
    "labels", [y, y > 0, np.array(list("abc"))[y], SEVERAL], ids=["three", "two", "text", "several"]
)
def test_probabilities_of_a_network_of_scikit_learns_agree_to_a_millionth(activation, labels):
    theirs = neural_network.MLPClassifier(**SMALL, activation=activation).fit(X, labels)
    ours = from_sklearn(theirs)
    np.testing.assert_allclose(ours.predict_proba(X), theirs.predict_proba(X), rtol=0, atol=1e-6)
    np.testing.assert_array_equal(ours.predict(X), theirs.predict(X))
    assert ours.get_params().items() >= theirs.get_params().items()
    back = ours.to_sklearn()
    np.testing.assert_allclose(back.predict_proba(X), theirs.predict_proba(X), rtol=0, atol=1e-12)


@pytest.mark.parametrize("targets", [X[:, 0], X[:, :2]], ids=["one", "two"])
def test_numbers_that_a_network_of_scikit_learns_predicts_agree(targets):
    theirs = neural_network.MLPRegressor(**SMALL).fit(X, targets)
    ours = from_sklearn(theirs)
    np.testing.assert_allclose(ours.predict(X), theirs.predict(X), rtol=0, atol=1e-6)
    assert ours.predict(X).shape == targets.shape
    np.testing.assert_allclose(ours.to_sklearn().predict(X), theirs.predict(X), rtol=0, atol=1e-12)


def test_what_is_known_of_the_training_is_carried_over_and_the_weights_are_copied():
    theirs = neural_network.MLPClassifier(**SMALL).fit(X, y)
    ours = from_sklearn(theirs)
    assert (ours.loss_curve_, ours.t_, ours.n_iter_) == (theirs.loss_curve_, theirs.t_, theirs.n_iter_)
    before = theirs.coefs_[0].copy()
    ours.coefs_[0][...] = 0
    np.testing.assert_array_equal(theirs.coefs_[0], before)


@pytest.mark.parametrize("carry", ["there", "back"])
def test_a_network_that_was_carried_over_can_be_trained_on(carry):
    """Without the optimizer's state, of which plain gradient descent has none, both make the same passes."""
    settings = {**SMALL, "solver": "sgd", "momentum": 0.0, "batch_size": 30}
    theirs = neural_network.MLPClassifier(**settings).fit(X, y)
    carried = from_sklearn(theirs)
    if carry == "back":
        carried = carried.to_sklearn()
    for _ in range(3):
        theirs.partial_fit(X, y)
        carried.partial_fit(X, y)
    np.testing.assert_allclose(carried.coefs_[0], theirs.coefs_[0], rtol=0, atol=1e-12)
    np.testing.assert_allclose(carried.loss_curve_, theirs.loss_curve_, rtol=1e-6)


def test_what_is_not_trained_is_carried_over_as_such():
    ours = from_sklearn(neural_network.MLPRegressor(alpha=0.5))
    assert isinstance(ours, MLPRegressor)
    assert ours.alpha == 0.5
    with pytest.raises(NotFittedError):
        ours.predict(X)
    with pytest.raises(NotFittedError):
        MLPClassifier().to_sklearn()


def test_other_estimators_are_refused():
    with pytest.raises(InputTypeError, match="LogisticRegression was given; expected an MLPClassifier"):
        from_sklearn(LogisticRegression())
