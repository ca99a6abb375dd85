"""The configurations of a run: cells that differ in their seed alone, taken together."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from fastmlp.config.loss_base import Loss
from fastmlp.runs.records import CellRecord
from fastmlp.runs.statistics import Interval, mean_interval, paired_interval

ROUNDING = 1e-12  # differences of accuracies that are equal but for rounding


@dataclass(frozen=True)
class CellGroup:
    """One configuration.

    Attributes
    ----------
    slug, label : str
        As its cells would have them without their seeds.
    cells : list of CellRecord
        All of them, in the order of their seeds.
    """

    slug: str
    label: str
    cells: list[CellRecord]

    @property
    def sound(self) -> list[CellRecord]:
        """The cells that were trained to the end and have a result."""
        return [cell for cell in self.cells if cell.is_sound]

    @property
    def accuracy(self) -> Interval | None:
        """The mean validation accuracy of the sound cells with its 95% interval; None where there is none."""
        values = list(self.by_seed().values())
        return mean_interval(values) if values else None

    def mean(self, name: str) -> float | None:
        """Return the mean of a result over the sound cells; None where there are none, or one has no finite value.

        Parameters
        ----------
        name : str
            A field of `CellRecord`, such as "validation_loss".
        """
        values = [getattr(cell, name) for cell in self.sound]
        return None if not values or None in values else math.fsum(values) / len(values)

    def by_seed(self) -> dict[int, float]:
        """Return the validation accuracy of each sound cell, by its seed."""
        return {cell.seed: cell.validation_accuracy for cell in self.sound if cell.validation_accuracy is not None}


def group_cells(cells: Iterable[CellRecord]) -> list[CellGroup]:
    """Return the configurations of a run, in the order of their first cells.

    Parameters
    ----------
    cells : iterable of CellRecord
        The cells of a run.
    """
    members: dict[str, list[CellRecord]] = {}
    for cell in cells:
        members.setdefault(cell.group, []).append(cell)
    return [CellGroup(slug, own[0].configuration, own) for slug, own in members.items()]


def ranked(cells: Iterable[CellRecord]) -> list[CellGroup]:
    """Return the configurations that have a sound cell, best first.

    First those that were sound with most seeds: one that fails with some of them may fail again when it is retrained,
    and the mean of the remaining seeds flatters it. Then by the mean of the validation accuracies, then of the losses.

    Parameters
    ----------
    cells : iterable of CellRecord
        The cells of a run.
    """
    return sorted((group for group in group_cells(cells) if group.sound), key=_merit, reverse=True)


def _merit(group: CellGroup) -> tuple[int, float, float]:
    accuracy, loss = group.mean("validation_accuracy"), group.mean("validation_loss")
    assert accuracy is not None  # of sound cells
    return len(group.sound), accuracy, -math.inf if loss is None else -loss


def best_cell(cells: Iterable[CellRecord]) -> CellRecord | None:
    """Return the cell to retrain, of the configuration with the highest mean validation accuracy; None for none.

    The accuracy after the last epoch, or after the one that early stopping went back to; not the highest of any epoch:
    retraining follows the whole schedule, so its last epoch is what one gets. Ties are broken by the losses.

    Of the configuration's seeds the first that did not fail, which is the recipe's own: choosing the luckiest would be
    choosing noise, as the luck of a seed is not that of the same seed on more rows.

    Parameters
    ----------
    cells : iterable of CellRecord
        The cells of a run.
    """
    best = ranked(cells)
    return best[0].sound[0] if best else None


def is_repeated(cells: Iterable[CellRecord]) -> bool:
    """Return whether a configuration was trained with several seeds.

    Parameters
    ----------
    cells : iterable of CellRecord
        The cells of a run.
    """
    return any(len(group.cells) > 1 for group in group_cells(cells))


def measure_of(cells: Iterable[CellRecord]) -> str:
    """Return what the accuracies of cells are: "accuracy", or "R²" where the squared error is minimised.

    Parameters
    ----------
    cells : iterable of CellRecord
        The cells of a run; of different losses both are named.
    """
    return " or ".join(dict.fromkeys(cell.config.loss_function.measure for cell in cells)) or Loss.measure


def compare_best_two(cells: Sequence[CellRecord]) -> str | None:
    """Return a sentence on whether the best configuration beats the runner-up.

    By the 95% interval of the mean difference, paired by seed: with the same seed both see the same samples in the same
    order, so that part of the chance is common to both and drops out.

    Parameters
    ----------
    cells : sequence of CellRecord
        The cells of a run.

    Returns
    -------
    str or None
        None where there are no two configurations, or none is repeated.
    """
    found = ranked(cells)
    if not is_repeated(cells) or len(found) < 2:
        return None
    best, second = found[:2]
    ours, theirs = best.by_seed(), second.by_seed()
    seeds = [seed for seed in ours if seed in theirs]
    if len(seeds) < 2:
        return f"{best.label} and {second.label} have fewer than 2 seeds in common and cannot be compared"
    difference = paired_interval([ours[seed] for seed in seeds], [theirs[seed] for seed in seeds])
    numbers = f"mean difference {difference.mean:.4f} ± {difference.half_width:.4f}, 95% interval, paired by seed"
    if difference.half_width < ROUNDING < abs(difference.mean):
        return f"{best.label} differs from {second.label} by {difference.mean:.4f} with each of {len(seeds)} seeds"
    if difference.excludes_zero:
        return f"{best.label} beats {second.label} with {len(seeds)} seeds: {numbers}"
    return f"{best.label} and {second.label} do not differ significantly with {len(seeds)} seeds: {numbers}"
