"""Names of cells: of their folders, and for a person."""

import hashlib
import re
from collections.abc import Iterable, Mapping
from typing import Any

from fastmlp.utils.options import value_text

LONGEST = 100  # characters of a folder's name; the shortest limit of a file system in use is 143 (eCryptfs)
KEPT = 80


def slug(varied: Mapping[str, Any]) -> str:
    """Return a folder's name for values of settings that every system takes, such as "tanh-0.5"; "only" for none.

    Parameters
    ----------
    varied : mapping
        Settings by their names.
    """
    text = "-".join(_slug(name, value) for name, value in varied.items()) or "only"
    # Windows ends a name before its last dots.
    legal = re.sub(r"[^A-Za-z0-9.+-]+", "-", text).strip(".-") or "only"
    if len(legal) <= LONGEST:
        return legal
    return f"{legal[:KEPT].rstrip('.-')}-{hashlib.sha256(text.encode()).hexdigest()[:8]}"


def distinct(slugs: Iterable[str]) -> list[str]:
    """Return the slugs, a repeated one with a number.

    Parameters
    ----------
    slugs : iterable of str
        "a" and "A" are one, as they are on Windows and macOS.
    """
    given: list[str] = []
    taken: set[str] = set()
    for wanted in slugs:
        name, number = wanted, 1
        while name.lower() in taken:
            number += 1
            name = f"{wanted}-{number}"
        taken.add(name.lower())
        given.append(name)
    return given


def label(varied: Mapping[str, Any]) -> str:
    """Return a line for values of settings, such as "tanh, learning rate 0.5"; "" for no setting.

    Parameters
    ----------
    varied : mapping
        Settings by their names.
    """
    return ", ".join(_label(name, value) for name, value in varied.items())


def _slug(name: str, value: object) -> str:
    text = _joined(value)
    return text if name in ("activation", "learning_rate") else f"{_spaced(name)} {text}"


def _joined(value: object) -> str:
    if isinstance(value, dict):
        parts = [_joined(value["name"])] if "name" in value else []
        return "-".join(parts + [f"{key}-{_joined(item)}" for key, item in value.items() if key != "name"])
    if isinstance(value, list | tuple):
        return "-".join(map(_joined, value)) or "none"
    return value_text(value)


def _label(name: str, value: object) -> str:
    return value_text(value) if name == "activation" else f"{_spaced(name)} {value_text(value)}"


def _spaced(name: object) -> str:
    return str(name).replace("_", " ")
