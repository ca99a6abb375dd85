"""One record per epoch."""

import csv
import io
import os
from collections.abc import Iterable, Iterator, Mapping
from operator import itemgetter
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from fastmlp.errors import InputError
from fastmlp.utils.atomic_files import write_text
from fastmlp.utils.options import nearest
from fastmlp.utils.paths import user_path
from fastmlp.utils.records import Count, Record, to_plain

COLUMNS = (
    "epoch",
    "learning_rate",
    "train_loss",
    "train_objective",
    "train_accuracy",
    "validation_loss",
    "validation_accuracy",
    "seconds",
)
_IN_ORDER = itemgetter(*COLUMNS)
MEASURED = {"full": "after each epoch", "running": "during each epoch"}  # by the setting `train_metrics`


class DiagnosisRecord(Record, frozen=True, kw_only=True):
    """What went wrong in a training.

    Attributes
    ----------
    epoch : int
        From 1; 0 for the whole training.
    cause : str
        One of `fastmlp.training.diagnostics.CAUSES`.
    sentence : str
        What was seen, and a hint.
    """

    epoch: Count
    cause: str
    sentence: str


class ArrayLayout(Protocol):
    """Shape and type of an array, in memory or in a file.

    Attributes
    ----------
    shape : tuple of int
        Its shape.
    dtype : dtype
        Its type.
    """

    @property
    def shape(self) -> tuple[int, ...]: ...

    @property
    def dtype(self) -> np.dtype[Any]: ...


def check_layout(name: str, array: ArrayLayout, shape: tuple[int, ...], dtype: np.typing.DTypeLike) -> None:
    """Raise ValueError for an array of another shape or type.

    Parameters
    ----------
    name : str
        What to call it.
    array : array
        In memory or in a file; its values are not read.
    shape, dtype
        What is expected.
    """
    if array.shape != shape or array.dtype != np.dtype(dtype):
        raise ValueError(f"{name} is {array.dtype} of shape {array.shape}; expected {np.dtype(dtype)} of shape {shape}")


def result_text(value: float) -> str:
    """Return a loss or an accuracy as text: four decimals, or four digits where it is very small or large.

    Parameters
    ----------
    value : float
        The result.
    """
    return f"{value:.4f}" if 0.001 <= abs(value) < 1000 or value == 0 else f"{value:.4g}"


def when_measured(train_metrics: Iterable[str]) -> str:
    """Return a caption, such as "training curves: measured after each epoch"; "" for no network.

    Parameters
    ----------
    train_metrics : iterable of str
        The setting of each network, "full" or "running".
    """
    known = " or ".join(MEASURED[one] for one in dict.fromkeys(train_metrics))
    return f"training curves: measured {known}" if known else ""


class History:
    """Record of each epoch, as columns.

    Attributes
    ----------
    diagnoses : list of dict
        What went wrong, in the order in which it was seen, each as {"epoch": int, "cause": str, "sentence": str}; see
        `fastmlp.training.diagnostics`. It is no column: a CSV and `to_dict` have the numbers alone.

    Notes
    -----
    The columns:

    epoch
        Its number, from 1.
    learning_rate
        Rate of the epoch's first step.
    train_loss
        Mean loss per sample, without any penalty: of the cross entropy in nats. Where samples have weights, the
        weighted mean. Where it is measured during the epoch (train_metrics="running") it is against smoothed labels,
        and what was dropped or distorted is.
    train_objective
        train_loss plus the penalties `l2 / 2 |W|^2 + l1 |W|_1`.
    train_accuracy
        Share of right answers, 0 to 1; for the squared error R^2.
    validation_loss, validation_accuracy
        The same on the validation set; nan without one.
    seconds
        Of training alone, without evaluations, callbacks and checkpoints.
    """

    def __init__(self) -> None:
        self._columns: dict[str, list[Any]] = {name: [] for name in COLUMNS}
        self.diagnoses: list[dict[str, Any]] = []

    def append(self, record: Mapping[str, Any]) -> None:
        """Add an epoch.

        Parameters
        ----------
        record : mapping
            With the names of COLUMNS.
        """
        for column, value in zip(self._columns.values(), _IN_ORDER(record), strict=True):
            column.append(value)

    def extend(self, columns: Mapping[str, Iterable[Any]]) -> None:
        """Add some epochs.

        Parameters
        ----------
        columns : mapping of str to iterable
            With the names of COLUMNS, each with a value per epoch, in order.
        """
        for column, values in zip(self._columns.values(), _IN_ORDER(columns), strict=True):
            column += values

    @classmethod
    def from_file(
        cls, columns: Mapping[str, ArrayLayout], epochs: int, diagnoses: Iterable[DiagnosisRecord]
    ) -> "History":
        """Return the history that a file has.

        Parameters
        ----------
        columns : mapping
            Arrays as `to_numpy` returns them, in memory or in a file; read when their shapes and types are right.
        epochs : int
            Number of epochs.
        diagnoses : iterable of DiagnosisRecord
            What went wrong.

        Raises
        ------
        ValueError
            For other columns, other shapes or types, and numbers that cannot be.
        """
        if set(columns) != set(COLUMNS):
            raise ValueError(f"history has {sorted(columns)}; expected {sorted(COLUMNS)}")
        for name in COLUMNS:
            check_layout(f"history.{name}", columns[name], (epochs,), np.int64 if name == "epoch" else np.float64)
        arrays = {name: np.asarray(columns[name]) for name in COLUMNS}
        if (arrays["epoch"] != np.arange(1, epochs + 1)).any():
            raise ValueError(f"history.epoch is not 1 to {epochs}")
        for name in ("learning_rate", "seconds"):
            if not (np.isfinite(arrays[name]) & (arrays[name] >= 0)).all():
                raise ValueError(f"history.{name} has a number that is negative or not finite")
        history = cls.from_dict(arrays)
        history.diagnoses = [to_plain(diagnosis) for diagnosis in diagnoses]
        if any(diagnosis["epoch"] > epochs for diagnosis in history.diagnoses):
            raise ValueError(f"diagnoses has an epoch after the last of {epochs}")
        return history

    def diagnosis_records(self) -> tuple[DiagnosisRecord, ...]:
        """Return the diagnoses as records."""
        return tuple(DiagnosisRecord(**diagnosis) for diagnosis in self.diagnoses)

    def has_diagnosis(self, *causes: str) -> bool:
        """Return whether one of some causes was diagnosed.

        Parameters
        ----------
        *causes : str
            Of `fastmlp.training.diagnostics.CAUSES`.
        """
        return any(diagnosis["cause"] in causes for diagnosis in self.diagnoses)

    def last(self) -> dict[str, Any] | None:
        """Return the record of the last epoch; None before there is one."""
        return {name: column[-1] for name, column in self._columns.items()} if len(self) else None

    def first(self, epochs: int) -> "History":
        """Return a copy of the first epochs, with what was diagnosed after each of them.

        Parameters
        ----------
        epochs : int
            How many.
        """
        history = History()
        history._columns = {name: column[:epochs] for name, column in self._columns.items()}
        history.diagnoses = [dict(diagnosis) for diagnosis in self.diagnoses if 0 < diagnosis["epoch"] <= epochs]
        return history

    def copy(self) -> "History":
        """Return a copy, diagnoses included."""
        history = History()
        history._columns = self.to_dict()
        history.diagnoses = [dict(diagnosis) for diagnosis in self.diagnoses]
        return history

    def __getitem__(self, name: str) -> list[Any]:
        """The column `name`, one value per epoch. KeyError names the one that was meant, or all."""
        if name not in self._columns:
            raise KeyError(f"no column {name!r} in a history; {nearest(name, COLUMNS)}")
        return list(self._columns[name])

    def __len__(self) -> int:
        return len(self._columns["epoch"])

    def __iter__(self) -> Iterator[dict[str, Any]]:
        """The epochs in order, each as a dict."""
        for values in zip(*self._columns.values(), strict=True):
            yield dict(zip(COLUMNS, values, strict=True))

    def __repr__(self) -> str:
        return f"History({len(self)} epochs: {', '.join(COLUMNS)})"

    def to_dict(self) -> dict[str, list[Any]]:
        """Return a plain dict of lists."""
        return {name: list(column) for name, column in self._columns.items()}

    def to_numpy(self) -> dict[str, NDArray[Any]]:
        """Return a dict of arrays (epochs,): int64 for `epoch`, float64 for the rest."""
        return {
            name: np.array(column, np.int64 if name == "epoch" else np.float64)
            for name, column in self._columns.items()
        }

    def to_csv(self, path: str | os.PathLike[str] | None = None) -> str:
        """Return the history as CSV text with a header, floats to the last bit.

        Parameters
        ----------
        path : path, optional
            Of a file to write it to.
        """
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(COLUMNS)
        writer.writerows(zip(*self._columns.values(), strict=True))
        if path is not None:
            write_text(user_path(path), text.getvalue())
        return text.getvalue()

    @classmethod
    def from_csv(cls, path: str | os.PathLike[str]) -> "History":
        """Read what `to_csv` wrote: a history without diagnoses.

        Parameters
        ----------
        path : path
            Of the file.

        Raises
        ------
        InputError
            When the columns are others.
        """
        try:
            with open(user_path(path), newline="", encoding="utf-8") as file:
                text = file.read()
        except UnicodeDecodeError as error:
            raise InputError(f"{path} cannot be read ({error}); expected a CSV in UTF-8") from None
        return cls.from_csv_text(text, path)

    @classmethod
    def from_csv_text(cls, text: str, name: str | os.PathLike[str]) -> "History":
        """Return the history in what `to_csv` returned, without diagnoses.

        Parameters
        ----------
        text : str
            CSV.
        name : path
            What to call it in errors.

        Raises
        ------
        InputError
            When it is nothing of the kind.
        """
        try:
            rows = list(csv.reader(io.StringIO(text, newline="")))
        except csv.Error as error:
            raise InputError(f"{name} cannot be read ({error}); expected a CSV in UTF-8") from None
        if not rows or tuple(rows[0]) != COLUMNS:
            raise InputError(f"{name} is not a history: expected a CSV whose header is {','.join(COLUMNS)}")
        for number, row in enumerate(rows[1:], start=2):
            if len(row) != len(COLUMNS):
                raise InputError(
                    f"{name}, line {number} has {len(row)} values; expected {len(COLUMNS)}: write it again"
                )
        try:
            return cls.from_dict({column: [row[k] for row in rows[1:]] for k, column in enumerate(COLUMNS)})
        except ValueError as error:
            raise InputError(f"{name} has a value that is not a number ({error}); write it again") from None

    @classmethod
    def from_dict(cls, columns: Mapping[str, Iterable[Any]]) -> "History":
        """Return the history of some columns.

        Parameters
        ----------
        columns : mapping
            As `to_dict` and `to_numpy` return them; values may be text.
        """
        history = cls()
        for name in COLUMNS:
            kind = int if name == "epoch" else float
            history._columns[name] = [kind(value) for value in columns[name]]
        return history
