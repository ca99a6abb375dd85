"""What a training is told besides its arrays and its `rule`, as plain numbers: no numba is needed to say it."""

from typing import NamedTuple

import numpy as np

# What is made small; `loss.py` has the formulas.
SOFTMAX, LOGISTIC, SQUARED = range(3)


class Loss(NamedTuple):
    """kind: a code; smoothing: share of a label that is spread over all classes, for SOFTMAX.

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
    scale, shear               shares; scale is below 1
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


class Clock(NamedTuple):
    """When in a training a call of `train` begins: what is random depends on this, and on nothing that is counted.

    epoch, position, steps   epoch from 1, samples of it that came before, steps of the whole training before
    """

    seed: int = 0
    epoch: int = 1
    position: int = 0
    steps: int = 0


START = Clock()
