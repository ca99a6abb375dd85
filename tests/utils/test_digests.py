"""Digests name values, and the code that trains, wherever that is in the package."""

import shutil
from pathlib import Path

import numpy as np
import pytest

import fastmlp
from fastmlp.utils import digests

PACKAGE = Path(fastmlp.__file__).parent
TRAINS = ("mlp.py", "config", "training", "data/streaming", "utils/arrays.py", "kernels")
ONLY_REPORTS = ("cli", "report", "plots", "runs", "experiment", "data/readers", "errors.py")


@pytest.fixture(scope="module")
def copied(tmp_path_factory):
    """A copy of the package's Python files."""
    return shutil.copytree(
        PACKAGE, tmp_path_factory.mktemp("package") / "fastmlp", ignore=shutil.ignore_patterns("__pycache__", "*.toml")
    )


def edits(package, parts):
    """Whether the digest changes, for each Python file of these parts, when a comment is added to it."""
    before, changed = digests.digest_of_sources(package), {}
    for part in parts:
        files = [package / part] if part.endswith(".py") else sorted((package / part).rglob("*.py"))
        assert files, f"{part} is not in the package: name the folder to which it moved"
        for file in files:
            source = file.read_bytes()
            file.write_bytes(source + b"# edited\n")
            changed[file.relative_to(package).as_posix()] = digests.digest_of_sources(package) != before
            file.write_bytes(source)
    assert digests.digest_of_sources(package) == before
    return changed


def test_an_edit_of_what_trains_is_another_engine(copied):
    changed = edits(copied, TRAINS)
    assert len(changed) > 30
    assert all(changed.values()), changed


def test_an_edit_of_what_only_reports_is_the_same_engine(copied):
    changed = edits(copied, ONLY_REPORTS)
    assert len(changed) > 30
    assert not any(changed.values()), changed


def test_a_digest_of_arrays_is_that_of_their_values_dtypes_and_shapes():
    array = np.arange(6, dtype="<i4").reshape(2, 3)
    digest = digests.digest_of_arrays([array])
    assert digests.digest_of_arrays([array.astype(">i4")]) == digest
    assert digests.digest_of_arrays([np.asfortranarray(array)]) == digest
    others = [array.astype("i8"), array.reshape(3, 2), array + 1, array[:1]]
    assert len({digest, *(digests.digest_of_arrays([other]) for other in others)}) == 5
    assert digests.digest_of_arrays([array], "title") != digest


def test_a_digest_of_values_depends_on_no_order_of_keys():
    assert digests.digest_of_values({"a": 1, "b": [2, None]}) == digests.digest_of_values({"b": [2, None], "a": 1})
    assert digests.digest_of_values({"a": 1}) != digests.digest_of_values({"a": 1.5})
    with pytest.raises(ValueError, match="JSON compliant"):
        digests.digest_of_values({"a": float("nan")})
