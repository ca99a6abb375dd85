"""Arrays with names, as npz, HDF5 and MATLAB files have them: which of them are the inputs and labels of a part."""

import re
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastmlp.data.checks import image_notes, no_part, read_inputs, read_labels, shape_of_images
from fastmlp.data.dataset import Dataset, Inputs
from fastmlp.errors import InputError

# Names of inputs with those of their labels. The first pair that a file has is taken.
PAIRS = (
    ("images", ("labels",)),  # notMNIST, MedMNIST
    ("xdata", ("ydata",)),  # the course's files
    ("x", ("y",)),  # Keras' mnist.npz
    ("data", ("target", "targets", "labels", "label")),  # scikit-learn; USPS; mnist-original.mat
    ("features", ("labels", "label", "target", "targets")),
    ("inputs", ("labels", "targets")),
    ("fea", ("gnd",)),  # D. Cai's MATLAB files
    ("arr_0", ("arr_1",)),  # np.savez without names
)
# What a name may have before or behind it, or the group that an array is in.
WORDS = {
    "train": ("train", "training", "train_set"),
    "validation": ("val", "valid", "validation"),
    "test": ("test", "test_set"),
}


def find_pair(path: Path, names: Collection[str], part: str) -> tuple[str, str]:
    """Find the inputs and labels of a part among the arrays of a file.

    Parameters
    ----------
    path : Path
        The file, for messages.
    names : collection of str
        What its arrays are called, "group/name" in a group. Capitals do not matter, nor do underscores.
    part : {"train", "validation", "test"}
        The part: "train" is also what is said to be of no part.

    Returns
    -------
    inputs, labels : str
        Two of the names.

    Raises
    ------
    InputError
        If the file has none such; of type `NoTestPart` for the test part.
    """
    pair = _pair(names, part)
    if pair is None:
        found = ", ".join(names) or "none"
        parts = [other for other in WORDS if other != part and _pair(names, other)]
        if parts:
            raise no_part(
                part,
                f"{path} has no {part} part, only {' and '.join(parts)}, in the arrays {found}; expected names such as "
                f"`x_{WORDS[part][0]}` and `y_{WORDS[part][0]}`: give the path of the {part} file instead",
            )
        raise no_part(
            part,
            f"{path} has the arrays {found}; expected the names of inputs and labels, `images` and `labels`, `x` and "
            "`y`, `xdata` and `ydata`, `x_train` and `y_train`, or another pair of docs/data.md: rename its arrays so",
        )
    return pair


def has_part(names: Collection[str], part: str) -> bool:
    """Return True if a file with such arrays has a part.

    Parameters
    ----------
    names : collection of str
        What its arrays are called.
    part : {"train", "validation", "test"}
        The part.
    """
    return _pair(names, part) is not None


def find_inputs(path: Path, names: Collection[str]) -> tuple[str, tuple[str, ...]]:
    """Find what to predict among the arrays of a file: inputs of the test part, of no part, or of another one.

    Parameters
    ----------
    path : Path
        The file, for messages.
    names : collection of str
        What its arrays are called.

    Returns
    -------
    name : str
        One of the names: also the only one, whatever it is.
    notes : tuple of str
        Which it is, where the file has more than one.

    Raises
    ------
    InputError
        If there are several arrays, and none of them is called as inputs are.
    """
    plain = {_plain(name): name for name in names}
    known = [inputs for inputs, _ in PAIRS]
    spelt = (
        spelling for part in ("test", "train", "validation") for name in known for spelling in _spellings(name, part)
    )
    found = list(dict.fromkeys(plain[spelling] for spelling in spelt if spelling in plain))
    if not found and len(names) == 1:
        found = list(names)
    if not found:
        raise InputError(
            f"{path} has the arrays {', '.join(names) or 'none'}; expected inputs under a name such as `x`, `images` "
            "or `x_test`: rename one of them so"
        )
    others = f"; it also has {', '.join(found[1:])}" if len(found) > 1 else ""
    return found[0], (f"{path}: inputs from `{found[0]}`{others}",) if others else ()


def labels_of(names: Collection[str], inputs: str) -> str | None:
    """Return what the labels of an array of inputs are called, or None if a file has none.

    Parameters
    ----------
    names : collection of str
        What the file's arrays are called.
    inputs : str
        One of them.
    """
    pairs = (_pair(names, part) for part in WORDS)
    return next((pair[1] for pair in pairs if pair and pair[0] == inputs), None)


def inputs_of_array(path: Path, name: str, x: Any, notes: tuple[str, ...] = ()) -> Inputs:
    """Make `Inputs` of an array of a file.

    Parameters
    ----------
    path : Path
        The file.
    name : str
        What the array is called; "" in a file of one array.
    x : ndarray or h5py.Dataset of shape (N, D), or of images
        Inputs, which are read in blocks.
    notes : tuple of str, default=()
        What there is to say about it already.

    Raises
    ------
    InputError
        If these are no inputs.
    """
    X, where = _read_array(path, name, x)
    return Inputs(X, None, shape_of_images(x.shape, X), path.name, (*notes, *image_notes(where, x.shape)))


def _read_array(path: Path, name: str, x: Any) -> tuple[NDArray[np.uint8 | np.float32], str]:
    """Return inputs as `read_inputs` does, and what messages call them."""
    chunks = getattr(x, "chunks", None)
    where = f"{path}: {name}" if name else str(path)
    return read_inputs(where, x.shape, x.dtype, x.__getitem__, chunks[0] if chunks else 1), where


def _pair(names: Iterable[str], part: str) -> tuple[str, str] | None:
    plain = {_plain(name): name for name in names}
    for inputs, all_labels in PAIRS:
        for labels in all_labels:
            for a, b in zip(_spellings(inputs, part), _spellings(labels, part), strict=True):
                if a in plain and b in plain:
                    return plain[a], plain[b]
    return None


def _plain(name: str) -> str:
    return re.sub(r"[_\-/ ]", "", name.lower())


def _spellings(name: str, part: str) -> Iterator[str]:
    """Yield how an array of a part may be called, as `_plain` gives it."""
    for word in WORDS[part]:
        yield _plain(word + name)
        yield _plain(name + word)
    if part == "train":
        yield _plain(name)


def dataset_of_arrays(path: Path, inputs: str, x: Any, labels: str, y: np.ndarray, synthetic: bool = False) -> Dataset:
    """Make a Dataset of two arrays of a file.

    Parameters
    ----------
    path : Path
        The file.
    inputs : str
        What the first array is called.
    x : ndarray or h5py.Dataset of shape (N, D), or of images
        Inputs, which are read in blocks.
    labels : str
        What the second array is called.
    y : ndarray of shape (N,), (N, 1) or (N, C)
        Labels.
    synthetic : bool, default=False
        Whether this library made the samples.

    Returns
    -------
    Dataset
        Named after the file.

    Raises
    ------
    InputError, InputTypeError
        If these are no inputs, no labels, or not as many.
    """
    X, where = _read_array(path, inputs, x)
    if y.ndim == 2 and y.shape[1] > 1 and y.dtype.kind in "bui" and y.max() <= 1 and (y.sum(axis=1) > 1).any():
        row = int(np.argmax(y.sum(axis=1) > 1))
        raise InputError(
            f"{path}: {labels} has {y[row].sum()} labels at row {row}; expected one label per sample: choose one column"
        )
    values, classes = read_labels(f"{path}: {labels}", y, len(X))
    notes = image_notes(where, x.shape)
    return Dataset(X, values, classes, shape_of_images(x.shape, X), path.name, synthetic, notes=notes)
