"""Classifier with scikit-learn's interface."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn import neural_network
from sklearn.base import ClassifierMixin
from sklearn.preprocessing import LabelBinarizer
from sklearn.utils import column_or_1d, compute_sample_weight
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import type_of_target, unique_labels

from fastmlp.errors import InputError, InputTypeError, first_line
from fastmlp.sklearn.estimator import NetworkEstimator
from fastmlp.sklearn.parameters import STOCHASTIC, described
from fastmlp.training.callbacks import Callback
from fastmlp.utils.showing import shown


class MLPClassifier(ClassifierMixin, NetworkEstimator):
    """Multilayer perceptron that classifies, with the interface of `sklearn.neural_network.MLPClassifier`.

    It draws the same first weights and visits the rows in the same order, so that a training is that of scikit-learn up
    to rounding. Labels may be of any kind; several labels per row are 0 and 1 in a matrix. Inputs are not scaled.

    Parameters
    ----------
    PARAMETERS
    class_weight : "balanced", dict or None, default None
        Weights of the classes, as in other classifiers of scikit-learn. Its own MLPClassifier has none.
    OWN_PARAMETERS

    Attributes
    ----------
    classes_ : ndarray of shape (C,)
        Labels, sorted.
    ATTRIBUTES

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from fastmlp.sklearn import MLPClassifier
    >>> X, y = load_iris(return_X_y=True)
    >>> MLPClassifier(random_state=0, max_iter=500).fit(X, y).score(X, y) > 0.9
    True
    """

    _theirs = neural_network.MLPClassifier

    def __init__(
        self,
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
        class_weight: str | Mapping[Any, float] | None = None,
        dropout: float | tuple[float, ...] = 0.0,
        callbacks: Iterable[Callback] = (),
        progress: bool | Callable[[dict[str, Any]], object] | None = None,
        threads: int | None = None,
    ):
        self.__dict__.update({name: value for name, value in locals().items() if name != "self"})

    @available_if(lambda one: one.solver in STOCHASTIC)  # type: ignore[untyped-decorator]
    def partial_fit(
        self,
        X: Any,
        y: ArrayLike,
        sample_weight: ArrayLike | None = None,
        classes: ArrayLike | None = None,
    ) -> Self:
        """Make one pass over the data from where the last one ended, or `fit`; not for "lbfgs".

        Parameters
        ----------
        X, y, sample_weight
            As for `fit`.
        classes : array_like, optional
            All labels there are, for the first pass.

        Returns
        -------
        MLPClassifier
            The estimator itself.
        """
        self._read_classes(y, classes)
        return self._fit(X, y, sample_weight, None, True)

    def _read_classes(self, y: Any, classes: Any) -> None:
        known = getattr(self, "classes_", None)
        if classes is None:
            if known is None:
                raise InputError(
                    "classes must be passed on the first call to partial_fit; expected all labels there are"
                )
            return
        listed = unique_labels(classes)
        if known is not None:
            if not np.array_equal(known, listed):
                raise InputError(
                    f"classes is {shown(classes)}; expected those of the last call to partial_fit, {known}"
                )
            return
        self._label_binarizer = LabelBinarizer().fit(y if type_of_target(y).startswith("multilabel") else listed)
        self.classes_ = listed

    def predict(self, X: Any) -> NDArray[Any]:
        """Return the most probable label of each row, (N,); with several labels 0 and 1 for each, (N, labels).

        Parameters
        ----------
        X : array_like, DataFrame or sparse matrix of shape (N, D)
            Inputs.
        """
        outputs = self._outputs(X)
        found: NDArray[Any] = self._label_binarizer.inverse_transform(
            outputs[:, 0] if self.n_outputs_ == 1 else outputs
        )
        return found

    def predict_proba(self, X: Any) -> NDArray[Any]:
        """Return the probability of each class, (N, C), in the order of `classes_`.

        Parameters
        ----------
        X : array_like, DataFrame or sparse matrix of shape (N, D)
            Inputs.
        """
        outputs = self._outputs(X)
        if self.n_outputs_ > 1:
            return outputs
        both: NDArray[Any] = np.hstack([1 - outputs, outputs])
        return both

    def predict_log_proba(self, X: Any) -> NDArray[Any]:
        """Return the logarithm of each probability, (N, C).

        Parameters
        ----------
        X : array_like, DataFrame or sparse matrix of shape (N, D)
            Inputs.
        """
        probabilities = self.predict_proba(X)
        with np.errstate(divide="ignore"):
            np.log(probabilities, out=probabilities)
        return probabilities

    def _read(self, X: Any, y: Any, reset: bool, is_pass: bool) -> tuple[Any, NDArray[Any], NDArray[Any] | None]:
        X, y = self._validated(X, y, multi_output=True, reset=reset)
        if y.ndim == 2 and y.shape[1] == 1:
            y = column_or_1d(y, warn=True)
        if not hasattr(self, "classes_") or not (self.warm_start or is_pass):
            try:
                self._label_binarizer = LabelBinarizer().fit(y)
            except TypeError as error:
                message = f"y has labels that cannot be used ({first_line(error)}); expected numbers or text"
                raise InputTypeError(message) from error
            self.classes_ = self._label_binarizer.classes_
        else:
            self._check_labels(unique_labels(y))
        weight = None if self.class_weight is None else compute_sample_weight(self.class_weight, y)
        return X, self._label_binarizer.transform(y).astype(bool), weight

    def _check_labels(self, labels: NDArray[Any]) -> None:
        if self.warm_start and set(labels) != set(self.classes_):
            raise InputError(
                "warm_start can only be used where `y` has the same classes as in the previous call to fit. Previously "
                f"got {self.classes_}, `y` has {labels}"
            )
        if set(labels) - set(self.classes_):
            raise InputError(
                f"`y` has classes not in `self.classes_`. `self.classes_` has {self.classes_}. 'y' has {labels}."
            )

    def _read_held_out(self, X: Any, y: Any) -> tuple[Any, NDArray[Any]]:
        X, y = self._validated(X, y, multi_output=True, reset=False)
        if unknown := set(unique_labels(y)) - set(self.classes_):
            raise InputError(f"validation_data has the labels {sorted(unknown)}; expected those of y, {self.classes_}")
        return X, self._label_binarizer.transform(y).astype(bool)

    @property
    def _output(self) -> str:
        return "softmax" if self._label_binarizer.y_type_ == "multiclass" else "logistic"

    @property
    def _loss(self) -> str:
        return "cross_entropy" if self.out_activation_ == "softmax" else "binary_cross_entropy"

    @property
    def _labels(self) -> NDArray[Any] | None:
        return self.classes_ if self.out_activation_ == "softmax" else None

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags


described(MLPClassifier)
