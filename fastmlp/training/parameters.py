"""The weights and biases of a network: one flat buffer, its views, and how it is filled at the start."""

import math

import numpy as np

from fastmlp.config.network import DEFAULT_INIT_SCALE
from fastmlp.kernels import layout


class Parameters:
    """All weights and biases of a network.

    layers    (layers, 6) int64, see `fastmlp.kernels.layout`
    buffer    (size,) float32 or float64, aligned to 64 bytes; the rows of each W are padded to whole cache lines
    states    (n, size): the optimiser's numbers for each parameter, in the same layout, such as its momentum
    weights   list of views (fan_in, fan_out);  biases: list of views (fan_out,)
    """

    def __init__(self, widths, activations, dtype, states=0):
        self.layers = layout.layer_table(widths, activations, dtype)
        size = layout.buffer_size(self.layers)
        self.buffer = layout.aligned_zeros(size, dtype)
        self.states = layout.aligned_zeros(states * size, dtype).reshape(states, size)
        self._view()

    def _view(self):
        self.weights = layout.weight_views(self.buffer, self.layers)
        self.biases = layout.bias_views(self.buffer, self.layers)

    def __getstate__(self):
        return {"layers": self.layers, "buffer": self.buffer, "states": self.states}

    def __setstate__(self, state):
        """What copy and pickle give: views would be copied one by one, and be views no longer."""
        self.layers = state["layers"]
        for name in ("buffer", "states"):
            room = layout.aligned_zeros(state[name].size, state[name].dtype).reshape(state[name].shape)
            room[...] = state[name]
            setattr(self, name, room)
        self._view()

    def initialise(self, init, scale, init_bias, seed):
        """Draw the weights; biases are zero, or of the weights' law when init_bias is "same".

        he       N(0, 2 / fan_in)                       He et al. 2015, arXiv:1502.01852, eq. 10
        xavier   U(-a, a), a = sqrt(6 / (fan_in + fan_out))   Glorot and Bengio 2010, eq. 16
        normal   N(0, scale^2);   uniform  U(-scale, scale)
        auto     he before a relu, xavier before anything else

        With he, xavier and auto, `scale` multiplies what is drawn. The stream is NumPy's RandomState over PCG64, whose
        output NumPy has frozen: a seed means the same weights in every version.
        """
        random = np.random.RandomState(np.random.PCG64(np.random.SeedSequence(seed)))
        for row, W, b in zip(self.layers, self.weights, self.biases, strict=True):
            draw = _law(init, scale, row)
            W[...] = draw(random, W.shape)
            b[...] = draw(random, b.shape) if init_bias == "same" else 0
        self.states[...] = 0


def _law(init, scale, row):
    """A function (random, shape) -> array that draws the weights of the layer described by `row`."""
    fan_in, fan_out = int(row[layout.FAN_IN]), int(row[layout.FAN_OUT])
    if init == "auto":
        init = "he" if row[layout.ACTIVATION] == layout.RELU else "xavier"
    if init in ("normal", "uniform"):
        width = DEFAULT_INIT_SCALE if scale is None else scale
    elif init == "he":
        width = math.sqrt(2 / fan_in) * (1 if scale is None else scale)
    else:
        width = math.sqrt(6 / (fan_in + fan_out)) * (1 if scale is None else scale)
    if init in ("normal", "he"):
        return lambda random, shape: width * random.standard_normal(shape)
    return lambda random, shape: random.uniform(-width, width, shape)


def epoch_order(rows, seed, epoch, shuffle):
    """(rows,) int64: the order in which epoch number `epoch` (from 1) visits the samples.

    It depends on the seed and the epoch alone, so that training can be taken up again at any epoch.
    """
    if not shuffle:
        return np.arange(rows, dtype=np.int64)
    random = np.random.RandomState(np.random.PCG64(np.random.SeedSequence((seed, epoch))))
    order: np.ndarray = random.permutation(rows).astype(np.int64, copy=False)
    return order
