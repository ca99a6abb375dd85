"""A log of a training as a CSV file that grows with every epoch."""

import csv
import os
from typing import TextIO

from fastmlp.errors import InputError
from fastmlp.training.callbacks import Callback, TrainingView
from fastmlp.training.history import COLUMNS
from fastmlp.utils.atomic_files import check_replaceable
from fastmlp.utils.paths import user_path


class CSVLogger(Callback):
    """Write the record of every epoch to a CSV file as it ends; `History.from_csv` reads it, and so does a spreadsheet.

    A fit from the start overwrites the file. One that resumes from a checkpoint, and each `partial_fit`, takes the
    epochs so far from the training itself: a row is there once, also after the process was killed between the row and
    the next checkpoint.

    Parameters
    ----------
    path : path
        Of the file; its columns are those of `History`.

    Raises
    ------
    InputError
        When a training begins and the file is something else.

    Examples
    --------
    >>> mlp.fit(X, y, callbacks=[CSVLogger("training.csv")])  # doctest: +SKIP
    """

    def __init__(self, path: str | os.PathLike[str]):
        self._path = user_path(path)
        self._file: TextIO | None = None

    def on_fit_start(self, view: TrainingView) -> None:
        header = ",".join(COLUMNS)
        check_replaceable(self._path)  # a pipe would be waited for
        if self._path.exists():
            with open(self._path, "rb") as file:
                if file.read(len(header)) not in (b"", header.encode()):
                    raise InputError(
                        f"{self._path} is not a log of a training; expected a new file, or one whose first line is "
                        f"{header}: choose another name"
                    )
        view.history.to_csv(self._path)
        self._file = open(self._path, "a", newline="", encoding="utf-8")  # noqa: SIM115  until the training ends

    def on_epoch_end(self, view: TrainingView) -> None:
        record = view.record
        if self._file is not None and record is not None:
            try:
                csv.writer(self._file, lineterminator="\n").writerow([record[name] for name in COLUMNS])
                self._file.flush()  # what the system has, it keeps when the process is killed
            except OSError as error:
                error.filename = str(self._path)  # a full disk names no file
                raise

    def on_fit_end(self, view: TrainingView) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None
