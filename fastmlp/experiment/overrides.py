"""Changes to a recipe by its keys, such as `network.hidden=300,100`: those of `--set` and of options for them."""

import datetime
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from fastmlp.config.network import NetworkConfig
from fastmlp.errors import InputError
from fastmlp.experiment.recipe import Recipe
from fastmlp.experiment.recipe_file import TABLES, check_data, check_keys, check_title, home_of, parse_toml
from fastmlp.experiment.search_space import check_value_list
from fastmlp.utils import validation as check
from fastmlp.utils.options import closest, nearest

OWN = ("title", "seeds", "most_steps", "epoch_lines")  # keys that are in no table
EXAMPLE = "KEY=VALUE, such as network.hidden=300,100"


def parse_override(text: str) -> tuple[str, Any]:
    """Return the key and the value of a change as text.

    Parameters
    ----------
    text : str
        KEY=VALUE. The key is that of a recipe with its table, such as "training.epochs". The value is TOML, a bare
        word, or several of them with commas between: a list. Nothing stands for None.

    Raises
    ------
    InputError
        If it has no key, or begins as TOML does and is none.
    """
    key, equals, value = (part.strip() for part in text.partition("="))
    if not equals or not key:
        raise InputError(f"--set is {text!r}; expected {EXAMPLE}")
    return key, _value(key, value)


def _value(key: str, text: str) -> Any:
    if not text:
        return None
    for toml in (text, f"[{text}]") if "," in text else (text,):
        try:
            parsed = parse_toml(f"value = {toml}")
        except ValueError:
            continue
        if list(parsed) == ["value"]:
            return _plain(parsed["value"], text)
    if any(mark in text for mark in "[]{}\"'\n"):
        raise InputError(f"--set {key} is {text!r}, which is not TOML; quote it for the shell: '{key}=[1, 2]'")
    return [_value(key, part.strip()) for part in text.split(",") if part.strip()] if "," in text else text


def _plain(value: Any, text: str) -> Any:
    """Return a value; dates, which no recipe has, as their text."""
    return text if isinstance(value, datetime.date | datetime.time) else value


def override(recipe: Recipe, changes: Iterable[tuple[str, Any]]) -> Recipe:
    """Return a recipe with changes, made one after the other.

    What is given a value no longer varies; what is given values in [grid] no longer has one of its own. A setting that
    is given None is as if the recipe did not have it, and so is a table.

    Parameters
    ----------
    recipe : Recipe
        The recipe.
    changes : iterable of (str, object)
        Keys, such as "training.epochs", "seeds" or "grid", and their values.

    Raises
    ------
    InputError, InputTypeError
        For an unknown key, and for a value that cannot be used.
    """
    how = {}  # a grid becomes a search by its method and its number of trials together
    for key, value in changes:
        if key in ("search.method", "search.trials") and value is not None:
            how[key] = value
        else:
            recipe = _changed(recipe, key, value)
    return recipe.searched(how.get("search.method"), how.get("search.trials"))


def _changed(recipe: Recipe, key: str, value: Any) -> Recipe:
    section, _, name = key.partition(".")
    if not name:
        return _change_whole(recipe, section, value)
    if section not in TABLES:
        raise InputError(f"{key!r} is not a key of a recipe; {nearest(section, TABLES)} in the place of {section!r}")
    check_keys([name], TABLES[section], f"[{section}]")
    if section == "search":
        return recipe.searched_in(name, value)
    change = {"data": _change_data, "grid": _change_grid}.get(section, _change_setting)
    return change(recipe, name, value)


def _change_whole(recipe: Recipe, key: str, value: Any) -> Recipe:
    """Return the recipe with another title, number of seeds and so on, or without a table."""
    if key in TABLES and value is None:
        if key == "search":
            return replace(recipe, search=None)
        return recipe.without(TABLES[key], key if key in ("data", "grid") else "settings")
    if key in TABLES:
        raise InputError(
            f"{key} is a table; expected one of its keys, as {key}.{TABLES[key][0]}=..., or {key}= for none"
        )
    if key == "title":
        return replace(recipe, title=check_title(value))
    if key == "seeds":
        return recipe.repeated(1 if value is None else value)
    if key == "most_steps":
        return replace(recipe, most_steps=value)
    if key == "epoch_lines":
        return replace(recipe, epoch_lines=value is not None and check.flag(key, value))
    meant = closest(key, [*TABLES["network"], *TABLES["training"], *TABLES["data"]])
    hint = (
        f"did you mean {home_of(meant)}.{meant}?" if meant else nearest(key, (*OWN, *(f"{table}." for table in TABLES)))
    )
    raise InputError(f"{key!r} is not a key of a recipe; {hint}")


def _change_data(recipe: Recipe, name: str, value: Any) -> Recipe:
    if value is None:
        return recipe.without([name], "data")
    check_data({name: value})
    return recipe.override_data(**{name: value})


def _change_setting(recipe: Recipe, name: str, value: Any) -> Recipe:
    if value is None:
        return recipe.without([name], "settings")
    if name == "epochs":
        return recipe.shortened(value)
    is_list = isinstance(NetworkConfig.FIELDS[name].default, list | tuple)
    return recipe.override(**{name: value if not is_list or isinstance(value, list) else [value]})


def _change_grid(recipe: Recipe, name: str, value: Any) -> Recipe:
    if value is None:
        return recipe.without([name], "grid")
    values = value if isinstance(value, list) else [value]
    check_value_list(f"{name} in [grid]", values)
    return recipe.varied_over(name, values)
