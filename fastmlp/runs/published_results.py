"""What others got in a recipe's experiment, to be shown beside what one gets.

A recipe has any number of tables

    [[reference]]
    source = "the course solution"            # who got it, in a few words
    test_accuracy = 0.9707                    # figures of the whole experiment: see FIGURES
    cells = [{ cell = "tanh-0.5", validation_accuracy = 0.9755 }]   # figures of one cell, by its slug
"""

import math
from collections.abc import Iterable, Sequence

from fastmlp.errors import InputError, InputTypeError
from fastmlp.utils.options import nearest

# What each figure is called. Losses are in nats per sample, times in seconds; all but the validation accuracy are of
# the network that was trained again on all rows.
FIGURES = {
    "validation_accuracy": "validation accuracy",
    "test_accuracy": "test accuracy",
    "test_loss": "test loss",
    "first_train_accuracy": "training accuracy, first epoch",
    "train_accuracy": "training accuracy, last epoch",
    "seconds_per_epoch": "seconds per epoch",
}


def check_references(references: object, slugs: Sequence[str]) -> None:
    """Raise InputError, InputTypeError for `[[reference]]` tables that cannot be used; `slugs` are the recipe's."""
    if not isinstance(references, list):
        raise InputTypeError(f"reference is {references!r}; expected tables: write [[reference]] and its keys below")
    for table in references:
        where = "[[reference]]"
        _check_table(table, where, ("source", "cells", *FIGURES))
        source = table.get("source")
        if not isinstance(source, str) or not source.strip():
            raise InputTypeError(f"source in {where} is {source!r}; expected text: say who got these figures")
        cells = table.get("cells", [])
        if not isinstance(cells, list):
            raise InputTypeError(f"cells in {where} is {cells!r}; expected a list of tables: put it in brackets")
        for cell in cells:
            _check_table(cell, f"cells in {where}", ("cell", *FIGURES))
            _check_slug(cell.get("cell"), slugs)
        if not any(name in FIGURES for part in (table, *cells) for name in part):
            raise InputError(f"{where} of {source!r} has no figure; expected one of {', '.join(FIGURES)}")


def figures(references: Iterable[dict], slug: str | None, name: str) -> list[tuple[float, str]]:
    """What the references say of a cell: (figure, source) of each that has one, its own before the whole experiment's.

    name  of FIGURES
    """
    found = []
    for table in references:
        own = [cell for cell in table.get("cells", []) if cell["cell"] == slug]
        value = next((part[name] for part in (*own, table) if name in part), None)
        if value is not None:
            found.append((value, table["source"]))
    return found


def compare(references: Sequence[dict], slug: str | None, ours: dict[str, float]) -> list[dict]:
    """Every figure that has a reference: `name`, `ours`, `theirs` and `source`, plain values for evaluation.json.

    ours  what one got, by the names of FIGURES
    """
    return [
        {"name": name, "ours": ours[name], "theirs": theirs, "source": source}
        for name in FIGURES
        if name in ours
        for theirs, source in figures(references, slug, name)
    ]


def comparison_lines(comparisons: Iterable[dict]) -> list[str]:
    """One line for each of what `compare` gave, such as "test accuracy 0.9760; reference 0.9742, the course"."""
    return [
        f"{FIGURES[line['name']]} {figure_text(line['name'], line['ours'])}; "
        f"reference {figure_text(line['name'], line['theirs'])}{_times(line)}, {line['source']}"
        for line in comparisons
    ]


def figure_text(name: str, value: float) -> str:
    """A figure for a person: four decimals, times to three digits."""
    return f"{value:.3g}" if name == "seconds_per_epoch" else f"{value:.4f}"


def _times(line):
    """How many times as fast one's own epoch is; nothing for other figures."""
    if line["name"] != "seconds_per_epoch" or line["ours"] <= 0:
        return ""
    return f" ({line['theirs'] / line['ours']:,.3g} times as long)"


def _check_table(table, where, known):
    if not isinstance(table, dict):
        raise InputTypeError(f"{where} has {table!r}; expected a table")
    for key, value in table.items():
        if key not in known:
            raise InputError(f"{where} has the unknown key {key!r}; {nearest(key, known)}")
        if key in FIGURES:
            _check_figure(key, value, where)


def _check_figure(name, value, where):
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise InputTypeError(f"{name} in {where} is {value!r}; expected a number without quotes")
    most = 1 if name.endswith("accuracy") else math.inf
    if not 0 <= value <= most or not math.isfinite(value):
        expected = "a share from 0 to 1" if most == 1 else "a finite number from 0"
        raise InputError(f"{name} in {where} is {value}; expected {expected}")


def _check_slug(slug, slugs):
    if slug not in slugs:
        raise InputError(f"cell in [[reference]] is {slug!r}; {nearest(slug, slugs)}")
