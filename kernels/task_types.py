"""The arguments of a training besides its arrays and its `rule`, as plain numbers. Imports no numba."""

from typing import NamedTuple

import numpy as np

from .update_rule import Rule

# The kinds of loss; `loss.py` has the formulas.
SOFTMAX, LOGISTIC, SQUARED, POISSON = range(4)


class Loss(NamedTuple):
    """kind: a code; smoothing: fraction of a label that is spread over all classes, for SOFTMAX.

    weights: (N,) float64 of the samples, or empty when all are 1
    """

    kind: int = SOFTMAX
    smoothing: float = 0.0
    weights: np.ndarray = np.empty(0)


CROSS_ENTROPY = Loss()


# What a sample's random numbers are for; see `random_bits.py`. Dropout of the inputs of layer l is DROPOUT + l.
GEOMETRY, FIELD, DROPOUT = (np.int64(stream) for stream in range(3))


class Distortion(NamedTuple):
    """What is done to the images of one epoch, see `augment.py`; what is 0 is off.

    height, width              of an image, in pixels; its rows follow one another in a row of X
    shift, rotation            in pixels, in degrees
    scale, shear               fractions; scale is below 1
    alpha, sigma, reach        in pixels; the Gaussian ends `reach` pixels from its middle, which should be 3 sigma
    seed, epoch                whole numbers from 0
    """

    height: int
    width: int
    shift: float
    rotation: float
    scale: float
    shear: float
    alpha: float
    sigma: float
    reach: int
    seed: int
    epoch: int


class Dropout(NamedTuple):
    """What of each layer's inputs is dropped.

    position    of the first sample in the epoch
    thresholds  (layers,) uint64: probability to keep an input, times 2^32
    keep_prob   (layers,) float64: that probability
    """

    seed: int
    epoch: int
    position: int
    thresholds: np.ndarray
    keep_prob: np.ndarray


class Task(NamedTuple):
    """The arguments of the functions of `step_general.py`.

    y, targets       (N,) int64 labels, or (N, columns) what other losses compare with; the other one is empty
    schedule         `update_rule.step_schedule`, a row per step
    first, second    the optimiser's states, of the parameters' layout
    gradient         of the same layout where it is needed, else empty
    scratch          (threads, elements) to sum a few rows of the gradient in
    norms, at_norm   sums of squares by row of the weights, a layer's biases last; where each layer's begin
    images           (distortion, `augment.workspace` for it), or empty
    """

    y: np.ndarray
    targets: np.ndarray
    loss: Loss
    dropout: Dropout
    rule: Rule
    schedule: np.ndarray
    first: np.ndarray
    second: np.ndarray
    gradient: np.ndarray
    scratch: np.ndarray
    norms: np.ndarray
    at_norm: np.ndarray
    images: tuple


class Clock(NamedTuple):
    """When in a training a call of `train` begins: what is random depends on this, and on nothing that is counted.

    seed                     below 2^63
    epoch, position, steps   epoch from 1, samples of it that came before, steps of the whole training before
    """

    seed: int = 0
    epoch: int = 1
    position: int = 0
    steps: int = 0


START = Clock()
