"""Which column of a table has the labels."""

from fastmlp.data.checks import NoLabels
from fastmlp.data.tables.layout import LABEL_NAMES, Layout
from fastmlp.errors import InputError, InputTypeError
from fastmlp.utils.options import closest
from fastmlp.utils.showing import shown

_NAMES_SHOWN = 4
_DIGITS, _MOST_DIGITS = "0123456789", 18


def find_label(layout: Layout, label: str | int | None) -> tuple[int, str | None]:
    """Return the position of the column of labels, and a note where it was not asked for.

    By itself it is the column named label, target, class, species or y, in upper or lower case; else the last one.
    Where no column has a name, it is the first one, as in MNIST's files; but the last one where that is text and the
    first one is not, as in the UCI repository's.

    Parameters
    ----------
    layout : Layout
        Of the table.
    label : str or int, optional
        Name of the column, or its position from 0, or if negative from the last one on.

    Raises
    ------
    InputError
        If there is no such column.
    InputTypeError
        If `label` is of another type.
    """
    if label is not None:
        return _asked_for(layout, label), None
    lower = [name.lower() for name in layout.names]
    for name in LABEL_NAMES:
        if name in lower:
            column = lower.index(name)
            return column, f"labels: column {layout.called(column)}, by its name"
    if layout.is_numbered:
        first = 1 if layout.names and not layout.names[0] else 0
        last = layout.width - 1
        if last in layout.text and first not in layout.text:
            return last, "labels: the last column, which is text; another one is chosen by label"
        return first, "labels: the first column, as none has a name; another one is chosen by label"
    last = max(column for column, name in enumerate(layout.names) if name and not name.startswith("Unnamed: "))
    if last and _continues(layout.names[last - 1], layout.names[last]):
        raise NoLabels(
            f"{layout.path} has no column `label`, and its last one is {layout.called(last)}; its header begins "
            f"{_first_names(layout)}: choose the column of labels by label"
        )
    usual = f"{', '.join(LABEL_NAMES[:-1])} or {LABEL_NAMES[-1]}"
    return last, (
        f"labels: column {layout.called(last)}, the last one, as none is called {usual}; another one is chosen by label"
    )


def _asked_for(layout: Layout, label: str | int) -> int:
    if isinstance(label, bool) or not isinstance(label, str | int):
        raise InputTypeError(f"label is {shown(label)}; expected the name of a column, or its position")
    if str(label) in layout.names:
        return layout.names.index(str(label))
    if isinstance(label, int):
        if -layout.width <= label < layout.width:
            return label % layout.width
        raise InputError(f"label is {label}, and {layout.path} has {layout.width} columns; expected a position from 0")
    if not layout.names:
        raise InputError(
            f"label is {shown(label)}, and {layout.path} has no header; expected a position, such as 0 or -1"
        )
    meant = closest(label, layout.names)
    hint = f"did you mean {meant!r}?" if meant else "choose one of them"
    raise InputError(f"{layout.path} has no column `{label}`; its header begins {_first_names(layout)}: {hint}")


def _first_names(layout: Layout) -> str:
    return ", ".join(layout.names[:_NAMES_SHOWN])


def _continues(name: str, next_name: str) -> bool:
    """Return whether two names are numbered in turn, such as pixel8 and pixel9."""
    stem = name.rstrip(_DIGITS)
    number, next_number = name[len(stem) :], next_name.removeprefix(stem)
    if not (number.isdecimal() and next_number.isdecimal()) or stem != next_name.rstrip(_DIGITS):
        return False
    return len(number) <= _MOST_DIGITS >= len(next_number) and int(next_number) == int(number) + 1
