"""CSV with one row per sample and a column of labels, as Kaggle's Digit Recognizer has it."""

import csv
from itertools import islice
from pathlib import Path

import numpy as np

from fastmlp.errors import InputError

from .checks import are_pixels, check_finite, picture_shape, read_labels
from .dataset import Dataset

LABEL_NAMES = ("label", "class", "target", "y")


def read_csv(path: Path) -> Dataset:
    """A header that names the column `label` (or class, target, y), or no header and the labels first.

    X is uint8 if all values are whole, from 0 to 255 and not 0 and 1 only, and the columns are pixels: by name, or by
    being 784; else float32. Raises InputError.
    """
    header, label, skipped = _header(path)
    table = _table(path, skipped)
    if table.shape[1] < 2:
        raise InputError(f"{path} has one column; expected a label and one or more values, separated by commas")
    X = np.delete(table, label, axis=1)
    check_finite(X, str(path))
    y, class_count = read_labels(f"{path}: column {header[label] if header else label}", table[:, label], len(X))
    pixels = X.shape[1] == 784 or bool(header and header[-1].lower().startswith("pixel"))
    X = X.astype(np.uint8 if pixels and are_pixels(X) else np.float32, copy=False)
    return Dataset(X, y, class_count, picture_shape(X.shape, X), path.name)


def _header(path):
    """The header's names, () without one; the position of the labels; and how many lines come before the first sample.

    InputError when there is a header that names no labels.
    """
    line, names = next(_rows(path), (0, []))
    if not names:
        raise InputError(f"{path} holds no rows; expected one line per sample")
    if all(_is_number(name) for name in names):
        return (), 0, 0
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


def _rows(path):
    """(line number from 1, fields) of every line that is not blank."""
    with open(path, encoding="utf-8-sig", errors="replace", newline="") as file:
        reader = csv.reader(file)
        for row in reader:
            if row and not (len(row) == 1 and row[0].isspace()):
                yield reader.line_num, row


def _table(path, skipped):
    """All rows after the first `skipped` lines: (N, columns) uint8 if all values fit, else float32."""
    if not any(line > skipped for line, _ in islice(_rows(path), 2)):
        raise InputError(f"{path} holds a header and no rows; expected one line per sample")
    for dtype in (np.uint8, np.float32):  # bytes parse ten times as fast, and need a quarter of the memory
        try:
            with open(path, encoding="utf-8-sig", errors="replace") as file:
                # Numpy skips empty lines by itself, and takes one of spaces for a value.
                lines = (line for line in islice(file, skipped, None) if not line.isspace())
                return np.loadtxt(lines, dtype, comments=None, delimiter=",", ndmin=2, quotechar='"')
        except ValueError as error:
            reason = error
    raise InputError(_first_fault(path, skipped) or f"{path} cannot be read as CSV: {reason}") from reason


def _first_fault(path, skipped):
    """What is wrong with the first bad line, in words. Numpy counts its rows from 0 or from 1, as it happens."""
    width = None
    for line, row in _rows(path):
        if line <= skipped:
            continue
        width = width or len(row)
        if len(row) != width:
            return f"{path}, line {line}: {len(row)} values; expected {width}, as in the lines before: mend the line"
        for column, text in enumerate(row):
            if not _is_number(text):
                return f"{path}, line {line}: {text!r} in column {column}; expected a number: mend the line"
    return None


def _is_number(text):
    try:
        float(text)
    except ValueError:
        return False
    return True
