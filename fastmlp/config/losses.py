"""Losses: one class each, with its formula, the targets it takes, its outputs and its measure of accuracy."""

import math
from abc import abstractmethod
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fastmlp.config.loss_base import LOSSES, Classes, Loss, Targets
from fastmlp.config.target_scaling import measure, restored, scale_of, scaled, unit
from fastmlp.errors import InputError, InputTypeError
from fastmlp.kernels.task_types import LOGISTIC, POISSON, SOFTMAX, SQUARED
from fastmlp.utils.arrays import as_array, fits, unfit
from fastmlp.utils.labels import all_classes, check_labels, class_numbers
from fastmlp.utils.objects import numbers_of
from fastmlp.utils.validation import one_of


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


class _CheckedColumns:
    """Base of the losses whose targets are columns of numbers, used unchanged if `_check` accepts them."""

    @staticmethod
    @abstractmethod
    def _check(targets: Targets, name: str) -> None:
        """Raise InputError for a target that the loss has no value for."""

    def prepare(self, y: ArrayLike, rows: int, classes: Iterable[Any] | None, dtype: str) -> tuple[Targets, Classes]:
        targets = _columns(y, rows, dtype, "y")
        self._check(targets, "y")
        return targets, np.arange(targets.shape[1])

    def compare(self, y: ArrayLike, rows: int, classes: Classes, dtype: str, name: str = "y") -> Targets:
        targets = _as_in_training(y, rows, classes, dtype, name)
        self._check(targets, name)
        return targets


class BinaryCrossEntropy(_CheckedColumns, Loss, name="binary_cross_entropy", label="binary cross entropy"):
    """Binary cross entropy of a sigmoid per column, summed over columns: any number of labels per sample.

    -sum over columns of y ln p + (1 - y) ln(1 - p), in nats. Predictions are int64, 1 where a label
    is more probable than not.
    """

    kind, output, baseline = LOGISTIC, "sigmoid", "guessing by frequency"

    @staticmethod
    def _check(targets: Targets, name: str) -> None:
        bits = (targets == 0) | (targets == 1)
        if not bits.all():
            row, column = np.argwhere(~bits)[0]
            raise InputError(
                f"{name} has {targets[row, column]:g} at row {row}, column {column}; expected 0 or 1: a label is there "
                "or not"
            )

    def decide(self, outputs: NDArray[Any], classes: Classes) -> NDArray[Any]:
        return _squeezed((outputs > 0.5).astype(np.int64))

    def prior_loss(self, targets: Targets, weights: NDArray[Any]) -> float:
        p = _mean(targets, weights)
        return _entropy(p) + _entropy(1 - p)

    def uniform_loss(self, targets: Targets, columns: int) -> float:
        return float(columns * np.log(2))


class SquaredError(Loss, name="squared_error", label="squared error"):
    """Half the squared error of the identity outputs, summed over columns: 1/2 sum (p - y)^2, for regression.

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
        # Not by BLAS, whose threads would spin alongside those of the training.
        total = weights.sum() if len(weights) else len(targets)
        return float(total * _mean((targets - _mean(targets, weights)) ** 2, weights).sum())

    def accuracy(self, totals: Sequence[float], spread: float) -> float:
        return 1 - 2 * totals[0] / spread if spread > 0 else math.nan

    def prior_loss(self, targets: Targets, weights: NDArray[Any]) -> float:
        mean = _mean(targets, weights)
        variance = _mean((targets - mean) ** 2, weights)
        # Of targets that are all the same there is nothing left but rounding.
        return float(0.5 * variance[variance > (1e-12 * mean) ** 2].sum())

    def uniform_loss(self, targets: Targets, columns: int) -> float:
        # Where all targets are the same, no loss is bad enough.
        return self.prior_loss(targets, np.empty(0)) or math.inf


class PoissonDeviance(_CheckedColumns, Loss, name="poisson", label="Poisson deviance"):
    """Half the Poisson deviance of means exp(z), summed over columns: p - y + y ln(y / p), for counts and rates.

    Predictions are the means. Targets are numbers from 0, and are never scaled: what is learnt is the logarithm of the
    mean. The accuracy is D^2, the share of the deviance about the mean that is explained; 1 is perfect.

    References
    ----------
    P. McCullagh and J. A. Nelder, Generalized Linear Models, 1989, section 2.3 for the deviance, 6.2 for the logarithm.
    """

    kind, output, baseline, measure = POISSON, "exp", "guessing the mean", "D²"
    has_probabilities = False

    @staticmethod
    def _check(targets: Targets, name: str) -> None:
        if (targets < 0).any():
            row, column = np.argwhere(targets < 0)[0]
            raise InputError(
                f"{name} has {targets[row, column]:g} at row {row}, column {column}; expected numbers from 0, such as "
                "counts, for loss 'poisson', or loss 'squared_error'"
            )

    def decide(self, outputs: NDArray[Any], classes: Classes) -> NDArray[Any]:
        return _squeezed(outputs)

    def spread(self, targets: Targets, weights: NDArray[Any]) -> float:
        total = weights.sum() if len(weights) else len(targets)
        return float(total * self.prior_loss(targets, weights))

    def accuracy(self, totals: Sequence[float], spread: float) -> float:
        return 1 - totals[0] / spread if spread > 0 else math.nan

    def prior_loss(self, targets: Targets, weights: NDArray[Any]) -> float:
        y, mean = targets.astype(np.float64), _mean(targets, weights)
        positive = np.where(y > 0, y, 1)  # y ln y is 0 where y is
        deviance = _mean(y * (np.log(positive) - np.log(np.where(mean > 0, mean, 1))) - (y - mean), weights)
        # Of targets that are all the same there is nothing left but rounding.
        return float(deviance[deviance > 1e-12 * mean].sum())

    def uniform_loss(self, targets: Targets, columns: int) -> float:
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
    if numbers.ndim not in (1, 2) or 0 in numbers.shape:  # a set or a sparse matrix has the shape ()
        raise InputError(f"{name} has shape {numbers.shape}; expected (samples,) or (samples, columns)")
    if numbers.dtype == object:  # as of a Series with missing values
        numbers = numbers_of(numbers, name)
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


def _mean(values: NDArray[Any], weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """The mean of each column, (C,), of samples with weights (N,), or of equal weight when it is empty."""
    columns = np.ascontiguousarray(values.T, np.float64)  # whose sums numpy has sooner than those of short rows
    return np.average(columns, axis=-1, weights=weights if len(weights) else None)


def _entropy(p: NDArray[np.float64]) -> float:
    """-sum p ln p, in nats; 0 where p is 0."""
    return float(-(p * np.log(np.maximum(p, 1e-300))).sum())


def _squeezed(outputs: NDArray[Any]) -> NDArray[Any]:
    return outputs[:, 0] if outputs.shape[1] == 1 else outputs
