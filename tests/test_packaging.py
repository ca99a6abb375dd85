"""The source archive and the wheel: all files are in them, and both do their work where nothing else is installed."""

import os
import re
import shutil
import subprocess
import sys
import tarfile
import tomllib
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
# What a checkout has and an archive of the sources has no need of: git's own files, and the links of the package, which
# its installation replaces.
CHECKOUT_ALONE = {".gitattributes", ".gitignore", "fastmlp/kernels", "fastmlp/recipes"}
QUIET = ("--disable-pip-version-check", "--quiet")
FIT = """
import numpy as np
from fastmlp import MLP
from fastmlp.data import load

digits = load("glyphs")
mlp = MLP(hidden=(16,), epochs=1).fit(digits.X[:500], digits.y[:500])
mlp.save("digits.safetensors")
assert (MLP.load("digits.safetensors").predict(digits.X[:9]) == mlp.predict(digits.X[:9])).all()
"""

pytestmark = pytest.mark.skipif(not (ROOT / ".git").exists(), reason="git says which files there are, in a checkout")


def run(*command, folder):
    """Run a program in a folder as if neither this checkout nor the make that runs the tests were there."""
    environment = {name: text for name, text in os.environ.items() if not name.startswith(("MAKE", "MFLAGS", "PYTHON"))}
    done = subprocess.run(
        [*map(str, command)], cwd=folder, capture_output=True, text=True, env=environment, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done


def tracked():
    return set(run("git", "ls-files", folder=ROOT).stdout.splitlines())


def sounds_like_a_warning(line):
    return re.search(r"warning|deprecat|!!|\*\*\*", line, re.IGNORECASE)


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """(folder with the archive and the wheel that was built from it, what was printed meanwhile)."""
    sources, made = tmp_path_factory.mktemp("sources"), tmp_path_factory.mktemp("made")
    for name in tracked():
        (sources / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, sources / name, follow_symlinks=False)
    done = run(sys.executable, "-W", "default", "-m", "build", "--outdir", made, sources, folder=made)
    return made, done.stdout + done.stderr


@pytest.fixture(scope="module")
def unpacked(built, tmp_path_factory):
    folder = tmp_path_factory.mktemp("unpacked")
    with tarfile.open(*built[0].glob("*.tar.gz")) as archive:
        archive.extractall(folder, filter="data")
    (top,) = folder.iterdir()
    return top


@pytest.mark.slow
def test_building_says_nothing_that_sounds_like_a_warning(built):
    _, printed = built
    # Of an environment in which Python is told to write no bytecode.
    lines = [line for line in printed.splitlines() if "byte-compiling is disabled" not in line]
    assert [line for line in lines if sounds_like_a_warning(line)] == []


@pytest.mark.slow
def test_the_archive_of_the_sources_has_all_files_of_the_checkout(unpacked):
    files = {path.relative_to(unpacked).as_posix() for path in unpacked.rglob("*") if path.is_file()}
    assert tracked() - CHECKOUT_ALONE - files == set()
    made = {"PKG-INFO", "setup.cfg"}
    assert {name for name in files - tracked() if not name.startswith("fastmlp.egg-info/")} == made


@pytest.mark.slow
def test_the_wheel_has_all_files_of_the_package_and_no_others(built):
    (wheel,) = built[0].glob("*.whl")
    files = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    expected = {name for name in tracked() if name.startswith("fastmlp/")} - CHECKOUT_ALONE
    for folder, package in (("kernels", "fastmlp/kernels"), ("scripts/recipes", "fastmlp/recipes")):
        expected |= {package + name.removeprefix(folder) for name in tracked() if name.startswith(f"{folder}/")}
    assert files == expected - {"fastmlp/kernels/README.md"}


@pytest.mark.slow
def test_the_wheel_works_in_an_environment_that_has_nothing_else(built, tmp_path):
    (wheel,) = built[0].glob("*.whl")
    venv.create(tmp_path / "env", with_pip=True)
    programs = tmp_path / "env" / ("Scripts" if sys.platform == "win32" else "bin")
    run(programs / "python", "-m", "pip", "install", *QUIET, wheel, folder=tmp_path)
    version = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    told = run(programs / "fastmlp", "--version", folder=tmp_path).stdout
    assert told.startswith(f"fastmlp {version} (")
    run(programs / "python", "-I", "-W", "error", "-c", FIT, folder=tmp_path)
    run(programs / "fastmlp", "predict", "digits.safetensors", "glyphs", "--out", "out.csv", folder=tmp_path)
    assert (tmp_path / "out.csv").read_text(encoding="utf-8").count("\n") == 10_001


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("make") is None or sys.platform == "win32", reason="needs make")
def test_the_demo_runs_in_the_unpacked_archive(unpacked):
    done = run("make", "demo", f"PYTHON={sys.executable}", "DEMO=--epochs 1 --set data.name=glyphs", folder=unpacked)
    # pip tells each folder of packages that its configuration names and that is not there.
    lines = [
        line for line in done.stderr.splitlines() if "is ignored: it is neither a file nor a directory" not in line
    ]
    assert [line for line in lines if sounds_like_a_warning(line)] == []
    assert (unpacked / "runs" / "demo" / "report.html").is_file()
