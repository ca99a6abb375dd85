"""Checks and conversions that all readers share: from what a file has to inputs and labels."""

import math
import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastmlp.errors import InputError
from fastmlp.utils.free_memory import check_memory
from fastmlp.utils.labels import Labels, check_labels, distinct
from fastmlp.utils.paths import kind_of_file

MOST_CLASSES = 1 << 16  # an identifier or a measurement in the column of labels would fill the memory with outputs
MNIST_PIXELS, USPS_PIXELS = 784, 256
COLOURS = 3  # red, green, blue
# Of whole numbers, see `are_quantities`.
FEW_NUMBERS = 20
FEWEST_ROWS = 10
BYTES_AT_A_TIME = 16 << 20  # of float64: what a reader needs in addition to its result


PARTS = ("train", "validation", "test")


class NoLabels(InputError):
    """Raised for a file without labels, such as one whose rows are to be predicted."""


class NoTestPart(InputError):
    """A file or a folder without test data."""


def no_part(part: str, message: str) -> InputError:
    """Return the error for data that lack a part: `NoTestPart` for the test part, else an InputError.

    Parameters
    ----------
    part : {"train", "validation", "test"}
        The part.
    message : str
        What is said about it.
    """
    return NoTestPart(message) if part == "test" else InputError(message)


def check_file(path: Path) -> None:
    """Raise InputError unless a path is that of a file on a disk; every reader checks its file so before it opens it.

    Readers open their file again and go back in it: of a pipe they would miss what was read before, or wait for ever.

    Parameters
    ----------
    path : Path
        Path to check.

    Raises
    ------
    InputError
        If there is nothing, a folder, a pipe, a socket or a device.
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
        raise InputError(
            f"{path} is a {kind_of_file(mode)}; expected a file, which is read more than once: write it to a file first"
        )


def read_inputs(
    where: str,
    shape: tuple[int, ...],
    dtype: np.dtype,
    read: Callable[[slice], np.ndarray],
    chunk_rows: int = 1,
) -> NDArray[np.uint8 | np.float32]:
    """Read the inputs of a file in blocks of rows, as the numbers that they are.

    Parameters
    ----------
    where : str
        What messages call the array.
    shape : tuple of int
        (N, D); or images: (N, height, width), with one channel at the end or before the height, or with three
        colours at the end, which become grey.
    dtype : dtype
        As stored.
    read : callable
        Returns the rows of a slice as an array.
    chunk_rows : int, default=1
        Rows that are stored together: a block is a multiple of it.

    Returns
    -------
    ndarray of shape (N, D), uint8 or float32
        The inputs: uint8 if all values are whole numbers from 0 to 255, else float32.

    Raises
    ------
    InputError
        If there is another number of axes, no row or column, or anything but finite numbers; or more than memory has.
    """
    coloured = len(shape) == 4 and shape[3] == COLOURS
    if len(shape) not in (2, 3, 4) or (len(shape) == 4 and 1 not in (shape[1], shape[3]) and not coloured):
        raise InputError(
            f"{where} has shape {shape}; expected (N, D), or (N, height, width) or (N, height, width, {COLOURS}) for "
            "images: reshape it"
        )
    rows, columns = shape[0], math.prod(shape[1:]) // (COLOURS if coloured else 1)
    if not rows or not columns:
        raise InputError(f"{where} has shape {shape}; expected one row and one column or more: fill it")
    if dtype.kind not in "buif":
        raise InputError(f"{where} has dtype {dtype}; expected numbers: store it as float32 or uint8")
    at_a_time = -(-max(1, BYTES_AT_A_TIME // (8 * columns)) // chunk_rows) * chunk_rows
    check_memory(where, rows * columns + min(rows, at_a_time) * columns * dtype.itemsize)
    X: NDArray[np.uint8 | np.float32] = np.empty((rows, columns), np.uint8)  # until there is a value that is no byte
    for start in range(0, rows, at_a_time):
        block = read(slice(start, min(rows, start + at_a_time)))
        if coloured:
            block = grey(block)
        if X.dtype == np.uint8 and not are_bytes(block):
            check_memory(where, X.size * np.dtype(np.float32).itemsize)
            X = _widened(X, start)
        with np.errstate(over="ignore", invalid="ignore"):  # infinity and nan, which are reported
            X[start : start + at_a_time] = block.reshape(-1, columns)
        check_finite(X[start : start + at_a_time], where, start)
    return X


def _widened(X: NDArray[np.uint8 | np.float32], rows: int) -> NDArray[np.float32]:
    """Return a float32 array like X (N, D) with its first rows."""
    wide = np.empty(X.shape, np.float32)
    wide[:rows] = X[:rows]
    return wide


def grey(images: np.ndarray) -> np.ndarray:
    """Return images in grey: the luma of ITU-R BT.601, 0.299 red + 0.587 green + 0.114 blue.

    Of bytes it is rounded to a byte, exactly as Pillow's `convert("L")` does.

    Parameters
    ----------
    images : ndarray of shape (N, height, width, 3)
        Red, green and blue, on any scale.

    Returns
    -------
    ndarray of shape (N, height, width), uint8 or float64
        The images without their colours.
    """
    if are_bytes(images) and images.max() > 1:
        red, green, blue = np.moveaxis(images.astype(np.uint32), -1, 0)
        luma: np.ndarray = ((red * 19595 + green * 38470 + blue * 7471 + 0x8000) >> 16).astype(np.uint8)
        return luma
    red, green, blue = np.moveaxis(images.astype(np.float64), -1, 0)
    return np.asarray(0.299 * red + 0.587 * green + 0.114 * blue)


def are_bytes(values: np.ndarray) -> bool:
    """Return True if all values are whole numbers from 0 to 255.

    Parameters
    ----------
    values : ndarray
        Some numbers.

    Returns
    -------
    bool
        Whether uint8 represents them.
    """
    if values.dtype == np.uint8:
        return True
    return bool(
        values.min() >= 0 and values.max() <= 255 and (values.dtype.kind != "f" or (np.floor(values) == values).all())
    )


def are_pixels(X: NDArray[np.uint8 | np.float32]) -> bool:
    """Return True if all values are whole and from 0 to 255; False if they are all 0 or 1, which are left unscaled.

    Parameters
    ----------
    X : ndarray of shape (N, D)
        Images.

    Returns
    -------
    bool
        Whether uint8 represents them.
    """
    return are_bytes(X) and bool(X.max() > 1)


def check_finite(block: np.ndarray, where: str, first_row: int = 0) -> None:
    """Raise InputError with the row and column of the first nan or infinity.

    Parameters
    ----------
    block : ndarray of shape (rows, D)
        Some rows of an array.
    where : str
        What messages call the array.
    first_row : int, default=0
        Row of the array at which the block begins.

    Raises
    ------
    InputError
        If a value is not finite.
    """
    if block.dtype.kind != "f":
        return
    finite = np.isfinite(block)
    if not finite.all():
        row, column = np.argwhere(~finite)[0]
        raise InputError(
            f"{where} has {block[row, column]} at row {first_row + row}, column {column}; "
            "expected finite numbers that fit float32: remove or replace it"
        )


def read_labels(where: str, values: np.ndarray, rows: int) -> tuple[Labels, Labels | None]:
    """Convert the labels of a file, whose values stay as they are.

    Parameters
    ----------
    where : str
        What messages call the array.
    values : ndarray of shape (rows,) or (rows, classes)
        Numbers, bools or text (bytes are UTF-8), one for each row; or one-hot rows.
    rows : int
        Number of samples.

    Returns
    -------
    y : ndarray of shape (rows,)
        Labels: int64, bool or text, of one-hot rows the number of the column. Of a regression numbers in float64.
    classes : ndarray of shape (C,), or None
        The labels that there are: the numbers of the one-hot columns, or those that occur. None for a regression, which
        is what `are_quantities` takes for one.

    Raises
    ------
    InputError, InputTypeError
        If these are no labels, one is missing, or there are too many classes.
    """
    values = with_text(where, values)
    if values.dtype.kind in "iuf" and len(values) == values.size == rows and are_quantities(values.reshape(rows)):
        y = values.reshape(rows).astype(np.float64)
        if not np.isfinite(y).all():
            row = int(np.argmin(np.isfinite(y)))
            raise InputError(f"{where} has {y[row]} at row {row}; expected finite numbers: leave that row out")
        return y, None
    y, one_hot_columns = check_labels(values, rows, where)
    classes = distinct(y) if one_hot_columns is None else np.arange(one_hot_columns)
    if len(classes) > MOST_CLASSES:
        raise InputError(
            f"{where} has {len(classes)} different labels, each of which becomes an output of the network; expected "
            f"{MOST_CLASSES} or fewer: are these the labels?"
        )
    return y, classes


def with_text(where: str, values: np.ndarray) -> np.ndarray:
    """Return an array of text for one of bytes in UTF-8, which is how HDF5 has text; any other array as it is.

    Parameters
    ----------
    where : str
        What messages call the array.
    values : ndarray
        Anything.

    Raises
    ------
    InputError
        For bytes that are something else.
    """
    if values.dtype.kind not in "SO":
        return values
    try:
        items = [item.decode() if isinstance(item, bytes) else item for item in values.ravel().tolist()]
    except UnicodeDecodeError as error:
        raise InputError(f"{where} has text that is not UTF-8 ({error}); expected UTF-8: convert it") from None
    return np.fromiter(items, object, len(items)).reshape(values.shape)


def are_quantities(values: NDArray[Any]) -> bool:
    """Return whether numbers are to be predicted as such, a regression, and do not stand for classes.

    Fractions are quantities. Whole numbers are classes where at most 20 different ones occur, or where they are 0 to
    C - 1 or 1 to C without a gap and each has 10 rows or more; else they are quantities.

    Parameters
    ----------
    values : ndarray of shape (N,)
        Numbers.
    """
    if values.dtype.kind == "f" and (values != np.floor(values)).any():
        return True
    numbers, counts = np.unique(values, return_counts=True)
    if len(numbers) <= FEW_NUMBERS:
        return False
    without_gap = numbers[0] in (0, 1) and numbers[-1] - numbers[0] == len(numbers) - 1
    return not (without_gap and counts.min() >= FEWEST_ROWS)


def shape_of_images(shape: tuple[int, ...], X: np.ndarray) -> tuple[int, int] | None:
    """Return the height and width of the images in an array.

    Rows are images where they are stored with a height and a width. A row of plain numbers is a square image where
    it has 784 of them, as MNIST's 28 x 28; where it has 256 of them, the smallest of all -1 or 0 and the largest 1, as
    USPS's 16 x 16; or where it has 64 or more, a square number, and all numbers of the array are whole, from 0 to 255
    and not only 0 and 1, whatever their type.

    Parameters
    ----------
    shape : tuple of int
        Shape of the array as stored.
    X : ndarray of shape (N, D)
        The inputs made of it.

    Returns
    -------
    (int, int) or None
        None when its rows are no images.
    """
    if len(shape) > 2:
        height, width = shape[2:] if len(shape) == 4 and shape[1] == 1 != shape[3] else shape[1:3]
        return (height, width) if min(height, width) > 1 else None
    side = square(shape[1])
    if side is None or shape[1] == MNIST_PIXELS or are_pixels(X):
        return side
    return side if shape[1] == USPS_PIXELS and X.max() == 1 and X.min() in (-1, 0) else None


def image_notes(where: str, shape: tuple[int, ...]) -> tuple[str, ...]:
    """Return what `read_inputs` did to an array of this shape that a user may not expect.

    Parameters
    ----------
    where : str
        What notes call the array.
    shape : tuple of int
        Shape of the array as stored.

    Returns
    -------
    tuple of str
        A sentence for colours, else none.
    """
    if len(shape) != 4 or shape[3] != COLOURS:
        return ()
    height, width = shape[1:3]
    return (
        f"{where}: images of {height} x {width} pixels in colour, which became grey; to keep the colours, store them "
        f"as rows of {height * width * COLOURS} numbers",
    )


def square(pixels: int) -> tuple[int, int] | None:
    """Return (side, side) for a square image of at least 8 x 8 pixels, None for another count.

    Parameters
    ----------
    pixels : int
        Number of pixels.

    Returns
    -------
    (int, int) or None
        Height and width.
    """
    side = math.isqrt(pixels)
    return (side, side) if side >= 8 and side * side == pixels else None
