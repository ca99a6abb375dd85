"""Facts about a thing, each as text for people and as a value for programs."""

import shutil
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

WIDTH = 100  # characters of a line, where the terminal has as many
LISTED = 20  # things in a list
_GAP = 2


@dataclass(frozen=True)
class Info:
    """What a thing is.

    Attributes
    ----------
    title : str
        What it is, in a line.
    facts : list of (str, str)
        Names and texts, in the order of reading; those without a text are not shown.
    values : dict
        The same and more as plain values; their keys are those of `fastmlp info --json`, see docs/command-line.md.
    """

    title: str
    facts: list[tuple[str, str]]
    values: dict[str, Any]

    def text(self) -> str:
        """Return it for a person: the title, and a paragraph per fact."""
        known = [(name, text) for name, text in self.facts if text]
        width = min(WIDTH, shutil.get_terminal_size((WIDTH, 1)).columns)
        margin = _GAP + max((len(name) for name, _ in known), default=0) + _GAP
        lines = [self.title]
        for name, text in known:
            head = f"{'':{_GAP}}{name}".ljust(margin)
            for line in text.splitlines():
                lines += textwrap.wrap(
                    line, width, initial_indent=head, subsequent_indent=" " * margin, break_long_words=False,
                    break_on_hyphens=False,
                )  # fmt: skip
                head = " " * margin
        return "\n".join(lines)


def listed(items: Sequence[str], separator: str = ", ") -> str:
    """Return the first things of a list, and how many more there are.

    Parameters
    ----------
    items : sequence of str
        The things.
    separator : str
        What is between them.
    """
    more = [f"and {len(items) - LISTED:,} more"] if len(items) > LISTED else []
    return separator.join([*items[:LISTED], *more])


def counted(count: int, one: str, several: str | None = None) -> str:
    """Return a number of things, such as "1 row" or "60,000 rows".

    Parameters
    ----------
    count : int
        How many.
    one : str
        The word for one.
    several : str, optional
        The word for several; None: `one` and an s.
    """
    return f"{count:,} {one if count == 1 else several or one + 's'}"
