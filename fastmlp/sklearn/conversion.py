"""Estimators from those of scikit-learn."""

from typing import Any

from sklearn import neural_network

from fastmlp.errors import InputTypeError
from fastmlp.sklearn.classifier import MLPClassifier
from fastmlp.sklearn.copying import copy_fitted
from fastmlp.sklearn.regressor import MLPRegressor


def from_sklearn(estimator: Any) -> MLPClassifier | MLPRegressor:
    """Return the estimator of this library that answers as one of scikit-learn does.

    Parameters
    ----------
    estimator : sklearn.neural_network.MLPClassifier or MLPRegressor
        Fitted or not. Weights are copied; the state of its optimizer is not.

    Returns
    -------
    MLPClassifier or MLPRegressor
        With the same parameters; its `network_` is an `MLP`.

    Raises
    ------
    InputTypeError
        For another estimator.
    """
    if not isinstance(estimator, neural_network.MLPClassifier | neural_network.MLPRegressor):
        raise InputTypeError(
            f"{type(estimator).__name__} was given; expected an MLPClassifier or MLPRegressor of sklearn.neural_network"
        )
    kind = MLPClassifier if isinstance(estimator, neural_network.MLPClassifier) else MLPRegressor
    known = kind().get_params()
    ours: Any = kind(**{name: value for name, value in estimator.get_params().items() if name in known})
    if hasattr(estimator, "coefs_"):
        copy_fitted(estimator, ours)
        ours.validation_loss_curve_ = None
        ours._synchronised()
    return ours  # type: ignore[no-any-return]
