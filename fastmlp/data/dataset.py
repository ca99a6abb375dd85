"""What every reader returns."""

from dataclasses import dataclass, field

import numpy as np


@dataclass(frozen=True)
class Dataset:
    """Inputs with their labels.

    X           (N, D) uint8 or float32. uint8 holds pixels: the network reads the value divided by 255. Svmlight text
                gives a CSR matrix instead: any object with `indptr`, `indices`, `data` and `shape`
    y           (N,) int64, from 0 to class_count - 1
    class_count number of classes, at least 2
    image_shape (height, width) when a row of X is a picture, else None
    name        what to call the data in a table or a message, such as "mnist" or a file's name
    synthetic   True when the samples were made by this library and not collected
    class_names one name per class, as a person reads it
    """

    X: np.ndarray
    y: np.ndarray
    class_count: int
    image_shape: tuple[int, int] | None
    name: str
    synthetic: bool = False
    class_names: tuple[str, ...] = field(default=())
