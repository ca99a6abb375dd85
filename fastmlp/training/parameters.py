"""The weights and biases of a network: one flat buffer, its views, and how it is filled at the start."""

import math
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastmlp.config.network import DEFAULT_INIT_SCALE, NetworkConfig
from fastmlp.inputs.blocks import row_blocks
from fastmlp.kernels import layout
from fastmlp.training.memory_need import check_network, parameter_bytes
from fastmlp.utils.random_stream import RandomStream


class Parameters:
    """All weights and biases of a network.

    Parameters
    ----------
    widths : sequence of int
        Numbers of inputs, of the units of each hidden layer, and of outputs.
    activations : sequence of str
        Of the hidden layers.
    dtype : str
        "float32" or "float64".
    states : int
        Numbers that the optimizer has for each parameter.

    Attributes
    ----------
    layers : ndarray of shape (layers, 7), int64
        See `fastmlp.kernels.layout`.
    buffer : ndarray of shape (size,)
        Aligned to 64 bytes; the rows of each W are padded to whole cache lines.
    states : ndarray of shape (states, size)
        The optimizer's numbers for each parameter, in the same layout, such as its momentum.
    weights, biases : list of ndarray
        Views (fan_in, fan_out) and (fan_out,).
    features, outputs : int
        Numbers of inputs and outputs.

    Raises
    ------
    OutOfMemoryError
        If there is not as much memory.
    """

    def __init__(self, widths: Sequence[int], activations: Sequence[str], dtype: str, states: int = 0):
        check_network(widths, (1 + states) * parameter_bytes(widths, dtype))
        self.layers: NDArray[np.int64] = layout.layer_table(widths, activations, dtype)
        size = layout.buffer_size(self.layers)
        self.buffer: NDArray[Any] = layout.aligned_zeros(size, dtype)
        self.states: NDArray[Any] = layout.aligned_zeros(states * size, dtype).reshape(states, size)

    @classmethod
    def of(cls, config: NetworkConfig, features: int, outputs: int) -> "Parameters":
        """Return the parameters of a network with so many inputs and outputs, and its optimizer's states, all zero.

        Parameters
        ----------
        config : NetworkConfig
            Its settings.
        features, outputs : int
            Numbers of inputs and outputs.
        """
        widths = (features, *config.hidden, outputs)
        return cls(widths, config.layer_activations, config.dtype, config.optimizer_config.states)

    def in_memory(self, buffer: NDArray[Any], states: NDArray[Any]) -> "Parameters":
        """Return parameters of the same layout whose numbers are others.

        Parameters
        ----------
        buffer : ndarray of shape (size,)
            Weights and biases.
        states : ndarray of shape (states, size)
            The optimizer's numbers for each of them.
        """
        other = Parameters.__new__(Parameters)
        other.layers, other.buffer, other.states = self.layers, buffer, states
        return other

    # Not made before they are asked for: a step that is only tried works on a copy of the buffers.
    @cached_property
    def weights(self) -> list[NDArray[Any]]:
        views: list[NDArray[Any]] = layout.weight_views(self.buffer, self.layers)
        return views

    @cached_property
    def biases(self) -> list[NDArray[Any]]:
        views: list[NDArray[Any]] = layout.bias_views(self.buffer, self.layers)
        return views

    @property
    def features(self) -> int:
        return int(self.layers[0, layout.FAN_IN])

    @property
    def outputs(self) -> int:
        return int(self.layers[-1, layout.FAN_OUT])

    def __getstate__(self) -> dict[str, Any]:
        return {"layers": self.layers, "buffer": self.buffer, "states": self.states}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """What copy and pickle give: views would be copied one by one, and be views no longer."""
        self.layers = state["layers"]
        for name in ("buffer", "states"):
            room = layout.aligned_zeros(state[name].size, state[name].dtype).reshape(state[name].shape)
            room[...] = state[name]
            setattr(self, name, room)

    def initialise(self, init: str, scale: float | None, init_bias: str, seed: int) -> None:
        """Draw the weights, and set the optimizer's states to zero.

        Parameters
        ----------
        init : str
            "he": N(0, 2 / fan_in); "xavier": U(-a, a) with a = sqrt(6 / (fan_in + fan_out)); "normal": N(0, scale^2);
            "uniform": U(-scale, scale); "auto": he before relu, leaky_relu and elu, xavier before anything else.
        scale : float or None
            See above; a factor on what is drawn for he, xavier and auto.
        init_bias : str
            "zero", or "same" for biases of the weights' distribution.
        seed : int
            Of the stream.

        References
        ----------
        K. He et al., Delving deep into rectifiers, 2015, arXiv:1502.01852, eq. 10; eq. 15 has 1 + 0.01^2 for
        leaky_relu, which is taken as 1. D.-A. Clevert et al., Fast and accurate deep network learning by exponential
        linear units, 2016, arXiv:1511.07289, section 4, has he for elu. X. Glorot and Y. Bengio, Understanding the
        difficulty of training deep feedforward neural networks, 2010, eq. 16.
        """
        random = RandomStream(seed)
        for row, W, b in zip(self.layers, self.weights, self.biases, strict=True):
            draw = _distribution(init, scale, row)
            for rows in row_blocks(*W.shape):  # as numbers of float64 the weights would take twice or more their room
                W[rows] = draw(random, W[rows].shape)
            b[...] = draw(random, b.shape) if init_bias == "same" else 0
        self.states[...] = 0


def _distribution(init: str, scale: float | None, row: NDArray[np.int64]) -> Callable[..., NDArray[np.float64]]:
    """A function (random, shape) -> array that draws the weights of the layer described by `row`."""
    fan_in, fan_out = int(row[layout.FAN_IN]), int(row[layout.FAN_OUT])
    if init == "auto":
        init = "he" if row[layout.ACTIVATION] in layout.RECTIFIERS else "xavier"
    if init in ("normal", "uniform"):
        width = DEFAULT_INIT_SCALE if scale is None else scale
    elif init == "he":
        width = math.sqrt(2 / fan_in) * (1 if scale is None else scale)
    else:
        width = math.sqrt(6 / (fan_in + fan_out)) * (1 if scale is None else scale)
    if init in ("normal", "he"):
        return lambda random, shape: width * random.normal(shape)
    return lambda random, shape: random.uniform(-width, width, shape)


def epoch_order(rows: int, seed: int, epoch: int, shuffle: bool) -> NDArray[np.int64]:
    """Return the order in which an epoch visits the samples.

    It depends on the seed and the epoch alone, so that a training can be resumed at any epoch.

    Parameters
    ----------
    rows : int
        Number of samples.
    seed : int
        Of the network.
    epoch : int
        Its number, from 1.
    shuffle : bool
        Whether the order is random.
    """
    if not shuffle:
        return np.arange(rows, dtype=np.int64)
    return RandomStream((seed, epoch)).permutation(rows)
