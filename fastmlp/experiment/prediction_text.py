"""Predictions as CSV and as JSON: a piece of text for each block of rows."""

import csv
import io
import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastmlp.experiment.predict import Predictions
from fastmlp.runs.run_record import finite

BLOCK_ROWS = 4096
ROW = "row"


def as_csv(predictions: Predictions) -> Iterator[str]:
    """Yield the lines of a table: names or numbers of rows, answers, and probabilities where there are any.

    Parameters
    ----------
    predictions : Predictions
        What is written. Numbers have as many digits as distinguish them from others of their type.
    """
    names = list(map(str, predictions.classes.tolist()))
    if predictions.answer == "value":
        header = ["value"] if len(names) == 1 else [f"value_{name}" for name in names]
    else:
        header = [predictions.answer, *(f"probability_{name}" for name in names)]
    yield lines([[predictions.ids_name or ROW, *header]])
    for rows in blocks(len(predictions)):
        columns = [list(map(str, names_of(predictions, rows)))]
        if predictions.answer != "value":
            columns.append([" ".join(map(str, each)) for each in answers(predictions, rows)])
        yield lines(zip(*columns, *texts(predictions.outputs[rows]).T.tolist(), strict=True))


def as_json(predictions: Predictions, network: str, files: Sequence[str]) -> Iterator[str]:
    """Yield the pieces of one JSON object, whose last key, "predictions", has an object for each row.

    Parameters
    ----------
    predictions : Predictions
        What is written. A number that is not finite is null.
    network : str
        What predicted.
    files : sequence of str
        What was predicted.
    """
    head = {
        "network": network,
        "files": list(files),
        "answer": predictions.answer,
        "classes": None if predictions.answer == "value" else predictions.classes.tolist(),
        "notes": list(predictions.notes),
        "rows": len(predictions),
    }
    yield "{\n" + "".join(f"  {_json(key)}: {_json(value)},\n" for key, value in head.items()) + '  "predictions": ['
    separator = "\n"
    for rows in blocks(len(predictions)):
        for row in _plain_rows(predictions, rows):
            yield f"{separator}    {_json(row)}"
            separator = ",\n"
    yield "\n  ]\n}\n"


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False, default=str)


def _plain_rows(predictions: Predictions, rows: slice) -> Iterator[dict[str, Any]]:
    """Yield what is said about each row as plain values."""
    answer, key = predictions.answer, predictions.ids_name or ROW
    said = answers(predictions, rows) if answer != "value" else [[] for _ in range(rows.start, rows.stop)]
    for name, labels, row in zip(
        names_of(predictions, rows), said, texts(predictions.outputs[rows]).tolist(), strict=True
    ):
        numbers = [finite(float(number)) for number in row]  # as a text 0.1 of float32 is 0.1, no 0.10000000149011612
        if answer == "value":
            yield {key: name, "value": numbers[0] if len(numbers) == 1 else numbers}
        else:
            yield {key: name, answer: labels[0] if answer == "class" else labels, "probabilities": numbers}


def names_of(predictions: Predictions, rows: slice) -> Sequence[str | int]:
    """Return what rows are called, or their numbers from 0.

    Parameters
    ----------
    predictions : Predictions
        Of these rows.
    rows : slice
        Which ones.
    """
    return range(len(predictions))[rows] if predictions.ids is None else predictions.ids[rows]


def answers(predictions: Predictions, rows: "slice | NDArray[np.int64]") -> list[list[Any]]:
    """Return the labels that each row has: one, or any number of them.

    Parameters
    ----------
    predictions : Predictions
        Of classes or labels.
    rows : slice or ndarray
        Which ones.
    """
    outputs, labels = predictions.outputs[rows], predictions.classes.tolist()
    if predictions.answer == "class":
        return [[labels[column]] for column in outputs.argmax(axis=1)]
    return [[labels[column] for column in np.flatnonzero(row > 0.5)] for row in outputs]


def texts(numbers: NDArray[Any]) -> NDArray[np.str_]:
    """Return numbers as the shortest texts that distinguish them from others of their type.

    Parameters
    ----------
    numbers : ndarray
        Of any type.
    """
    return numbers.astype(np.str_)


def blocks(rows: int) -> Iterator[slice]:
    """Yield slices of consecutive rows, each with a start and a stop.

    Parameters
    ----------
    rows : int
        How many there are.
    """
    return (slice(start, min(start + BLOCK_ROWS, rows)) for start in range(0, rows, BLOCK_ROWS))


def lines(rows: Iterable[Iterable[str]]) -> str:
    """Return rows as lines of CSV.

    Parameters
    ----------
    rows : iterable of iterable of str
        A text for each cell.
    """
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue()
