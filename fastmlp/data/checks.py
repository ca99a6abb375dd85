"""What all readers make sure of, and how they turn what a file holds into inputs and labels."""

import math
import os
import stat
from collections.abc import Callable
from pathlib import Path

import numpy as np

from fastmlp.errors import InputError
from fastmlp.utils.arrays import check_labels

MOST_CLASSES = 1 << 16  # an identifier or a measurement in the column of labels would fill the memory with outputs
BYTES_AT_A_TIME = 16 << 20  # of float64: what a reader holds beside its result


class NoTestPart(InputError):
    """A file or a folder in which there is nothing that would be test data, damaged or not."""


def user_path(path: str | os.PathLike[str]) -> Path:
    """A path as a user writes it: ~ is a home. Raises InputError where that home is not known."""
    try:
        return Path(path).expanduser()
    except RuntimeError:
        raise InputError(f"{path} is in a home folder that is not known; expected one that is: write it out") from None


def check_file(path: Path) -> None:
    """InputError unless a path is that of a file on a disk. Every reader has its file checked here before it opens it.

    Readers open their file again and go back in it: of a pipe they would miss what was read before, or wait for ever.
    """
    try:
        mode = os.stat(path).st_mode
    except FileNotFoundError:
        raise InputError(f"{path} is not there; expected a data file: check the path") from None
    except OSError as error:
        raise InputError(f"{path} cannot be read ({error.strerror}); expected a data file: check the path") from error
    except ValueError as error:  # as of a zero byte
        raise InputError(f"{str(path)!r} cannot be the name of a file ({error}); check the path") from None
    if not stat.S_ISREG(mode):
        kinds = {stat.S_IFDIR: "folder", stat.S_IFIFO: "pipe", stat.S_IFSOCK: "socket"}
        raise InputError(
            f"{path} is a {kinds.get(stat.S_IFMT(mode), 'device')}; expected a file, which is read more than once: "
            "write it to a file first"
        )


def read_inputs(
    where: str, shape: tuple[int, ...], dtype: np.dtype, read: Callable[[slice], np.ndarray], chunk_rows: int = 1
) -> np.ndarray:
    """The inputs of a file as (N, D) uint8 or float32, read in blocks of rows.

    where       what to call the array in a message
    shape       (N, D), or (N, height, width) for pictures
    dtype       as stored: uint8 stays, other integers become uint8 if they are pixels of a picture, else float32
    read        gives a slice of the rows as an array
    chunk_rows  rows that are stored together: a block is a multiple of it
    Raises InputError for another rank, no rows or columns, no numbers, nan or infinity.
    """
    if len(shape) not in (2, 3, 4) or (len(shape) == 4 and shape[3] != 1):
        raise InputError(f"{where} has shape {shape}; expected (N, D), or (N, height, width) for pictures: reshape it")
    rows, columns = shape[0], math.prod(shape[1:])
    if not rows or not columns:
        raise InputError(f"{where} has shape {shape}; expected one row and one column or more: fill it")
    if dtype.kind not in "buif":
        raise InputError(f"{where} has dtype {dtype}; expected numbers: store it as float32 or uint8")
    X = np.empty((rows, columns), np.uint8 if dtype == np.uint8 else np.float32)
    at_a_time = -(-max(1, BYTES_AT_A_TIME // (8 * columns)) // chunk_rows) * chunk_rows
    for start in range(0, rows, at_a_time):
        block = X[start : start + at_a_time]
        with np.errstate(over="ignore"):  # float64 beyond float32 becomes infinity, which is reported
            block[:] = read(slice(start, start + len(block))).reshape(block.shape)
        check_finite(block, where, start)
    if dtype.kind in "iu" and dtype != np.uint8 and square(columns) and are_pixels(X):
        return X.astype(np.uint8)
    return X


def are_pixels(X: np.ndarray) -> bool:
    """Whether all values of a picture are whole, from 0 to 255; 0 and 1 alone are taken as they are."""
    return bool(X.min() >= 0 and 1 < X.max() <= 255 and (X.dtype.kind != "f" or (np.floor(X) == X).all()))


def check_finite(block: np.ndarray, where: str, first_row: int = 0) -> None:
    """InputError that names the row and column of a nan or infinity in `block`, whose rows start at `first_row`."""
    if block.dtype.kind != "f":
        return
    finite = np.isfinite(block)
    if not finite.all():
        row, column = np.argwhere(~finite)[0]
        raise InputError(
            f"{where} has {block[row, column]} at row {first_row + row}, column {column}; "
            "expected finite numbers that fit float32: remove or replace it"
        )


def read_labels(where: str, values: np.ndarray, rows: int) -> tuple[np.ndarray, int]:
    """Labels (rows,) int64 from 0, and the number of classes: the one-hot columns, or the largest label + 1.

    values: (rows,) integers, integral floats, or (rows, classes) one-hot. Raises InputError, InputTypeError.
    """
    y, class_count = check_labels(values, rows, where)
    if y.min() < 0:
        row = int(np.argmax(y < 0))
        raise InputError(f"{where} has the label {y[row]} at row {row}; expected labels from 0: number the classes")
    if class_count is None and y.max() >= MOST_CLASSES:
        row = int(np.argmax(y >= MOST_CLASSES))
        raise InputError(
            f"{where} has the label {y[row]} at row {row}; expected labels below {MOST_CLASSES}, each of which becomes "
            "an output of the network: number the classes from 0"
        )
    return y, class_count or max(2, int(y.max()) + 1)


def picture_shape(shape: tuple[int, ...], X: np.ndarray) -> tuple[int, int] | None:
    """(height, width) of the pictures in an array of this shape, None when its rows are no pictures."""
    if len(shape) > 2:
        return shape[1], shape[2]
    columns = shape[1]
    return square(columns) if columns == 784 or X.dtype == np.uint8 else None


def square(pixels: int) -> tuple[int, int] | None:
    """(side, side) of a square picture, from 8x8; None for another count."""
    side = math.isqrt(pixels)
    return (side, side) if side >= 8 and side * side == pixels else None
