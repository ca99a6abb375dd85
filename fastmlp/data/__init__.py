"""Data from files and by name, and its split into training and validation samples.

from fastmlp.data import load, split
train, validation = split(load("mnist"))
"""

from fastmlp.data.checks import NoLabels, NoTestPart
from fastmlp.data.csr import CSR
from fastmlp.data.dataset import Dataset, Inputs, digest
from fastmlp.data.loading import NAMES, load
from fastmlp.data.split import first_rows, load_split, split, validation_count
from fastmlp.data.streaming.stream import Stream
from fastmlp.data.unlabelled import load_inputs

__all__ = [
    "CSR",
    "NAMES",
    "Dataset",
    "Inputs",
    "NoLabels",
    "NoTestPart",
    "Stream",
    "digest",
    "first_rows",
    "load",
    "load_inputs",
    "load_split",
    "split",
    "validation_count",
]
