"""A run as a report shows it: the files of its folder, as far as they exist. The test data are not among them."""

import math
import os
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from fastmlp.errors import FastmlpError
from fastmlp.mlp import MLP
from fastmlp.plots import Panel, Trial
from fastmlp.runs.aggregate import CellGroup, group_cells, measure_of
from fastmlp.runs.evaluation_record import EvaluationRecord
from fastmlp.runs.naming import label
from fastmlp.runs.recipe_record import SearchRecord
from fastmlp.runs.records import CellRecord, RunRecord
from fastmlp.runs.run_directory import Run
from fastmlp.training.history import History


@dataclass(frozen=True)
class CellView:
    """One training of a sweep.

    Attributes
    ----------
    record : CellRecord
        Its settings and results.
    history : History or None
        Its epochs; None where the file is missing or damaged.
    group : str
        What distinguishes it from the others besides its learning rate and its seed, such as "tanh".
    """

    record: CellRecord
    history: History | None
    group: str

    @property
    def label(self) -> str:
        """Its name for a person."""
        return self.record.label

    @property
    def failure(self) -> str | None:
        """Why it has no result; None when it has one."""
        return self.record.failure

    @property
    def note(self) -> str:
        """Why it is not sound, in a few words; "" if it is."""
        if self.record.failure:
            return self.record.failure.partition(":")[0]
        return f"pruned after epoch {self.record.pruned}" if self.record.pruned else ""

    def figure(self, name: str) -> float:
        """Return a result.

        Parameters
        ----------
        name : str
            A field of `CellRecord`, such as "validation_loss".

        Returns
        -------
        float
            nan where it is unknown or not finite.
        """
        value = getattr(self.record, name)
        return math.nan if value is None else float(value)

    @property
    def seconds_per_epoch(self) -> float:
        """The median; nan without a history."""
        return _median_seconds(self.history)


@dataclass(frozen=True)
class Configuration(CellGroup):
    """Cells that differ only in their seed, as a report shows them; usually just one.

    Attributes
    ----------
    slug, label, cells
        As of any `CellGroup`.
    views : list of CellView
        One for each of its cells.
    """

    views: list[CellView]

    @property
    def cell(self) -> CellView:
        """The one that represents it: the first sound one, as that is what is retrained."""
        return next((view for view in self.views if view.record.is_sound), self.views[0])

    @property
    def failure(self) -> str | None:
        """Why none of its cells has a result; None when one has."""
        return None if self.sound else self.cell.failure

    @property
    def note(self) -> str:
        """Why some of its cells are not sound, in a few words."""
        lost = [view.note for view in self.views if not view.record.is_sound]
        if len(self.views) == 1 or not lost:
            return "".join(lost)
        return f"{len(lost)} of {len(self.views)} seeds: {', '.join(dict.fromkeys(lost))}"

    def figure(self, name: str) -> float:
        """Return the mean of a result over the sound cells; of one cell its own.

        Parameters
        ----------
        name : str
            A field of `CellRecord`, such as "validation_loss".

        Returns
        -------
        float
            nan where one is unknown or not finite.
        """
        if len(self.views) == 1:
            return self.views[0].figure(name)
        mean = self.mean(name)
        return math.nan if mean is None else mean

    @property
    def seconds_per_epoch(self) -> float:
        """The median over its cells; nan without a history."""
        known = [view.seconds_per_epoch for view in self.views if view.history]
        return float(np.median(known)) if known else math.nan

    def panel(self) -> Panel:
        """Return the curves of the cell that represents it, which must have a history, and of its other seeds."""
        cell = self.cell
        assert cell.history is not None
        decays = [epoch for epoch in cell.record.settings["decay_epochs"] if epoch <= len(cell.history)]
        kept = min(cell.record.kept_epoch, len(cell.history)) or None  # a history of another training may be shorter
        others = [other.history for other in self.views if other is not cell and other.history]
        return Panel(
            self.label, cell.history, decays, self.failure, kept, others, measure_of([cell.record]),
            cell.record.settings["train_metrics"],
        )  # fmt: skip

    def trial(self) -> Trial:
        """Return its results as one point."""
        return Trial(
            self.label,
            float(self.cell.record.settings["learning_rate"]),
            self.figure("train_accuracy"),
            self.figure("validation_accuracy"),
            self.cell.group,
            self.failure is not None,
        )


@dataclass(frozen=True)
class RunView:
    """A run as far as it went.

    Attributes
    ----------
    run : Run
        Its folder.
    record : RunRecord
        Its record.
    cells : list of CellView
        Its trainings, in the order of the grid.
    evaluations : tuple of EvaluationRecord
        Every evaluation on test data, the oldest first.
    network : MLP or None
        The network trained again on all rows; None when it is missing or damaged.
    retrained : History or None
        Its epochs.
    mistakes, predictions : dict
        The arrays of mistakes.npz, and of predictions.npz; {} when it is missing.
    """

    run: Run
    record: RunRecord
    cells: list[CellView]
    evaluations: tuple[EvaluationRecord, ...]
    network: MLP | None
    retrained: History | None
    mistakes: dict[str, NDArray[Any]]
    predictions: dict[str, NDArray[Any]]

    @classmethod
    def read(cls, folder: str | os.PathLike[str]) -> Self:
        """Read a run.

        Parameters
        ----------
        folder : str or path-like
            The run directory.

        Raises
        ------
        InputError
            When there is no finished sweep, or one of its JSON files is damaged.
        """
        run = Run(folder)
        record = run.read_record()
        varied = _varied(record.cells, record.recipe.search)
        cells = [
            CellView(
                cell,
                _history(run.history(_folder(run, cell))),
                label({name: cell.settings[name] for name in varied}),
            )
            for cell in record.cells
        ]
        return cls(
            run, record, cells, run.read_evaluations(),
            _network(run.model(run.retrained)), _history(run.history(run.retrained)), _arrays(run.mistakes_data),
            _arrays(run.predictions_data),
        )  # fmt: skip

    @cached_property
    def configurations(self) -> list[Configuration]:
        """The cells, those that differ in their seed alone together, in the order of the first ones."""
        views = {cell.record.slug: cell for cell in self.cells}
        return [
            Configuration(group.slug, group.label, group.cells, [views[cell.slug] for cell in group.cells])
            for group in group_cells(self.record.cells)
        ]

    @property
    def ranked(self) -> list[Configuration]:
        """The configurations, the best first, then those that were given up, failures last."""
        return sorted(self.configurations, key=_merit)

    @cached_property
    def measure(self) -> str:
        """What the accuracies of the cells are: "accuracy" or "R²"."""
        return measure_of(self.record.cells)

    @property
    def test_measure(self) -> str:
        """What an evaluation on test data measures: "accuracy", or "R²" of a regression."""
        return "R²" if self.record.data.classes is None else "accuracy"

    @property
    def best(self) -> CellView | None:
        """The cell to retrain; None when none trained to the end."""
        return next((cell for cell in self.cells if cell.record.slug == self.record.best), None)

    @cached_property
    def best_configuration(self) -> Configuration | None:
        """The configuration of the best cell."""
        best = self.best
        return next((one for one in self.configurations if best in one.views), None) if best else None

    @property
    def is_repeated(self) -> bool:
        """Whether a configuration was trained with several seeds."""
        return len(self.configurations) < len(self.cells)

    @property
    def retrained_milliseconds(self) -> float:
        """Per epoch of the retraining, the median; nan without one."""
        return _median_seconds(self.retrained) * 1000

    def first_weights(self) -> NDArray[np.floating] | None:
        """Return the weights of the first layer of the retrained network, else of the best cell's.

        Returns
        -------
        ndarray of shape (fan_in, fan_out), or None
        """
        network = self.network
        if network is None and self.best is not None:
            network = _network(self.run.model(_folder(self.run, self.best.record)))
        return None if network is None else network.weights[0]


def _merit(configuration: Configuration) -> tuple[bool, int, float]:
    """The key of `RunView.ranked`."""
    accuracy = configuration.figure("validation_accuracy")
    failed, sound = configuration.failure is not None, len(configuration.sound)
    return failed, -sound, -accuracy if math.isfinite(accuracy) else math.inf


def _median_seconds(history: History | None) -> float:
    return float(np.median(history["seconds"])) if history else math.nan


def _folder(run: Run, cell: CellRecord) -> Path:
    return run.cell(cell.folder or cell.slug)  # one that failed has none


def _varied(cells: Sequence[CellRecord], search: SearchRecord | None) -> list[str]:
    """The settings that are not the same in all cells and make groups of them.

    Not among them: the learning rate, the seeds of repetitions, and what a search draws from a range.
    """
    if not cells:
        return []
    first = cells[0].settings
    apart = {"learning_rate", *(["seed"] if len(group_cells(cells)) < len(cells) else [])}
    if search is not None:
        apart |= {name for name, distribution in search.distributions.items() if distribution.choices is None}
    return [name for name in first if name not in apart and any(cell.settings[name] != first[name] for cell in cells)]


def _history(path: Path) -> History | None:
    try:
        history = History.from_csv(path)
    except (OSError, FastmlpError):
        return None
    return history if len(history) else None


def _network(path: Path) -> MLP | None:
    try:
        return MLP.load(path)
    except FastmlpError:
        return None


def _arrays(path: Path) -> dict[str, NDArray[Any]]:
    try:
        with np.load(path, allow_pickle=False) as file:
            return {name: file[name] for name in file.files}
    except (OSError, ValueError, zipfile.BadZipFile):
        return {}
