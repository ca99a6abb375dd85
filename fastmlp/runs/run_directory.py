"""A run directory: what its files are called, and how they are read and written.

run.json                 what was run: recipe, data, versions; once it is finished, the cells' results and the best one
table.csv, summary.md    the results for a spreadsheet and for a reader
curves.png, losses.png   all cells' accuracies and losses against epochs
cells/<slug>-<digits>/   history.csv, model.h5, curve.png of one cell: see `store`
study.journal            what Optuna knows, where it chose the cells
retrained/               history.csv, model.h5 of the best cell, trained on all rows
.lock                    held by the one process that works in the folder
evaluation.json          every look at the test data
confusion.csv, confusion.png, mistakes.png   of the last one
mistakes.npz             its most confident mistakes: row, true, given, certainty; pictures where the inputs are
report.html              all of it on one page
"""

import contextlib
import csv
import io
import json
import os
from collections.abc import Iterator
from pathlib import Path

import filelock

from fastmlp.errors import InputError
from fastmlp.utils.atomic_files import is_temporary, make_folder, remove, remove_leftovers, write_text

FORMAT = 2


class Damaged(InputError):
    """A file that is not whole."""


class Run:
    """The files in a run directory."""

    def __init__(self, folder: str | os.PathLike[str]):
        self.folder = Path(folder)
        self.record = self.folder / "run.json"
        self._lock = self.folder / ".lock"
        self.table = self.folder / "table.csv"
        self.summary = self.folder / "summary.md"
        self.curves = self.folder / "curves.png"
        self.losses = self.folder / "losses.png"
        self.cells = self.folder / "cells"
        self.study = self.folder / "study.journal"
        self.retrained = self.folder / "retrained"
        self.evaluation = self.folder / "evaluation.json"
        self.confusion_table = self.folder / "confusion.csv"
        self.confusion_picture = self.folder / "confusion.png"
        self.mistakes = self.folder / "mistakes.png"
        self.mistakes_data = self.folder / "mistakes.npz"
        self.report = self.folder / "report.html"

    def cell(self, name: str) -> Path:
        """The folder of a cell, whose name is the `folder` of its entry in run.json."""
        return self.cells / name

    @staticmethod
    def model(folder: Path) -> Path:
        """The network in the folder of a cell, or in `retrained`."""
        return folder / "model.h5"

    @staticmethod
    def history(folder: Path) -> Path:
        """The history in the folder of a cell, or in `retrained`."""
        return folder / "history.csv"

    @staticmethod
    def curve(folder: Path) -> Path:
        """The learning curves in the folder of a cell."""
        return folder / "curve.png"

    @contextlib.contextmanager
    def claimed(self) -> Iterator[None]:
        """Hold the folder, which is made, for one process; the system lets go of it when that dies.

        Raises InputError when another one holds it, or it cannot be made.
        """
        try:
            make_folder(self.folder)
            lock = filelock.FileLock(self._lock)
            lock.acquire(blocking=False)
        except filelock.Timeout:
            raise InputError(
                f"{self.folder} is being worked in by another process; wait until it is done, or choose another --out"
            ) from None
        except OSError as error:
            with contextlib.suppress(OSError):  # it was there before and holds something
                self.folder.rmdir()
            raise InputError(f"{self.folder} cannot be written to ({error.strerror}); choose another --out") from None
        try:
            remove_leftovers(self.folder)
            yield
        finally:
            if self.record.exists():
                lock.release()
            else:
                self._give_back(lock)

    def _give_back(self, lock):
        """Let go of a folder in which there is no run, and remove it."""
        # Windows deletes no open file, the others might delete what another process has just locked.
        deleted_first = os.name != "nt"
        with contextlib.suppress(OSError):
            if deleted_first:
                self._lock.unlink()
        lock.release()
        with contextlib.suppress(OSError):  # the folder was there before and holds something else
            if not deleted_first:
                self._lock.unlink()
            self.folder.rmdir()

    def check_usable(self) -> None:
        """Raise InputError when the folder is neither new, nor empty, nor that of a run, nor of one killed at once."""
        if self.record.exists() or not self.folder.exists():
            return
        if not self.folder.is_dir() or not all(
            path == self._lock or is_temporary(path) for path in self.folder.iterdir()
        ):
            raise InputError(f"{self.folder} is there already and holds no run; choose another --out")

    def read_record(self) -> dict:
        """What `write_record` wrote. InputError when there is no finished sweep."""
        if not self.folder.is_dir():
            what = "is a file" if self.folder.exists() else "is not there"
            raise InputError(f"{self.folder} {what}; expected the --out of a sweep")
        record = self.read_unfinished()
        if record is None:
            raise InputError(f"{self.folder} holds no sweep: run.json is missing; run `fastmlp sweep` first")
        if not record["finished"]:
            raise InputError(
                f"{self.folder} holds a sweep that was not finished; give its `fastmlp sweep` again, which goes on"
            )
        return record

    def read_unfinished(self) -> dict | None:
        """What `write_record` wrote, also before the sweep was finished; None where there is no run.

        Raises InputError when it is damaged, or of another version.
        """
        if not self.record.exists():
            return None
        record = read_json(self.record)
        if record.get("format") != FORMAT:
            raise InputError(
                f"{self.record} has format {record.get('format')!r}; expected {FORMAT}: use the fastmlp that "
                "wrote it, or sweep anew into another folder"
            )
        if "finished" not in record:
            raise _not_ours(self.record)
        return record

    def forget_if_empty(self) -> None:
        """Take back run.json when there is nothing of any cell yet."""
        if not self.cells.exists():
            remove(self.record)

    def write_record(self, record: dict) -> None:
        """Write run.json."""
        write_json(self.record, record)

    def read_evaluations(self) -> list[dict]:
        """Every look at the test data so far, oldest first."""
        if not self.evaluation.exists():
            return []
        evaluations = read_json(self.evaluation).get("evaluations")
        if not isinstance(evaluations, list) or not all("accuracy" in look for look in evaluations):
            raise _not_ours(self.evaluation)
        return evaluations

    def write_evaluations(self, evaluations: list[dict]) -> None:
        """Write evaluation.json."""
        write_json(self.evaluation, {"evaluations": evaluations})


def write_csv(path: Path, header: list, rows: list[list]) -> None:
    """Write a table with a header as CSV."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    write_text(path, text.getvalue())


def write_json(path, value):
    write_text(path, json.dumps(value, indent=2, ensure_ascii=False) + "\n")


def read_json(path):
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, OSError) as error:
        raise Damaged(f"{path} cannot be read ({error}); expected what fastmlp wrote: run the sweep anew") from None
    if not isinstance(value, dict):
        raise _not_ours(path)
    return value


def _not_ours(path):
    return Damaged(f"{path} is not what fastmlp wrote; run the sweep anew")
