"""The rules of the house that a program can check: where files are, how long they are, what a docstring documents."""

import importlib
import inspect
import pkgutil
import re
from pathlib import Path

import pytest

import fastmlp

PACKAGE = Path(fastmlp.__file__).parent
MOST_LINES = 400
AT_THE_ROOT = {"__init__.py", "__main__.py", "_version.py", "errors.py", "mlp.py"}

# Packages whose public names are documented in full: what they hand out, wherever it is defined.
DOCUMENTED = ("fastmlp.data", "fastmlp.experiment")

HEADING = re.compile(r"(?m)^( *)([A-Z][A-Za-z ]+)\n\1-{3,}$")
ENTRY = re.compile(r"^(\*{0,2}\w+(?:, \*{0,2}\w+)*)(?: :.*)?$")


def test_no_module_is_longer_than_400_lines():
    lengths = {path: path.read_text(encoding="utf-8").count("\n") for path in PACKAGE.rglob("*.py")}
    assert len(lengths) > 100
    assert {str(path.relative_to(PACKAGE)): lines for path, lines in lengths.items() if lines > MOST_LINES} == {}


def test_modules_are_in_rooms():
    assert {path.name for path in PACKAGE.glob("*.py")} == AT_THE_ROOT


def section(docstring, *titles):
    """The lines of the first numpydoc section that has one of these titles."""
    text = inspect.cleandoc(docstring or "")
    headings = [*HEADING.finditer(text)]
    for number, heading in enumerate(headings):
        if heading[2] in titles:
            end = headings[number + 1].start() if number + 1 < len(headings) else len(text)
            return text[heading.end() : end].splitlines()
    return []


def documented(docstring, *titles):
    """The names that a section of a docstring lists, without stars."""
    entries = (ENTRY.match(line) for line in section(docstring, *titles))
    return [name.lstrip("*") for entry in entries if entry for name in entry[1].split(", ")]


def parameters(function):
    """The names of a callable's parameters, but for `self`, `cls` and those with an underscore."""
    names = inspect.signature(function).parameters
    return {name for name in names if name not in ("self", "cls") and not name.startswith("_")}


def members(owner):
    """The public methods that a class defines itself, as functions."""
    for name, value in vars(owner).items():
        function = getattr(value, "__func__", value)
        if not name.startswith("_") and inspect.isfunction(function):
            yield f"{owner.__name__}.{name}", function


def public_callables():
    """Name -> public function, class or method."""
    found = {}
    for package in map(importlib.import_module, DOCUMENTED):
        for name in getattr(package, "__all__", [name for name in vars(package) if not name.startswith("_")]):
            value = getattr(package, name)
            if callable(value) and getattr(value, "__module__", "").startswith("fastmlp"):
                found[f"{package.__name__}.{name}"] = value
                if inspect.isclass(value) and not issubclass(value, Exception):
                    found |= {f"{package.__name__}.{member}": function for member, function in members(value)}
    return found


@pytest.mark.parametrize(("name", "function"), public_callables().items())
def test_every_parameter_of_a_public_callable_is_documented(name, function):
    if inspect.isclass(function):
        if issubclass(function, Exception):
            pytest.skip("an exception takes its message")
        lists = documented(function.__doc__, "Parameters"), documented(function.__doc__, "Attributes")
        listed = {*lists[0], *lists[1]}
        assert parameters(function) <= listed
        assert set(lists[0]) <= parameters(function)
    else:
        assert set(documented(function.__doc__, "Parameters")) == parameters(function)


def test_the_reading_of_docstrings_finds_names_of_every_form():
    text = """Do something.

        Parameters
        ----------
        X : ndarray of shape (rows, columns)
            Inputs.
        low, high : float
        *rest
            All others.

        Returns
        -------
        result : float
        """
    assert documented(text, "Parameters") == ["X", "low", "high", "rest"]
    assert documented(text, "Returns") == ["result"]
    assert documented(text, "Raises") == []
    assert documented("X  an array", "Parameters") == []


def test_every_package_of_the_library_is_installed():
    """setuptools is told each package by its name."""
    listed = (PACKAGE.parent / "pyproject.toml").read_text(encoding="utf-8")
    for module in pkgutil.walk_packages([str(PACKAGE)], "fastmlp."):
        if module.ispkg:
            assert f'    "{module.name}",' in listed
