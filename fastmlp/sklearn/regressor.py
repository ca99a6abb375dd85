"""Regressor with scikit-learn's interface."""

from collections.abc import Callable, Iterable
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn import neural_network
from sklearn.base import RegressorMixin
from sklearn.utils import column_or_1d
from sklearn.utils.metaestimators import available_if

from fastmlp.sklearn.estimator import NetworkEstimator
from fastmlp.sklearn.parameters import STOCHASTIC, described
from fastmlp.training.callbacks import Callback


class MLPRegressor(RegressorMixin, NetworkEstimator):
    """Multilayer perceptron that predicts numbers, with the interface of `sklearn.neural_network.MLPRegressor`.

    It draws the same first weights and visits the rows in the same order, so that a training is that of scikit-learn up
    to rounding. Inputs and targets are not scaled.

    Parameters
    ----------
    loss : str, default "squared_error"
        "squared_error": half of it, averaged over outputs; "poisson": half the Poisson deviance of means exp(z), summed
        over outputs, for targets from 0, such as counts.
    PARAMETERS
    OWN_PARAMETERS

    Attributes
    ----------
    ATTRIBUTES

    Examples
    --------
    >>> from sklearn.datasets import make_regression
    >>> from fastmlp.sklearn import MLPRegressor
    >>> X, y = make_regression(n_samples=200, n_features=20, random_state=1)
    >>> MLPRegressor(random_state=1, max_iter=2000, tol=0.1).fit(X, y).score(X, y) > 0.9
    True
    """

    _theirs = neural_network.MLPRegressor

    def __init__(
        self,
        loss: str = "squared_error",
        hidden_layer_sizes: int | tuple[int, ...] = (100,),
        activation: str = "relu",
        *,
        solver: str = "adam",
        alpha: float = 0.0001,
        batch_size: int | str = "auto",
        learning_rate: str = "constant",
        learning_rate_init: float = 0.001,
        power_t: float = 0.5,
        max_iter: int = 200,
        shuffle: bool = True,
        random_state: int | np.random.RandomState | None = None,
        tol: float = 1e-4,
        verbose: bool | int = False,
        warm_start: bool = False,
        momentum: float = 0.9,
        nesterovs_momentum: bool = True,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-8,
        n_iter_no_change: float = 10,
        max_fun: int = 15000,
        dropout: float | tuple[float, ...] = 0.0,
        callbacks: Iterable[Callback] = (),
        progress: bool | Callable[[dict[str, Any]], object] | None = None,
        threads: int | None = None,
    ):
        self.__dict__.update({name: value for name, value in locals().items() if name != "self"})

    @available_if(lambda one: one.solver in STOCHASTIC)  # type: ignore[untyped-decorator]
    def partial_fit(self, X: Any, y: ArrayLike, sample_weight: ArrayLike | None = None) -> Self:
        """Make one pass over the data from where the last one ended, or `fit`; not for "lbfgs".

        Parameters
        ----------
        X, y, sample_weight
            As for `fit`.

        Returns
        -------
        MLPRegressor
            The estimator itself.
        """
        return self._fit(X, y, sample_weight, None, True)

    def predict(self, X: Any) -> NDArray[Any]:
        """Return the predicted numbers, (N,), or (N, outputs) of several.

        Parameters
        ----------
        X : array_like, DataFrame or sparse matrix of shape (N, D)
            Inputs.
        """
        outputs = self._outputs(X)
        return outputs[:, 0] if self.n_outputs_ == 1 else outputs

    def _read(self, X: Any, y: Any, reset: bool, is_pass: bool) -> tuple[Any, NDArray[Any], NDArray[Any] | None]:
        X, y = self._validated(X, y, multi_output=True, y_numeric=True, reset=reset)
        if y.ndim == 2 and y.shape[1] == 1:
            y = column_or_1d(y, warn=True)
        return X, y.reshape(len(y), -1), None

    def _read_held_out(self, X: Any, y: Any) -> tuple[Any, NDArray[Any]]:
        X, targets, _ = self._read(X, y, False, False)
        return X, targets

    @property
    def _output(self) -> str:
        return "exp" if self.loss == "poisson" else "identity"

    @property
    def _loss(self) -> str:
        return str(self.loss)

    @property
    def _labels(self) -> NDArray[Any] | None:
        return None

    @property
    def _loss_columns(self) -> int:
        return 1 if self.loss == "poisson" else int(self.n_outputs_)  # as scikit-learn


described(MLPRegressor)
