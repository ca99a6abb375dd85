"""A submission to a competition: predictions with the columns and the rows of its sample submission."""

import csv
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fastmlp.data.checks import check_file
from fastmlp.data.unpacking import open_text, reported
from fastmlp.errors import InputError, first_line
from fastmlp.experiment.predict import Predictions
from fastmlp.experiment.prediction_text import answers, blocks, lines, texts
from fastmlp.utils.labels import listed
from fastmlp.utils.paths import user_path


@dataclass(frozen=True)
class Sample:
    """A sample submission: its header, and what its rows are called.

    Attributes
    ----------
    path : Path
        The file.
    ids_name : str
        The first column.
    names : tuple of str
        The others, which are to be filled in.
    ids : tuple of str
        Of its rows.
    has_fractions : bool
        Whether one of the others has a number with a fraction.
    """

    path: Path
    ids_name: str
    names: tuple[str, ...]
    ids: tuple[str, ...]
    has_fractions: bool


def read_sample(path: str | os.PathLike[str]) -> Sample:
    """Read a sample submission.

    Parameters
    ----------
    path : str or path-like
        CSV with a header and commas, compressed or not.

    Raises
    ------
    InputError
        If it is none.
    """
    path = user_path(path)
    check_file(path)
    try:
        with reported(path), open_text(path) as file:
            header, *rows = [*filter(None, csv.reader(file))] or [[]]
    except (UnicodeError, ValueError, csv.Error) as error:
        raise InputError(
            f"{path} is not a sample submission ({first_line(error)}); expected CSV with a header"
        ) from None
    if len(header) < 2 or len(set(header)) < len(header):
        raise InputError(
            f"{path} begins with {','.join(header)!r}; expected a sample submission: the name of the column that names "
            "the rows, and names of others, with commas between them"
        )
    for number, row in enumerate(rows):
        if len(row) != len(header):
            raise InputError(f"{path} has {len(row)} values in row {number}; expected {len(header)}, as in its header")
    has_fractions = any(_is_fraction(value) for row in rows for value in row[1:])
    return Sample(path, header[0], tuple(header[1:]), tuple(row[0] for row in rows), has_fractions)


def as_submission(predictions: Predictions, sample: Sample) -> tuple[list[str], Iterator[str]]:
    """Write predictions as a submission.

    Rows are found by their names where the predicted file has such, else taken in their order. One column takes the
    class, the labels with blanks between them, or the value; of two classes the probability of the second one where the
    sample has fractions. Several columns take the probabilities of the classes, which they are named after, with or
    without a beginning that they share; or as many values in their order.

    Parameters
    ----------
    predictions : Predictions
        What is written.
    sample : Sample
        Whose columns and rows it has.

    Returns
    -------
    notes : list of str
        What a user may not expect.
    text : iterator of str
        Its pieces.

    Raises
    ------
    InputError
        If the rows are not those of the sample, or nothing can be written to its columns.
    """
    order = _order(predictions, sample)
    notes, columns = _columns(predictions, sample)
    return notes, _text(predictions, sample, order, columns)


def _text(
    predictions: Predictions, sample: Sample, order: NDArray[np.int64], columns: list[int] | None
) -> Iterator[str]:
    """Yield the lines: with some columns of the outputs, or the answers."""
    yield lines([[sample.ids_name, *sample.names]])
    for block in blocks(len(order)):
        rows = order[block]
        if columns is None:
            cells = [[" ".join(map(str, each)) for each in answers(predictions, rows)]]
        else:
            cells = texts(predictions.outputs[rows][:, columns]).T.tolist()
        yield lines(zip(sample.ids[block], *cells, strict=True))


def _order(predictions: Predictions, sample: Sample) -> NDArray[np.int64]:
    """Return the row of the predictions for each row of the sample."""
    if len(sample.ids) != len(predictions):
        raise InputError(
            f"{sample.path} has {len(sample.ids):,} rows, and there are {len(predictions):,} predictions; expected the "
            "sample submission for the same file"
        )
    if predictions.ids is None:
        return np.arange(len(predictions))
    rows = {_key(name): row for row, name in enumerate(predictions.ids)}
    found = [rows.get(_key(name), -1) for name in sample.ids]
    if -1 in found:
        raise InputError(
            f"{sample.path} has the row {sample.ids[found.index(-1)]!r}, which is not in column "
            f"`{predictions.ids_name}` of the predicted file; expected the sample submission for the same file"
        )
    return np.array(found)


def _key(name: str) -> str | int:
    """Return the name of a row as the other file may write it: whole numbers with or without zeros in front."""
    return int(name) if name.isdecimal() else name


def _columns(predictions: Predictions, sample: Sample) -> tuple[list[str], list[int] | None]:
    """Return notes, and which columns of the outputs are asked for; None for the answers."""
    answer, classes = predictions.answer, predictions.classes.tolist()
    if len(sample.names) == 1:
        if answer == "value" and len(classes) == 1:
            return [], [0]
        if answer == "class" and len(classes) == 2 and sample.has_fractions:
            return [
                f"column `{sample.names[0]}`: the probability of class {classes[1]}, as the sample has fractions"
            ], [1]
        if answer != "value":
            return [], None
    elif answer != "class" and len(sample.names) == len(classes):
        return [f"columns `{sample.names[0]}` to `{sample.names[-1]}`: the outputs in their order"], [
            *range(len(classes))
        ]
    elif answer == "class" and (found := _named_after(sample.names, list(map(str, classes)))):
        return [], found
    what = {"class": "classes", "labels": "labels", "value": "values"}[answer]
    raise InputError(
        f"{sample.path} has the columns {listed(np.array(sample.names))}, and the network has {len(classes)} {what}, "
        f"{listed(predictions.classes)}; expected one column, or one for each of them"
    )


def _named_after(names: Sequence[str], classes: Sequence[str]) -> list[int] | None:
    """Return the class of each column, if columns are named after all classes, perhaps with one beginning for all."""
    for label in classes:
        beginning = names[0].removesuffix(label)
        numbers = {beginning + name: number for number, name in enumerate(classes)}
        if names[0].endswith(label) and set(names) == set(numbers):
            return [numbers[name] for name in names]
    return None


def _is_fraction(text: str) -> bool:
    try:
        return not float(text).is_integer()
    except (ValueError, OverflowError):  # no number, or an infinite one
        return False
