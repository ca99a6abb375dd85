"""What a report is made from: the files of a run folder, as far as they are there. The test data are not among them."""

import math
import os
import zipfile
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from fastmlp.errors import FastmlpError
from fastmlp.mlp import MLP
from fastmlp.plots import Panel, Trial
from fastmlp.runs.aggregate import slug_of
from fastmlp.runs.naming import label
from fastmlp.runs.run_directory import Run
from fastmlp.runs.statistics import Interval, mean_interval
from fastmlp.training.history import History


@dataclass(frozen=True)
class Cell:
    """One training of a sweep.

    entry    what run.json says of it
    history  its epochs; None where the file is missing or damaged
    group    what sets it apart from the others besides its learning rate and its seed, such as "tanh"
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
        reason = self.entry.get("failure_reason") or self.entry.get("reason")
        if reason is None and not self.pruned and not math.isfinite(self.figure("validation_accuracy")):
            reason = "has no result"
        return reason

    @property
    def pruned(self) -> int | None:
        """The epoch, from 1, after which a search gave it up; None when it was not."""
        return self.entry.get("pruned")

    @property
    def sound(self) -> bool:
        """Whether it trained to the end, and has a result."""
        return self.failure is None and not self.pruned

    @property
    def note(self) -> str:
        """What became of it where it is not sound, in a few words."""
        if self.failure:
            return self.failure.partition(":")[0]
        return f"pruned after epoch {self.pruned}" if self.pruned else ""

    def figure(self, name: str) -> float:
        """A result of run.json; nan where it is unknown or not finite."""
        value = self.entry.get(name)
        return math.nan if value is None else float(value)

    @property
    def seconds_per_epoch(self) -> float:
        """The median; nan without a history."""
        return float(np.median(self.history["seconds"])) if self.history else math.nan


@dataclass(frozen=True)
class Configuration:
    """Cells that differ in their seed alone; most often there is one.

    slug, label  as its cells would have them without their seeds
    """

    slug: str
    label: str
    cells: list[Cell]

    @property
    def sound(self) -> list[Cell]:
        return [cell for cell in self.cells if cell.sound]

    @property
    def cell(self) -> Cell:
        """The one that stands for it: the first sound one, as that is what is retrained."""
        return (self.sound or self.cells)[0]

    @property
    def failure(self) -> str | None:
        """Why none of its cells has a result; None when one has."""
        return None if self.sound else self.cell.failure

    @property
    def note(self) -> str:
        """What became of the cells that are not sound, in a few words."""
        lost = [cell.note for cell in self.cells if not cell.sound]
        if len(self.cells) == 1 or not lost:
            return "".join(lost)
        return f"{len(lost)} of {len(self.cells)} seeds: {', '.join(dict.fromkeys(lost))}"

    @property
    def accuracy(self) -> Interval | None:
        """The mean validation accuracy of the sound cells and how sure it is; None where there is none."""
        values = [cell.figure("validation_accuracy") for cell in self.sound]
        return mean_interval(values) if values else None

    def figure(self, name: str) -> float:
        """The mean of a result over the sound cells; of one cell its own. nan where one is unknown or not finite."""
        cells = self.cells if len(self.cells) == 1 else self.sound
        values = [cell.figure(name) for cell in cells]
        return math.fsum(values) / len(values) if values and all(map(math.isfinite, values)) else math.nan

    @property
    def seconds_per_epoch(self) -> float:
        """The median over its cells; nan without a history."""
        known = [cell.seconds_per_epoch for cell in self.cells if cell.history]
        return float(np.median(known)) if known else math.nan

    def panel(self) -> Panel:
        """The curves of the cell that stands for it, before those of its other seeds; that cell must have a history."""
        cell = self.cell
        assert cell.history is not None
        decays = [epoch for epoch in cell.entry["settings"].get("decay_epochs") or () if epoch <= len(cell.history)]
        others = [other.history for other in self.cells if other is not cell and other.history]
        return Panel(self.label, cell.history, decays, self.failure, cell.entry.get("kept_epoch"), others)

    def trial(self) -> Trial:
        """Its results as one point."""
        return Trial(
            self.label,
            float(self.cell.entry["settings"]["learning_rate"]),
            self.figure("train_accuracy"),
            self.figure("validation_accuracy"),
            self.cell.group,
            self.failure is not None,
        )


@dataclass(frozen=True)
class Contents:
    """A run as far as it went.

    record       run.json
    cells        its trainings, in the order of the grid
    best         that of the configuration of the highest validation accuracy; None when none trained to the end
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

    @cached_property
    def configurations(self) -> list[Configuration]:
        """The cells, those that differ in their seed alone together, in the order of the first ones."""
        members: dict[str, list[Cell]] = {}
        for cell in self.cells:
            members.setdefault(slug_of(cell.entry), []).append(cell)
        return [
            Configuration(slug, str(cells[0].entry.get("configuration", cells[0].label)), cells)
            for slug, cells in members.items()
        ]

    @property
    def best_configuration(self) -> Configuration | None:
        """The one that the best cell is of."""
        found = (known for known in self.configurations if any(cell is self.best for cell in known.cells))
        return next(found, None)

    @property
    def repeated(self) -> bool:
        """Whether a configuration was trained with several seeds."""
        return len(self.configurations) < len(self.cells)

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
    varied = _varied(entries, record["recipe"].get("search") or {})
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


def _varied(entries, search):
    """The settings that are not the same in all cells and make groups of them.

    Not among them: the learning rate, the seeds of repetitions, and what a search draws from a range.
    """
    first = entries[0]["settings"] if entries else {}
    repeated = len({slug_of(entry) for entry in entries}) < len(entries)
    apart = {"learning_rate", *(["seed"] if repeated else [])}
    apart |= {name for name, law in search.items() if isinstance(law, dict) and "from" in law}
    return [
        name
        for name in first
        if name not in apart and any(entry["settings"].get(name) != first[name] for entry in entries)
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
