"""A single array of numpy: inputs for predictions, which have no labels."""

from pathlib import Path

import numpy as np

from fastmlp.data.checks import NoLabels
from fastmlp.data.dataset import Dataset, Inputs
from fastmlp.data.readers.named_arrays import inputs_of_array
from fastmlp.data.readers.reader import Expected, Reader
from fastmlp.errors import InputError, first_line


class NPYReader(Reader):
    """An array (N, D), or images (N, height, width), as `numpy.save` writes it; `read` refuses it without labels."""

    name = "npy"
    endings = (".npy",)

    def recognises(self, head: bytes) -> bool:
        """Return True for numpy's signature."""
        return head.startswith(b"\x93NUMPY")

    def read(self, path: Path, *, part: str = "train", n_features: int | None = None) -> Dataset:
        """Raise NoLabels."""
        raise NoLabels(f"{path} is one array, without labels; expected both: write them with numpy.savez(x=..., y=...)")

    def read_inputs(self, path: Path, expected: Expected) -> Inputs:
        """Read a file as `Reader.read_inputs` describes."""
        try:
            array = np.load(path, mmap_mode="r", allow_pickle=False)
        except ValueError as error:
            raise InputError(
                f"{path} cannot be read as npy ({first_line(error)}); it is damaged, or has something else than "
                "numbers: write it with numpy.save"
            ) from error
        return inputs_of_array(path, "", array)
