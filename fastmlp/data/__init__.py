"""Data from files and by name, and its split into training and validation samples.

from fastmlp.data import load, split
train, validation = split(load("mnist"))
"""

from .checks import NoTestPart
from .csr import CSR
from .dataset import Dataset, digest
from .loading import NAMES, load
from .split import first_rows, load_split, split, validation_count
from .stream import Stream

__all__ = [
    "CSR",
    "NAMES",
    "Dataset",
    "NoTestPart",
    "Stream",
    "digest",
    "first_rows",
    "load",
    "load_split",
    "split",
    "validation_count",
]
