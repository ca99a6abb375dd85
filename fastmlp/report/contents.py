"""What a report is made from: the files of a run folder, as far as they are there. The test data are not among them."""

import math
import os
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from fastmlp.errors import FastmlpError
from fastmlp.experiment.labels import label
from fastmlp.experiment.run import Run
from fastmlp.history import History
from fastmlp.mlp import MLP
from fastmlp.plots import Panel, Trial


@dataclass(frozen=True)
class Cell:
    """One configuration of a sweep.

    entry    what run.json says of it
    history  its epochs; None where the file is missing or damaged
    group    what sets it apart from the others besides its learning rate, such as "tanh"
    """

    entry: dict[str, Any]
    history: History | None
    group: str

    @property
    def label(self) -> str:
        return str(self.entry["label"])

    @property
    def failure(self) -> str | None:
        """Why it has no result, in words; None when it has one."""
        reason = self.entry.get("diverged") or self.entry.get("reason")
        if reason is None and not math.isfinite(self.figure("validation_accuracy")):
            reason = "has no result"
        return reason

    def figure(self, name: str) -> float:
        """A result of run.json; nan where it is unknown or not finite."""
        value = self.entry.get(name)
        return math.nan if value is None else float(value)

    @property
    def seconds_per_epoch(self) -> float:
        """The median; nan without a history."""
        return float(np.median(self.history["seconds"])) if self.history else math.nan

    def panel(self) -> Panel:
        """Its curves; for a cell with a history."""
        assert self.history is not None
        settings, kept = self.entry["settings"], self.entry.get("kept_epoch")
        decays = [epoch for epoch in settings.get("decay_epochs") or () if epoch <= len(self.history)]
        return Panel(self.label, self.history, decays, self.failure, kept)

    def trial(self) -> Trial:
        """Its results as one point."""
        return Trial(
            self.label,
            float(self.entry["settings"]["learning_rate"]),
            self.figure("train_accuracy"),
            self.figure("validation_accuracy"),
            self.group,
            self.failure is not None,
        )


@dataclass(frozen=True)
class Contents:
    """A run as far as it went.

    record       run.json
    cells        its configurations, in the order of the grid
    best         that of the highest validation accuracy; None when none trained to the end
    evaluations  every look at the test data, oldest first
    network      the network trained again on all rows; None when it is not there or damaged
    retrained    its epochs, or None
    mistakes     the arrays of mistakes.npz; {} when it is not there
    """

    run: Run
    record: dict[str, Any]
    cells: list[Cell]
    best: Cell | None
    evaluations: list[dict]
    network: MLP | None
    retrained: History | None
    mistakes: dict[str, np.ndarray]

    @property
    def image_shape(self) -> tuple[int, int] | None:
        """(height, width) where the inputs are pictures."""
        shape = self.record["data"].get("image_shape")
        return tuple(shape) if shape else None

    @property
    def retrained_milliseconds(self) -> float:
        """Per epoch of the retraining, the median; nan without one."""
        return float(np.median(self.retrained["seconds"])) * 1000 if self.retrained else math.nan

    def first_weights(self) -> np.ndarray | None:
        """Weights (fan_in, fan_out) of the first layer of the retrained network, else of the best cell's."""
        network = self.network
        if network is None and self.best is not None:
            network = _network(self.run.model(_folder(self.run, self.best.entry)))
        return None if network is None else network.weights[0]


def read(folder: str | os.PathLike[str]) -> Contents:
    """Read the run in `folder`. InputError when there is no finished sweep."""
    run = Run(folder)
    record = run.read_record()
    entries = record.get("cells", [])
    varied = _varied(entries)
    cells = [
        Cell(entry, _history(run.history(_folder(run, entry))), _group(entry["settings"], varied)) for entry in entries
    ]
    best = next((cell for cell in cells if cell.entry["slug"] == record.get("best")), None)
    return Contents(
        run, record, cells, best, run.read_evaluations(),
        _network(run.model(run.retrained)), _history(run.history(run.retrained)), _mistakes(run.mistakes_data),
    )  # fmt: skip


def _folder(run: Run, entry: dict) -> Path:
    return run.cell(entry["folder"] or entry["slug"])  # one that failed has none


def _varied(entries):
    """The settings besides the learning rate that are not the same in all cells."""
    first = entries[0]["settings"] if entries else {}
    return [
        name
        for name in first
        if name != "learning_rate" and any(entry["settings"].get(name) != first[name] for entry in entries)
    ]


def _group(settings, varied):
    return label({name: settings.get(name) for name in varied})


def _history(path):
    try:
        history = History.from_csv(path)
    except (OSError, FastmlpError):
        return None
    return history if len(history) else None


def _network(path):
    try:
        return MLP.load(path)
    except FastmlpError:
        return None


def _mistakes(path):
    try:
        with np.load(path, allow_pickle=False) as file:
            return {name: file[name] for name in file.files}
    except (OSError, ValueError, zipfile.BadZipFile):
        return {}
