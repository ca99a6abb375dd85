"""Recipes: named experiments, each a grid of networks to train on the same data, or a search for them."""

import itertools
import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from fastmlp.config.network import NetworkConfig
from fastmlp.config.schedules import CUSTOM
from fastmlp.data.tasks import REGRESSION
from fastmlp.errors import InputError
from fastmlp.experiment.search_space import OWN_KEYS, Choices, Range, Search, from_table
from fastmlp.runs import naming as labels
from fastmlp.runs.cells import Cell
from fastmlp.runs.recipe_record import RecipeRecord
from fastmlp.runs.recipe_text import REFERENCE_NOTE
from fastmlp.utils import validation as check
from fastmlp.utils.records import to_record

COLUMNS = 5  # of a figure that no grid gives a shape
MOST_CELLS = 100_000  # each has a folder and a record
FEWEST_EPOCHS = 2  # of a recipe with `most_steps`: with fewer a schedule has no room


@dataclass(frozen=True)
class Recipe:
    """An experiment: networks to train on the same data.

    Attributes
    ----------
    title : str
        One line for tables and figures.
    data : dict
        Arguments of `fastmlp.data.load_split`, its first one called `name`.
    settings : dict
        Settings of `NetworkConfig` that all cells share.
    grid : dict
        Settings that vary, each with the list of its values; the last one varies fastest.
    reference : list of dict
        Published figures of this experiment: see `fastmlp.runs.published_results`.
    epoch_lines : bool
        Whether every epoch prints a line, as trainers of a single network do.
    notes : tuple of str
        What a person should know of the recipe before it is run.
    search : Search, optional
        How settings are drawn where there is no grid.
    seeds : int
        How often every configuration is trained: with the seed of its settings and those that follow it.
    most_steps : int, optional
        Number of steps from which on a cell has fewer epochs, as many as make about so many steps, though no fewer than
        `FEWEST_EPOCHS`: large data take as long as small ones.
    """

    title: str
    data: dict[str, Any] = field(default_factory=lambda: {"name": "auto"})
    settings: dict[str, Any] = field(default_factory=dict)
    grid: dict[str, list[Any]] = field(default_factory=dict)
    reference: list[dict[str, Any]] = field(default_factory=list)
    epoch_lines: bool = False
    notes: tuple[str, ...] = ()
    search: Search | None = None
    seeds: int = 1
    most_steps: int | None = None

    def __post_init__(self) -> None:
        if self.most_steps is not None:
            check.whole("most_steps", self.most_steps, 1, "steps of a cell in all its epochs, such as 2000")
        check.whole("seeds", self.seeds, 1, "how often every configuration is trained, such as 5")
        count = math.prod(map(len, self.grid.values())) if self.search is None else self.search.trials
        if count * self.seeds > MOST_CELLS:  # before any of them is made
            raise InputError(
                f"the recipe has {count * self.seeds} networks; expected at most {MOST_CELLS}: shorten [grid], or "
                "lower seeds or trials"
            )
        if self.search is not None and self.grid:
            raise InputError("the recipe has a [grid] and a [search]; remove one of the two")
        if self.seeds > 1 and "seed" in self.grid:
            raise InputError(f"seeds is {self.seeds} and seed is in [grid]; remove one of the two")
        if self.seeds > 1 and self.is_chosen_by_optuna:
            raise InputError(
                f"seeds is {self.seeds} and method 'optuna', which trains every configuration once; search first, then "
                "repeat the best ones with seeds"
            )

    def cells(self) -> list[Cell]:
        """Return every combination of the grid's values, or what a random search draws; each with every seed.

        It is one configuration when there is neither grid nor search, and none where Optuna chooses them later.
        """
        varied = self.varied()
        return [
            cell
            for slug, values in zip(labels.distinct(map(labels.slug, varied)), varied, strict=True)
            for cell in self._with_seeds(slug, values)
        ]

    def varied(self) -> list[dict[str, Any]]:
        """Return the settings that the grid or the search gives to each configuration."""
        if self.search is None:
            return [dict(zip(self.grid, values, strict=True)) for values in itertools.product(*self.grid.values())]
        return [] if self.is_chosen_by_optuna else self.search.configurations(self.seed)

    @property
    def seed(self) -> int:
        """The first seed: that of the settings."""
        seed = self.settings.get("seed", NetworkConfig.FIELDS["seed"].default)
        return check.whole("seed", seed, 0, "any whole number from 0")

    @property
    def is_chosen_by_optuna(self) -> bool:
        """Whether Optuna chooses the cells, each by the results of earlier ones."""
        return self.search is not None and self.search.method == "optuna"

    def _with_seeds(self, slug: str, varied: dict[str, Any]) -> Iterator[Cell]:
        """Yield a configuration's cells. The first has the folder and the settings that it has without repetitions."""
        label, settings = labels.label(varied) or self.title, {**self.settings, **varied}
        if self.seeds == 1:
            yield Cell(slug, label, settings, slug, label)
            return
        yield Cell(slug, f"{label}, seed {self.seed}", settings, slug, label)
        for seed in range(self.seed + 1, self.seed + self.seeds):
            yield Cell(f"{slug}-seed-{seed}", f"{label}, seed {seed}", {**settings, "seed": seed}, slug, label)

    def shape(self, count: int) -> tuple[int, int]:
        """Return the shape (rows, columns) of a figure of the configurations.

        The last key of a grid goes across, all others go down; what is no complete grid fills rows from the left.

        Parameters
        ----------
        count : int
            Number of configurations.
        """
        if self.search is None and count == len(self.varied()):
            columns = len(list(self.grid.values())[-1]) if self.grid else 1
        else:
            columns = min(count, COLUMNS)
        return -(-count // columns), columns

    def configs(self) -> Iterator[NetworkConfig]:
        """Yield the checked settings of all cells, and of a search those at the ends of what it draws from.

        Raises
        ------
        InputError, InputTypeError
            For settings that no network accepts.
        """
        for cell in self.cells():
            yield NetworkConfig.from_dict(cell.settings)
        for varied in self.search.extremes() if self.search is not None else ():
            yield NetworkConfig.from_dict({**self.settings, **varied})

    def repeated(self, seeds: int | None) -> "Recipe":
        """Return the recipe with another number of seeds for every configuration.

        Parameters
        ----------
        seeds : int, optional
            The number; None keeps the recipe's own.
        """
        return self if seeds is None else replace(self, seeds=seeds)

    def searched(self, method: str | None, trials: int | None) -> "Recipe":
        """Return the recipe searched by another method, or with another number of trials.

        A grid is searched among its values.

        Parameters
        ----------
        method : str, optional
            "random" or "optuna"; None keeps the recipe's own.
        trials : int, optional
            How many configurations are tried; None keeps the recipe's own.

        Raises
        ------
        InputError
            If there is nothing to search.
        """
        if method is None and trials is None:
            return self
        if self.search is not None:
            trials = self.search.trials if trials is None else trials
            return self._changed(search=replace(self.search, method=method or self.search.method, trials=trials))
        if not self.grid:
            raise InputError("the recipe has neither [search] nor [grid]; give it the settings that are to be searched")
        if trials is None:
            raise InputError(f"a [grid] searched by {method!r} has no number of trials; pass --trials 20")
        among: dict[str, Range | Choices] = {name: Choices(tuple(values)) for name, values in self.grid.items()}
        return self._changed(grid={}, search=Search(among, trials, method or "random"))

    def override(self, **changes: object) -> "Recipe":
        """Return the recipe with other settings, which no longer vary.

        Parameters
        ----------
        **changes
            Settings by their names; None leaves one as it is.
        """
        chosen = {name: value for name, value in changes.items() if value is not None}
        grid = {name: values for name, values in self.grid.items() if name not in chosen}
        searched = self.search and self.search.without(chosen)
        changed = replace(self, settings={**self.settings, **chosen}, grid=grid, search=searched)
        return changed if chosen.items() <= self.settings.items() else changed._with_reference_note()

    def override_data(self, **changes: object) -> "Recipe":
        """Return the recipe with another choice of data.

        Parameters
        ----------
        **changes
            Keys of `data`; None leaves one as it is.
        """
        chosen = {name: value for name, value in changes.items() if value is not None}
        return self._changed(data={**self.data, **chosen})

    def varied_over(self, name: str, values: list[Any]) -> "Recipe":
        """Return the recipe with a setting that varies in the grid, and has no fixed value.

        Parameters
        ----------
        name : str
            The setting.
        values : list
            What it is set to, one after the other.
        """
        return self.without([name], "settings")._changed(grid={**self.grid, name: values})

    def searched_in(self, name: str, value: object) -> "Recipe":
        """Return the recipe with another key in its search table; a setting there has no fixed value.

        Parameters
        ----------
        name : str
            The key.
        value : object
            As in a recipe; None: as if the key was not there.
        """
        table = self._search_table()
        table.pop(name, None)
        if value is not None:
            table[name] = value
        search = from_table(table) if table.keys() - OWN_KEYS else None
        return self.without([name], "settings")._changed(search=search)

    def without(self, names: Iterable[str], part: str) -> "Recipe":
        """Return the recipe without some keys.

        Parameters
        ----------
        names : iterable of str
            The keys; one that is not there is no mistake.
        part : str
            "settings", "grid" or "data"; its `name` is then "auto".
        """
        names = set(names)
        left = {name: value for name, value in getattr(self, part).items() if name not in names}
        return self._changed(**{part: {"name": "auto", **left} if part == "data" else left})

    def _changed(self, **changes: Any) -> "Recipe":
        """Return the recipe with other fields, and a note where its references are no longer those of it."""
        changed = replace(self, **changes)
        return self if changed == self else changed._with_reference_note()

    def _search_table(self) -> dict[str, Any]:
        """Return the table of a recipe that gives its search."""
        if self.search is None:
            return {}
        distributions = {name: one.to_dict() for name, one in self.search.distributions.items()}
        return {**{name: getattr(self.search, name) for name in OWN_KEYS}, **distributions}

    def for_data(self, task: str, rows: int) -> "Recipe":
        """Return the recipe for data: for a regression with its loss, if it has none; for many rows with few epochs.

        Parameters
        ----------
        task : str
            "classification" or "regression".
        rows : int
            Number of training samples.
        """
        varied = self.grid if self.search is None else self.search.distributions
        recipe = self
        if task == REGRESSION and "loss" not in self.settings and "loss" not in varied:
            recipe = replace(self, settings={**self.settings, "loss": "squared_error"})
        if self.most_steps is None:
            return recipe
        configs = list(recipe.configs())
        batch_size = min(config.batch_size for config in configs)
        epochs = max(round(self.most_steps * batch_size / rows), FEWEST_EPOCHS)
        if epochs >= max(config.epochs for config in configs):
            return recipe
        note = f"{epochs} epochs, which make about {epochs * math.ceil(rows / batch_size)} steps with {rows} samples"
        shorter = recipe.shortened(epochs)
        return replace(shorter, notes=(*shorter.notes, note))

    def _with_reference_note(self) -> "Recipe":
        """Return the recipe with a note that its references are of other data or settings."""
        if not self.reference or REFERENCE_NOTE in self.notes:
            return self
        return replace(self, notes=(*self.notes, REFERENCE_NOTE))

    def shortened(self, epochs: int | None) -> "Recipe":
        """Return the recipe for another number of epochs, with a note on decays that never come.

        Parameters
        ----------
        epochs : int, optional
            The number; None keeps the recipe's own.
        """
        if epochs is None:
            return self
        check.whole("epochs", epochs, 1, "50 is the default", check.MOST_EPOCHS)
        dropped: set[int] = set()

        def kept(decays: list[int]) -> list[int]:
            dropped.update(decay for decay in decays if decay >= epochs)
            return [decay for decay in decays if decay < epochs]

        def all_kept(values: Iterable[Any]) -> list[list[int]]:
            kept_values = [kept(decays) for decays in values]
            return [value for number, value in enumerate(kept_values) if value not in kept_values[:number]]

        shorter = self.override(epochs=epochs)
        if "decay_epochs" in self.settings:
            shorter = shorter.override(decay_epochs=kept(self.settings["decay_epochs"]))
        if "decay_epochs" in self.grid:
            shorter = replace(shorter, grid={**shorter.grid, "decay_epochs": all_kept(self.grid["decay_epochs"])})
        if shorter.search is not None and "decay_epochs" in shorter.search.distributions:
            searched = shorter.search.distributions
            searched = {**searched, "decay_epochs": Choices(tuple(all_kept(searched["decay_epochs"].ends)))}
            shorter = replace(shorter, search=replace(shorter.search, distributions=searched))
        if not dropped:
            return shorter
        never = " or ".join(map(str, sorted(dropped)))
        note = f"the learning rate does not decay after epoch {never}: training ends at epoch {epochs}"
        return replace(shorter, notes=(*shorter.notes, note))

    def to_record(self) -> RecipeRecord:
        """Return the recipe as it is kept in run.json."""
        search = None
        if self.search is not None:
            distributions = {name: one.to_dict() for name, one in self.search.distributions.items()}
            own = {"method": self.search.method, "trials": self.search.trials, "pruner": self.search.pruner}
            search = {**own, "distributions": distributions}
        values = {
            "title": self.title,
            "data": self.data,
            "settings": self.settings,
            "grid": self.grid,
            "search": search,
            "seeds": self.seeds,
            "most_steps": self.most_steps,
            "reference": self.reference,
            "epoch_lines": self.epoch_lines,
        }
        return to_record(values, RecipeRecord, "the recipe")


def check_cells(recipe: Recipe) -> None:
    """Check the settings of all cells.

    Parameters
    ----------
    recipe : Recipe
        The recipe.

    Raises
    ------
    InputError, InputTypeError
        For settings that no network accepts, for a function as `schedule`, and for a grid that has a network twice.
    """
    configs, first = list(recipe.configs()), dict[NetworkConfig, Cell]()
    for config in configs:
        if config.make_schedule().setting() == CUSTOM:
            raise InputError(
                f"schedule is {config.schedule!r}, and a sweep keeps no function and cannot tell one from another; "
                "expected a name or a table: a subclass of fastmlp.config.schedule_shapes.Shape gives yours a name"
            )
    if recipe.search is not None:
        return
    for cell, config in zip(recipe.cells(), configs, strict=True):
        other = first.setdefault(config, cell)
        if other is not cell:
            raise InputError(f"{other.slug} and {cell.slug} are the same network; list each value once in [grid]")
