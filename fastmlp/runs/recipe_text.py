"""The recipe of a run as TOML, with every setting, which repeats it: `recipe.toml` in its folder."""

from typing import Any

import tomli_w

from fastmlp._version import __version__
from fastmlp.config.network import NetworkConfig
from fastmlp.runs.records import RunRecord
from fastmlp.utils.commands import command_text
from fastmlp.utils.records import to_plain

REFERENCE_NOTE = "the references belong to the recipe as published; this run has other data or settings"


def resolved_recipe(record: RunRecord) -> str:
    """Return the recipe of a run as TOML: what was asked for, all defaults, and the data that were found.

    What is None by default is left out, as TOML has no word for it, and so are references that are of other settings.

    Parameters
    ----------
    record : RunRecord
        The record of the run.
    """
    recipe = to_plain(record.recipe)
    search = _search_table(recipe["search"])
    varied = {**recipe["grid"], **search}
    tables: dict[str, dict[str, Any]] = {"data": _data_table(record), "network": {}, "training": {}}
    for name, info in NetworkConfig.FIELDS.items():
        value = recipe["settings"].get(name, info.default)
        if value is not None and name not in varied and name != "threads":
            tables[info.section][name] = value
    whole = {
        "title": recipe["title"],
        "epoch_lines": recipe["epoch_lines"],
        "seeds": recipe["seeds"],
        **tables,
        "grid": recipe["grid"],
        "search": search,
        "reference": [] if REFERENCE_NOTE in record.notes else recipe["reference"],
    }
    command = command_text("run", "recipe.toml")
    text = tomli_w.dumps({key: value for key, value in whole.items() if value not in ({}, [], ())})
    return f"# All settings of a run by fastmlp {__version__}: `{command}` repeats it.\n{text}"


def _data_table(record: RunRecord) -> dict[str, Any]:
    """Return the table of the data that were found; a file by its absolute path."""
    data = to_plain(record.recipe.data)
    share = data.get("validation")
    if share is not None and share >= 1:  # a number of samples; records have one type for both
        data["validation"] = int(share)
    return {**data, "name": record.data.key}


def _search_table(search: dict[str, Any] | None) -> dict[str, Any]:
    if search is None:
        return {}
    distributions = search.pop("distributions")
    for one in distributions.values():
        if one.get("whole"):
            one.update({end: int(one[end]) for end in ("from", "to")})
    return {**search, **distributions}
