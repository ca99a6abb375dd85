"""What a network is trained for: which labels it takes, which outputs it has, how right it is.

An objective stands between the labels of a person and the numbers of the kernels. `classes` (C,) int64 are the labels
that the columns of the outputs stand for, in order; where there are none, the numbers of the columns.
"""

import math

import numpy as np

from fastmlp.errors import InputError, InputTypeError
from fastmlp.kernels.task_types import LOGISTIC, SOFTMAX, SQUARED
from fastmlp.utils.arrays import all_classes, as_array, check_labels, class_numbers, fits, unfit
from fastmlp.utils.validation import one_of


class CrossEntropy:
    """Softmax outputs and the cross entropy of one label per sample, in nats."""

    name, kind, guessing = "cross_entropy", SOFTMAX, "guessing by class frequency"

    @staticmethod
    def prepare(y, rows, classes, dtype):
        """(what the kernels compare with, classes) from the labels of a training set."""
        labels, one_hot_columns = check_labels(y, rows)
        known = all_classes(labels, one_hot_columns, classes)
        return class_numbers(labels, known), known

    @staticmethod
    def compare(y, rows, classes, dtype, name="y"):
        """What the kernels compare with, from labels of other samples."""
        labels, _ = check_labels(y, rows, name)
        return class_numbers(labels, classes, name)

    @staticmethod
    def decide(outputs, classes):
        """The most probable class of each row, (N,)."""
        return classes[outputs.argmax(axis=1)]

    @staticmethod
    def accuracy(totals, targets, weights):
        """Share of right answers, 0 to 1, whatever they weigh; totals: summed loss, right answers."""
        return totals[1] / len(targets)

    @staticmethod
    def guess(targets, weights):
        """The loss of who knows nothing but how frequent each class is; weights: (N,) of the samples, or empty."""
        counts = np.bincount(targets, weights if len(weights) else None)
        return _entropy(counts / counts.sum())

    @staticmethod
    def uninformed(targets, columns):
        """The loss of who does not even know that, and answers the same for every class."""
        return float(np.log(columns))


class BinaryCrossEntropy:
    """A sigmoid for each column, and the binary cross entropy summed over them: any number of labels per sample."""

    name, kind, guessing = "binary_cross_entropy", LOGISTIC, "guessing by frequency"

    @classmethod
    def prepare(cls, y, rows, classes, dtype):
        targets = _columns(y, rows, dtype, "y")
        _check_bits(targets, "y")
        return targets, np.arange(targets.shape[1])

    @classmethod
    def compare(cls, y, rows, classes, dtype, name="y"):
        targets = _as_in_training(y, rows, classes, dtype, name)
        _check_bits(targets, name)
        return targets

    @staticmethod
    def decide(outputs, classes):
        """(N, C) int64, 1 where a label is more probable than not; (N,) when there is one column."""
        return _squeezed((outputs > 0.5).astype(np.int64))

    @staticmethod
    def accuracy(totals, targets, weights):
        """Share of samples of which every label is right, 0 to 1."""
        return totals[1] / len(targets)

    @staticmethod
    def guess(targets, weights):
        p = _mean(targets, weights)
        return _entropy(p) + _entropy(1 - p)

    @staticmethod
    def uninformed(targets, columns):
        return float(columns * np.log(2))


class SquaredError:
    """Outputs as they are, and half the squared error summed over the columns: regression."""

    name, kind, guessing = "squared_error", SQUARED, "guessing the mean"

    @staticmethod
    def prepare(y, rows, classes, dtype):
        targets = _columns(y, rows, dtype, "y")
        return targets, np.arange(targets.shape[1])

    @staticmethod
    def compare(y, rows, classes, dtype, name="y"):
        return _as_in_training(y, rows, classes, dtype, name)

    @staticmethod
    def decide(outputs, classes):
        """(N, C) numbers; (N,) when there is one column."""
        return _squeezed(outputs)

    @staticmethod
    def accuracy(totals, targets, weights):
        """The coefficient of determination R^2 = 1 - squared error / variance about the mean; 1 is perfect.

        weights: (N,) of the samples, in both sums, or empty
        """
        each = weights if len(weights) else np.ones(len(targets))
        mean = each @ targets / each.sum()
        spread = (each @ (targets - mean) ** 2).sum()
        return 1 - 2 * totals[0] / spread if spread > 0 else float("nan")

    @staticmethod
    def guess(targets, weights):
        mean = _mean(targets, weights)
        variance = _mean((targets - mean) ** 2, weights)
        # Of targets that are all the same there is nothing left but rounding.
        return float(0.5 * variance[variance > (1e-12 * mean) ** 2].sum())

    @classmethod
    def uninformed(cls, targets, columns):
        """The same as `guess`; where all targets are the same, no loss is bad enough."""
        return cls.guess(targets, np.empty(0)) or math.inf


OBJECTIVES = {objective.name: objective for objective in (CrossEntropy, BinaryCrossEntropy, SquaredError)}


def from_setting(name):
    """The objective of a loss's name. InputError for an unknown one."""
    return OBJECTIVES[one_of("loss", name, OBJECTIVES)]


def _columns(y, rows, dtype, name):
    """Numbers (rows, columns) in `dtype`."""
    y = as_array(y, name)
    if y.ndim not in (1, 2) or 0 in y.shape:
        raise InputError(f"{name} has shape {y.shape}; expected (samples,) or (samples, columns)")
    if len(y) != rows:
        raise InputError(f"{name} has {len(y)} rows for {rows} samples; give one per sample")
    if y.dtype.kind not in "buif":
        raise InputTypeError(f"{name} has dtype {y.dtype}; expected numbers")
    finite = fits(y, dtype)
    if not finite.all():
        value, row = y[~finite][0], np.argwhere(~finite)[0][0]
        raise InputError(f"{name} has {value} at row {row}; {unfit(value, dtype)}")
    return np.ascontiguousarray(y.reshape(rows, -1), dtype)


def _as_in_training(y, rows, classes, dtype, name):
    targets = _columns(y, rows, dtype, name)
    if targets.shape[1] != len(classes):
        raise InputError(f"{name} has {targets.shape[1]} columns; expected {len(classes)}, as in training")
    return targets


def _check_bits(targets, name):
    bits = (targets == 0) | (targets == 1)
    if not bits.all():
        row, column = np.argwhere(~bits)[0]
        raise InputError(
            f"{name} has {targets[row, column]:g} at row {row}, column {column}; expected 0 or 1: a label is there or "
            "not"
        )


def _mean(values, weights):
    """The mean of each column, (C,) float64, of samples that weigh `weights` (N,), or all the same when it is empty."""
    return np.average(values.astype(np.float64, copy=False), axis=0, weights=weights if len(weights) else None)


def _entropy(p):
    """-sum p ln p, in nats; 0 where p is 0."""
    return float(-(p * np.log(np.maximum(p, 1e-300))).sum())


def _squeezed(outputs):
    return outputs[:, 0] if outputs.shape[1] == 1 else outputs
