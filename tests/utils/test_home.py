"""A user without a home folder, as a bare number is in a container or a job."""

import os
import subprocess
import sys

import pytest

# Where neither the environment nor the system tells a home, os.path.expanduser leaves ~ as it is.
NO_HOME = "import os.path; os.path.expanduser = lambda path: path\n"
HOMES = ("HOME", "USERPROFILE", "HOMEDRIVE", "HOMEPATH", "LOCALAPPDATA", "XDG_CACHE_HOME", "XDG_CONFIG_HOME")
OURS = ("FASTMLP_CACHE", "FASTMLP_DATA", "MPLCONFIGDIR")


@pytest.fixture
def without_home(tmp_path):
    """A function that runs a script without a home, in an empty folder, where all that it leaves is listed."""

    def run(script, **environment):
        kept = {name: value for name, value in os.environ.items() if name not in (*HOMES, *OURS)}
        kept |= {"PYTHONPATH": os.pathsep.join(sys.path), "FASTMLP_OFFLINE": "1", **environment}
        done = subprocess.run(
            [sys.executable, "-W", "default", "-c", NO_HOME + script], env=kept, cwd=tmp_path, capture_output=True,
            text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        assert list(tmp_path.iterdir()) == []
        return done

    return run


KERNELS = """
from fastmlp.kernels.jit import entry
double, triple = entry("double", lambda x: 2 * x), entry("triple", lambda x: 3 * x)
print(double(2.0), triple(2.0))
"""


@pytest.mark.parametrize("chosen", [{}, {"FASTMLP_CACHE": "~/kernels"}])
def test_kernels_are_compiled_in_memory_with_one_warning(without_home, chosen):
    done = without_home(KERNELS, **chosen)
    assert done.stdout == "4.0 6.0\n"
    assert done.stderr.count("RuntimeWarning") == 1
    assert "compiled kernels cannot be kept (Could not determine home directory.); every process" in done.stderr


@pytest.mark.parametrize("chosen", [{}, {"FASTMLP_CACHE": "~/data"}])
def test_data_by_name_are_had_without_a_cache(without_home, chosen):
    script = (
        "from fastmlp.data import load\nfrom fastmlp.data.collections import glyphs\n"
        "glyphs.COUNTS['train'] = 100\n"
        "print(len(load('auto').X), load('auto').source)\n"
    )
    done = without_home(script, **chosen)
    assert done.stdout.startswith("100 glyphs: synthetic digits, because mnist was not found")
    assert done.stderr == ""


def test_figures_are_drawn(without_home, tmp_path):
    script = (
        "import numpy, os\n"
        "from fastmlp import plots\n"
        "plots.save(plots.confusion_figure(numpy.eye(3, dtype=int), 'abc', 'title'), 'image.png')\n"
        "assert os.path.getsize('image.png') > 1000\n"
        "os.remove('image.png')\n"
        "print(os.environ['MPLCONFIGDIR'])\n"
    )
    folder = without_home(script).stdout.strip()
    assert not os.path.exists(folder)
    chosen = tmp_path.with_name(f"{tmp_path.name}-chosen")
    assert without_home(script, MPLCONFIGDIR=str(chosen)).stdout.strip() == str(chosen)


def test_a_path_in_a_home_that_is_not_known_is_told_in_one_line(without_home):
    openings = ("load('~/rows.csv')", "Stream('~/rows.hdf5')", "load('mnist')")
    script = "from fastmlp.data import Stream, load\nfrom fastmlp.errors import InputError\n" + "".join(
        f"try:\n    {opening}\nexcept InputError as error:\n    print(error)\n" for opening in openings
    )
    lines = without_home(script, FASTMLP_DATA="~/collections").stdout.splitlines()
    assert len(lines) == len(openings)
    for line in lines:
        assert "is in a home folder that is not known; expected one that is: write it out" in line


def test_a_chosen_folder_in_a_home_that_is_not_known_is_why_digits_are_synthetic(without_home):
    script = (
        "from fastmlp.data import load\nfrom fastmlp.data.collections import glyphs\n"
        "glyphs.COUNTS['train'] = 100\nprint(load('auto').source)\n"
    )
    (line,) = without_home(script, FASTMLP_DATA="~/collections").stdout.splitlines()
    assert "because ~/collections is in a home folder that is not known" in line
