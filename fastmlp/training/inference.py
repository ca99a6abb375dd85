"""Passes through a network without training."""

import functools
from collections.abc import Callable, Iterable, Iterator
from importlib import import_module
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fastmlp.config.network import NetworkConfig
from fastmlp.errors import InputError, InputTypeError
from fastmlp.inputs.encoder import InputEncoder
from fastmlp.inputs.reading import read_inputs
from fastmlp.kernels.layout import BLOCK_ROWS, multiply_adds
from fastmlp.kernels.sparse_rows import Sparse, part
from fastmlp.kernels.task_types import Loss
from fastmlp.training.first_layer import Inputs, Samples, compact
from fastmlp.training.memory_need import new_outputs
from fastmlp.training.parameters import Parameters
from fastmlp.training.team_size import cores_shared
from fastmlp.utils.borrowed_memory import memory_held

# Python is entered again after so many multiply-adds, which take some hundredths of a second, so that Ctrl-C is felt.
WORK_AT_A_TIME, ROWS_AT_A_TIME = 1 << 30, 1 << 16
EQUAL_WEIGHTS: NDArray[np.float64] = np.empty(0)
Part = tuple[Inputs, NDArray[Any], Loss]


@functools.cache
def kernels_of(engine: str) -> ModuleType:
    """Return the module whose functions do the work; Numba is imported when it is first needed.

    Parameters
    ----------
    engine : str
        "numba" or "numpy".
    """
    return import_module("fastmlp.kernels.epoch" if engine == "numba" else "fastmlp.kernels.reference")


def thread_count(config: NetworkConfig) -> int:
    """Return the number of threads that a network may use.

    Parameters
    ----------
    config : NetworkConfig
        Its settings.
    """
    from fastmlp.kernels.thread_team import available_cores

    return config.threads or int(available_cores())


def parts_of(layers: NDArray[np.int64], X: Inputs, y: NDArray[Any], loss: Loss) -> list[Part]:
    """Return the rows with their targets and weights, in parts that take some hundredths of a second each.

    Parameters
    ----------
    layers : ndarray of shape (layers, 7), int64
        Of the network.
    X : ndarray of shape (N, D), or Sparse
        Checked inputs.
    y : ndarray
        Targets, as the loss's kernel compares with them.
    loss : Loss
        What is summed, with the weights of the rows.
    """
    weights = loss.weights
    return [
        (part(X, start, stop), y[start:stop], loss._replace(weights=weights[start:stop] if len(weights) else weights))
        for start, stop in _ranges(layers, X.shape[0])
    ]


def totals_of(
    kernels: ModuleType,
    parameters: Parameters,
    parts: Iterable[Part],
    threads: int,
    after_chunk: Callable[[], None] = lambda: None,
    form: str | None = None,
    kept: dict[str, Any] | None = None,
) -> NDArray[np.float64]:
    """Measure a network on rows with targets: return the summed loss and the number of right answers, (2,) float64.

    Parameters
    ----------
    kernels : module
        Of an engine.
    parameters : Parameters
        Weights and biases.
    parts : iterable of tuple
        What `parts_of` returned.
    threads : int
        Threads that may be used.
    after_chunk : callable
        Called without arguments after each part.
    form : str, optional
        Of the first layer, as for `compact`; None: that which X has.
    kept : dict, optional
        In which a pass leaves what the next one over the same parts would compute again.
    """
    totals, p = np.zeros(2), parameters
    for X, y, loss in parts:
        rows = X if form is None else compact(X, p.buffer.dtype.name, form)[0]
        kernels.evaluate(p.layers, p.buffer, rows, y, totals, threads, loss, kept)
        after_chunk()
    return totals


def outputs_of(
    kernels: ModuleType,
    layers: NDArray[np.int64],
    buffer: NDArray[Any],
    X: Inputs,
    out: NDArray[Any],
    kind: int,
    threads: int,
) -> NDArray[Any]:
    """Compute what the last layer hands out for the rows of X.

    Parameters
    ----------
    kernels : module
        Of an engine.
    layers : ndarray of shape (layers, 7), int64
        Of the network, or its first ones.
    buffer : ndarray of shape (size,)
        Weights and biases.
    X : ndarray of shape (N, D), or Sparse
        Checked inputs.
    out : ndarray of shape (N, C)
        Written to.
    kind : int
        The kernels' code of the loss.
    threads : int
        Threads that may be used.

    Returns
    -------
    ndarray of shape (N, C)
        `out`.
    """
    if X.shape[0] == 1:
        kernels.predict(layers, buffer, X, out, threads, kind)
        return out
    for start, stop in _ranges(layers, X.shape[0]):
        kernels.predict(layers, buffer, part(X, start, stop), out[start:stop], threads, kind)
    return out


def predict_outputs(
    config: NetworkConfig,
    parameters: Parameters,
    encoder: InputEncoder,
    X: Samples | Iterator[Samples],
    threads: int | None = None,
    kind: int | None = None,
) -> NDArray[Any]:
    """Return what the last layer hands out for every row of X, (N, C) in the network's dtype.

    Parameters
    ----------
    config : NetworkConfig
        Of the network.
    parameters : Parameters
        Weights and biases.
    encoder : InputEncoder
        What the inputs mean.
    X : array_like of shape (N, D), or iterator of such
        Inputs, not checked yet; of an iterator one batch is in memory at a time.
    threads : int, optional
        Threads to use; None: what the settings allow.
    kind : int, optional
        The kernels' code of the loss, which says what function of the last layer is returned; None: that of the
        settings.
    """
    if not isinstance(X, Iterator):
        return outputs_of_inputs(config, parameters, _encoded(config, encoder, X), threads, kind)
    batches = encoded_batches(config, encoder, X)
    return np.concatenate([outputs_of_inputs(config, parameters, inputs, threads, kind) for inputs in batches])


def _encoded(config: NetworkConfig, encoder: InputEncoder, X: Samples, name: str = "X") -> Inputs:
    return encoder.encode(read_inputs(X, config.dtype, name, config.missing), config.dtype, name)


def encoded_batches(config: NetworkConfig, encoder: InputEncoder, X: Samples | Iterator[Samples]) -> Iterator[Inputs]:
    """Yield inputs that are not checked yet as the kernels read them, those of an iterator batch by batch.

    Parameters
    ----------
    config, encoder, X
        As for `predict_outputs`.

    Raises
    ------
    InputError, InputTypeError
        For inputs that cannot be used, and an iterator without any.
    """
    if not isinstance(X, Iterator):
        yield _encoded(config, encoder, X)
        return
    number = 0
    for number, batch in enumerate(X, start=1):
        if isinstance(batch, tuple | list) and [getattr(one, "ndim", 0) for one in batch[:1]] == [2]:
            raise InputTypeError(
                f"batch {number} of X is a {type(batch).__name__} of arrays; expected the inputs alone: (X for X, y in "
                "batches)"
            )
        yield _encoded(config, encoder, batch, f"batch {number} of X")
    if not number:
        raise InputError("X is an iterator without a batch; expected one at least: was it read before?")


def outputs_of_inputs(
    config: NetworkConfig,
    parameters: Parameters,
    inputs: Inputs,
    threads: int | None = None,
    kind: int | None = None,
) -> NDArray[Any]:
    """Return what the last layer hands out for every row of encoded inputs, (N, C) in the network's dtype.

    Parameters
    ----------
    config, parameters, threads, kind
        As for `predict_outputs`.
    inputs : ndarray of shape (N, D), or Sparse
        What an encoder returned.
    """
    rows = inputs.shape[0]
    out = new_outputs(rows, parameters.outputs, parameters.buffer.dtype)
    kernels, kind = kernels_of(config.engine), config.loss_function.kind if kind is None else kind
    with memory_held(inputs):
        if rows <= BLOCK_ROWS:  # which one thread computes: no need to ask for cores
            return outputs_of(kernels, parameters.layers, parameters.buffer, inputs, out, kind, 1)
        with cores_shared(threads or thread_count(config)) as share:
            return outputs_of(kernels, parameters.layers, parameters.buffer, inputs, out, kind, share)


def evaluate(
    config: NetworkConfig,
    parameters: Parameters,
    classes: NDArray[Any],
    encoder: InputEncoder,
    X: Samples,
    y: ArrayLike,
) -> tuple[float, float]:
    """Measure a network on inputs and labels that are not checked yet.

    Parameters
    ----------
    config : NetworkConfig
        Of the network.
    parameters : Parameters
        Weights and biases.
    classes : ndarray of shape (C,)
        What its outputs stand for.
    encoder : InputEncoder
        What the inputs mean.
    X, y : array_like
        As for `MLP.fit`.
    """
    objective = config.loss_function
    inputs = _encoded(config, encoder, X)
    targets = objective.compare(y, inputs.shape[0], classes, config.dtype)
    with memory_held(inputs, targets):
        parts = parts_of(parameters.layers, inputs, targets, Loss(objective.kind))
        form = config.form if config.engine == "numba" and not isinstance(inputs, Sparse) else None
        kernels, threads = kernels_of(config.engine), thread_count(config)
        totals = totals_of(kernels, parameters, parts, threads, form=form)
    loss_per_row = float(totals[0] / len(targets)) * objective.unit(classes)
    return loss_per_row, objective.accuracy(totals.tolist(), objective.spread(targets, EQUAL_WEIGHTS))


def _ranges(layers: NDArray[np.int64], rows: int) -> Iterator[tuple[int, int]]:
    """(first, last) of the rows of each call of a pass without training."""
    if rows <= BLOCK_ROWS:
        return iter(((0, rows),))
    step = min(max(WORK_AT_A_TIME // multiply_adds(layers), BLOCK_ROWS), ROWS_AT_A_TIME)
    return ((start, min(start + step, rows)) for start in range(0, rows, step))
