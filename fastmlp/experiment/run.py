"""A run directory: what its files are called, and how they are read and written.

run.json                 what was run: recipe, data, versions, the cells' results, the best one
table.csv, summary.md    the results for a spreadsheet and for a reader
curves.png, losses.png   all cells' accuracies and losses against epochs
cells/<slug>/            history.csv, model.h5, curve.png of one cell
retrained/               history.csv, model.h5 of the best cell, trained on all rows
evaluation.json          every look at the test data
confusion.csv, confusion.png, mistakes.png   of the last one
"""

import contextlib
import csv
import io
import json
import os
from pathlib import Path

from fastmlp.errors import InputError
from fastmlp.files import write_text


class Run:
    """The files in a run directory."""

    def __init__(self, folder: str | os.PathLike[str]):
        self.folder = Path(folder)
        self.record = self.folder / "run.json"
        self.table = self.folder / "table.csv"
        self.summary = self.folder / "summary.md"
        self.curves = self.folder / "curves.png"
        self.losses = self.folder / "losses.png"
        self.cells = self.folder / "cells"
        self.retrained = self.folder / "retrained"
        self.evaluation = self.folder / "evaluation.json"
        self.confusion_table = self.folder / "confusion.csv"
        self.confusion_picture = self.folder / "confusion.png"
        self.mistakes = self.folder / "mistakes.png"

    def cell(self, slug: str) -> Path:
        """The folder of a cell."""
        return self.cells / slug

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

    def create(self) -> None:
        """Make the directory. InputError when something is there already."""
        self.check_free()
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InputError(f"{self.folder} cannot be made ({error.strerror}); choose another --out") from None

    def check_free(self) -> None:
        """Raise InputError when the directory is not empty, or no directory."""
        if self.record.exists():
            raise InputError(f"{self.folder} holds a run already; choose another --out, or delete it first")
        if self.cells.exists():
            raise InputError(f"{self.folder} holds an unfinished sweep; choose another --out, or delete it first")
        if self.folder.exists() and (not self.folder.is_dir() or any(self.folder.iterdir())):
            raise InputError(f"{self.folder} is there already and not empty; choose another --out")

    def remove_if_empty(self) -> None:
        """Undo `create` when nothing was written since."""
        with contextlib.suppress(OSError):  # it holds finished cells, which are kept
            self.folder.rmdir()

    def read_record(self) -> dict:
        """What `write_record` wrote. InputError when there is no finished sweep."""
        if not self.folder.is_dir():
            raise InputError(f"{self.folder} is not there; expected the --out of a sweep")
        if not self.record.exists():
            raise InputError(f"{self.folder} holds no finished sweep: run.json is missing; run `fastmlp sweep` first")
        return _read_json(self.record)

    def write_record(self, record: dict) -> None:
        """Write run.json."""
        _write_json(self.record, record)

    def read_evaluations(self) -> list[dict]:
        """Every look at the test data so far, oldest first."""
        return _read_json(self.evaluation)["evaluations"] if self.evaluation.exists() else []

    def write_evaluations(self, evaluations: list[dict]) -> None:
        """Write evaluation.json."""
        _write_json(self.evaluation, {"evaluations": evaluations})


def write_csv(path: Path, header: list, rows: list[list]) -> None:
    """Write a table with a header as CSV."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    write_text(path, text.getvalue())


def _write_json(path, value):
    write_text(path, json.dumps(value, indent=2, ensure_ascii=False) + "\n")


def _read_json(path):
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, OSError) as error:
        raise InputError(f"{path} cannot be read ({error}); expected what fastmlp wrote: run the sweep anew") from None
    if not isinstance(value, dict):
        raise InputError(f"{path} is not what fastmlp wrote; run the sweep anew")
    return value
