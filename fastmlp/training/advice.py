"""Sentences on what went wrong: what was seen, and what to try."""

import re
from collections.abc import Sequence

_TRY = "; try "


def advise(seen: str, hints: Sequence[str]) -> str:
    """Return a sentence such as "diverged: the loss is nan; try a smaller learning rate than 1 or init='auto'".

    Parameters
    ----------
    seen : str
        What was seen.
    hints : sequence of str
        One or more things to try, none of which has a comma or "or" in it.
    """
    return f"{seen}{_TRY}{listed(hints)}"


def listed(hints: Sequence[str]) -> str:
    """Return hints as text: "a", "a or b", "a, b or c".

    Parameters
    ----------
    hints : sequence of str
        One or more.
    """
    *first, last = hints
    return f"{', '.join(first)} or {last}" if first else last


def split_advice(sentence: str) -> tuple[str, list[str]]:
    """Return what a sentence says was seen, and its hints: the arguments of `advise`.

    Parameters
    ----------
    sentence : str
        Any sentence; one that `advise` did not make has no hints.
    """
    seen, found, hints = sentence.rpartition(_TRY)
    return (seen, re.split(", | or ", hints)) if found else (sentence, [])
