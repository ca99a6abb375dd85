"""Start of a training: its data, its state, fresh or of a network that there is, and its callbacks."""

import math
from collections.abc import Iterable
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from fastmlp.config.network import NetworkConfig
from fastmlp.errors import InputError
from fastmlp.kernels.layout import BLOCK_ROWS
from fastmlp.training.batches import RowStream
from fastmlp.training.callbacks import Callback
from fastmlp.training.diagnostics import SMALL_PROBES, DiagnosticsCallback
from fastmlp.training.early_stopping import EarlyStoppingCallback
from fastmlp.training.first_layer import Samples
from fastmlp.training.fitted import Fitted
from fastmlp.training.inference import thread_count
from fastmlp.training.memory_need import check_network, parameter_bytes
from fastmlp.training.metrics import MetricsCallback
from fastmlp.training.preparation import PreparedData, prepare
from fastmlp.training.probes import SAMPLE
from fastmlp.training.session import Session
from fastmlp.training.state import TrainingState
from fastmlp.training.validation_split import split_samples

FLOAT64 = 8  # bytes


def prepare_for(
    config: NetworkConfig,
    start: Fitted,
    X: Samples | RowStream | PreparedData,
    y: ArrayLike | None,
    validation: tuple[Samples, ArrayLike] | None,
    classes: Iterable[Any] | None,
    sample_weight: ArrayLike | None,
    validation_split: float | int | None = None,
) -> PreparedData:
    """Prepare the data of a training, unless they are prepared.

    Parameters
    ----------
    config : NetworkConfig
        Its settings.
    start : Fitted
        The network that it starts from; one without weights takes any shape and any classes.
    X, y, validation, classes, sample_weight, validation_split
        As for `MLP.fit`.

    Raises
    ------
    InputError, InputTypeError
        For data that cannot be used, or do not go with the network that is there.
    """
    known = start.classes if classes is None else classes
    if validation_split is not None:
        if validation is not None:
            raise InputError("validation and validation_split were given; expected one of the two: leave one out")
        X, y, validation, known, sample_weight = split_samples(config, X, y, known, sample_weight, validation_split)
    if isinstance(X, PreparedData):
        beside = {"y": y, "validation": validation, "classes": classes, "sample_weight": sample_weight}
        for name, given in beside.items():
            if given is not None:
                raise InputError(f"{name} was given with prepared data, which have their own; give it to `prepare`")
        data = X
        data.check_use(config)
    else:
        data = prepare(config, X, y, validation, known, sample_weight, start.encoder)
    if start.parameters is None or start.classes is None or start.encoder is None:
        return data
    features, wanted = data.batches.shape[1], start.parameters.features
    if features != wanted:
        raise InputError(f"X has {features} features; expected {wanted}, as in the training that is to continue")
    if data.encoder != start.encoder:
        raise InputError(
            f"the data were prepared as {data.encoder.describe()}; expected them as in the training that is to "
            f"continue, {start.encoder.describe()}: give X and y, or `prepare` them with the network's encoder"
        )
    if not np.array_equal(data.classes, start.classes):
        raise InputError(
            f"the data have the {len(data.classes)} classes {data.classes}; expected the {len(start.classes)} of the "
            f"training that is to continue, {start.classes}"
        )
    return data


def start_fit(config: NetworkConfig, start: Fitted, data: PreparedData) -> Session:
    """Return a training of all epochs, with a fresh schedule and fresh optimizer states.

    Parameters
    ----------
    config : NetworkConfig
        Its settings.
    start : Fitted
        The network whose weights it starts from; one without weights for fresh ones.
    data : PreparedData
        Its data.

    Raises
    ------
    OutOfMemoryError
        If it needs more memory than is free.
    """
    check_network(_widths(config, data), training_bytes(config, data))
    if start.parameters is None:
        return Session.of(config, data, TrainingState.fresh(config, data.batches.shape[1], len(data.classes)))
    return Session.of(config, data, TrainingState.warm(config, start.parameters))


def start_pass(config: NetworkConfig, start: Fitted, data: PreparedData) -> Session:
    """Return a training of one epoch that continues from the state of the last one.

    Parameters
    ----------
    config : NetworkConfig
        Its settings.
    start : Fitted
        The network that continues; one without weights begins with the first epoch, one that was read from a file has
        fresh optimizer states.
    data : PreparedData
        Its data.

    Raises
    ------
    InputError
        For settings with which no single epoch can be trained, and if it needs more memory than is free.
    """
    check_network(_widths(config, data), training_bytes(config, data))
    if start.state is not None:
        state = start.state.copy()
    elif start.parameters is not None:
        state = TrainingState.warm(config, start.parameters)
        state.history, state.epoch = start.history.copy(), len(start.history) + 1
    else:
        state = TrainingState.fresh(config, data.batches.shape[1], len(data.classes))
    if not config.optimizer_config.can_resume:
        raise InputError(
            f"optimizer is {config.optimizer_config.name!r}, whose state scipy does not expose; expected another "
            "one for partial_fit, or fit(..., warm_start=True)"
        )
    if config.early_stopping is not None:
        raise InputError("early_stopping is set and partial_fit makes a single pass; leave early_stopping out")
    if state.epoch > config.epochs and state.schedule.depends_on_epochs:
        raise InputError(
            f"schedule {config.plain('schedule')!r} is spread over {config.epochs} epochs, which are over; expected "
            "fewer passes, or another schedule"
        )
    return Session.of(config, data, state, last_epoch=state.epoch)


def training_bytes(config: NetworkConfig, data: PreparedData) -> int:
    """Return the memory that a training takes in addition to its data, in bytes.

    Parameters
    ----------
    config : NetworkConfig
        Its settings.
    data : PreparedData
        Its data.
    """
    (rows, features), widths = data.batches.shape, _widths(config, data)
    optimizer, item = config.optimizer_config, np.dtype(config.dtype).itemsize
    is_sparse = data.batches.first_layer == "sparse"
    dense, units = 0 if is_sparse else features, sum(widths[1:])
    size = parameter_bytes(widths, config.dtype)
    whole = (1 + optimizer.states) * size
    # Of a step: weights of all layers but the first, transposed, a gradient where it is there as a whole, and the
    # inputs, outputs and deltas of a batch.
    step = parameter_bytes(widths[1:], config.dtype)
    if is_sparse or config.clip_norm is not None:
        step += size
    step += (rows if optimizer.is_full_batch else min(config.batch_size, rows)) * (dense + 2 * units) * item
    # Of a pass that measures: inputs and outputs of a block of rows for each thread, and the deltas of the last layer.
    measured = min(thread_count(config) * BLOCK_ROWS, rows) * (dense + units + widths[-1]) * item
    needed = 2 * whole + step + measured
    # A probe of the units holds their outputs, and of some activations, and in numpy's engine, a copy; one of a step
    # what the step changes, for a norm numbers of float64, and separate room for a smaller batch than that of the
    # training, which has no use for it where it is a single epoch. In numpy's engine any step allocates it again.
    is_numpy = config.engine == "numpy"
    copies = 1 if {"tanh", "sigmoid"}.isdisjoint(config.layer_activations) and not is_numpy else 2
    probed = copies * min(SAMPLE, rows) * max(widths[1:]) * item
    if optimizer.has_learning_rate and (is_numpy or config.epochs >= SMALL_PROBES):
        norm = max(map(math.prod, pairwise(widths))) * FLOAT64
        if is_numpy or min(config.batch_size, rows) > SAMPLE:
            needed += step
        probed = max(probed, size + max(optimizer.states * size, norm))
    needed += probed
    if config.early_stopping is not None:  # the best weights
        needed += size
    return int(needed + optimizer.scipy_vectors * size // item * FLOAT64)


def _widths(config: NetworkConfig, data: PreparedData) -> tuple[int, ...]:
    return data.batches.shape[1], *config.hidden, len(data.classes)


def all_callbacks(config: NetworkConfig, callbacks: Iterable[Callback]) -> list[Callback]:
    """Return the callbacks of a training, in the order in which they are called.

    Parameters
    ----------
    config : NetworkConfig
        Its settings.
    callbacks : iterable of Callback
        Those that were asked for.

    Returns
    -------
    list of Callback
        The same behind those that every training has; a `DiagnosticsCallback` among them replaces the usual one.
    """
    asked, stopping = list(callbacks), config.early_stopping_config
    own: list[Callback] = [MetricsCallback()]
    if stopping is not None:
        own.append(EarlyStoppingCallback(stopping))
    if not any(isinstance(callback, DiagnosticsCallback) for callback in asked):
        own.append(DiagnosticsCallback())
    return [*own, *asked]
