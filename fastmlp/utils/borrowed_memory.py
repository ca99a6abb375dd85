"""Memory of others, such as shared memory: it is held while kernels, which know it by address, work on it."""

import mmap
from typing import Any

import numpy as np

LENDERS = (memoryview, mmap.mmap)


class memory_held:  # used as a statement
    """While the block runs, nobody can close the memory map or shared-memory block that these arrays stand in.

    An array alone does not keep it: `SharedMemory.close` asks for exported buffers, and an array exports none. With
    one, it raises BufferError instead of leaving the kernels without their inputs.

    Parameters
    ----------
    *values : object
        Arrays, sparse matrices, or pairs of them; anything else is passed over.
    """

    __slots__ = ("_buffers", "_values")

    def __init__(self, *values: object):
        self._values = values

    def __enter__(self) -> None:
        self._buffers = [memoryview(owner) for value in self._values for owner in _owners(value)]

    def __exit__(self, *_: object) -> None:
        for buffer in self._buffers:
            buffer.release()


def _owners(value: Any) -> list[Any]:
    """The objects, other than arrays, whose memory an array, a sparse matrix or a pair of such uses."""
    if isinstance(value, np.ndarray):
        while isinstance(value, np.ndarray):
            value = value.base
        return [value] if value is not None and isinstance(value, LENDERS) else []
    if type(value) in (tuple, list):
        return [owner for part in value[:2] if isinstance(part, np.ndarray) for owner in _owners(part)]
    parts = (getattr(value, name, None) for name in ("indptr", "indices", "values", "data"))
    return [owner for part in parts if isinstance(part, np.ndarray) for owner in _owners(part)]
