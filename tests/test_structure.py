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

# Modules that import what need not be installed.
OPTIONAL = {"fastmlp.experiment.executors.ray": "ray", "fastmlp.export.standalone.torch_network": "torch"}

HEADING = re.compile(r"(?m)^( *)([A-Z][A-Za-z ]+)\n\1-{3,}$")
ENTRY = re.compile(r"^(\*{0,2}\w+(?:, \*{0,2}\w+)*)(?: :.*)?$")


def test_no_module_is_longer_than_400_lines():
    lengths = {path: path.read_text(encoding="utf-8").count("\n") for path in PACKAGE.rglob("*.py")}
    assert len(lengths) > 100
    assert {str(path.relative_to(PACKAGE)): lines for path, lines in lengths.items() if lines > MOST_LINES} == {}


def test_modules_are_in_packages():
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
    if getattr(function, "_is_protocol", False):  # nobody makes an instance of one
        return set()
    try:
        names = inspect.signature(function).parameters
    except ValueError:  # a type of Python's own with no constructor of its own
        return set()
    if inspect.isclass(function) and "__init__" not in vars(function):  # another library's may take *args and **kwargs
        names = {name: one for name, one in names.items() if one.kind not in (one.VAR_POSITIONAL, one.VAR_KEYWORD)}
    return {name for name in names if name not in ("self", "cls") and not name.startswith("_")}


def docstring_of(owner, name):
    """The docstring of a method, or that of the method it overrides where this is the one that lists parameters."""
    docstrings = [getattr(vars(base).get(name), "__doc__", None) or "" for base in owner.__mro__]
    return next((text for text in docstrings if section(text, "Parameters")), docstrings[0])


def public_callables(module):
    """(name, callable, docstring) of each public function, class and method that a module defines."""
    for name, value in vars(module).items():
        if name.startswith("_") or getattr(value, "__module__", None) != module.__name__ or not callable(value):
            continue
        if inspect.isclass(value) and issubclass(value, Exception):
            continue
        yield name, value, value.__doc__
        for member in vars(value) if inspect.isclass(value) else ():
            function = getattr(vars(value)[member], "__func__", vars(value)[member])
            if not member.startswith("_") and inspect.isfunction(function):
                yield f"{name}.{member}", function, docstring_of(value, member)


def undocumented(function, docstring):
    """Names of parameters that a docstring lacks, and that it has beyond them."""
    listed = set(documented(docstring, "Parameters"))
    if inspect.isclass(function):
        return (parameters(function) - listed - set(documented(docstring, "Attributes"))) | (
            listed - parameters(function)
        )
    return listed ^ parameters(function)


def modules():
    """Names of all public modules but the kernels, which have plain text for their parameters."""
    names = (module.name for module in pkgutil.walk_packages([str(PACKAGE)], "fastmlp."))
    return [name for name in names if "._" not in name and not name.startswith(("fastmlp.kernels", "fastmlp.recipes"))]


@pytest.mark.parametrize("name", modules())
def test_every_parameter_of_a_public_callable_is_documented(name):
    if name in OPTIONAL:
        pytest.importorskip(OPTIONAL[name])
    module = importlib.import_module(name)
    wrong = {called: undocumented(function, text) for called, function, text in public_callables(module)}
    found = {called: names for called, names in wrong.items() if names}
    assert found == {}


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
