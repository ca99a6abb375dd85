"""Losses: one class each, with its formula, the targets it takes, its outputs and its measure of accuracy.

A loss stands between the labels of a person and the numbers of the kernels. `classes` (C,) are the labels that the
columns of the outputs stand for, in order; where there are none, the numbers of the columns, or their scale (C, 2). A
subclass of `Loss` is registered under its name when it is defined.
"""

import math
from abc import ABC, abstractmethod
from collections.abc import Iterable
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fastmlp.config.target_scaling import measure, restored, scale_of, scaled, unit
from fastmlp.errors import InputError, InputTypeError
from fastmlp.kernels.task_types import LOGISTIC, SOFTMAX, SQUARED
from fastmlp.utils.arrays import as_array, fits, unfit
from fastmlp.utils.labels import all_classes, check_labels, class_numbers
from fastmlp.utils.objects import numbers_of
from fastmlp.utils.validation import one_of

LOSSES: dict[str, "type[Loss]"] = {}

Targets = NDArray[Any]  # (N,) int64 class numbers, or (N, C) numbers in the network's dtype
Classes = NDArray[Any]  # (C,), see `fastmlp.utils.labels`; (C, 2), see `fastmlp.config.target_scaling`


class Loss(ABC):
    """Base class of all losses. Any two instances of a class with the same `target_scaling` are the same.

    Attributes
    ----------
    target_scaling : str
        How numbers to predict are scaled, see `fastmlp.config.target_scaling`; "none" unless `from_setting` says more.
    name : str
        What the setting calls it.
    label : str
        What a person calls it.
    kind : int
        The kernels' code of its formula.
    output : str
        The function of the output layer.
    baseline : str
        What `prior_loss` is the loss of, for messages.
    measure : str
        What `accuracy` returns.
    has_classes : bool
        Whether each sample has one label: labels can be smoothed, classes have weights, streams can be trained on.
    has_probabilities : bool
        Whether outputs are probabilities.
    """

    name: ClassVar[str]
    label: ClassVar[str]
    kind: ClassVar[int]
    output: ClassVar[str]
    baseline: ClassVar[str]
    measure: ClassVar[str] = "accuracy"
    has_classes: ClassVar[bool] = False
    has_probabilities: ClassVar[bool] = True
    target_scaling: str = "none"

    def __init_subclass__(cls, *, name: str, label: str, **options: Any):
        super().__init_subclass__(**options)
        cls.name, cls.label = name, label
        LOSSES[name] = cls

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and self.target_scaling == getattr(other, "target_scaling", None)

    def __hash__(self) -> int:
        return hash(self.name)

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"

    @abstractmethod
    def prepare(self, y: ArrayLike, rows: int, classes: Iterable[Any] | None, dtype: str) -> tuple[Targets, Classes]:
        """Check the targets of a training set.

        Parameters
        ----------
        y : array_like
            Labels or numbers, see `MLP.fit`.
        rows : int
            Number of samples.
        classes : iterable or None
            All labels that there are, where `y` may lack some.
        dtype : str
            Of the network.

        Returns
        -------
        tuple of ndarray
            What the kernels compare outputs with, and the classes (C,).

        Raises
        ------
        InputError, InputTypeError
            For targets that the loss does not take.
        """

    @abstractmethod
    def compare(self, y: ArrayLike, rows: int, classes: Classes, dtype: str, name: str = "y") -> Targets:
        """Check the targets of other samples than those of the training set.

        Parameters
        ----------
        y, rows, dtype
            As for `prepare`.
        classes : ndarray, (C,)
            What `prepare` returned.
        name : str
            Of `y` in messages.

        Returns
        -------
        ndarray
            What the kernels compare outputs with.
        """

    @abstractmethod
    def decide(self, outputs: NDArray[Any], classes: Classes) -> NDArray[Any]:
        """Return predictions.

        Parameters
        ----------
        outputs : ndarray, (N, C)
            Of the network.
        classes : ndarray, (C,)
            What `prepare` returned.

        Returns
        -------
        ndarray
            Labels (N,), or one value for each column: (N, C), or (N,) where C is 1.
        """

    def unit(self, classes: Classes) -> float:
        """Return what a loss of the kernels is multiplied by to be one of the targets as they were given.

        Parameters
        ----------
        classes : ndarray, (C,)
            What `prepare` returned.
        """
        return 1.0

    def spread(self, targets: Targets, weights: NDArray[Any]) -> float:
        """Return what `accuracy` measures by: the number of samples; for R^2 their squared deviations from the mean.

        Parameters
        ----------
        targets, weights : ndarray
            What the kernels compared with; weights of the samples, empty when all are 1: they count in R^2 alone.
        """
        return float(len(targets))

    def accuracy(self, totals: NDArray[np.float64], spread: float) -> float:
        """Return the share of right answers, 0 to 1; R^2 for a regression.

        Parameters
        ----------
        totals : ndarray of float64, (2,)
            Summed loss and number of right answers.
        spread : float
            What `spread` returned for the same samples.
        """
        return float(totals[1] / spread)

    @abstractmethod
    def prior_loss(self, targets: Targets, weights: NDArray[Any]) -> float:
        """Return the loss of the constant predictor that outputs the class frequencies, or means, of the training set.

        Parameters
        ----------
        targets : ndarray
            What the kernels compare with.
        weights : ndarray, (N,) or (0,)
            Weights of the samples, empty when all are 1.

        Returns
        -------
        float
            Mean loss, of cross entropies in nats.
        """

    @abstractmethod
    def uniform_loss(self, targets: Targets, columns: int) -> float:
        """Return the loss of the constant predictor that gives every class the same probability.

        Parameters
        ----------
        targets : ndarray
            What the kernels compare with.
        columns : int
            Number of outputs.

        Returns
        -------
        float
            Mean loss, of cross entropies in nats.
        """


class CrossEntropy(Loss, name="cross_entropy", label="cross entropy"):
    """Cross entropy of softmax outputs and one label per sample, in nats: -ln p[y].

    Predictions are the most probable classes, (N,).
    """

    kind, output, baseline, has_classes = SOFTMAX, "softmax", "guessing by class frequency", True

    def prepare(self, y: ArrayLike, rows: int, classes: Iterable[Any] | None, dtype: str) -> tuple[Targets, Classes]:
        labels, one_hot_columns = check_labels(y, rows)
        known = all_classes(labels, one_hot_columns, classes)
        return class_numbers(labels, known), known

    def compare(self, y: ArrayLike, rows: int, classes: Classes, dtype: str, name: str = "y") -> Targets:
        labels, _ = check_labels(y, rows, name)
        return class_numbers(labels, classes, name)

    def decide(self, outputs: NDArray[Any], classes: Classes) -> NDArray[Any]:
        decided: NDArray[Any] = classes[outputs.argmax(axis=1)]
        return decided

    def prior_loss(self, targets: Targets, weights: NDArray[Any]) -> float:
        counts = np.bincount(targets, weights if len(weights) else None)
        return _entropy(counts / counts.sum())

    def uniform_loss(self, targets: Targets, columns: int) -> float:
        return float(np.log(columns))


class BinaryCrossEntropy(Loss, name="binary_cross_entropy", label="binary cross entropy"):
    """Binary cross entropy of a sigmoid per column, summed over columns: any number of labels per sample.

    -sum over columns of y ln p + (1 - y) ln(1 - p), in nats. Predictions are int64, 1 where a label
    is more probable than not.
    """

    kind, output, baseline = LOGISTIC, "sigmoid", "guessing by frequency"

    def prepare(self, y: ArrayLike, rows: int, classes: Iterable[Any] | None, dtype: str) -> tuple[Targets, Classes]:
        targets = _columns(y, rows, dtype, "y")
        _check_bits(targets, "y")
        return targets, np.arange(targets.shape[1])

    def compare(self, y: ArrayLike, rows: int, classes: Classes, dtype: str, name: str = "y") -> Targets:
        targets = _as_in_training(y, rows, classes, dtype, name)
        _check_bits(targets, name)
        return targets

    def decide(self, outputs: NDArray[Any], classes: Classes) -> NDArray[Any]:
        return _squeezed((outputs > 0.5).astype(np.int64))

    def prior_loss(self, targets: Targets, weights: NDArray[Any]) -> float:
        p = _mean(targets, weights)
        return _entropy(p) + _entropy(1 - p)

    def uniform_loss(self, targets: Targets, columns: int) -> float:
        return float(columns * np.log(2))


class SquaredError(Loss, name="squared_error", label="squared error"):
    """Half the squared error of outputs as they are, summed over columns: 1/2 sum (p - y)^2, for regression.

    Predictions are the outputs. The accuracy is the coefficient of determination, R^2 = 1 - squared error / variance
    about the mean; 1 is perfect. Targets are scaled as `target_scaling` says; losses are in their own units.
    """

    kind, output, baseline, measure = SQUARED, "identity", "guessing the mean", "R²"
    has_probabilities = False

    def prepare(self, y: ArrayLike, rows: int, classes: Iterable[Any] | None, dtype: str) -> tuple[Targets, Classes]:
        numbers, scale = _columns(y, rows, dtype, "y", "float64"), None
        if classes is None:
            scale = measure(self.target_scaling, numbers)
        elif isinstance(classes, np.ndarray):  # of a network that is there
            scale = scale_of(classes)
        known: Classes = np.arange(numbers.shape[1]) if scale is None else scale
        return self.compare(y, rows, known, dtype), known

    def compare(self, y: ArrayLike, rows: int, classes: Classes, dtype: str, name: str = "y") -> Targets:
        if (scale := scale_of(classes)) is None:
            return _as_in_training(y, rows, classes, dtype, name)
        numbers = _as_in_training(y, rows, classes, dtype, name, "float64")
        return _columns(scaled(numbers, scale), rows, dtype, name)

    def decide(self, outputs: NDArray[Any], classes: Classes) -> NDArray[Any]:
        return _squeezed(restored(outputs, scale_of(classes)))

    def unit(self, classes: Classes) -> float:
        return unit(scale_of(classes))

    def spread(self, targets: Targets, weights: NDArray[Any]) -> float:
        each = weights if len(weights) else np.ones(len(targets))
        mean = each @ targets / each.sum()
        return float((each @ (targets - mean) ** 2).sum())

    def accuracy(self, totals: NDArray[np.float64], spread: float) -> float:
        return float(1 - 2 * totals[0] / spread) if spread > 0 else math.nan

    def prior_loss(self, targets: Targets, weights: NDArray[Any]) -> float:
        mean = _mean(targets, weights)
        variance = _mean((targets - mean) ** 2, weights)
        # Of targets that are all the same there is nothing left but rounding.
        return float(0.5 * variance[variance > (1e-12 * mean) ** 2].sum())

    def uniform_loss(self, targets: Targets, columns: int) -> float:
        # Where all targets are the same, no loss is bad enough.
        return self.prior_loss(targets, np.empty(0)) or math.inf


def from_setting(name: object, target_scaling: str = "none") -> Loss:
    """Return the loss of a name.

    Parameters
    ----------
    name : str
        One of `LOSSES`.
    target_scaling : str, default="none"
        The setting.

    Raises
    ------
    InputError
        For an unknown name.
    """
    loss = LOSSES[check_setting("loss", name)]()
    loss.target_scaling = target_scaling
    return loss


def check_setting(name: str, value: object) -> str:
    """Return the setting `loss` as plain checked values.

    Parameters
    ----------
    name : str
        Of the setting, for messages.
    value : object
        One of `LOSSES`; anything else is an InputError.
    """
    return one_of(name, value, LOSSES)


def _columns(y: ArrayLike, rows: int, dtype: str, name: str, returned: str | None = None) -> Targets:
    """Numbers (rows, columns) that fit `dtype`, in it or in another one."""
    numbers = as_array(y, name)
    if numbers.dtype == object:  # as of a Series with missing values
        numbers = numbers_of(numbers, name)
    if numbers.ndim not in (1, 2) or 0 in numbers.shape:
        raise InputError(f"{name} has shape {numbers.shape}; expected (samples,) or (samples, columns)")
    if len(numbers) != rows:
        raise InputError(f"{name} has {len(numbers)} rows for {rows} samples; give one per sample")
    if numbers.dtype.kind not in "buif":
        raise InputTypeError(f"{name} has dtype {numbers.dtype}; expected numbers")
    finite = fits(numbers, dtype)
    if not finite.all():
        value, row = numbers[~finite][0], np.argwhere(~finite)[0][0]
        raise InputError(f"{name} has {value} at row {row}; {unfit(value, dtype)}")
    return np.ascontiguousarray(numbers.reshape(rows, -1), returned or dtype)


def _as_in_training(
    y: ArrayLike, rows: int, classes: Classes, dtype: str, name: str, returned: str | None = None
) -> Targets:
    targets = _columns(y, rows, dtype, name, returned)
    if targets.shape[1] != len(classes):
        raise InputError(f"{name} has {targets.shape[1]} columns; expected {len(classes)}, as in training")
    return targets


def _check_bits(targets: Targets, name: str) -> None:
    bits = (targets == 0) | (targets == 1)
    if not bits.all():
        row, column = np.argwhere(~bits)[0]
        raise InputError(
            f"{name} has {targets[row, column]:g} at row {row}, column {column}; expected 0 or 1: a label is there or "
            "not"
        )


def _mean(values: NDArray[Any], weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """The mean of each column, (C,), of samples with weights (N,), or of equal weight when it is empty."""
    return np.average(values.astype(np.float64, copy=False), axis=0, weights=weights if len(weights) else None)


def _entropy(p: NDArray[np.float64]) -> float:
    """-sum p ln p, in nats; 0 where p is 0."""
    return float(-(p * np.log(np.maximum(p, 1e-300))).sum())


def _squeezed(outputs: NDArray[Any]) -> NDArray[Any]:
    return outputs[:, 0] if outputs.shape[1] == 1 else outputs
