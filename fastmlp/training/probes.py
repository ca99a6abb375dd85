"""Probes of a network in training: how its units answer a few samples, how long its steps are."""

import functools
import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastmlp.kernels.layout import ACTIVATION, BIASES, ELU, FAN_OUT, RELU, SIGMOID, SOFTPLUS, TANH, WEIGHTS
from fastmlp.kernels.sparse_rows import Sparse
from fastmlp.kernels.task_types import SQUARED
from fastmlp.training.batches import EvaluationChunk
from fastmlp.training.first_layer import Inputs
from fastmlp.training.trainer import Rows, Trainer

SAMPLE = 256  # rows of the training set, evenly spread, for they may be sorted by class
BATCHES = 4  # of them, at most, each for one step
PROBES = 3  # in a row are to see too large a step: the first steps of a training may be long
# Multiply-adds of a network's way forward, about 3 ms of training, of which a probe takes a twentieth.
WORTH_PROBING = 100_000_000
TANH_EDGE, SIGMOID_EDGE = 0.99, 0.495  # from the middle: there 1 - a^2, and 4 a (1 - a), are 0.02
# Outputs up to which hardly any gradient passes: none, and 2%, where a + 1, and 1 - exp(-a), are 0.02.
IDLE = {RELU: 0.0, ELU: -0.98, SOFTPLUS: 0.0202}


def probe_spacing(work: int, epochs: int) -> int:
    """Return the number of epochs from one probe to the next while they come most often.

    Where an epoch takes no longer than a probe it is not worth one: then more of them pass, but for no more than a
    third of the training, for it takes `PROBES` in a row to see some causes.

    Parameters
    ----------
    work : int
        Multiply-adds of an epoch's way forward.
    epochs : int
        Of the training.
    """
    return max(1, min(-(-WORTH_PROBING // work), -(-epochs // PROBES)))


def next_probe_epoch(epoch: int, epochs: int, spacing: int = 1) -> int:
    """Return the first number from `epoch` on that is the last epoch's, or `spacing` times a Fibonacci number.

    These are 1, 2, 3, 5, 8 and so on.

    Parameters
    ----------
    epoch : int
        Its number, from 1.
    epochs : int
        Of the training.
    spacing : int
        See `probe_spacing`.
    """
    a, b = spacing, 2 * spacing
    while a < epoch:
        a, b = b, a + b
    return epochs if epoch <= epochs < a else a


def probes_left(epoch: int, epochs: int, spacing: int) -> int:
    """Return how many probes there are from an epoch on, `PROBES` where there are more.

    Parameters
    ----------
    epoch, epochs, spacing : int
        As for `next_probe_epoch`.
    """
    count = 0
    while epoch <= epochs and count < PROBES:
        epoch, count = next_probe_epoch(epoch, epochs, spacing) + 1, count + 1
    return count


def idle_share(trainer: Trainer, X: Inputs, layer: int) -> float:
    """Return which share of a hidden layer is idle on the rows of X; nothing is dropped or distorted.

    Of a relu layer the share of units that give 0 for all rows, of elu and softplus that of units whose derivative is
    less than 2% for all rows; of a tanh or sigmoid layer the share of outputs at which the derivative is less than 2%
    of its largest; 0 of identity and leaky_relu, which let a gradient through everywhere.

    Parameters
    ----------
    trainer : Trainer
        Of the network.
    X : ndarray of shape (N, D), or Sparse
        Checked inputs.
    layer : int
        Its number, from 1.
    """
    p = trainer.state.parameters
    units, code = int(p.layers[layer - 1, FAN_OUT]), int(p.layers[layer - 1, ACTIVATION])
    if code not in (*IDLE, TANH, SIGMOID):
        return 0.0
    out = np.empty((X.shape[0], units), p.buffer.dtype)
    trainer.kernels.predict(p.layers, p.buffer, X, out, 1, SQUARED, layer)  # the outputs as they are
    if code in IDLE:
        is_idle = out.max(axis=0) <= IDLE[code]
    else:
        is_idle = np.abs(out) > TANH_EDGE if code == TANH else np.abs(out - 0.5) > SIGMOID_EDGE
    return float(np.count_nonzero(is_idle) / is_idle.size)


def step_ratios(trainer: Trainer, sample: EvaluationChunk, epoch: int, rate: float) -> NDArray[np.float64]:
    """Return the norm of a step on each layer's weights over the norm of the weights.

    The mean over a few batches, each a step of the optimizer from the weights and states as they are, on a copy.

    Parameters
    ----------
    trainer : Trainer
        Of the network.
    sample : tuple
        (X, y, weights) of some rows of the training set.
    epoch : int
        From 1, whose masks and distortions are taken.
    rate : float
        Learning rate.

    Returns
    -------
    ndarray of shape (layers,), float64
        The ratios; nan where there is no step.
    """
    (X, y, weights), p = sample, trainer.state.parameters
    loss, steps = trainer.loss._replace(weights=weights), []
    for order in _trial_batches(X.shape[0], trainer.batch_size):
        if len(weights) and not weights[order].any():
            continue
        moved = trainer.trial_step(Rows(X, y, order, loss), rate, epoch)
        moved -= p.buffer
        steps.append(_norms(moved, p.layers))
    norms = _norms(p.buffer, p.layers)
    if not steps:
        return np.full(len(norms), math.nan)
    lengths = [sum(of_layer) / len(steps) for of_layer in zip(*steps, strict=True)]
    return np.array([length / norm if norm > 0 else math.nan for length, norm in zip(lengths, norms, strict=True)])


@functools.lru_cache(maxsize=16)
def _trial_batches(rows: int, batch_size: int) -> list[NDArray[np.int64]]:
    """Some batches of so many rows, evenly spread."""
    size = min(batch_size, rows)
    batches = max(1, min(BATCHES, rows // (2 * size)))
    return [np.linspace(first, rows - batches + first, size).astype(np.int64) for first in range(batches)]


def largest_input(X: Inputs) -> float:
    """Return the largest size of a value of X as a network reads it: pixels (uint8) are divided by 255.

    Parameters
    ----------
    X : ndarray or Sparse
        Checked inputs.
    """
    values = X.values if isinstance(X, Sparse) else X
    if not values.size:
        return 0.0
    return float(max(values.max(), -values.min())) if values.dtype != np.uint8 else float(values.max()) / 255


def _norms(buffer: NDArray[Any], layers: NDArray[np.int64]) -> list[float]:
    """Euclidean norm of each layer's weights; not that of numpy.linalg, which may add up in another order."""
    places = layers[:, [WEIGHTS, BIASES]].tolist()  # with the padding, which stays zero
    return [math.sqrt(np.add.reduce(np.square(buffer[first:last], dtype=np.float64))) for first, last in places]
