"""Probes of a network in training: how its units answer a few samples, how long its steps are."""

import copy
import math
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastmlp.kernels.layout import ACTIVATION, BIASES, ELU, FAN_OUT, RELU, SIGMOID, SOFTPLUS, TANH, WEIGHTS
from fastmlp.kernels.sparse_rows import Sparse
from fastmlp.kernels.task_types import SQUARED
from fastmlp.training.batches import EvaluationChunk
from fastmlp.training.first_layer import Inputs
from fastmlp.training.trainer import Trainer

SAMPLE = 256  # rows of the training set, evenly spread, for they may be sorted by class
BATCHES = 4  # of them, at most, each for one step
TANH_EDGE, SIGMOID_EDGE = 0.99, 0.495  # from the middle: there 1 - a^2, and 4 a (1 - a), are 0.02
# Outputs up to which hardly any gradient passes: none, and 2%, where a + 1, and 1 - exp(-a), are 0.02.
IDLE = {RELU: 0.0, ELU: -0.98, SOFTPLUS: 0.0202}


def next_probe_epoch(epoch: int, epochs: int) -> int:
    """Return the first number from `epoch` on that is the last epoch's, or a Fibonacci number: 1, 2, 3, 5, 8 and so on.

    Parameters
    ----------
    epoch : int
        Its number, from 1.
    epochs : int
        Of the training.
    """
    a, b = 1, 2
    while a < epoch:
        a, b = b, a + b
    return epochs if epoch <= epochs < a else a


def unit_shares(trainer: Trainer, X: Inputs) -> Iterator[float]:
    """Yield which share of each hidden layer is idle on the rows of X; nothing is dropped or distorted.

    Of a relu layer the share of units that give 0 for all rows, of elu and softplus that of units whose derivative is
    less than 2% for all rows; of a tanh or sigmoid layer the share of outputs at which the derivative is less than 2%
    of its largest; 0 of identity and leaky_relu, which let a gradient through everywhere.

    Parameters
    ----------
    trainer : Trainer
        Of the network.
    X : ndarray of shape (N, D), or Sparse
        Checked inputs.
    """
    p = trainer.state.parameters
    for layer, row in enumerate(p.layers[:-1], start=1):
        out = np.empty((X.shape[0], row[FAN_OUT]), p.buffer.dtype)
        trainer.kernels.predict(p.layers[:layer], p.buffer, X, out, 1, SQUARED)  # the outputs as they are
        if row[ACTIVATION] in IDLE:
            yield float((out <= IDLE[row[ACTIVATION]]).all(axis=0).mean())
        elif row[ACTIVATION] == TANH:
            yield float((np.abs(out) > TANH_EDGE).mean())
        elif row[ACTIVATION] == SIGMOID:
            yield float((np.abs(out - 0.5) > SIGMOID_EDGE).mean())
        else:
            yield 0.0


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
    state, (X, y, weights) = trainer.state, sample
    p = state.parameters
    rows = X.shape[0]
    size = min(trainer.batch_size, rows)
    batches, ratios = max(1, min(BATCHES, rows // (2 * size))), []
    for first in range(batches):
        order = np.linspace(first, rows - batches + first, size).astype(np.int64)
        if len(weights) and not weights[order].any():
            continue
        moved = copy.copy(p)
        probed = replace(state, parameters=moved, epoch=epoch, position=0, totals=np.zeros(2))
        probe = replace(trainer, state=probed, threads=1, batch_size=size, after_chunk=lambda: None)
        probe.train_rows(X, y, order, trainer.loss._replace(weights=weights), np.full(1, rate))
        moved.buffer -= p.buffer
        places = [slice(*row) for row in p.layers[:, [WEIGHTS, BIASES]]]  # with the padding, which stays zero
        ratios.append([_norm(moved.buffer[place]) / (_norm(p.buffer[place]) or math.nan) for place in places])
    return np.array(np.mean(ratios, axis=0)) if ratios else np.full(len(p.layers), math.nan)


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


def _norm(values: NDArray[Any]) -> float:
    """Euclidean norm; not that of numpy.linalg, which may add up in another order on more threads."""
    return math.sqrt(np.square(values, dtype=np.float64).sum())
