"""The scripts, each in a separate process, as a person runs them."""

import json
import os
import signal
import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parents[2]
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT)}

# Runs scripts one after the other, and prints which of the data files each opened, and its exit status.
WATCHED = """
import json, runpy, sys
opened = set()
def watch(event, arguments):
    if event == "open" and "-idx" in str(arguments[0]):
        opened.add(str(arguments[0]).replace("\\\\", "/").rsplit("/", 1)[1])
sys.addaudithook(watch)
for sys.argv in json.loads(sys.argv[1]):
    try:
        opened.clear()
        runpy.run_path(sys.argv[0], run_name="__main__")
    except SystemExit as end:
        print("opened", *sorted(opened), end.code)
"""


def write_idx(path, array):
    path.write_bytes(struct.pack(f">BBBB{array.ndim}I", 0, 0, 8, array.ndim, *array.shape) + array.tobytes())


@pytest.fixture
def folder(tmp_path, train_file, test_file):
    """A folder of IDX files, training and test, named as MNIST's are."""
    for part, source in (("train", train_file), ("t10k", test_file)):
        data = np.load(source)
        write_idx(tmp_path / f"{part}-images-idx3-ubyte", data["images"])
        write_idx(tmp_path / f"{part}-labels-idx1-ubyte", data["labels"].astype(np.uint8))
    return tmp_path


def run(*commands):
    # Old names that other packages call one another by are none of the scripts' business.
    strict = ["-W", "error", "-W", "ignore::DeprecationWarning"]
    commands = [[str(ROOT / "scripts" / f"{script}.py"), *map(str, arguments)] for script, *arguments in commands]
    command = [sys.executable, *strict, "-c", WATCHED, json.dumps(commands)]
    return subprocess.run(command, capture_output=True, text=True, env=ENVIRONMENT, check=False)


def test_only_evaluate_opens_the_test_files(folder, recipe_file):
    out = folder / "run"
    done = run(
        ("sweep", "--data", folder, "--recipe", recipe_file, "--out", out),
        ("retrain", out),
        ("evaluate", out),
        ("report", out),
        ("evaluate", out),
    )
    training = "opened train-images-idx3-ubyte train-labels-idx1-ubyte 0"
    assert [line for line in done.stdout.splitlines() if line.startswith("opened ")] == [
        training, training, "opened t10k-images-idx3-ubyte t10k-labels-idx1-ubyte 0", "opened 0", "opened 2"
    ], done.stderr  # fmt: skip
    assert "pass --again" in done.stderr.splitlines()[-1]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows sends no SIGINT to one child")
def test_an_interrupted_sweep_ends_in_one_line_and_keeps_how_far_it_came(tmp_path, train_file, recipe_file):
    command = [ROOT / "scripts" / "sweep.py", "--data", train_file, "--recipe", recipe_file, "--out", tmp_path / "run"]
    with subprocess.Popen(
        [sys.executable, *map(str, command), "--epochs", "1000000"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=ENVIRONMENT,
        # Where the tests run in the background the shell has them ignore SIGINT, and so would what they start.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    ) as process:
        assert process.stderr.readline().startswith("inputs: ")
        assert process.stderr.readline().startswith("plan: ")
        assert "epoch 10 of 1000000" in process.stderr.readline()
        while not list((tmp_path / "run" / "cells").glob("*/checkpoint/checkpoint-*.bin")):
            process.stderr.readline()  # a pipe that nobody reads would stop the sweep when it is full
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (130, "")
    assert err.splitlines()[-1] == "fastmlp: interrupted; the same command resumes from here"
    assert "Traceback" not in err
    assert list((tmp_path / "run" / "cells").glob("*/checkpoint/checkpoint-*.bin"))
