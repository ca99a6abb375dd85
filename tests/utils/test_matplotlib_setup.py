"""The import of matplotlib under a backend that another Python has."""

import os
import subprocess
import sys

import pytest

DRAWING = """
import os, numpy
from fastmlp import plots
plots.save(plots.confusion_figure(numpy.eye(3, dtype=int), "abc", "title"), "image.png")
import matplotlib
print(os.environ["MPLBACKEND"], dict.__getitem__(matplotlib.rcParams, "backend"))
"""


def drawn(backend, folder):
    """Draw with MPLBACKEND set; return what it is afterwards, and what matplotlib was told to use."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "MPLBACKEND": backend}
    done = subprocess.run(
        [sys.executable, "-c", DRAWING], capture_output=True, text=True, check=False, env=environment, cwd=folder
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert (folder / "image.png").stat().st_size > 1000
    return done.stdout.split(" ", 1)


@pytest.mark.parametrize("backend", ["module://matplotlib_inline.backend_inline", "no-such-backend"])
def test_a_backend_that_is_not_installed_keeps_nothing_from_being_drawn(backend, tmp_path):
    assert drawn(backend, tmp_path)[0] == backend


def test_a_backend_that_is_there_is_still_the_one_of_pyplot(tmp_path):
    assert drawn("svg", tmp_path) == ["svg", "svg\n"]
