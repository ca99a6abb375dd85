"""kill -9 at any moment, then the same command: the same bits as if nothing had been."""

import itertools
import random
import shutil
import signal
import subprocess
import sys

import pytest
from faults import bits, check_whole
from forking import ENVIRONMENT, Server

RECIPE = """
title = "Two"
[data]
validation = 0.25
[network]
hidden = [8]
[training]
batch_size = 50
epochs = {epochs}
decay_epochs = [2]
optimizer = "adam"
dropout = 0.1
[grid]
learning_rate = [0.01, 0.001]
"""

forking = pytest.mark.skipif(sys.platform != "linux", reason="a process that has loaded libraries forks on Linux alone")


@pytest.fixture(scope="module")
def whole(shared, train_file, test_file):
    """A function of a folder: the arguments of sweep, retraining and evaluation in one command."""
    recipe = shared / "killed.toml"
    recipe.write_text(RECIPE.format(epochs=3), encoding="utf-8")
    return lambda out: ["run", recipe, "--data", train_file, "--test", test_file, "--threads", "2", "--out", out]


@pytest.fixture(scope="module")
def server(shared, whole):
    server = Server(whole(shared / "warming"))
    yield server
    server.close()


@pytest.fixture(scope="module")
def undisturbed(shared, whole, server):
    """The bits of a run that was not killed, and its seconds."""
    status, seconds = server.run(whole(shared / "undisturbed"))
    assert status == 0
    return bits(shared / "undisturbed"), seconds


@forking
@pytest.mark.parametrize("kills", [6, pytest.param(200, marks=pytest.mark.slow)])
def test_a_run_that_is_killed_again_and_again_ends_with_the_same_bits(tmp_path, whole, server, undisturbed, kills):
    expected, latest = undisturbed
    moments, folder = random.Random(kills), tmp_path / "run"
    killed, once_more, of_this_run = 0, 0, 0
    while killed < kills or once_more < kills // 2:  # half of the kills at least hit a run that was killed before
        status, _ = server.run(whole(folder), after=moments.uniform(0, latest))
        assert status in (0, -9)
        if folder.exists():
            check_whole(folder)
        if status == 0:
            assert bits(folder) == expected
            shutil.rmtree(folder)
            if of_this_run < 2:  # its life was overrated, as on a machine that was busier then: kill sooner
                latest *= 0.9
            of_this_run = 0
        else:
            killed += 1
            once_more += of_this_run > 0
            of_this_run += 1
    assert server.run(whole(folder))[0] == 0
    assert bits(folder) == expected


@forking
@pytest.mark.parametrize("step", [67, pytest.param(1, marks=pytest.mark.slow)])
def test_a_run_that_is_killed_within_any_write_fsync_or_rename_ends_with_the_same_bits(
    tmp_path, whole, server, undisturbed, step
):
    expected, _ = undisturbed
    for n in itertools.count(1, step):
        folder = tmp_path / str(n)
        status, _ = server.run(whole(folder), at=n)
        check_whole(folder)
        assert status in (0, -9)
        if status == 0:
            break
        assert server.run(whole(folder))[0] == 0
        assert bits(folder) == expected
        shutil.rmtree(folder)
    assert n > 100


@forking
@pytest.mark.parametrize("moments", [7, pytest.param(200, marks=pytest.mark.slow)])
def test_a_run_that_is_stopped_says_so_in_one_line_and_ends_with_the_same_bits(
    tmp_path, whole, server, undisturbed, moments
):
    expected, life = undisturbed
    folder, draw = tmp_path / "run", random.Random(moments)
    for after in [0, 0, *(draw.uniform(0, life) for _ in range(moments - 2))]:
        number = draw.choice([signal.SIGINT, signal.SIGTERM])
        status, _ = server.run(whole(folder), after=after, number=number, err=str(tmp_path / "err"))
        err = (tmp_path / "err").read_text()
        assert "Traceback" not in err
        assert "Exception ignored" not in err
        if status == 0:
            assert bits(folder) == expected
            shutil.rmtree(folder)
            continue
        assert status == 128 + number
        assert err.splitlines()[-1] == "fastmlp: interrupted; the same command resumes from here"
        if folder.exists():
            check_whole(folder)
    assert server.run(whole(folder))[0] == 0
    assert bits(folder) == expected


@pytest.mark.parametrize("kills", [1, pytest.param(20, marks=pytest.mark.slow)])
def test_a_process_that_is_killed_goes_on_to_the_same_bits(tmp_path, shared, train_file, kills):
    recipe = shared / "long.toml"
    recipe.write_text(RECIPE.format(epochs=200), encoding="utf-8")

    def start(folder):
        command = ["-m", "fastmlp", "sweep", "--recipe", recipe, "--data", train_file, "--out", folder]
        return subprocess.Popen(
            [sys.executable, *map(str, command)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            env=ENVIRONMENT,
        )  # fmt: skip

    with start(tmp_path / "expected") as process:
        process.communicate()
    assert process.returncode == 0
    expected, moments = bits(tmp_path / "expected"), random.Random(3)
    for _ in range(kills):
        with start(tmp_path / "run") as process:
            process.stderr.readline()  # it trains, or says what is there
            try:
                process.wait(moments.uniform(0, 1))
            except subprocess.TimeoutExpired:
                process.kill()
    with start(tmp_path / "run") as process:
        _, err = process.communicate()
    assert process.returncode == 0, err
    assert bits(tmp_path / "run") == expected
