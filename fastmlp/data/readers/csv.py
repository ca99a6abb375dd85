"""CSV with one row per sample and a column of labels, as Kaggle's Digit Recognizer has it."""

import csv
from collections.abc import Iterator
from itertools import chain, islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fastmlp.data.checks import BYTES_AT_A_TIME, are_pixels, check_finite, picture_shape, read_labels
from fastmlp.data.dataset import Dataset
from fastmlp.data.readers.reader import Reader, first_sample_line
from fastmlp.errors import InputError

LABEL_NAMES = ("label", "class", "target", "y")


class CSVReader(Reader):
    """Numbers separated by commas, one line per sample.

    A header has to name the column `label` (or class, target, y); without a header the labels come first. X is uint8 if
    all values are whole, from 0 to 255 and not 0 and 1 only, and the columns are pixels: by name, or by being 784; else
    float32.
    """

    name = "CSV"
    endings = (".csv",)
    is_text = True

    def recognises(self, head: bytes) -> bool:
        """Return True for text with a comma in its first line, or without colons."""
        return b"," in first_sample_line(head) or b":" not in head

    def read(self, path: Path, *, part: str = "train", n_features: int | None = None) -> Dataset:
        """Read a file as `Reader.read` describes."""
        header, label, skipped = _header(path)
        X, labels = _table(path, header, label, skipped)
        check_finite(X, str(path))
        y, classes = read_labels(f"{path}: column {header[label] if header else label}", labels, len(X))
        pixels = X.shape[1] == 784 or bool(header and header[-1].lower().startswith("pixel"))
        X = X.astype(np.uint8 if pixels and are_pixels(X) else np.float32, copy=False)
        return Dataset(X, y, classes, picture_shape(X.shape, X), path.name)


def _header(path: Path) -> tuple[list[str], int, int]:
    """Return the header's names, if any; the position of the labels; and the lines that come before the first sample.

    Raises InputError when there is a header that names no labels.
    """
    line, names = next(_rows(path), (0, []))
    if not names:
        raise InputError(f"{path} has no rows; expected one line per sample")
    if all(_is_number(name) for name in names):
        return [], 0, 0
    lower = [name.strip().lower() for name in names]
    for name in LABEL_NAMES:
        if name in lower:
            return names, lower.index(name), line
    if len(names) == 1 and any(mark in names[0] for mark in ";\t"):
        raise InputError(f"{path} has no comma in its header, {names[0][:40]!r}; expected commas between the columns")
    raise InputError(
        f"{path} has no column `label`; its header begins {', '.join(names[:4])}: name the column of labels so, "
        "or leave the header out and put the labels first"
    )


def _rows(path: Path) -> Iterator[tuple[int, list[str]]]:
    """Yield the line number, from 1, and the fields of every line that is not blank."""
    with open(path, encoding="utf-8-sig", errors="replace", newline="") as file:
        reader = csv.reader(file)
        for row in reader:
            if row and not (len(row) == 1 and row[0].isspace()):
                yield reader.line_num, row


def _table(
    path: Path, header: list[str], label: int, skipped: int
) -> tuple[NDArray[np.uint8 | np.float32], NDArray[np.float64]]:
    """Read all rows after the first `skipped` lines: inputs (N, D) uint8 if they are bytes, else float32; labels (N,).

    All is parsed as float64. Numpy below 2.3, asked for bytes, would cut the others down to such without an error.
    """
    columns = _columns(path, header, skipped)
    at_a_time = max(1, BYTES_AT_A_TIME // (8 * columns))
    inputs, labels = [], []
    try:
        with open(path, encoding="utf-8-sig", errors="replace") as file:
            # Numpy skips empty lines by itself, and takes one of spaces for a value.
            lines = (line for line in islice(file, skipped, None) if not line.isspace())
            for line in lines:
                rows = np.loadtxt(
                    chain([line], lines), comments=None, delimiter=",", ndmin=2, quotechar='"', max_rows=at_a_time
                )
                if rows.shape[1] != columns:
                    raise ValueError(f"{rows.shape[1]} values after rows of {columns}")
                labels.append(rows[:, label].copy())
                inputs.append(_compact(np.delete(rows, label, axis=1)))
    except ValueError as error:
        raise InputError(_first_fault(path, skipped) or f"{path} cannot be read as CSV: {error}") from error
    return np.concatenate(inputs), np.concatenate(labels)


def _columns(path: Path, header: list[str], skipped: int) -> int:
    """Count the values of the first row. Raises InputError for none, for one, and for not one for each name."""
    line, row = next(((line, row) for line, row in islice(_rows(path), 2) if line > skipped), (0, []))
    if not row:
        raise InputError(f"{path} has a header and no rows; expected one line per sample")
    if header and len(row) != len(header):
        raise InputError(
            f"{path}, line {line}: {len(row)} values; expected {len(header)}, one for each name in the header: correct "
            "the line or the header"
        )
    if len(row) < 2:
        raise InputError(f"{path} has one column; expected a label and one or more values, separated by commas")
    return len(row)


def _compact(values: NDArray[np.float64]) -> NDArray[np.uint8 | np.float32]:
    """Convert values (rows, columns) to uint8 where that changes none of them, else to float32."""
    if values.min() >= 0 and values.max() <= 255 and (values == np.floor(values)).all():
        return values.astype(np.uint8)
    with np.errstate(over="ignore"):  # what float32 cannot represent becomes infinity, which is reported
        return values.astype(np.float32)


def _first_fault(path: Path, skipped: int) -> str | None:
    """Describe what is wrong with the first bad line. Numpy counts its rows from 0 or from 1, as it happens."""
    width = None
    for line, row in _rows(path):
        if line <= skipped:
            continue
        width = width or len(row)
        if len(row) != width:
            return f"{path}, line {line}: {len(row)} values; expected {width}, as in the lines before: correct the line"
        for column, text in enumerate(row):
            if not _is_number(text):
                return f"{path}, line {line}: {text!r} in column {column}; expected a number: correct the line"
    return None


def _is_number(text: str) -> bool:
    """Return True if numpy reads a text as a number: Python alone accepts other digits and 1_000."""
    try:
        float(text)
    except ValueError:
        return False
    return text.isascii() and "_" not in text
