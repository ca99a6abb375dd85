"""Svmlight text, as the LIBSVM collection has it: `label index:value index:value ...`, zeros left out."""

import math
import re
from array import array
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fastmlp.data.checks import read_labels
from fastmlp.data.csr import CSR
from fastmlp.data.dataset import Dataset, Inputs
from fastmlp.data.readers.reader import Expected, Reader, first_sample_line
from fastmlp.data.unpacking import open_text, reported
from fastmlp.errors import InputError, InputTypeError
from fastmlp.utils.showing import shown

_PAIR = re.compile(rb"(\d+|qid):")


class SvmlightReader(Reader):
    """Lines of a label and `index:value` pairs; X is CSR.

    Indices count from 1, or from 0 in a file that has a 0. `n_features` is for files that may lack the last columns; by
    default the largest index is the last column.
    """

    name = "svmlight"
    endings = (".svm", ".svmlight", ".libsvm")
    is_text = True
    takes_n_features = True

    def recognises(self, head: bytes) -> bool:
        """Return True for text whose first line has pairs, or nothing, after its label."""
        return has_pairs(head)

    def read(self, path: Path, *, part: str = "train", n_features: int | None = None) -> Dataset:
        """Read a file as `Reader.read` describes."""
        labels, X = _read(path, n_features)
        y, classes = read_labels(str(path), np.asarray(labels), len(labels))
        return Dataset(X, y, classes, None, path.name)

    def read_inputs(self, path: Path, expected: Expected) -> Inputs:
        """Read a file, whose lines may lack labels, as `Reader.read_inputs` describes."""
        _, X = _read(path, expected.n_features, with_labels=False)
        return Inputs(X, None, None, path.name)


def has_pairs(head: bytes) -> bool:
    """Return whether the first line of text has a label and pairs `index:value`, or a label alone before lines of such.

    Parameters
    ----------
    head : bytes
        The first bytes of the text.
    """
    fields = first_sample_line(head).partition(b"#")[0].split()
    return b":" in head and b"," not in b"".join(fields) and all(map(_PAIR.match, fields[1:]))


def _read(path: Path, n_features: int | None, with_labels: bool = True) -> tuple[list[int | float], CSR]:
    """Return the labels, if they are asked for, and the inputs."""
    labels, lengths, indices, data = _parse(path, with_labels)
    columns = np.asarray(indices)
    if len(columns) and columns.min() > 0:
        columns = columns - 1
    width = _width(path, int(columns.max()) + 1 if len(columns) else 0, n_features)
    indptr = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    return labels, CSR(indptr, columns.astype(np.int32), _values(path, data, indptr), (len(lengths), width))


def _parse(path: Path, with_labels: bool) -> "tuple[list[int | float], array[int], array[int], array[float]]":
    """Return the labels and, row by row, the number of values, their indices (int64) and the values (float64)."""
    labels: list[int | float] = []
    lengths, indices, data = array("q"), array("q"), array("d")
    with reported(path), open_text(path, errors="replace") as file:
        for number, line in enumerate(file, 1):
            fields = line.partition("#")[0].split()
            if not fields:
                continue
            try:
                if with_labels:
                    labels.append(_number(fields[0]))
                pairs = fields[1:] if with_labels or ":" not in fields[0] else fields
                last = -1
                for pair in pairs:
                    text, _, value = pair.partition(":")
                    index = int(text)
                    if not last < index < 2**31:
                        raise ValueError(f"index {index} after {max(last, 0)}")
                    indices.append(index)
                    data.append(float(value))
                    last = index
            except (ValueError, OverflowError) as error:
                raise InputError(
                    f"{path}, line {number}: {error}; expected `label index:value ...` with a number as label and "
                    "rising indices: correct the line"
                ) from error
            lengths.append(len(pairs))
    if not lengths:
        raise InputError(f"{path} has no rows; expected lines of `label index:value ...`")
    return labels, lengths, indices, data


def _number(text: str) -> int | float:
    """Return the number that a label stands for. Raises ValueError."""
    try:
        whole = int(text)
    except ValueError:
        number = float(text)
    else:
        if not -(2**63) <= whole < 2**63:
            raise ValueError(f"label {text} has more than 64 bits")
        return whole
    if not math.isfinite(number):
        raise ValueError(f"label {text} is not a finite number")
    if not number.is_integer():
        return number
    if abs(number) >= 2**53:
        raise ValueError(f"label {text} is not exact, beyond 2**53: write it without a point")
    return int(number)


def _width(path: Path, least: int, n_features: int | None) -> int:
    """Return the number of columns, `least` or more. Raises InputError, InputTypeError."""
    if n_features is None:
        if not least:
            raise InputError(f"{path} has no values; give n_features, the number of columns")
        return least
    if isinstance(n_features, bool) or not isinstance(n_features, int):
        raise InputTypeError(f"n_features is {shown(n_features)}; expected a whole number: the columns of the data")
    if n_features < max(least, 1):
        raise InputError(f"n_features is {n_features}, and {path} has {least} columns; give {least} or more")
    return n_features


def _values(path: Path, data: "array[float]", indptr: NDArray[np.int64]) -> NDArray[np.float32]:
    """Return the values as float32. Raises InputError for one that is not finite."""
    with np.errstate(over="ignore"):  # what float32 cannot represent becomes infinity, which is reported
        values = np.asarray(data).astype(np.float32)
    finite = np.isfinite(values)
    if not finite.all():
        place = int(np.argmin(finite))
        row = int(np.searchsorted(indptr, place, side="right")) - 1
        raise InputError(
            f"{path} has {data[place]} in row {row}; expected finite numbers that fit float32: remove or replace it"
        )
    return values
