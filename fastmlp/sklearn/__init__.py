"""Estimators of scikit-learn's interface: MLPClassifier and MLPRegressor, with its parameters, defaults and attributes.

from fastmlp.sklearn import MLPClassifier, MLPRegressor
"""

from fastmlp.errors import InputError

try:
    import sklearn  # noqa: F401
except ImportError:
    message = "fastmlp.sklearn needs scikit-learn, which is not installed; install it: pip install 'fastmlp[sklearn]'"
    raise InputError(message) from None

from fastmlp.sklearn.classifier import MLPClassifier
from fastmlp.sklearn.conversion import from_sklearn
from fastmlp.sklearn.regressor import MLPRegressor

__all__ = ["MLPClassifier", "MLPRegressor", "from_sklearn"]
