"""What the command line shows where its streams are poor."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from fastmlp.runs.run_directory import Run

ROOT = Path(__file__).parents[2]


def python(code, **environment):
    """Run a script on this source tree; what it shows is returned as bytes."""
    return subprocess.run(
        [sys.executable, "-c", code], env={**os.environ, "PYTHONPATH": str(ROOT), **environment}, capture_output=True,
        check=True,
    )  # fmt: skip


def test_a_warning_is_one_line_as_an_error_is():
    done = python(
        "import warnings\nfrom fastmlp.cli.console import show_warnings_in_one_line\nshow_warnings_in_one_line()\n"
        "warnings.warn('kernels cannot\\nbe kept', RuntimeWarning, stacklevel=2)"
    )
    assert done.stderr == b"fastmlp: warning: kernels cannot be kept" + os.linesep.encode()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has other errors for such a pipe")
@pytest.mark.parametrize(("left", "reasons"), [("stderr", [None]), ("stdout", [])])
def test_no_network_fails_because_nobody_reads_its_progress_any_more(left, reasons, tmp_path, train_file):
    (tmp_path / "r.toml").write_text("epoch_lines = true\n[network]\nhidden = [4]\n[training]\nepochs = 20\n")
    command = ["sweep", "--recipe", tmp_path / "r.toml", "--data", train_file, "--out", tmp_path / "run"]
    reader, writer = os.pipe()
    os.close(reader)
    try:
        done = subprocess.run(
            [sys.executable, "-m", "fastmlp", *map(str, command)], env={**os.environ, "PYTHONPATH": str(ROOT)},
            **{"stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE, left: writer},
        )  # fmt: skip
    finally:
        os.close(writer)
    assert done.returncode == 0
    record = Run(tmp_path / "run").read_unfinished()  # without a reader of its results it trains no further
    assert ([] if record is None else [cell.failure_reason for cell in record.cells]) == reasons
