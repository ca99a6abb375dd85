"""Recipes: named experiments in TOML, each a grid of networks to train on the same data."""

import itertools
import os
import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from fastmlp.config.network import NetworkConfig
from fastmlp.errors import FastmlpError, InputError, InputTypeError
from fastmlp.experiment.builtin_recipes import recipe_names, recipe_text
from fastmlp.experiment.search_space import OWN_KEYS, Choices, Search, check_value_list, from_grid, from_table
from fastmlp.runs import naming as labels
from fastmlp.runs.cells import Cell
from fastmlp.runs.published_results import check_references
from fastmlp.utils import validation as check
from fastmlp.utils.options import nearest

SECTIONS = ("title", "epoch_lines", "seeds", "data", "network", "training", "grid", "search", "reference")
DATA_KEYS = ("name", "training", "validation", "stratify", "n_features")
NETWORK_KEYS = tuple(name for name, info in NetworkConfig.FIELDS.items() if info.section == "network")
# How many cores are used is no part of an experiment: it changes no result.
GRID_KEYS = tuple(name for name in NetworkConfig.FIELDS if name != "threads")
TRAINING_KEYS = tuple(name for name in GRID_KEYS if name not in NETWORK_KEYS)
SEARCH_KEYS = tuple(name for name in GRID_KEYS if name != "seed")
COLUMNS = 5  # of a figure that no grid gives a shape
WITH_CARE = "the references are of the recipe as it stands; this run has other data or settings"


@dataclass(frozen=True)
class Recipe:
    """An experiment.

    title     one line for tables and figures
    data      arguments of `fastmlp.data.load_split`, its first one called `name`
    settings  arguments of `MLP` that all cells share
    grid      arguments of `MLP` that vary, each with the list of its values; the last one varies fastest
    search    how settings are drawn, where there is no grid: see `fastmlp.experiment.search_space`
    seeds     how often every configuration is trained: with the seed of its settings and those that follow it
    reference what others got in this experiment: see `fastmlp.runs.published_results`
    epoch_lines  whether every epoch prints a line, as trainers of a single network do
    notes     what a person is to know of the recipe before it is run
    """

    title: str
    data: dict = field(default_factory=lambda: {"name": "auto"})
    settings: dict = field(default_factory=dict)
    grid: dict = field(default_factory=dict)
    reference: list[dict] = field(default_factory=list)
    epoch_lines: bool = False
    notes: tuple[str, ...] = ()
    search: Search | None = None
    seeds: int = 1

    def __post_init__(self):
        check.whole("seeds", self.seeds, 1, "how often every configuration is trained, such as 5")
        if self.search is not None and self.grid:
            raise InputError("the recipe has a [grid] and a [search]; remove one of the two")
        if self.seeds > 1 and "seed" in self.grid:
            raise InputError(f"seeds is {self.seeds} and seed is in [grid]; remove one of the two")
        if self.seeds > 1 and self.search is not None and self.search.method == "optuna":
            raise InputError(
                f"seeds is {self.seeds} and method 'optuna', which trains every configuration once; search first, then "
                "repeat the best ones with seeds"
            )

    def cells(self) -> list[Cell]:
        """Every combination of the grid's values, in order, or what a random search draws; each with every seed.

        One configuration when there is neither grid nor search; none yet where Optuna is to choose them.
        """
        varied = self.varied()
        return [
            cell
            for slug, values in zip(labels.distinct(map(labels.slug, varied)), varied, strict=True)
            for cell in self._with_seeds(slug, values)
        ]

    def varied(self) -> list[dict]:
        """What tells the configurations apart: the settings that the grid or the search gives to each."""
        if self.search is None:
            return [dict(zip(self.grid, values, strict=True)) for values in itertools.product(*self.grid.values())]
        return [] if self.search.method == "optuna" else self.search.configurations(self.seed)

    @property
    def seed(self) -> int:
        """The seed of the settings, the first one."""
        return check.whole(
            "seed", self.settings.get("seed", NetworkConfig.FIELDS["seed"].default), 0, "any whole number from 0"
        )

    def _with_seeds(self, slug: str, varied: dict) -> Iterator[Cell]:
        """A configuration's cells. The first has the folder and the settings that it has without repetitions."""
        label, settings = labels.label(varied) or self.title, {**self.settings, **varied}
        if self.seeds == 1:
            yield Cell(slug, label, settings, slug, label)
            return
        yield Cell(slug, f"{label}, seed {self.seed}", settings, slug, label)
        for seed in range(self.seed + 1, self.seed + self.seeds):
            yield Cell(f"{slug}-seed-{seed}", f"{label}, seed {seed}", {**settings, "seed": seed}, slug, label)

    def shape(self, count: int) -> tuple[int, int]:
        """(rows, columns) of a figure of so many configurations.

        The last key of a grid goes across, all others go down; what is no whole grid fills rows from the left.
        """
        if self.search is None and count == len(self.varied()):
            columns = len(list(self.grid.values())[-1]) if self.grid else 1
        else:
            columns = min(count, COLUMNS)
        return -(-count // columns), columns

    def settings_met(self) -> Iterator[dict]:
        """The settings of all cells, and of a search those at the ends of what it draws from."""
        yield from (cell.settings for cell in self.cells())
        if self.search is not None:
            yield from ({**self.settings, **varied} for varied in self.search.extremes())

    def repeated(self, seeds: int | None) -> "Recipe":
        """The recipe with so many seeds for every configuration (None: its own)."""
        return self if seeds is None else replace(self, seeds=seeds)

    def searched(self, method: str | None, trials: int | None) -> "Recipe":
        """The recipe searched by another method, or with another number of trials (None: its own).

        A grid is searched among its values. Raises InputError when there is nothing to search.
        """
        if method is None and trials is None:
            return self
        if self.search is not None:
            trials = self.search.trials if trials is None else trials
            return replace(self, search=replace(self.search, method=method or self.search.method, trials=trials))
        if not self.grid:
            raise InputError("the recipe has neither [search] nor [grid]; give it the settings that are to be searched")
        if trials is None:
            raise InputError(f"a [grid] searched by {method!r} has no number of trials; pass --trials 20")
        return replace(self, grid={}, search=from_grid(self.grid, trials, method or "random"))

    def override(self, **changes: object) -> "Recipe":
        """The recipe with other settings; None leaves one as it is, and a setting of the grid is no longer varied."""
        chosen = {name: value for name, value in changes.items() if value is not None}
        grid = {name: values for name, values in self.grid.items() if name not in chosen}
        searched = self.search and self.search.without(chosen)
        changed = replace(self, settings={**self.settings, **chosen}, grid=grid, search=searched)
        return changed if chosen.items() <= self.settings.items() else changed._compared_with_care()

    def override_data(self, **changes: object) -> "Recipe":
        """The recipe with another choice of data; None leaves a key as it is."""
        chosen = {name: value for name, value in changes.items() if value is not None}
        changed = replace(self, data={**self.data, **chosen})
        return changed if chosen.items() <= self.data.items() else changed._compared_with_care()

    def _compared_with_care(self):
        """The recipe with a note on its references, which were got with other data or settings."""
        if not self.reference or WITH_CARE in self.notes:
            return self
        return replace(self, notes=(*self.notes, WITH_CARE))

    def shortened(self, epochs: int | None) -> "Recipe":
        """The recipe for so many epochs (None: its own), without the decays that never come, which it notes."""
        if epochs is None:
            return self
        dropped: set[int] = set()

        def kept(decays):
            dropped.update(decay for decay in decays if decay >= epochs)
            return [decay for decay in decays if decay < epochs]

        def all_kept(values):
            kept_values = [kept(decays) for decays in values]
            return [value for number, value in enumerate(kept_values) if value not in kept_values[:number]]

        shorter = self.override(epochs=epochs)
        if "decay_epochs" in self.settings:
            shorter = shorter.override(decay_epochs=kept(self.settings["decay_epochs"]))
        if "decay_epochs" in self.grid:
            shorter = replace(shorter, grid={**shorter.grid, "decay_epochs": all_kept(self.grid["decay_epochs"])})
        if shorter.search is not None and "decay_epochs" in shorter.search.distributions:
            choices = Choices(tuple(all_kept(shorter.search.distributions["decay_epochs"].ends)))
            shorter = replace(shorter, search=shorter.search.changed("decay_epochs", choices))
        if not dropped:
            return shorter
        never = ", ".join(map(str, sorted(dropped)))
        note = f"the learning rate does not decay after epoch {never}: training ends at epoch {epochs}"
        return replace(shorter, notes=(*shorter.notes, note))

    def to_dict(self) -> dict:
        """Plain values, for JSON."""
        return {
            "title": self.title,
            "data": self.data,
            "settings": self.settings,
            "grid": self.grid,
            "search": self.search and self.search.to_dict(),
            "seeds": self.seeds,
            "reference": self.reference,
            "epoch_lines": self.epoch_lines,
        }


def load_recipe(name_or_path: str | os.PathLike[str]) -> Recipe:
    """The recipe of a name, such as "ee541", or in a TOML file.

    Raises InputError, InputTypeError for one that is not there, is no TOML, has an unknown key, or a value that no
    network takes: all cells are tried.
    """
    text, where = _read(name_or_path)
    try:
        table = tomllib.loads(text)
    except ValueError as error:  # also one of a number with thousands of digits
        raise InputError(f"{where} is no TOML ({error}); mend that line") from None
    try:
        recipe = _parse(table, Path(name_or_path).stem)
        check_cells(recipe)
    except FastmlpError as error:
        raise type(error)(f"{where}: {error}") from None
    return recipe


def check_cells(recipe: Recipe) -> None:
    """Raise InputError, InputTypeError for settings that no network takes, and for a grid with a network twice."""
    for settings in recipe.settings_met():
        NetworkConfig.from_dict(settings)
    cells, seen = recipe.cells() if recipe.search is None else [], dict[NetworkConfig, int]()
    for position, cell in enumerate(cells):
        first = seen.setdefault(NetworkConfig.from_dict(cell.settings), position)
        if first != position:
            raise InputError(
                f"{cells[first].slug} and {cell.slug} are the same network; list each value once in [grid]"
            )


def _read(name_or_path):
    """The text of a recipe, and what to call it in a message."""
    if name_or_path in recipe_names():
        return recipe_text(str(name_or_path)), f"recipe {name_or_path}"
    path = Path(name_or_path)
    try:
        return path.read_text(encoding="utf-8"), str(path)
    except FileNotFoundError:
        raise InputError(
            f"recipe {os.fspath(name_or_path)!r} is not there; expected {', '.join(recipe_names())} or a TOML file"
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"recipe {path} cannot be read ({error}); expected a TOML file in UTF-8") from None


def _parse(table: dict, default_title: str) -> Recipe:
    _check_keys(table, SECTIONS, "the recipe")
    sections = {}
    for name, keys in (
        ("data", DATA_KEYS),
        ("network", NETWORK_KEYS),
        ("training", TRAINING_KEYS),
        ("grid", GRID_KEYS),
        ("search", (*OWN_KEYS, *SEARCH_KEYS)),
    ):
        section = table.get(name, {})
        if not isinstance(section, dict):
            raise InputTypeError(f"{name} is {section!r}; expected a table: write [{name}] and its keys below")
        _check_keys(section, keys, f"[{name}]")
        sections[name] = section
    settings = {**sections["network"], **sections["training"]}
    _check_data(sections["data"])
    _check_grid(sections["grid"], settings)
    _check_varied_once("search", sections["search"], settings)
    title = table.get("title", default_title)
    if not isinstance(title, str) or not title.strip():
        raise InputTypeError(f"title is {title!r}; expected a line of text: write one, or leave the key out")
    epoch_lines = table.get("epoch_lines", False)
    if not isinstance(epoch_lines, bool):
        raise InputTypeError(f"epoch_lines is {epoch_lines!r}; expected true or false")
    data, references = {"name": "auto", **sections["data"]}, table.get("reference", [])
    found = from_table(sections["search"]) if "search" in table else None
    recipe = Recipe(
        title, data, settings, sections["grid"], references, epoch_lines, search=found, seeds=table.get("seeds", 1)
    )
    check_references(references, list(dict.fromkeys(cell.group for cell in recipe.cells())))
    return recipe


def _check_keys(table: dict, known: Iterable[str], where: str) -> None:
    for key in table:
        if key not in known:
            raise InputError(f"{where} has the unknown key {key!r}; {_mend(key, tuple(known))}")


def _mend(key, known):
    homes = {"network": NETWORK_KEYS, "training": TRAINING_KEYS, "data": DATA_KEYS}
    for section, keys in homes.items():
        if key in keys:
            return f"it belongs in [{section}]"
    return nearest(key, known)


def _check_data(data):
    if not isinstance(data.get("name", ""), str):
        raise InputTypeError(f"name in [data] is {data['name']!r}; expected a name or a path in quotes")
    if not isinstance(data.get("stratify", False), bool):
        raise InputTypeError(f"stratify in [data] is {data['stratify']!r}; expected true or false")
    for key, kinds, expected in (
        ("validation", (int, float), "a share such as 0.2, or a number of samples"),
        ("training", (int,), "a whole number of samples"),
        ("n_features", (int,), "a whole number"),
    ):
        value = data.get(key, 1)
        if isinstance(value, bool) or not isinstance(value, kinds) or value <= 0:
            raise InputError(f"{key} in [data] is {value!r}; expected {expected}, above 0")


def _check_varied_once(section, table, settings):
    for key in table:
        if key in settings:
            raise InputError(f"{key} is in [{section}] and has a value of its own as well; remove one of the two")


def _check_grid(grid, settings):
    _check_varied_once("grid", grid, settings)
    for key, values in grid.items():
        check_value_list(f"{key} in [grid]", values)
