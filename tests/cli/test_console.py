"""What the command line shows where its streams are poor."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from fastmlp.runs.run_directory import Run

ROOT = Path(__file__).parents[2]
needs_a_full_device = pytest.mark.skipif(not Path("/dev/full").exists(), reason="Linux alone has this device")


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


def start(command, **streams):
    """`fastmlp` with these streams, in a session of its own, which a terminal that closes sends no signal."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "TERM": "xterm"}
    return subprocess.Popen(
        [sys.executable, "-m", "fastmlp", *map(str, command)], env=environment, start_new_session=True, **streams
    )


@pytest.fixture
def sweep(tmp_path, train_file):
    """The arguments of a sweep that writes a line of an epoch to stdout, and its folder."""
    recipe = tmp_path / "two.toml"
    recipe.write_text("epoch_lines = true\n[network]\nhidden = [4]\n[training]\nepochs = 2\n", encoding="utf-8")
    return ["sweep", "--recipe", recipe, "--data", train_file, "--out", tmp_path / "run"], tmp_path / "run"


def failures(run):
    return [cell.failure_reason for cell in Run(run).read_unfinished().cells]


@needs_a_full_device
def test_a_full_disk_behind_stderr_is_no_reason_to_train_nothing(sweep):
    command, run = sweep
    with open("/dev/full", "w") as full:
        assert start(command, stdout=subprocess.DEVNULL, stderr=full).wait() == 0
    assert failures(run) == [None]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such terminals")
def test_a_terminal_that_is_closed_is_no_reason_to_stop_training(sweep):
    command, run = sweep
    ours, its = os.openpty()
    process = start(command, stdout=subprocess.DEVNULL, stderr=its)
    os.close(its)
    os.read(ours, 1)  # it has begun to show something
    os.close(ours)
    assert process.wait() == 0
    assert failures(run) == [None]


@needs_a_full_device
def test_results_that_a_full_disk_cannot_take_are_an_error_of_stdout(sweep):
    for command in (sweep[0], ["--version"]):
        with open("/dev/full", "w") as full:
            process = start(command, stdout=full, stderr=subprocess.PIPE)
            *_, line = process.communicate()[1].decode().splitlines()
        assert process.returncode == 2
        assert line.startswith("fastmlp: error: stdout: No space left on device; make room")


@pytest.mark.skipif(sys.platform == "win32", reason="a shell closes them")
def test_a_sweep_needs_no_stream_at_all(sweep):
    command, run = sweep
    program = [sys.executable, "-m", "fastmlp", *map(str, command)]
    closed = subprocess.run(
        ["/bin/sh", "-c", '"$@" <&- >&- 2>&-', "sh", *program], env={**os.environ, "PYTHONPATH": str(ROOT)}, check=False
    )
    assert closed.returncode == 0
    assert failures(run) == [None]
