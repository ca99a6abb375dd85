"""The configurations of a run: cells that differ in their seed alone, taken together."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from fastmlp.runs.statistics import Interval, mean_interval, paired_interval

ROUNDING = 1e-12  # differences of accuracies that are equal but for this


@dataclass(frozen=True)
class Group:
    """One configuration. Cells are those of run.json.

    slug, label  as its cells would have them without their seeds
    cells        all of them, in the order of their seeds
    sound        those that can be used: neither diverged nor pruned
    """

    slug: str
    label: str
    cells: list[dict]
    sound: list[dict]

    @property
    def accuracy(self) -> Interval | None:
        """The mean validation accuracy of the sound cells, and how sure it is; None where there is none."""
        return mean_interval([cell["validation_accuracy"] for cell in self.sound]) if self.sound else None

    def mean(self, name: str) -> float | None:
        """The mean of a result over the sound cells; None where one has no finite value, or there is none."""
        values = [cell[name] for cell in self.sound]
        return None if not values or None in values else math.fsum(values) / len(values)

    def by_seed(self) -> dict[int, float]:
        """The validation accuracy of the sound cells, by their seeds."""
        return {cell["settings"]["seed"]: cell["validation_accuracy"] for cell in self.sound}


def is_sound(cell: dict) -> bool:
    """Whether a cell's training came to its end, and made something of it."""
    return not cell["failure_reason"] and not cell.get("pruned")


def slug_of(cell: dict) -> str:
    """The slug of a cell's configuration; of a run that is older than repetitions, the cell's own."""
    slug: str = cell.get("group", cell["slug"])
    return slug


def groups(cells: Iterable[dict]) -> list[Group]:
    """The configurations of a run, in the order of their first cells."""
    members: dict[str, list[dict]] = {}
    for cell in cells:
        members.setdefault(slug_of(cell), []).append(cell)
    return [
        Group(slug, own[0].get("configuration", own[0]["label"]), own, [cell for cell in own if is_sound(cell)])
        for slug, own in members.items()
    ]


def ranked(cells: Iterable[dict]) -> list[Group]:
    """The configurations that have a sound cell, best first.

    First those that were sound with most seeds: one that dies with some of them may die again when it is retrained, and
    the mean of what survived flatters it. Then by the mean of the validation accuracies, then of the losses.
    """
    return sorted((group for group in groups(cells) if group.sound), key=_merit, reverse=True)


def _merit(group):
    loss = group.mean("validation_loss")
    return len(group.sound), group.mean("validation_accuracy"), -math.inf if loss is None else -loss


def repeated(cells: Iterable[dict]) -> bool:
    """Whether a configuration was trained with several seeds."""
    return any(len(group.cells) > 1 for group in groups(cells))


def verdict(cells: Sequence[dict]) -> str | None:
    """One sentence on whether the best configuration beats the runner-up; None where it cannot be asked.

    By the 95% interval of the mean difference, paired by seed: with the same seed both see the same samples in the same
    order, so that part of the chance is common to both and drops out.
    """
    if not repeated(cells) or len(ranked(cells)) < 2:
        return None
    best, second = ranked(cells)[:2]
    ours, theirs = best.by_seed(), second.by_seed()
    seeds = [seed for seed in ours if seed in theirs]
    if len(seeds) < 2:
        return f"{best.label} and {second.label} have fewer than 2 seeds in common: nothing can be said of the two"
    difference = paired_interval([ours[seed] for seed in seeds], [theirs[seed] for seed in seeds])
    numbers = f"mean difference {difference.mean:.4f} ± {difference.half_width:.4f}, 95% interval, paired by seed"
    if difference.half_width < ROUNDING < abs(difference.mean):
        return f"{best.label} differs from {second.label} by {difference.mean:.4f} with each of {len(seeds)} seeds"
    if difference.excludes_zero:
        return f"{best.label} beats {second.label} with {len(seeds)} seeds: {numbers}"
    return f"{best.label} and {second.label} cannot be told apart with {len(seeds)} seeds: {numbers}"
