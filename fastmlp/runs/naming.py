"""What the cells of a grid are called: by their folders, and by a person."""

import hashlib
import re
from collections.abc import Iterable

LONGEST = 100  # characters of a folder's name; the shortest limit of a file system in use is 143 (eCryptfs)
KEPT = 80


def slug(varied: dict) -> str:
    """A folder's name for values of settings, such as "tanh-0.5", which every system takes; "only" for none."""
    text = "-".join(_slug(name, value) for name, value in varied.items()) or "only"
    # Windows ends a name before its last dots.
    legal = re.sub(r"[^A-Za-z0-9.+-]+", "-", text).strip(".-") or "only"
    if len(legal) <= LONGEST:
        return legal
    return f"{legal[:KEPT].rstrip('.-')}-{hashlib.sha256(text.encode()).hexdigest()[:8]}"


def distinct(slugs: Iterable[str]) -> list[str]:
    """The slugs, a repeated one with a number; "a" and "A" are one, as they are on Windows and macOS."""
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


def label(varied: dict) -> str:
    """A line for values of settings, such as "tanh, learning rate 0.5"; "" for none."""
    return ", ".join(_label(name, value) for name, value in varied.items())


def words(value: object) -> str:
    """A setting's value for a person: a table by its name, the rest of it in brackets."""
    if isinstance(value, dict):
        rest = [f"{_spaced(key)} {words(item)}" for key, item in value.items() if key != "name"]
        name = [str(value["name"])] if "name" in value else []
        return " ".join([*name, f"({', '.join(rest)})"]) if name and rest else "".join(name) or ", ".join(rest)
    if isinstance(value, list | tuple):
        return "-".join(map(words, value)) or "none"
    return str(value).lower() if isinstance(value, bool) else str(value)


def _slug(name, value):
    text = _joined(value)
    return text if name in ("activation", "learning_rate") else f"{_spaced(name)} {text}"


def _joined(value):
    if isinstance(value, dict):
        parts = [_joined(value["name"])] if "name" in value else []
        return "-".join(parts + [f"{key}-{_joined(item)}" for key, item in value.items() if key != "name"])
    if isinstance(value, list | tuple):
        return "-".join(map(_joined, value)) or "none"
    return words(value)


def _label(name, value):
    return words(value) if name == "activation" else f"{_spaced(name)} {words(value)}"


def _spaced(name):
    return str(name).replace("_", " ")
