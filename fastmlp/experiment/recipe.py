"""Recipes: named experiments in TOML, each a grid of networks to train on the same data."""

import difflib
import itertools
import os
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path

from fastmlp.errors import FastmlpError, InputError, InputTypeError
from fastmlp.mlp import MLP, SETTINGS

from . import labels
from .names import recipe_names, recipe_text
from .reference import check_references

SECTIONS = ("title", "epoch_lines", "data", "network", "training", "grid", "reference")
DATA_KEYS = ("name", "training", "validation", "stratify", "n_features")
NETWORK_KEYS = ("hidden", "activation", "loss", "init", "init_scale", "init_bias", "dtype")
# How many cores are used is no part of an experiment: it changes no result.
GRID_KEYS = tuple(name for name in SETTINGS if name != "threads")
TRAINING_KEYS = tuple(name for name in GRID_KEYS if name not in NETWORK_KEYS)
WITH_CARE = "the references are of the recipe as it stands; this run has other data or settings"


@dataclass(frozen=True)
class Cell:
    """One network of the grid.

    slug      names its folder, such as "tanh-0.5"
    label     names it to a person, such as "tanh, learning rate 0.5"
    settings  arguments of `MLP`
    """

    slug: str
    label: str
    settings: dict


@dataclass(frozen=True)
class Recipe:
    """An experiment.

    title     one line for tables and figures
    data      arguments of `fastmlp.data.load_split`, its first one called `name`
    settings  arguments of `MLP` that all cells share
    grid      arguments of `MLP` that vary, each with the list of its values; the last one varies fastest
    reference what others got in this experiment: see `fastmlp.experiment.reference`
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

    def cells(self) -> list[Cell]:
        """Every combination of the grid's values, in order; one cell when there is no grid."""
        combinations = [dict(zip(self.grid, values, strict=True)) for values in itertools.product(*self.grid.values())]
        slugs = labels.distinct(map(labels.slug, combinations))
        return [
            Cell(slug, labels.label(varied) or self.title, {**self.settings, **varied})
            for slug, varied in zip(slugs, combinations, strict=True)
        ]

    def shape(self) -> tuple[int, int]:
        """(rows, columns) of a figure of the cells: the last key of the grid goes across, all others go down."""
        lengths = [len(values) for values in self.grid.values()] or [1]
        columns = lengths[-1]
        return len(self.cells()) // columns, columns

    def override(self, **changes: object) -> "Recipe":
        """The recipe with other settings; None leaves one as it is, and a setting of the grid is no longer varied."""
        chosen = {name: value for name, value in changes.items() if value is not None}
        grid = {name: values for name, values in self.grid.items() if name not in chosen}
        changed = replace(self, settings={**self.settings, **chosen}, grid=grid)
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

        shorter = self.override(epochs=epochs)
        if "decay_epochs" in self.settings:
            shorter = shorter.override(decay_epochs=kept(self.settings["decay_epochs"]))
        if "decay_epochs" in self.grid:
            values = [kept(decays) for decays in self.grid["decay_epochs"]]
            distinct = [value for number, value in enumerate(values) if value not in values[:number]]
            shorter = replace(shorter, grid={**shorter.grid, "decay_epochs": distinct})
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
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"{where} is no TOML ({error}); mend that line") from None
    try:
        recipe = _parse(table, Path(name_or_path).stem)
        check_cells(recipe)
    except FastmlpError as error:
        raise type(error)(f"{where}: {error}") from None
    return recipe


def check_cells(recipe: Recipe) -> None:
    """Raise InputError, InputTypeError when a cell has settings that no network takes."""
    for cell in recipe.cells():
        MLP(**cell.settings)


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
    ):
        section = table.get(name, {})
        if not isinstance(section, dict):
            raise InputTypeError(f"{name} is {section!r}; expected a table: write [{name}] and its keys below")
        _check_keys(section, keys, f"[{name}]")
        sections[name] = section
    settings = {**sections["network"], **sections["training"]}
    _check_data(sections["data"])
    _check_grid(sections["grid"], settings)
    title = table.get("title", default_title)
    if not isinstance(title, str) or not title.strip():
        raise InputTypeError(f"title is {title!r}; expected a line of text: write one, or leave the key out")
    epoch_lines = table.get("epoch_lines", False)
    if not isinstance(epoch_lines, bool):
        raise InputTypeError(f"epoch_lines is {epoch_lines!r}; expected true or false")
    data, references = {"name": "auto", **sections["data"]}, table.get("reference", [])
    recipe = Recipe(title, data, settings, sections["grid"], references, epoch_lines)
    check_references(references, [cell.slug for cell in recipe.cells()])
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
    near = difflib.get_close_matches(key, known, n=1)
    return (f"did you mean {near[0]!r}? " if near else "") + f"expected one of {', '.join(known)}"


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


def _check_grid(grid, settings):
    for key, values in grid.items():
        if not isinstance(values, list) or not values:
            raise InputTypeError(f"{key} in [grid] is {values!r}; expected a list of values to try: put it in brackets")
        if key in settings:
            raise InputError(f"{key} is in [grid] and has a value of its own as well; remove one of the two")
        for value in values:
            if values.count(value) > 1:
                raise InputError(f"{key} in [grid] has {value!r} twice; list each value once")
