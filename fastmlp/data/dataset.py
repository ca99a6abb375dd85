"""Samples with their labels: what every reader returns."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fastmlp.data.csr import CSR
from fastmlp.utils.digests import digest_of_arrays


@dataclass(frozen=True)
class Dataset:
    """Inputs with their labels.

    Parameters
    ----------
    X : ndarray of shape (N, D), uint8 or float32; or CSR
        Inputs, one row per sample. uint8 are pixels: the network reads the value divided by 255. svmlight text
        gives a `CSR` matrix.
    y : ndarray of shape (N,), int64
        Labels, from 0 to `class_count` - 1.
    class_count : int
        Number of classes, at least 2.
    image_shape : (int, int) or None
        Height and width in pixels where a row of X is a picture.
    name : str
        What tables and messages call the data, such as "mnist" or the name of a file.
    synthetic : bool, default=False
        Whether this library made the samples.
    class_names : tuple of str, default=()
        One name per class for people to read; () for the numbers.
    source : str, default=""
        Where the samples come from, in a few words, such as "mnist from data/mnist".
    key : str, default=""
        What `load` takes to give the same collection again: a name, never "auto", or a path.
    """

    X: NDArray[np.uint8 | np.float32] | CSR
    y: NDArray[np.int64]
    class_count: int
    image_shape: tuple[int, int] | None
    name: str
    synthetic: bool = False
    class_names: tuple[str, ...] = ()
    source: str = ""
    key: str = ""


def digest(dataset: Dataset) -> str:
    """Return the SHA-256 of the samples and labels: of their dtypes, shapes and values, not of their names.

    Parameters
    ----------
    dataset : Dataset
        Samples and labels.

    Returns
    -------
    str
        64 hexadecimal digits.
    """
    X = dataset.X
    arrays: list[np.ndarray] = [X.indptr, X.indices, X.data] if isinstance(X, CSR) else [X]
    return digest_of_arrays([*arrays, dataset.y], repr(X.shape))
