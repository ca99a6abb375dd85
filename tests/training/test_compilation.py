"""What is told while kernels are compiled."""

import io
import os
import re
import subprocess
import sys
from pathlib import Path

import numba
import pytest
from numba.core import event
from screens import lines_of, pretend_terminal

from fastmlp.kernels.jit import jit
from fastmlp.kernels.thread_team import partition
from fastmlp.training import compilation
from fastmlp.training.bars import Bars
from fastmlp.training.compilation import CompilationListener, compilation_told

ROOT = Path(__file__).parents[2]


@pytest.fixture
def listener(monkeypatch):
    """A listener of this test's own, which finds every compilation worth a line."""
    listener, other = CompilationListener(), compilation.LISTENER
    monkeypatch.setattr(compilation, "LISTENER", listener)
    monkeypatch.setattr(compilation, "SECONDS_UNSAID", 0.0)
    event.unregister("numba:compile", other)
    with event.install_listener("numba:compile", listener):
        yield listener
    event.register("numba:compile", other)


def compile_a_kernel():
    jit(partition.py_func)(10, 0, 2, 1)


def test_who_asks_is_told_once_that_kernels_are_compiled(listener, capsys):
    with compilation_told():
        compile_a_kernel()
        compile_a_kernel()
    assert capsys.readouterr() == ("", "compiling the kernels, once\n")


def test_who_waits_long_is_told_that_it_goes_on(listener, capsys, monkeypatch):
    monkeypatch.setattr(compilation, "SECONDS_PER_LINE", 0.0)
    with compilation_told():
        compile_a_kernel()
    first, second, *_ = capsys.readouterr().err.splitlines()
    assert first == "compiling the kernels, once"
    assert re.fullmatch(r"still compiling the kernels: \d+ s so far", second)


def test_what_takes_a_moment_is_not_told(listener, capsys, monkeypatch):
    monkeypatch.setattr(compilation, "SECONDS_UNSAID", 3600.0)
    with compilation_told():
        compile_a_kernel()
    assert capsys.readouterr().err == ""


def test_a_pipe_is_told_nothing_unasked(listener, capsys):
    with compilation_told(False):
        compile_a_kernel()
    assert capsys.readouterr().err == ""


def test_a_terminal_is_told_unasked_by_whom(listener, monkeypatch):
    terminal = pretend_terminal(monkeypatch)
    compile_a_kernel()
    assert terminal.getvalue() == "fastmlp: compiling the kernels, once\n"


def test_functions_that_are_none_of_ours_are_none_of_our_business(listener, capsys):
    with compilation_told():
        numba.njit(lambda x: x + 1)(2)
    assert capsys.readouterr().err == ""


def test_a_stderr_that_is_closed_keeps_no_kernel_from_being_compiled(listener, monkeypatch):
    closed = io.StringIO()
    closed.close()
    monkeypatch.setattr(sys, "stderr", closed)
    compile_a_kernel()
    with compilation_told():
        compile_a_kernel()


def test_a_compilation_that_began_before_is_none_of_our_business(listener):
    listener.on_end(None)
    listener.on_end(None)


def test_bars_have_a_row_while_kernels_are_compiled_and_then_no_more(listener, monkeypatch):
    monkeypatch.setattr("fastmlp.training.bars.LISTENER", listener)
    terminal = pretend_terminal(monkeypatch)
    with Bars() as bars:
        bars.add_task("epoch", total=10, state="")
        compile_a_kernel()
        assert len(bars.tasks) == 1
    lines = lines_of(terminal)
    assert any(line.startswith("compiling the kernels, once ━") and line.endswith("0:00:00") for line in lines)
    assert lines[-1].startswith("epoch")
    compile_a_kernel()  # without the bars, which are no longer there
    assert lines_of(terminal)[-1] == "fastmlp: compiling the kernels, once"


@pytest.mark.slow
def test_a_first_sweep_says_that_it_compiles_and_a_second_one_has_nothing_to_say(tmp_path, train_file, written):
    recipe = written("[data]\nvalidation = 0.25\n[network]\nhidden = [4]\n[training]\nepochs = 1\n")
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "FASTMLP_CACHE": str(tmp_path / "cache")}
    told = []
    for out in ("first", "second"):
        arguments = ["sweep", "--recipe", recipe, "--data", train_file, "--out", tmp_path / out]
        done = subprocess.run(
            [sys.executable, "-m", "fastmlp", *map(str, arguments)], env=environment, capture_output=True, text=True,
            check=True,
        )  # fmt: skip
        told.append([line for line in done.stderr.splitlines() if "compiling the kernels" in line])
    assert told[0][0] == "compiling the kernels, once"
    assert told[1] == []
