"""What both estimators have in common: one training of an `MLP`, shown in scikit-learn's attributes."""

import math
import os
import warnings
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import replace
from itertools import pairwise
from typing import Any, Self, cast

import numpy as np
from joblib.parallel import get_active_backend
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data

from fastmlp.config.sample_weights import check_samples
from fastmlp.errors import InputError, InputTypeError
from fastmlp.mlp import MLP
from fastmlp.sklearn.batches import DescentBatches
from fastmlp.sklearn.callbacks import DescentCallback, LineSearchCallback
from fastmlp.sklearn.copying import copy_fitted
from fastmlp.sklearn.parameters import ACTIVATIONS, REGRESSIONS, STOCHASTIC, check_parameters
from fastmlp.training.batches import InMemory
from fastmlp.training.callbacks import Callback
from fastmlp.training.diagnostics import DiagnosticsCallback
from fastmlp.training.memory_need import check_network, parameter_bytes
from fastmlp.training.preparation import PreparedData, prepare
from fastmlp.utils.arrays import as_array

FLOATS = (np.float64, np.float32)
SPARSE = ("csr", "csc")
# Of scipy's L-BFGS-B, whose default it is.
LOSS_TOLERANCE = 2.220446049250313e-09

Validation = tuple[Any, NDArray[Any], NDArray[np.float64] | None]


class NetworkEstimator(BaseEstimator, ABC):
    """Base class of the estimators, which set their parameters as attributes."""

    network_: MLP
    coefs_: list[Any]
    intercepts_: list[Any]
    loss_: float
    validation_scores_: list[float] | None
    validation_loss_curve_: list[float] | None
    best_validation_score_: float | None
    _theirs: Any  # scikit-learn's own
    # What a training remembers besides its attributes: see `DescentCallback`. An estimator whose weights were put in by
    # hand has nothing to remember.
    _best_parameters: NDArray[Any] | None = None
    _no_improvement_count = 0
    _calls: int | None = None

    # ------------------------------------------------------------------------------------------------- what differs

    @abstractmethod
    def _read(self, X: Any, y: Any, reset: bool, is_pass: bool) -> tuple[Any, NDArray[Any], NDArray[Any] | None]:
        """Check samples; return X, targets (N, outputs) and what the classes of the rows weigh."""

    @abstractmethod
    def _read_held_out(self, X: Any, y: Any) -> tuple[Any, NDArray[Any]]:
        """Check validation samples; return X and targets (N, outputs)."""

    @property
    @abstractmethod
    def _loss(self) -> str:
        """The loss of the network."""

    @property
    @abstractmethod
    def _output(self) -> str:
        """Function of the outputs, by scikit-learn's name."""

    @property
    @abstractmethod
    def _labels(self) -> NDArray[Any] | None:
        """What the outputs stand for; None for their numbers."""

    @property
    def _loss_columns(self) -> int:
        """Columns over which the loss is averaged; it is summed over the others."""
        return 1

    # ---------------------------------------------------------------------------------------------------- training

    def _validated(self, *arrays: Any, **options: Any) -> Any:
        """Check X, or X and y, as scikit-learn does."""
        try:
            return validate_data(self, *arrays, accept_sparse=SPARSE, dtype=FLOATS, **options)
        except OverflowError:
            raise InputError("X or y has a number of more than 308 digits; expected finite ones: scale them") from None

    def fit(
        self,
        X: Any,
        y: ArrayLike,
        sample_weight: ArrayLike | None = None,
        *,
        validation_data: tuple[Any, ArrayLike] | None = None,
    ) -> Self:
        """Train the network.

        Parameters
        ----------
        X : array_like, DataFrame or sparse matrix of shape (N, D)
            Inputs; they are not scaled. float32 is kept, everything else becomes float64.
        y : array_like of shape (N,) or (N, outputs)
            Labels, or 0 and 1 for each of several labels; of a regressor numbers.
        sample_weight : array_like of shape (N,), optional
            How much each row counts, from 0.
        validation_data : tuple of two arrays, optional
            X and y on which scores and losses are measured after each epoch, and that early stopping watches in the
            place of rows that it would hold out.

        Returns
        -------
        MLPClassifier or MLPRegressor
            The estimator itself.

        Raises
        ------
        InputError, InputTypeError
            For parameters or data that cannot be used; they are a ValueError and a TypeError.

        Warns
        -----
        ConvergenceWarning
            When the training ended before it converged.
        """
        return self._fit(X, y, sample_weight, validation_data, False)

    def _fit(self, X: Any, y: Any, sample_weight: ArrayLike | None, validation_data: object, is_pass: bool) -> Self:
        check_parameters(self)
        is_first = not hasattr(self, "coefs_") or not (self.warm_start or is_pass)
        X, targets, weight = self._read(X, y, is_first, is_pass)
        if is_pass and self.early_stopping:
            raise InputError("partial_fit does not support early_stopping=True; expected False: it makes a single pass")
        if sample_weight is not None:
            own = _row_weights(sample_weight, len(targets))
            weight = own if weight is None else weight * own
            if not np.any(weight):
                raise InputError("sample_weight is zero for every row; expected a weight above zero")
        random = check_random_state(self.random_state)
        if is_first:
            self._initialise(X, targets, random)
        X, targets, weight, held_out = self._hold_out(X, targets, weight, validation_data, random)
        network = self._network(X, targets, weight, is_pass, random)
        data = self._prepared(network, X, targets, weight, held_out, random)
        self.n_iter_ = 0
        try:
            why_not = self._train(network, data, held_out, is_pass)
        finally:
            self._show(network)
        if not all(np.isfinite(array).all() for array in (*network.weights, *network.biases)):
            raise InputError(
                "Solver produced non-finite parameter weights. The input data may contain large values and need to be "
                "preprocessed."
            )
        if why_not:
            warnings.warn(why_not, ConvergenceWarning, stacklevel=3)
        return self

    def _initialise(self, X: Any, targets: NDArray[Any], random: np.random.RandomState) -> None:
        """Draw the weights as scikit-learn does, and forget what there was."""
        hidden = self.hidden_layer_sizes
        widths = [X.shape[1], *(hidden if isinstance(hidden, Iterable) else [hidden]), targets.shape[1]]
        check_network(widths, parameter_bytes(widths, X.dtype.name))
        self.n_iter_ = self.t_ = 0
        self.n_outputs_, self.n_layers_, self.out_activation_ = widths[-1], len(widths), self._output
        self.coefs_, self.intercepts_ = [], []
        for fan_in, fan_out in pairwise(widths):
            bound = math.sqrt((2 if self.activation == "logistic" else 6) / (fan_in + fan_out))
            self.coefs_.append(random.uniform(-bound, bound, (fan_in, fan_out)).astype(X.dtype))
            self.intercepts_.append(random.uniform(-bound, bound, fan_out).astype(X.dtype))
        self.__dict__.pop("network_", None)
        self._best_parameters, self._no_improvement_count, self._calls = None, 0, None
        self.loss_curve_: list[float] = []
        self.best_loss_ = None if self.early_stopping else math.inf
        self.validation_scores_ = self.validation_loss_curve_ = self.best_validation_score_ = None

    def _hold_out(
        self,
        X: Any,
        targets: NDArray[Any],
        weight: NDArray[Any] | None,
        validation_data: object,
        random: np.random.RandomState,
    ) -> tuple[Any, NDArray[Any], NDArray[Any] | None, Validation | None]:
        """Split off the rows that early stopping watches, unless they are given."""
        held_out: Validation | None = None
        if validation_data is not None:
            if not isinstance(validation_data, tuple | list) or len(validation_data) != 2:
                raise InputTypeError("validation_data is not a pair; expected (X, y)")
            held_out = *self._read_held_out(*validation_data), None
        elif self.early_stopping and self.solver in STOCHASTIC:
            arrays = [X, targets] if weight is None else [X, targets, weight]
            # As scikit-learn: neither several classes nor several labels are stratified.
            alike = targets if self._loss not in REGRESSIONS and self.n_outputs_ == 1 else None
            if self.validation_fraction == 0:
                raise InputError(
                    "validation_fraction is 0 and early_stopping is True; expected a share above 0: 0.1 is common"
                )
            parts = train_test_split(*arrays, random_state=random, test_size=self.validation_fraction, stratify=alike)
            X, targets = parts[0], parts[2]
            held_out = parts[1], parts[3], None if weight is None else parts[5]
            weight = None if weight is None else parts[4]
            if held_out[0].shape[0] < 2:
                raise InputError(
                    "The validation set is too small. Increase 'validation_fraction' or the size of your dataset."
                )
        if held_out is not None and self.validation_scores_ is None:
            self.validation_scores_, self.validation_loss_curve_ = [], []
            self.best_validation_score_ = -math.inf
        return X, targets, weight, held_out

    def _network(
        self,
        X: Any,
        targets: NDArray[Any],
        weight: NDArray[Any] | None,
        is_pass: bool,
        random: np.random.RandomState,
    ) -> MLP:
        """Return the network to train: that of the last pass, or one made from the existing weights."""
        if is_pass and hasattr(self, "network_"):
            network = self._synchronised()
            _use_threads(network, _thread_count(self.threads))
            return network
        batch = self.batch_size
        if batch != "auto" and batch > len(targets) and self.solver in STOCHASTIC:
            warnings.warn(f"batch_size is {batch}, more than the {len(targets)} rows; it is clipped", stacklevel=4)
        with np.errstate(over="ignore"):  # an infinite sum is refused
            total = len(targets) if weight is None else float(weight.sum())
        return self._given_network(
            l2=float(self.alpha / total) if self.solver == "lbfgs" else 0.0,
            seed=int(random.randint(2**31)) if self.dropout else 0, threads=_thread_count(self.threads),
        )  # fmt: skip

    def _solver_settings(self) -> dict[str, Any]:
        if self.solver == "lbfgs":
            ends = {"gradient_tolerance": self.tol, "loss_tolerance": LOSS_TOLERANCE, "evaluations": self.max_fun}
            return {"optimizer": {"name": "lbfgs", **ends}}
        rate = {"learning_rate": float(self.learning_rate_init)}
        if self.solver == "adam":
            numbers = {"beta1": self.beta_1, "beta2": self.beta_2, "epsilon": self.epsilon}
            return {**rate, "optimizer": {"name": "adam_hat", **numbers}}
        nesterov = bool(self.nesterovs_momentum and self.momentum)
        return {**rate, "optimizer": {"name": "sgd", "nesterov": nesterov}, "momentum": self.momentum}

    def _given_network(self, **settings: Any) -> MLP:
        """A network of the weights in `coefs_` and `intercepts_`."""
        if self.solver == "lbfgs":
            settings["dtype"] = "float64"
        return MLP.from_weights(
            self.coefs_, self.intercepts_, self._labels, activation=ACTIVATIONS[self.activation], loss=self._loss,
            scaling="none", target_scaling="none",
            batch_size=200 if self.batch_size == "auto" else int(self.batch_size),
            epochs=int(self.max_iter), dropout=self.dropout, train_metrics="running", **self._solver_settings(),
            **settings,
        )  # fmt: skip

    def _prepared(
        self,
        network: MLP,
        X: Any,
        targets: NDArray[Any],
        weight: NDArray[Any] | None,
        held_out: Validation | None,
        random: np.random.RandomState,
    ) -> PreparedData:
        outputs = range(self.n_outputs_) if network.config.loss_function.has_classes else None
        validation = None if held_out is None else held_out[:2]
        data = prepare(network.config, X, targets, validation, outputs, weight, network.encoder)
        classes: Any = network.classes
        if self.solver == "lbfgs":
            return replace(data, classes=classes)
        order = random if self.shuffle else None
        batches = DescentBatches(
            cast(InMemory, data.batches), network.dtype, float(self.alpha), weight, order, self._calls
        )
        return replace(data, batches=batches, classes=classes)

    def _train(self, network: MLP, data: PreparedData, held_out: Validation | None, is_pass: bool) -> str | None:
        """Train the network; return why it has not converged, if it has not."""
        kind: Any = LineSearchCallback if self.solver == "lbfgs" else DescentCallback
        own = kind(self, None if held_out is None else held_out[2])
        callbacks: list[Callback] = [own, DiagnosticsCallback(log=False), *self.callbacks]
        try:
            if is_pass:
                network.partial_fit(data, callbacks=callbacks)
            else:
                network.fit(data, callbacks=callbacks, progress=self.progress, warm_start=True)
        except KeyboardInterrupt:
            warnings.warn("Training interrupted by user.", stacklevel=4)
            return None
        if self.solver == "lbfgs":
            return cast(str | None, own.why_not)
        if not math.isfinite(self.loss_):
            return f"Stochastic Optimizer: the loss is {self.loss_} after iteration {self.n_iter_}."
        if is_pass or own.has_converged or self.n_iter_ < self.max_iter:
            return None
        return (
            f"Stochastic Optimizer: Maximum iterations ({self.max_iter}) reached and the optimization hasn't converged "
            "yet."
        )

    # --------------------------------------------------------------------------------------------------- the network

    def _show(self, network: MLP) -> None:
        """Have the attributes show a network."""
        _use_threads(network, self.threads)
        self.network_ = network
        self.coefs_, self.intercepts_ = list(network.weights), list(network.biases)

    def _is_shown(self) -> bool:
        """Whether `coefs_` and `intercepts_` are the arrays of the network, and not others that were put there."""
        network = self.__dict__.get("network_")
        if network is None:
            return False
        shown = (*network.weights, *network.biases)
        given = (*self.coefs_, *self.intercepts_)
        return len(shown) == len(given) and all(one is other for one, other in zip(given, shown, strict=True))

    def _synchronised(self) -> MLP:
        """The network, with what was put into `coefs_` and `intercepts_`."""
        if not self._is_shown():
            there: MLP | None = self.__dict__.get("network_")
            if there is not None and [np.shape(W) for W in self.coefs_] == [W.shape for W in there.weights]:
                self._show(there.set_weights(self.coefs_, self.intercepts_))
            else:
                self._show(self._given_network())
        return self.network_

    def _outputs(self, X: Any) -> NDArray[Any]:
        """What the network hands out for the rows of X, (N, outputs)."""
        check_is_fitted(self, "coefs_")
        network = self._synchronised()
        X = self._validated(X, reset=False)
        answer = network.predict_proba if network.config.loss_function.has_probabilities else network.predict
        return cast(NDArray[Any], answer(X).reshape(X.shape[0], -1))

    def to_sklearn(self) -> Any:
        """Return scikit-learn's own estimator of the same parameters, without those that it has not, and weights.

        Weights are copied; the state of the optimizer is not. Raises NotFittedError before `fit`.
        """
        check_is_fitted(self, "coefs_")
        known = self._theirs().get_params()
        theirs = self._theirs(**{name: value for name, value in self.get_params().items() if name in known})
        copy_fitted(self, theirs)
        return theirs

    # ---------------------------------------------------------------------------------------------------- interfaces

    def __getstate__(self) -> dict[str, Any]:
        """The weights are in the network, once."""
        state = dict(super().__getstate__())
        return {key: state[key] for key in state if key not in ("coefs_", "intercepts_")} if self._is_shown() else state

    def __setstate__(self, state: Mapping[str, Any]) -> None:
        super().__setstate__(state)
        if "network_" in state and "coefs_" not in state:
            self._show(self.network_)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags


def _row_weights(sample_weight: ArrayLike, rows: int) -> NDArray[Any]:
    """One weight per row; a single number stands for all."""
    weights = as_array(sample_weight, "sample_weight")
    return check_samples(np.full(rows, weights) if weights.ndim == 0 else weights, rows)


def _use_threads(network: MLP, threads: int | None) -> None:
    if network.config.threads != threads:  # a change rebuilds all settings
        network.threads = threads


def _thread_count(threads: int | None) -> int | None:
    """Cores to use: in a worker of joblib its share of them, which joblib has in its environment; None for all."""
    if threads is not None or not get_active_backend()[0].nesting_level:
        return threads
    share = os.environ.get("NUMBA_NUM_THREADS", "")
    return int(share) if share.isdecimal() and int(share) else 1
