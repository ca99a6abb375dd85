"""Published results of a recipe's experiment, shown next to one's own.

A recipe has any number of tables

    [[reference]]
    source = "the course solution"            # who got it, in a few words
    test_accuracy = 0.9707                    # figures of the whole experiment: see FIGURES
    cells = [{ cell = "tanh-0.5", validation_accuracy = 0.9755 }]   # figures of one cell, by its slug
"""

import math
import sys
from collections.abc import Iterable, Mapping, Sequence

from fastmlp.errors import InputError, InputTypeError
from fastmlp.runs.evaluation_record import ComparisonRecord
from fastmlp.runs.recipe_record import FIGURES, FigureRecord, ReferenceRecord
from fastmlp.utils.options import check_keys, nearest


def check_references(references: object, slugs: Sequence[str]) -> None:
    """Check the `[[reference]]` tables of a recipe.

    Parameters
    ----------
    references : object
        The tables.
    slugs : sequence of str
        The configurations of the recipe.

    Raises
    ------
    InputError, InputTypeError
        For a table that cannot be used.
    """
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


def figures(references: Iterable[ReferenceRecord], slug: str | None, name: str) -> list[tuple[float, str]]:
    """Return what the references say of a configuration.

    Parameters
    ----------
    references : iterable of ReferenceRecord
        Those of a recipe.
    slug : str or None
        The configuration.
    name : str
        One of `FIGURES`.

    Returns
    -------
    list of tuple
        (figure, source) of each reference that has one, its figure of the configuration before that of the experiment.
    """
    found = []
    for reference in references:
        own: list[FigureRecord] = [cell for cell in reference.cells if cell.cell == slug]
        known = (getattr(part, name) for part in (*own, reference))
        value = next((figure for figure in known if figure is not None), None)
        if value is not None:
            found.append((value, reference.source))
    return found


def compare(
    references: Sequence[ReferenceRecord], slug: str | None, ours: Mapping[str, float]
) -> tuple[ComparisonRecord, ...]:
    """Return every figure that has a published one.

    Parameters
    ----------
    references : sequence of ReferenceRecord
        Those of a recipe.
    slug : str or None
        The configuration.
    ours : mapping
        One's own figures, by the names of `FIGURES`.
    """
    return tuple(
        ComparisonRecord(name=name, ours=ours[name], theirs=theirs, source=source)
        for name in FIGURES
        if name in ours and math.isfinite(ours[name])
        for theirs, source in figures(references, slug, name)
    )


def comparison_lines(comparisons: Iterable[ComparisonRecord]) -> list[str]:
    """Return a line for each comparison, such as "test accuracy 0.9760; reference 0.9742, the course".

    Parameters
    ----------
    comparisons : iterable of ComparisonRecord
        What `compare` returned.
    """
    return [
        f"{FIGURES[line.name]} {figure_text(line.name, line.ours)}; "
        f"reference {figure_text(line.name, line.theirs)}{_times(line)}, {line.source}"
        for line in comparisons
    ]


def figure_text(name: str, value: float) -> str:
    """Return a figure as text: four decimals, times with three digits.

    Parameters
    ----------
    name : str
        One of `FIGURES`.
    value : float
        The figure.
    """
    return f"{value:.3g}" if name == "seconds_per_epoch" else f"{value:.4f}"


def _times(line: ComparisonRecord) -> str:
    """How many times as fast one's own epoch is; nothing for other figures."""
    if line.name != "seconds_per_epoch" or line.ours <= 0:
        return ""
    return f" ({line.theirs / line.ours:,.3g} times as long)"


def _check_table(table: object, where: str, known: Sequence[str]) -> None:
    if not isinstance(table, dict):
        raise InputTypeError(f"{where} has {table!r}; expected a table")
    check_keys(table, known, where)
    for key, value in table.items():
        if key in FIGURES:
            _check_figure(key, value, where)


def _check_figure(name: str, value: object, where: str) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise InputTypeError(f"{name} in {where} is {value!r}; expected a number without quotes")
    most = 1 if name.endswith("accuracy") else sys.float_info.max  # beyond it a whole number is no float
    if not 0 <= value <= most:
        expected = "a share from 0 to 1" if most == 1 else "a finite number from 0"
        raise InputError(f"{name} in {where} is {value}; expected {expected}")


def _check_slug(slug: object, slugs: Sequence[str]) -> None:
    if slug not in slugs:
        raise InputError(f"cell in [[reference]] is {slug!r}; {nearest(slug, slugs)}")
