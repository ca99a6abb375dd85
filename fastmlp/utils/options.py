"""Settings that are tables of their own, such as schedule = {name = "cosine", floor = 0.01}: keys into fields."""

import dataclasses
import difflib
from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

from fastmlp.errors import InputError

T = TypeVar("T")


def build(kind: type[T], options: Mapping[str, Any], what: str, others: Iterable[str] = ()) -> T:
    """An instance of the dataclass `kind`, whose fields are the keys that `options` may have.

    what    names the table in messages
    others  keys that the table may have as well, which the caller has taken out of `options`
    Raises InputError for an unknown key, and for one that is missing and has no default; `kind` checks the values.
    """
    fields = dataclasses.fields(kind)  # type: ignore[arg-type]
    check_keys(options, [*(field.name for field in fields), *others], what)
    for field in fields:
        if field.default is dataclasses.MISSING and field.name not in options:
            raise InputError(f"{what} has no {field.name!r}; {field.metadata['mend']}")
    return kind(**options)


def check_keys(options: Mapping[str, Any], known: Iterable[str], what: str) -> None:
    """Raise InputError for the first key that is not known."""
    for key in options:
        if key not in known:
            raise InputError(f"{what} has the unknown key {key!r}; {nearest(key, known)}")


def nearest(name: object, known: Iterable[str]) -> str:
    """The end of a message about an unknown name: the one that was probably meant, and all there are."""
    known = tuple(known)
    near = difflib.get_close_matches(str(name), known, n=1)
    return (f"did you mean {near[0]!r}? " if near else "") + f"expected one of {', '.join(known) or 'none'}"
