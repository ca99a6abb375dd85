"""A run directory: what its files are called, and how they are read and written.

recipe.toml              all settings, as a recipe that repeats the run
run.json                 what was run: recipe, data, versions; once it is finished, the cells' results and the best one
table.csv, summary.md    the results for a spreadsheet and for a reader
curves.png, losses.png   all cells' accuracies and losses against epochs
cells/<slug>-<digits>/   history.csv, model.safetensors, curve.png of one cell: see `cell_store`
study.journal            Optuna's study, where it chose the cells
retrained/               history.csv, model.safetensors of the best cell, trained on all rows
.lock                    held by the one process that works in the folder
evaluation.json          every evaluation on test data
confusion.csv, confusion.png, mistakes.png   of the last one
mistakes.npz             its most confident mistakes: row, true, given, certainty; images where the inputs are
report.html              all of it on one page
"""

import contextlib
import csv
import io
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import filelock

from fastmlp.errors import InputError
from fastmlp.runs.evaluation_record import EvaluationRecord, EvaluationsRecord
from fastmlp.runs.recipe_text import resolved_recipe
from fastmlp.runs.records import RunRecord
from fastmlp.utils.atomic_files import is_temporary, make_folder, remove, remove_leftovers, write_text
from fastmlp.utils.paths import user_path
from fastmlp.utils.records import read_record, write_record

FIX = "use the fastmlp that wrote it, or sweep again into another folder"


class Run:
    """The files in a run directory.

    Parameters
    ----------
    folder : str or path-like
        The directory; it need not exist.
    """

    def __init__(self, folder: str | os.PathLike[str]):
        self.folder = user_path(folder)
        self.record = self.folder / "run.json"
        self.recipe = self.folder / "recipe.toml"
        self._lock = self.folder / ".lock"
        self.table = self.folder / "table.csv"
        self.summary = self.folder / "summary.md"
        self.curves = self.folder / "curves.png"
        self.losses = self.folder / "losses.png"
        self.cells = self.folder / "cells"
        self.study = self.folder / "study.journal"
        self.retrained = self.folder / "retrained"
        self.retraining_checkpoints = self.retrained / "checkpoint"  # while it is trained; removed last
        self.evaluation = self.folder / "evaluation.json"
        self.confusion_table = self.folder / "confusion.csv"
        self.confusion_figure = self.folder / "confusion.png"
        self.mistakes = self.folder / "mistakes.png"
        self.mistakes_data = self.folder / "mistakes.npz"
        self.predictions = self.folder / "predictions.png"
        self.predictions_data = self.folder / "predictions.npz"
        self.report = self.folder / "report.html"

    def reads(self, path: Path) -> bool:
        """Return whether a file is a part of the run that the next command on it reads.

        Parameters
        ----------
        path : Path
            The file.
        """
        if path.parent == self.retrained or path.parent.parent == self.cells:
            return path.name in ("cell.json", "model.safetensors", "history.csv")
        return path in (self.record, self.recipe, self.study, self.evaluation)

    def cell(self, name: str) -> Path:
        """Return the folder of a cell.

        Parameters
        ----------
        name : str
            The `folder` of its record.
        """
        return self.cells / name

    @staticmethod
    def model(folder: Path) -> Path:
        """Return the path of the network in the folder of a cell, or in `retrained`.

        Parameters
        ----------
        folder : Path
            That folder.
        """
        return folder / "model.safetensors"

    @staticmethod
    def history(folder: Path) -> Path:
        """Return the path of the history in the folder of a cell, or in `retrained`.

        Parameters
        ----------
        folder : Path
            That folder.
        """
        return folder / "history.csv"

    @staticmethod
    def curve(folder: Path) -> Path:
        """Return the path of the learning curves in the folder of a cell.

        Parameters
        ----------
        folder : Path
            That folder.
        """
        return folder / "curve.png"

    @contextlib.contextmanager
    def claimed(self) -> Iterator[None]:
        """Hold the folder, which is created if it does not exist, for this process; a lock that ends with the process.

        Raises
        ------
        InputError
            When another process holds it, it cannot be written to, or has links by which one would write elsewhere.
        """
        try:
            make_folder(self.folder)
            lock = filelock.FileLock(self._lock)
            lock.acquire(blocking=False)
        except filelock.Timeout:
            raise InputError(
                f"{self.folder} is in use by another process; wait until it is done, or choose another --out"
            ) from None
        except OSError as error:
            with contextlib.suppress(OSError):  # it was there before and holds something
                self.folder.rmdir()
            raise InputError(f"{self.folder} cannot be written to ({error.strerror}); choose another --out") from None
        try:
            self._check_links()
            remove_leftovers(self.folder)
            yield
        finally:
            if self.record.exists():
                lock.release()
            else:
                self._give_back(lock)

    def _check_links(self) -> None:
        """Raise InputError for a link through which a file would be written outside; others are replaced by files."""
        for folder, names, _ in os.walk(self.folder):  # which follows none
            for path in (Path(folder, name) for name in names):
                if path.is_symlink():
                    raise InputError(f"{path} is a link; expected a folder of the run: move what it leads to there")
        if self.study.is_symlink():  # Optuna adds to it
            raise InputError(f"{self.study} is a link; expected a file of the run: move what it leads to there")

    def _give_back(self, lock: filelock.BaseFileLock) -> None:
        """Release a folder in which there is no run, and remove it."""
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
        """Check that a run may be written into the folder.

        Raises
        ------
        InputError
            When it is neither new, nor empty, nor that of a run, nor that of a run killed at once.
        """
        if self.record.exists() or not self.folder.exists():
            return
        if not self.folder.is_dir() or not all(
            path == self._lock or is_temporary(path) for path in self.folder.iterdir()
        ):
            raise InputError(f"{self.folder} is there already and holds no run; choose another --out")

    def read_record(self) -> RunRecord:
        """Read run.json.

        Raises
        ------
        InputError
            When there is no finished sweep, or the file is damaged or of another version.
        """
        if not self.folder.is_dir():
            what = "is a file" if self.folder.exists() else "is not there"
            raise InputError(f"{self.folder} {what}; expected the --out of a sweep")
        record = self.read_unfinished()
        if record is None:
            raise InputError(f"{self.folder} holds no sweep: run.json is missing; run `fastmlp sweep` first")
        if not record.finished:
            raise InputError(
                f"{self.folder} holds a sweep that was not finished; give its `fastmlp sweep` again, which resumes it"
            )
        return record

    def read_unfinished(self) -> RunRecord | None:
        """Read run.json, also before the sweep is finished; None where there is no run.

        Raises
        ------
        DamagedRecord, InputError
            When the file is damaged, or of another version.
        """
        return read_record(self.record, RunRecord, FIX) if self.record.exists() else None

    def write_record(self, record: RunRecord) -> None:
        """Write run.json, and its recipe as recipe.toml.

        Parameters
        ----------
        record : RunRecord
            The record of the run.
        """
        write_record(self.record, record)
        write_text(self.recipe, resolved_recipe(record))

    def remove_if_empty(self) -> None:
        """Remove run.json when nothing of any cell was written yet."""
        if not self.cells.exists():
            remove(self.recipe)
            remove(self.record)

    def read_evaluations(self) -> tuple[EvaluationRecord, ...]:
        """Read evaluation.json: every evaluation so far, the oldest first.

        Raises
        ------
        DamagedRecord, InputError
            When the file is damaged, or of another version.
        """
        return read_record(self.evaluation, EvaluationsRecord, FIX).evaluations if self.evaluation.exists() else ()

    def write_evaluations(self, evaluations: Sequence[EvaluationRecord]) -> None:
        """Write evaluation.json.

        Parameters
        ----------
        evaluations : sequence of EvaluationRecord
            Every evaluation so far, the oldest first.
        """
        write_record(self.evaluation, EvaluationsRecord(evaluations=tuple(evaluations)))


def write_csv(path: Path, header: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Write a table with a header as CSV.

    Parameters
    ----------
    path : Path
        The file.
    header : sequence of str
        Names of the columns.
    rows : sequence of sequences
        One value per column; None is an empty field.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    write_text(path, text.getvalue())
