"""What every reader returns."""

from dataclasses import dataclass, field

import numpy as np

from fastmlp.data.csr import CSR
from fastmlp.utils.digests import digest_of_arrays


@dataclass(frozen=True)
class Dataset:
    """Inputs with their labels.

    X           (N, D) uint8 or float32. uint8 holds pixels: the network reads the value divided by 255. Svmlight text
                gives a CSR matrix instead: `indptr`, `indices`, `data` and `shape`
    y           (N,) int64, from 0 to class_count - 1
    class_count number of classes, at least 2
    image_shape (height, width) when a row of X is a picture, else None
    name        what to call the data in a table or a message, such as "mnist" or a file's name
    synthetic   True when the samples were made by this library and not collected
    class_names one name per class, as a person reads it; () stands for the numbers
    source      where the samples come from, in a few words, such as "mnist from data/mnist"
    key         what `load` takes to give the same collection again: a name, never "auto", or a path
    """

    X: np.ndarray | CSR
    y: np.ndarray
    class_count: int
    image_shape: tuple[int, int] | None
    name: str
    synthetic: bool = False
    class_names: tuple[str, ...] = field(default=())
    source: str = ""
    key: str = ""


def digest(dataset: Dataset) -> str:
    """SHA-256, in hexadecimal, of the samples and labels: their dtypes, shapes and bytes, not their names."""
    X = dataset.X
    arrays = [X.indptr, X.indices, X.data] if isinstance(X, CSR) else [X]
    return digest_of_arrays([*arrays, dataset.y], repr(X.shape))
