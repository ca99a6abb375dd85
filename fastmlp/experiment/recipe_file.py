"""Recipes in TOML: read, strictly checked, every mistake named with its file, its key and a hint."""

import math
import os
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from fastmlp.config.network import NetworkConfig
from fastmlp.data.tasks import check_task
from fastmlp.errors import FastmlpError, InputError, InputTypeError, visible
from fastmlp.experiment.builtin_recipes import recipe_names, recipe_text
from fastmlp.experiment.recipe import Recipe, check_cells
from fastmlp.experiment.search_space import OWN_KEYS, check_value_list, from_table
from fastmlp.runs.published_results import check_references
from fastmlp.utils import validation as check
from fastmlp.utils.options import nearest
from fastmlp.utils.paths import path_text, user_path

# How many cores are used is no part of an experiment: it changes no result.
SETTINGS = {name: info.section for name, info in NetworkConfig.FIELDS.items() if name != "threads"}
# The keys that each table may have.
TABLES: Mapping[str, tuple[str, ...]] = {
    "data": ("name", "training", "validation", "test", "stratify", "label", "task", "n_features"),
    "network": tuple(name for name, section in SETTINGS.items() if section == "network"),
    "training": tuple(name for name, section in SETTINGS.items() if section == "training"),
    "grid": tuple(SETTINGS),
    "search": (*OWN_KEYS, *(name for name in SETTINGS if name != "seed")),
}
MOST_CHARACTERS = 1_000_000
SECTIONS = ("title", "epoch_lines", "seeds", "most_steps", *TABLES, "reference")


def load_recipe(name_or_path: str | os.PathLike[str]) -> Recipe:
    """Return the recipe of a name, or in a TOML file.

    Parameters
    ----------
    name_or_path : str or path-like
        A name such as "ee541", or a file.

    Raises
    ------
    InputError, InputTypeError
        If it is not there, is not TOML, or has an unknown key or a value that no network accepts. All cells are tried.
    """
    text, where = _read(name_or_path)
    try:
        table = parse_toml(text)
    except ValueError as error:
        raise InputError(f"{where} is not TOML ({error}); correct that line") from None
    try:
        recipe = _parse(table, Path(name_or_path).stem)
        check_cells(recipe)
    except FastmlpError as error:
        raise type(error)(f"{where}: {error}") from None
    return recipe


def parse_toml(text: str) -> dict[str, Any]:
    """Return the tables of TOML.

    Parameters
    ----------
    text : str
        TOML.

    Raises
    ------
    ValueError
        If it is none, has a number of thousands of digits, or is nested too deeply.
    """
    try:
        return tomllib.loads(text)
    except RecursionError:
        raise ValueError("brackets are nested too deeply") from None


def _read(name_or_path: str | os.PathLike[str]) -> tuple[str, str]:
    """Return the text of a recipe, and what to call it in a message."""
    if name_or_path in recipe_names():
        return recipe_text(str(name_or_path)), f"recipe {name_or_path}"
    path = user_path(name_or_path)
    if path.is_char_device():  # /dev/zero has no end
        raise InputError(f"recipe {path} is a device; expected a TOML file")
    try:
        with open(path, encoding="utf-8") as file:
            text = file.read(MOST_CHARACTERS + 1)
    except FileNotFoundError:
        raise InputError(
            f"recipe {os.fspath(name_or_path)!r} is not there; {nearest(name_or_path, recipe_names())}, or a TOML file"
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"recipe {path} cannot be read ({error}); expected a TOML file in UTF-8") from None
    if len(text) > MOST_CHARACTERS:
        raise InputError(f"recipe {path} has more than {MOST_CHARACTERS:,} characters; expected a TOML file")
    return text, path_text(path)


def _parse(table: dict[str, Any], default_title: str) -> Recipe:
    check_keys(table, SECTIONS, "the recipe")
    data, network, training, grid, search = (_table(table, name) for name in TABLES)
    check_data(data)
    settings = {**network, **training}
    for name, varied in (("grid", grid), ("search", search)):
        for key in varied:
            if key in settings:
                raise InputError(f"{key} is in [{name}] and has a value of its own as well; remove one of the two")
    for key, values in grid.items():
        check_value_list(f"{key} in [grid]", values)
    recipe = Recipe(
        title=check_title(table.get("title", default_title)),
        data={"name": "auto", **data},
        settings=settings,
        grid=grid,
        reference=table.get("reference", []),
        epoch_lines=check.flag("epoch_lines", table.get("epoch_lines", False)),
        search=from_table(search) if "search" in table else None,
        seeds=table.get("seeds", 1),
        most_steps=table.get("most_steps"),
    )
    check_references(recipe.reference, list(dict.fromkeys(cell.group for cell in recipe.cells())))
    return recipe


def _table(recipe: dict[str, Any], name: str) -> dict[str, Any]:
    """Return a table of the recipe, empty if there is none; refuse unknown keys."""
    table = recipe.get(name, {})
    if not isinstance(table, dict):
        raise InputTypeError(f"{name} is {table!r}; expected a table: write [{name}] and its keys below")
    check_keys(table, TABLES[name], f"[{name}]")
    return table


def check_title(title: object) -> str:
    """Return a title; raise InputTypeError if it is no line of text.

    Parameters
    ----------
    title : object
        As given.
    """
    if not isinstance(title, str) or not title.strip() or visible(title) != title or "\n" in title:
        raise InputTypeError(f"title is {title!r}; expected a line of text: write one, or leave the key out")
    return title


def home_of(key: str) -> str | None:
    """Return the table that a key belongs in; None for an unknown key.

    Parameters
    ----------
    key : str
        Without its table.
    """
    return next((name for name in ("network", "training", "data") if key in TABLES[name]), None)


def check_keys(keys: Iterable[str], known: Iterable[str], where: str) -> None:
    """Raise InputError for the first key that is not known.

    Parameters
    ----------
    keys : iterable of str
        The keys.
    known : iterable of str
        Those that there may be.
    where : str
        What has them, for the message.
    """
    for key in keys:
        if key not in known:
            home = home_of(key)
            hint = nearest(key, known) if home is None else f"it belongs in [{home}]"
            raise InputError(f"{where} has the unknown key {key!r}; {hint}")


def check_data(data: dict[str, Any]) -> None:
    """Raise InputError or InputTypeError for a value in [data] that cannot be used.

    Parameters
    ----------
    data : dict
        Keys and values.
    """
    if not isinstance(data.get("name", ""), str):
        raise InputTypeError(f"name in [data] is {data['name']!r}; expected a name or a path in quotes")
    check.flag("stratify in [data]", data.get("stratify", False))
    check_task(data.get("task"))
    if isinstance(data.get("label", ""), bool) or not isinstance(data.get("label", ""), str | int):
        raise InputTypeError(f"label in [data] is {data['label']!r}; expected the name of a column, or its position")
    for key, kinds, expected in (
        ("validation", (int, float), "a share such as 0.2, or a number of samples"),
        ("test", (int, float), "a share such as 0.2, or a number of samples"),
        ("training", (int,), "a whole number of samples"),
        ("n_features", (int,), "a whole number"),
    ):
        value = data.get(key, 1)
        if isinstance(value, bool) or not isinstance(value, kinds) or not 0 < value < math.inf:
            raise InputError(f"{key} in [data] is {value!r}; expected {expected}, above 0")
