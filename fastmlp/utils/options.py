"""Settings that are tables themselves, such as schedule = {name = "cosine", floor = 0.01}."""

import dataclasses
import difflib  # noqa: TID251  all others ask `closest`
import os
from collections.abc import Iterable, Mapping
from typing import Any, NoReturn, TypeVar

from fastmlp.errors import InputError, InputTypeError
from fastmlp.utils.other_names import called_here
from fastmlp.utils.showing import shown

T = TypeVar("T")
MOST_LETTERS = 1000  # of a name that may be a slip of another


class FrozenDict(dict[str, Any]):
    """A dict that cannot be changed and has a hash; nested dicts and lists become frozen dicts and tuples.

    Parameters
    ----------
    values : mapping
        Keys and plain values.
    """

    def __init__(self, values: Mapping[Any, Any]):
        super().__init__({key: freeze(value) for key, value in values.items()})

    def __hash__(self) -> int:  # type: ignore[override]  # a dict has none, because it can be changed
        return hash(frozenset(self.items()))

    def __reduce__(self) -> tuple[Any, ...]:
        return FrozenDict, (dict(self),)

    def _refuse(self, *_: object, **__: object) -> NoReturn:
        raise InputTypeError(
            "this table belongs to a network's settings, which cannot be changed; take a copy: dict(x)"
        )

    __setitem__ = __delitem__ = clear = pop = popitem = setdefault = update = __ior__ = _refuse


def freeze(value: Any) -> Any:
    """Return a value in a form that has a hash: dicts as `FrozenDict`, lists as tuples.

    Parameters
    ----------
    value : object
        A plain value.
    """
    if isinstance(value, Mapping):
        return FrozenDict(value)
    return tuple(map(freeze, value)) if isinstance(value, list | tuple) else value


def thaw(value: Any) -> Any:
    """Return the plain value that was frozen.

    Parameters
    ----------
    value : object
        What `freeze` returned.
    """
    if not isinstance(value, FrozenDict):
        return value
    return {key: list(item) if isinstance(item, tuple) else thaw(item) for key, item in value.items()}


def value_text(value: object) -> str:
    """Return a setting's value for a person; of a table its name, the rest of it in brackets.

    Parameters
    ----------
    value : object
        A plain value.
    """
    if isinstance(value, Mapping):
        rest = [f"{str(key).replace('_', ' ')} {value_text(item)}" for key, item in value.items() if key != "name"]
        name = [str(value["name"])] if "name" in value else []
        return " ".join([*name, f"({', '.join(rest)})"]) if name and rest else "".join(name) or ", ".join(rest)
    if isinstance(value, list | tuple):
        return "-".join(map(value_text, value)) or "none"
    return str(value).lower() if isinstance(value, bool) else str(value)


def build(kind: type[T], options: Mapping[str, Any], what: str, others: Iterable[str] = ()) -> T:
    """Return an instance of a dataclass from a table.

    Parameters
    ----------
    kind : type
        Dataclass whose fields are the keys that `options` may have; it checks the values.
    options : mapping
        The table.
    what : str
        Name of the table in messages.
    others : iterable of str
        Keys that the table may have as well, which the caller has taken out of `options`.

    Raises
    ------
    InputError
        For an unknown key, and for one that is missing and has no default.
    """
    fields = dataclasses.fields(kind)  # type: ignore[arg-type]  # T cannot be bound to dataclasses
    check_keys(options, [*(field.name for field in fields), *others], what)
    for field in fields:
        if field.default is dataclasses.MISSING and field.name not in options:
            raise InputError(f"{what} has no {field.name!r}; {field.metadata['hint']}")
    return kind(**options)


def check_keys(options: Mapping[str, Any], known: Iterable[str], what: str) -> None:
    """Raise InputError for the first key that is not known.

    Parameters
    ----------
    options : mapping
        The table.
    known : iterable of str
        Keys that it may have.
    what : str
        Name of the table in the message.

    Raises
    ------
    InputError
        For an unknown key.
    """
    known = tuple(known)
    for key in options:
        if key not in known:
            raise InputError(f"{what} has the unknown key {shown(key)}; {nearest(key, known)}")


def nearest(name: object, known: Iterable[str]) -> str:
    """Return the end of a message about an unknown name: the one probably meant, and all valid ones.

    Of a name that another library has, it is the one that the same has here.

    Parameters
    ----------
    name : object
        What was given.
    known : iterable of str
        All names that there are.
    """
    known = tuple(known)
    name = str(name) if isinstance(name, str | os.PathLike) else shown(name)
    if (ours := called_here(name, known)) is not None:
        return f"it is called {ours!r} here"
    meant = closest(name, known)
    return (f"did you mean {meant!r}? " if meant else "") + f"expected one of {', '.join(known) or 'none'}"


def closest(name: str, known: Iterable[str], similarity: float = 0.6) -> str | None:
    """Return the name that was probably meant, in capitals or not, or None.

    Parameters
    ----------
    name : str
        What was given.
    known : iterable of str
        All names that there are.
    similarity : float, default=0.6
        Least ratio of `difflib.SequenceMatcher`, 0 to 1, for two names to be mistaken for one another.

    Returns
    -------
    str or None
        The most similar of the known names.
    """
    by_lower = {one.lower(): one for one in known}
    if (ours := called_here(name, by_lower.values())) is not None:
        return ours
    if len(name) > MOST_LETTERS:  # nobody's slip, and slow to compare
        return None
    return next(map(by_lower.get, difflib.get_close_matches(name.lower(), by_lower, n=1, cutoff=similarity)), None)
