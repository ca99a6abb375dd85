"""Validation samples that `MLP.fit(validation_split=...)` draws from the training set."""

from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fastmlp.config.network import NetworkConfig
from fastmlp.config.sample_weights import combine
from fastmlp.data.split import part_count
from fastmlp.data.stratify import choose
from fastmlp.errors import InputError, InputTypeError
from fastmlp.inputs.reading import Checked, read_inputs
from fastmlp.inputs.table import Table
from fastmlp.training.first_layer import rows_at
from fastmlp.training.preparation import PreparedData
from fastmlp.utils.arrays import as_array


class SplitSamples(NamedTuple):
    """Samples in two parts, as arguments of `MLP.fit`.

    Attributes
    ----------
    X : ndarray, Sparse or Table
        Inputs to train on.
    y : ndarray
        Their labels.
    validation : tuple
        Inputs and labels of the validation set.
    classes : iterable or None
        All labels that there are, in both parts.
    sample_weight : ndarray or None
        Of the samples to train on.
    """

    X: Checked
    y: NDArray[Any]
    validation: tuple[Checked, NDArray[Any]]
    classes: Iterable[Any] | None
    sample_weight: NDArray[np.float64] | None


def split_samples(
    config: NetworkConfig,
    X: Any,
    y: ArrayLike | None,
    classes: Iterable[Any] | None,
    sample_weight: ArrayLike | None,
    validation_split: float | int,
) -> SplitSamples:
    """Draw validation samples from each class in proportion, with the network's seed; the rest is to train on.

    Of a single column of numbers they are drawn from small to large alike, of several columns without regard to y.

    Parameters
    ----------
    config : NetworkConfig
        Settings of the network.
    X, y, classes, sample_weight
        As for `MLP.fit`; the weights do not count on the validation set.
    validation_split : float or int
        Share of the samples, between 0 and 1, or their number.

    Raises
    ------
    InputError, InputTypeError
        For samples that cannot be divided.
    """
    for kind, is_so in (("a stream", hasattr(type(X), "in_order")), ("prepared data", isinstance(X, PreparedData))):
        if is_so:
            raise InputError(f"validation_split was given with {kind}, which it cannot divide; give validation=(X, y)")
    inputs = read_inputs(X, config.dtype, missing=config.missing)
    if y is None:
        raise InputTypeError("y is None; expected a label or numbers for each row of X")
    count = part_count(inputs.shape[0], validation_split, "validation_split")
    labels: Any = y
    wanted: Any = classes
    targets, known = config.loss_function.prepare(labels, inputs.shape[0], wanted, config.dtype)
    weights = combine(None, sample_weight, targets, known)
    if config.loss_function.has_classes:
        labels, wanted = known[targets], known
    else:
        labels = as_array(y, "y")
    held_out = _chosen(targets, count, config.seed)
    rest, drawn = np.flatnonzero(~held_out), np.flatnonzero(held_out)
    return SplitSamples(
        _rows(inputs, rest), labels[rest], (_rows(inputs, drawn), labels[drawn]), wanted,
        weights[rest] if len(weights) else None,
    )  # fmt: skip


def _chosen(targets: NDArray[Any], count: int, seed: int) -> NDArray[np.bool_]:
    """Which samples are drawn."""
    column = targets.reshape(len(targets), -1)
    groups = column[:, 0] if column.shape[1] == 1 else np.zeros(len(targets), np.int64)
    chosen, _ = choose(groups, count, True, seed)
    assert chosen is not None  # of a choice that is asked for
    return chosen


def _rows(inputs: Checked, rows: NDArray[np.intp]) -> Checked:
    return inputs[rows] if isinstance(inputs, Table) else rows_at(inputs, rows)
