"""The memory that a network needs, known before any of it is taken: one that is too wide is refused in one line."""

import itertools
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastmlp.kernels.layout import stride_of
from fastmlp.utils.free_memory import WORTH_ASKING, check_memory
from fastmlp.utils.showing import shown


def parameter_bytes(widths: Sequence[int], dtype: str) -> int:
    """Return the bytes of all weights and biases, padded to cache lines as they are.

    Parameters
    ----------
    widths : sequence of int
        Numbers of inputs, of the units of each hidden layer, and of outputs; of any size.
    dtype : str
        "float32" or "float64".
    """
    count: int = sum((fan_in + 1) * stride_of(fan_out, dtype) for fan_in, fan_out in itertools.pairwise(widths))
    return count * int(np.dtype(dtype).itemsize)


def check_network(widths: Sequence[int], needed: int) -> None:
    """Raise OutOfMemoryError if what is to be done with a network needs more memory than is free.

    Parameters
    ----------
    widths : sequence of int
        As for `parameter_bytes`.
    needed : int
        Bytes.
    """
    if needed > WORTH_ASKING:
        features, *hidden, outputs = widths
        what = f"a network with {features} inputs, hidden layers {shown(tuple(hidden))} and {outputs} outputs"
        check_memory(what, needed, hint="expected narrower layers")


def new_outputs(rows: int, columns: int, dtype: np.dtype[Any]) -> NDArray[Any]:
    """Allocate memory for the outputs of a layer; raise OutOfMemoryError if too little is free.

    Parameters
    ----------
    rows, columns : int
        Its shape.
    dtype : dtype
        Of the network.
    """
    needed = math.prod((rows, columns, dtype.itemsize))
    if needed > WORTH_ASKING:
        check_memory(f"the outputs of {columns} units for {rows} rows", needed, hint="expected fewer rows at a time")
    return np.empty((rows, columns), dtype)
