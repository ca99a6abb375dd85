"""Ctrl-C, SIGTERM and SIGHUP, and two processes in one folder."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

if sys.platform == "linux":
    import fcntl
    import termios

from fastmlp.cli.commands.registry import COMMANDS
from fastmlp.cli.main import main
from fastmlp.cli.signals import stoppable

ROOT = Path(__file__).parents[2]
LINE = "fastmlp: interrupted; the same command resumes from here"


@pytest.fixture
def endless(tmp_path, train_file):
    """A function that starts a sweep that never ends in a separate process, once it trains; and its command."""
    recipe = tmp_path / "endless.toml"
    recipe.write_text("[data]\nvalidation = 0.25\n[network]\nhidden = [8]\n[training]\nepochs = 10000000\n")
    arguments = ["sweep", "--recipe", str(recipe), "--data", str(train_file), "--out", str(tmp_path / "run")]
    processes = []

    def start():
        process = subprocess.Popen(
            [sys.executable, "-m", "fastmlp", *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            # Where the tests run in the background the shell has them ignore SIGINT, and so would what they start.
            preexec_fn=None if sys.platform == "win32" else lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )
        processes.append(process)
        while "epoch " not in (line := process.stderr.readline()):
            assert line
        return process, int(line.partition("epoch ")[2].split()[0])

    yield start, arguments
    for process in processes:
        process.kill()
        process.communicate()


def running(script, *arguments):
    """A Python script in a separate process, to be used in a `with` block."""
    return subprocess.Popen(
        [sys.executable, "-c", script, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip


posix = pytest.mark.skipif(sys.platform == "win32", reason="Windows sends no signal to one child")


@posix
def test_a_signal_ends_a_sweep_in_one_line_and_the_next_start_goes_on(tmp_path, endless):
    start, _ = endless
    reached = 0
    for number in (signal.SIGTERM, signal.SIGINT):
        process, epoch = start()
        assert epoch > reached
        process.send_signal(number)
        out, err = process.communicate(timeout=2)
        assert (process.returncode, out) == (128 + number, "")
        *progress, last = err.splitlines()
        assert last == LINE
        assert all("epoch" in line for line in progress)
        assert len(list((tmp_path / "run").glob("cells/*/checkpoint/*.bin"))) in (1, 2)
        reached = epoch


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a terminal is made in other ways")
def test_a_sweep_whose_terminal_is_closed_keeps_how_far_it_came(tmp_path, endless):
    _, arguments = endless
    ours, its = os.openpty()

    def take_terminal():
        fcntl.ioctl(its, termios.TIOCSCTTY, 0)
        signal.signal(signal.SIGHUP, signal.SIG_DFL)  # which `nohup` has the tests ignore, where it started them

    process = subprocess.Popen(
        [sys.executable, "-m", "fastmlp", *arguments], stdin=its, stdout=its, stderr=its, start_new_session=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)}, preexec_fn=take_terminal,
    )  # fmt: skip
    try:
        os.close(its)
        shown = b""
        while not re.search(rb" [1-9]\d*/10000000", shown):  # a bar with some epochs
            shown += os.read(ours, 1000)
        os.close(ours)
        assert process.wait(60) == 128 + signal.SIGHUP
    finally:
        process.kill()
        process.wait()
    assert len(list((tmp_path / "run").glob("cells/*/checkpoint/*.bin"))) in (1, 2)


@posix
def test_ctrl_c_while_modules_are_imported_ends_the_process_without_a_traceback():
    script = (
        "import signal, sys\n"
        "class Interrupting:\n"
        "    def find_spec(self, name, *_):\n"
        "        if name == 'fastmlp.cli.parser':\n"
        "            signal.raise_signal(signal.SIGINT)\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "from fastmlp.__main__ import command\n"
        "sys.meta_path.insert(0, Interrupting())\n"
        "command('info')\n"
    )
    with running(script) as process:
        out, err = process.communicate(timeout=60)
    assert (process.returncode, out, err) == (-signal.SIGINT, "", "")


@posix
@pytest.mark.parametrize("second", [signal.SIGINT, signal.SIGTERM], ids=lambda number: number.name)
def test_a_second_signal_ends_a_command_at_once(second):
    script = (
        "import signal, time\n"
        "from fastmlp.cli.signals import stoppable\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "with stoppable():\n"
        "    try:\n"
        "        print('begun', flush=True); time.sleep(60)\n"
        "    finally:\n"
        "        print('ending', flush=True); time.sleep(60); print('ended', flush=True)\n"
    )
    with running(script) as process:
        assert process.stdout.readline() == "begun\n"
        process.send_signal(signal.SIGINT)
        assert process.stdout.readline() == "ending\n"
        process.send_signal(second)
        out, err = process.communicate(timeout=30)
    assert (process.returncode, out, err) == (128 + second, "", "")


SWALLOWED = """
import signal, sys
from fastmlp.cli.main import main
from fastmlp.cli.commands.registry import COMMANDS
from fastmlp.cli.commands.command import Command
from fastmlp.errors import InputError
from fastmlp.cli.signals import Stopped

def draw(options):
    try:
        signal.raise_signal(int(sys.argv[1]))
    except Stopped:
        pass
    if sys.argv[2] != "nothing":
        raise {"ValueError": ValueError, "InputError": InputError, "OSError": OSError, "MemoryError": MemoryError,
               "SystemExit": SystemExit, "BrokenPipeError": BrokenPipeError}[sys.argv[2]]("Invalid matrix")
    return 0

signal.signal(signal.SIGINT, signal.default_int_handler)
COMMANDS["report"] = Command("", COMMANDS["report"].add_arguments, draw, "")
sys.exit(main(["report", "run"]))
"""


@posix
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda number: number.name)
@pytest.mark.parametrize(
    "error", ["ValueError", "InputError", "OSError", "MemoryError", "SystemExit", "BrokenPipeError", "nothing"]
)
def test_what_goes_wrong_because_a_library_swallowed_the_interrupt_ends_as_the_interrupt(number, error):
    with running(SWALLOWED, str(int(number)), error) as process:
        out, err = process.communicate(timeout=60)
    assert (process.returncode, out, err) == (128 + number, "", "fastmlp: interrupted\n")  # a report does not resume


def test_what_trains_resumes_and_nothing_else_says_so():
    assert {name for name, command in COMMANDS.items() if command.resumes} == {"sweep", "retrain", "run", "demo"}


@posix
def test_a_signal_within_a_destructor_ends_the_block_also_when_all_else_is_done():
    script = (
        "import signal, time\n"
        "from fastmlp.cli.signals import Stopped, stoppable\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "class Closing:\n"
        "    def __del__(self):\n"
        "        signal.raise_signal(signal.SIGINT)\n"
        "try:\n"
        "    with stoppable():\n"
        "        Closing()\n"
        "except Stopped as stopped:\n"
        "    time.sleep(0.1)\n"
        "    print(stopped.status)\n"
    )
    with running(script) as process:
        out, err = process.communicate(timeout=60)
    assert (process.returncode, out, err) == (0, "130\n", "")


@posix
def test_an_error_before_any_signal_stays_what_it_is():
    with pytest.raises(ValueError, match="ours"), stoppable():
        raise ValueError("ours")


def test_a_second_sweep_in_the_same_folder_is_refused_while_the_first_goes_on(tmp_path, endless, capsys):
    start, arguments = endless
    process, _ = start()
    (run_json,) = (tmp_path / "run").glob("run.json")
    before = run_json.read_bytes()
    assert main([*arguments, "--epochs", "1"]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.endswith("is in use by another process; wait until it is done, or choose another --out")
    assert process.poll() is None
    assert run_json.read_bytes() == before


@pytest.mark.parametrize("command", ["retrain", "evaluate"])
def test_a_folder_that_is_worked_in_is_neither_retrained_nor_evaluated(retrained, test_file, command, capsys):
    script = (
        "import sys, time\n"
        "from fastmlp.runs.run_directory import Run\n"
        "with Run(sys.argv[1]).claimed():\n"
        "    print('claimed', flush=True); time.sleep(60)\n"
    )
    with running(script, str(retrained)) as process:
        assert process.stdout.readline() == "claimed\n"
        options = ["--test", str(test_file)] if command == "evaluate" else []
        assert main([command, str(retrained), *options]) == 2
        process.kill()
    assert "is in use by another process" in capsys.readouterr().err
    assert not (retrained / "evaluation.json").exists()


@posix
def test_a_signal_after_the_end_of_the_work_does_nothing_where_the_process_ends_with_it():
    script = (
        "import signal, sys\n"
        "from fastmlp.cli.main import main\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "assert main(['report', 'absent']) == 2\n"
        "assert signal.getsignal(signal.SIGINT) is signal.default_int_handler\n"
        "assert main(['report', 'absent'], ends_process=True) == 2\n"
        "for number in (signal.SIGINT, signal.SIGTERM):\n"
        "    signal.raise_signal(number)\n"
        "print('went on')\n"
    )
    with running(script) as process:
        out, err = process.communicate(timeout=30)
    assert (process.returncode, out) == (0, "went on\n")
    assert "Traceback" not in err
