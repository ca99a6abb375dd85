"""What a result is known by: the code that trains it, wherever that is, and nothing that only shows it."""

import ast
import shutil
from pathlib import Path

import pytest

import fastmlp
from fastmlp.kernels import cache
from fastmlp.utils.digests import digest_of_sources

PACKAGE = Path(fastmlp.__file__).parent
# Of what a training imports: these change no bit of a result, and no file of the packages `export` and `plots` does.
# Errors, files, digests, memory and names are no arithmetic; rows that are drawn for validation have a digest of their
# own.
HARMLESS = {
    "_version.py",
    "errors.py",
    "data/split.py",
    "data/stratify.py",
    "utils/atomic_files.py",
    "utils/borrowed_memory.py",
    "utils/digests.py",
    "utils/free_memory.py",
    "utils/matplotlib_setup.py",
    "utils/npz.py",
    "utils/other_names.py",
    "utils/paths.py",
}
SHOWING = ["cli/main.py", "plots/curves.py", "report/page.py", "runs/aggregate.py", "experiment/sweep.py"]


def imports_of(path):
    """The files of the package that a file of it imports, anywhere in it."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        elif isinstance(node, ast.ImportFrom):
            names = [f"fastmlp.kernels.{node.module or alias.name}" for alias in node.names]
        else:
            continue
        for name in names:
            parts = name.split(".")
            if parts[0] == "fastmlp":
                module = PACKAGE.joinpath(*parts[1:])
                yield from (path for path in (module.with_suffix(".py"), module / "__init__.py") if path.is_file())


def what_trains():
    """All files that a training runs, by following the imports, and those that the stream of a file runs."""
    found, waiting = set(), [PACKAGE / "mlp.py", *sorted((PACKAGE / "data" / "streaming").glob("*.py"))]
    waiting += sorted((PACKAGE / "kernels").glob("*.py"))  # some are imported by name
    while waiting:
        path = waiting.pop()
        if path not in found:
            found.add(path)
            # What reads files is known by what it read: their rows are part of the identity as well.
            inside = "data" not in path.relative_to(PACKAGE).parts
            waiting += [other for other in imports_of(path) if inside]
    names = {path.relative_to(PACKAGE).as_posix() for path in found}
    names = {name for name in names - HARMLESS if not name.startswith(("export/", "plots/"))}
    return sorted(name for name in names if not (name.endswith("__init__.py") and name.count("/") < 2))


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    """A copy of the package's sources, to be edited."""
    folder = tmp_path_factory.mktemp("copy") / "fastmlp"
    shutil.copytree(PACKAGE, folder, ignore=lambda _, names: {name for name in names if name == "__pycache__"})
    return folder


def edited(path, digest):
    """The digest with a comment more in a file."""
    before = path.read_bytes()
    path.write_bytes(before + b"# a thought\n")
    try:
        return digest()
    finally:
        path.write_bytes(before)


def test_the_search_finds_what_trains():
    names = what_trains()
    assert len(names) > 40
    assert {"mlp.py", "training/loop.py", "config/schedule_shapes.py", "kernels/dense.py"} <= set(names)
    assert {"utils/arrays.py", "utils/validation.py", "data/streaming/stream.py"} <= set(names)


@pytest.mark.parametrize("name", what_trains())
def test_a_change_in_any_module_that_trains_is_another_engine(copy, name):
    assert edited(copy / name, lambda: digest_of_sources(copy)) != digest_of_sources(copy)


@pytest.mark.parametrize("name", SHOWING)
def test_a_change_in_what_shows_results_is_the_same_engine(copy, name):
    assert edited(copy / name, lambda: digest_of_sources(copy)) == digest_of_sources(copy)


def test_a_module_that_moves_or_is_new_is_another_engine(copy):
    before = digest_of_sources(copy)
    new = copy / "training" / "deeper" / "new.py"
    new.parent.mkdir()
    new.write_text("", encoding="utf-8")
    assert digest_of_sources(copy) != before
    shutil.rmtree(new.parent)
    assert digest_of_sources(copy) == before
    moved = (copy / "training" / "loop.py").rename(copy / "training" / "circle.py")
    assert digest_of_sources(copy) != before
    moved.rename(copy / "training" / "loop.py")


@pytest.mark.parametrize("name", sorted(path.name for path in (PACKAGE / "kernels").glob("*.py")))
def test_a_change_in_any_kernel_is_another_cache(copy, name):
    def digest():
        return cache.sources_digest(copy / "kernels")

    assert digest() == cache.SOURCES_DIGEST
    assert edited(copy / "kernels" / name, digest) != digest()


@pytest.mark.parametrize("name", ["cli/main.py", "training/loop.py"])
def test_a_change_elsewhere_is_the_same_cache(copy, name):
    assert edited(copy / name, lambda: cache.sources_digest(copy / "kernels")) == cache.SOURCES_DIGEST
