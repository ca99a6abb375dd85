"""What the Makefile does about the Python that it is given."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
AS_IF = """#!/bin/sh
exec {python} -c "import sys; sys.version_info = {version}; exec(sys.argv[2])" "$@"
"""

pytestmark = pytest.mark.skipif(shutil.which("make") is None or sys.platform == "win32", reason="needs make")


def python(path, *version):
    """A program at `path` that runs as a Python of that version would."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(AS_IF.format(python=sys.executable, version=(*version, "final", 0)), encoding="utf-8")
    path.chmod(0o755)
    return path


@pytest.fixture
def checkout(tmp_path):
    for name in ("Makefile", "pyproject.toml"):
        shutil.copy(ROOT / name, tmp_path)
    return tmp_path


def make(folder, *arguments, path=""):
    """What make would do, without doing it; the make that runs these tests is none of its business."""
    unwanted = ("MAKE", "MFLAGS", "PYTHON")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(unwanted)}
    environment["PATH"] = f"{path}{os.pathsep}{os.environ['PATH']}" if path else os.environ["PATH"]
    command = ["make", "-n", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60, env=environment)


def test_a_python_that_is_too_old_is_refused_in_one_line_and_nothing_is_made(checkout):
    old = python(checkout / "old" / "python", 3, 9, 2)
    done = make(checkout, "demo", f"PYTHON={old}")
    assert done.returncode != 0
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1
    assert f"{old} is Python 3.9.2; fastmlp needs 3.11 or newer" in done.stderr


def test_a_program_that_is_no_python_is_refused_in_one_line(checkout):
    done = make(checkout, "demo", "PYTHON=no-such-python")
    assert done.returncode != 0
    assert done.stderr.count("\n") == 1
    assert "no-such-python is no Python that can be run" in done.stderr


def environment(checkout, *version, folder=None):
    """A .venv as make leaves it, for the checkout or for another folder."""
    python(checkout / ".venv" / "bin" / "python", *version)
    (checkout / ".venv" / "made-for").write_text(f"{folder or checkout}\n", encoding="utf-8")
    for stamp in ("pip", "installed"):
        (checkout / ".venv" / stamp).touch()


def test_an_environment_of_another_python_is_made_anew(checkout):
    new = python(checkout / "new" / "python", 3, 12, 4)
    assert f"{new} -m venv .venv" in make(checkout, "demo", f"PYTHON={new}").stdout
    for version, made in (((3, 12, 4), False), ((3, 11, 9), True)):
        environment(checkout, *version)
        done = make(checkout, "demo", f"PYTHON={new}")
        assert (f"{new} -m venv .venv" in done.stdout) == made
        assert ("install" in done.stdout) == made
        assert "-m venv" not in make(checkout, "demo").stdout  # with no Python named, the environment stays


def test_an_environment_whose_python_is_too_old_or_that_is_of_another_folder_does_not_stay(checkout):
    python(checkout / "bin" / "python3", 3, 12, 4)
    for version, folder in (((3, 10, 13), checkout), ((3, 12, 4), checkout / "elsewhere")):
        environment(checkout, *version, folder=folder)
        assert "python3 -m venv .venv" in make(checkout, "demo", path=checkout / "bin").stdout
    python(checkout / "bin" / "python3", 3, 9, 2)
    done = make(checkout, "demo", path=checkout / "bin")
    assert done.stdout == ""
    assert "python3 is Python 3.9.2; fastmlp needs 3.11 or newer" in done.stderr


def test_an_environment_that_make_did_not_make_is_left_alone_in_one_line(checkout):
    python(checkout / ".venv" / "bin" / "python", 3, 12, 4)
    for arguments in (["demo"], ["test", f"PYTHON={sys.executable}"]):
        done = make(checkout, *arguments)
        assert done.returncode != 0
        assert done.stdout == ""
        assert done.stderr.count("\n") == 1
        assert ".venv is there and was not made by this Makefile; move it away, or use it with pip" in done.stderr
    assert make(checkout, "clean").returncode == 0
