"""Preparation of data: checked and converted once, for every network that reads them alike."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fastmlp.config.network import NetworkConfig
from fastmlp.config.sample_weights import combine
from fastmlp.errors import InputError, InputTypeError
from fastmlp.training.batches import Batches, InMemory, RowStream, Streamed
from fastmlp.training.first_layer import Inputs, Samples, compact
from fastmlp.training.inference import check_width, thread_count
from fastmlp.utils.arrays import all_classes, check_inputs


@dataclass(frozen=True)
class PreparedData:
    """Data that were checked and converted once, for every network with the same `preparation_key`.

    Attributes
    ----------
    batches : Batches
        The training set.
    validation : tuple of two arrays, or None
        Inputs and targets of the validation set.
    classes : ndarray of shape (C,), int64
        Labels that the outputs stand for, or numbers of the columns.
    key : tuple
        What a network must have in common with the one that they were prepared for.
    """

    batches: Batches
    validation: tuple[Inputs, NDArray[Any]] | None
    classes: NDArray[np.int64]
    key: tuple[object, ...]

    def arrays(self) -> list[object]:
        """Return the arrays in memory."""
        held = [] if self.validation is None else list(self.validation)
        return [getattr(self.batches, "X", None), self.batches.y, *held]

    def check_use(self, config: NetworkConfig) -> None:
        """Raise InputError where the data were prepared for a network that reads them otherwise.

        Parameters
        ----------
        config : NetworkConfig
            Settings of the network that is to be trained on them.
        """
        if self.key != preparation_key(config):
            names = ("engine", "dtype", "first_layer", "loss", "class_weight")
            pairs = zip(names, self.key, preparation_key(config), strict=True)
            name, found, wanted = next(pair for pair in pairs if pair[1] != pair[2])
            raise InputError(
                f"the data were prepared for {name} {found!r} and this network has {wanted!r}; prepare them with its "
                "own config"
            )


def preparation_key(config: NetworkConfig) -> tuple[object, ...]:
    """Return what the preparation of data depends on: engine, dtype, form of the first layer, loss, class weights.

    Parameters
    ----------
    config : NetworkConfig
        Settings of a network.
    """
    return config.engine, config.dtype, config.form, config.loss, config.class_weight


def prepare_inputs(config: NetworkConfig, X: Samples) -> Inputs:
    """Return checked inputs in the form that a network trains on fastest; `prepare` takes them without a copy.

    Parameters
    ----------
    config : NetworkConfig
        Settings of the network.
    X : array_like of shape (N, D) or sparse matrix
        Inputs.
    """
    return compact(check_inputs(X, config.dtype), config.dtype, config.form)[0]


def prepare(
    config: NetworkConfig,
    X: Samples | RowStream,
    y: ArrayLike | None = None,
    validation: tuple[Samples, ArrayLike] | None = None,
    classes: Iterable[int] | None = None,
    sample_weight: ArrayLike | None = None,
) -> PreparedData:
    """Check data and convert them to the form that trains fastest.

    Parameters
    ----------
    config : NetworkConfig
        Settings of the networks that are to be trained.
    X : array_like of shape (N, D), sparse matrix, or RowStream
        Inputs: uint8 pixels (read as value / 255) or floats.
    y : array_like of shape (N,) or (N, C)
        Labels or targets; None for a stream, which has its own.
    validation : tuple of two arrays, optional
        Inputs and labels of the validation set.
    classes : iterable of int, optional
        All labels there are; None takes those in y.
    sample_weight : array_like of shape (N,), optional
        Weights of the rows, from 0.

    Raises
    ------
    InputError, InputTypeError
        For data that cannot be used.
    """
    form, class_weight = config.form, config.plain("class_weight")
    labels: Any = y
    wanted: Any = classes
    batches: Batches
    if hasattr(type(X), "in_order"):  # a stream; asked of the type, as a table may have a column of that name
        stream: Any = X
        _check_streamed(config, stream, y, sample_weight)
        known = all_classes(stream.labels, stream.one_hot_columns, wanted)
        held_out = _check_validation(config, validation, stream.shape[1], known)
        batches = Streamed(stream, known, config.dtype, form, thread_count(config), class_weight)
    else:
        X = check_inputs(X, config.dtype)
        targets, known = config.loss_function.prepare(labels, X.shape[0], wanted, config.dtype)
        weights = combine(class_weight, sample_weight, targets, known)
        held_out = _check_validation(config, validation, X.shape[1], known)
        X, density = compact(X, config.dtype, form) if config.engine == "numba" else (X, 1.0)
        batches = InMemory(X, targets, weights, density, config.dtype)
    if held_out is not None and config.engine == "numba":
        held_out = compact(held_out[0], config.dtype, batches.first_layer)[0], held_out[1]
    return PreparedData(batches, held_out, known, preparation_key(config))


def _check_streamed(config: NetworkConfig, stream: RowStream, y: object, sample_weight: object) -> None:
    for name, given in (("y", y), ("sample_weight", sample_weight)):
        if given is not None:
            raise InputError(f"{name} was given with a stream, {stream.path}, which has its own labels; leave it out")
    config.check_streamed()


def _check_validation(
    config: NetworkConfig, validation: object, features: int, classes: NDArray[np.int64]
) -> tuple[Inputs, NDArray[Any]] | None:
    if validation is None:
        return None
    if not isinstance(validation, tuple | list) or len(validation) != 2:
        raise InputTypeError("validation is no pair; expected (X, y)")
    X, y = validation
    X = check_width(check_inputs(X, config.dtype, "validation X"), features, "validation X")
    return X, config.loss_function.compare(y, X.shape[0], classes, config.dtype, "validation y")
