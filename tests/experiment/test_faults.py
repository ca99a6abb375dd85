"""Disks that fill up, break or become read-only at every single write, fsync and rename, and what comes after."""

import itertools
import json
import os
import re
import shutil

import numpy as np
import pytest
from faults import (
    BROKEN,
    DENIED,
    FULL,
    READ_ONLY,
    SHORT,
    TEMPORARY,
    FailingDisk,
    bits,
    check_whole,
    files,
    leftovers,
    run_quickly,
    write_often,
)  # fmt: skip

from fastmlp import MLP
from fastmlp.cli.main import main
from fastmlp.data.collections import glyphs

FAULTS = (FULL, SHORT, BROKEN, READ_ONLY, DENIED)
RECIPE = """
title = "One or two"
[data]
validation = 0.25
[network]
hidden = [4]
[training]
batch_size = 75
epochs = 2
[grid]
learning_rate = {}
"""


@pytest.fixture
def command(monkeypatch):
    """A function that runs a command on a disk that fails at its n-th call: the exit status and the disk."""
    write_often(monkeypatch)
    run_quickly(monkeypatch)

    def run(arguments, n=None, fault=FULL):
        disk = FailingDisk(n, fault)
        with monkeypatch.context() as patch:
            patch.setattr("fastmlp.utils.atomic_files.os", disk)
            return main(list(map(str, arguments))), disk

    return run


@pytest.fixture
def sweep_of(tmp_path, train_file):
    """A function of learning rates and a folder: the arguments of a sweep."""

    def arguments(rates, out, threads=1):
        recipe = tmp_path / f"{len(rates)}.toml"
        recipe.write_text(RECIPE.format(rates), encoding="utf-8")
        return ["sweep", "--recipe", recipe, "--data", train_file, "--out", out, "--threads", threads]

    return arguments


def fail_everywhere(command, arguments_of, begin, capsys, step=1):
    """Have a command fail at one call after the other, in copies of `begin`, until it passes; yield each folder.

    Each time it says in one line what is wrong and where, and leaves nothing that is torn or temporary.
    """
    for turn in itertools.count(1):
        folder = begin.with_name(f"turn-{turn}")
        if begin.exists():
            shutil.copytree(begin, folder)
        capsys.readouterr()
        status, disk = command(arguments_of(folder), turn * step, FAULTS[turn % len(FAULTS)])
        if disk.spared:
            assert status == 0
            yield folder
            return
        *_, line = capsys.readouterr().err.splitlines()
        assert status == 2
        assert line.startswith(f"fastmlp: error: {folder}")
        assert not re.search(r"\.\d+\.[0-9a-f]{8}\b", line)  # a temporary name tells nobody anything
        if folder.exists():
            check_whole(folder)
            assert leftovers(folder) == []
        yield folder
        shutil.rmtree(folder)


@pytest.mark.parametrize("step", [3, pytest.param(1, marks=pytest.mark.slow)])
def test_a_sweep_that_fails_at_any_call_goes_on_to_the_same_bits(command, sweep_of, tmp_path, capsys, step):
    assert command(sweep_of([0.5], tmp_path / "expected"))[0] == 0
    expected, turns = bits(tmp_path / "expected"), 0
    for folder in fail_everywhere(command, lambda out: sweep_of([0.5], out), tmp_path / "nothing", capsys, step):
        assert command(sweep_of([0.5], folder))[0] == 0
        assert bits(folder) == expected
        turns += 1
    assert turns * step > 60


def test_cells_side_by_side_that_lose_their_disk_go_on_to_the_same_bits(command, sweep_of, tmp_path, capsys):
    rates = [0.5, 0.05]
    assert command(sweep_of(rates, tmp_path / "expected", threads=2))[0] == 0
    expected, turns = bits(tmp_path / "expected"), 0
    for folder in fail_everywhere(command, lambda out: sweep_of(rates, out, 2), tmp_path / "nothing", capsys, step=7):
        assert command(sweep_of(rates, folder, threads=2))[0] == 0
        assert bits(folder) == expected
        turns += 1
    assert turns > 10


def test_a_sweep_whose_disk_fails_again_and_again_gets_to_the_same_bits(command, sweep_of, tmp_path):
    assert command(sweep_of([0.5], tmp_path / "expected"))[0] == 0
    statuses = []
    for n in itertools.count(1):
        statuses.append(command(sweep_of([0.5], tmp_path / "run"), n)[0])
        if statuses[-1] == 0:
            break
    assert set(statuses[:-1]) == {2}
    assert len(statuses) > 20
    assert bits(tmp_path / "run") == bits(tmp_path / "expected")


def test_growing_a_sweep_on_a_disk_that_fails_loses_no_cell(command, sweep_of, tmp_path, capsys):
    assert command(sweep_of([0.5], tmp_path / "begin"))[0] == 0
    (kept,) = (tmp_path / "begin").glob("cells/*/cell.json")
    rates = [0.5, 0.05]
    assert command(sweep_of(rates, tmp_path / "expected"))[0] == 0
    for folder in fail_everywhere(command, lambda out: sweep_of(rates, out), tmp_path / "begin", capsys, step=5):
        assert (folder / kept.relative_to(tmp_path / "begin")).read_bytes() == kept.read_bytes()
        assert command(sweep_of(rates, folder))[0] == 0
        assert bits(folder) == bits(tmp_path / "expected")


def test_a_retraining_that_fails_at_any_call_goes_on_to_the_same_bits(command, sweep_of, tmp_path, capsys):
    assert command(sweep_of([0.5], tmp_path / "begin"))[0] == 0
    shutil.copytree(tmp_path / "begin", tmp_path / "expected")
    assert command(["retrain", tmp_path / "expected"])[0] == 0
    expected, turns = bits(tmp_path / "expected"), 0
    for folder in fail_everywhere(command, lambda out: ["retrain", out], tmp_path / "begin", capsys):
        # A second time it is done, or was.
        assert command(["retrain", folder])[0] == 0 or "is there already" in capsys.readouterr().err
        assert bits(folder) == expected
        turns += 1
    assert turns > 40


def test_an_evaluation_that_fails_at_any_call_is_one_look_and_ends_with_the_same_bits(
    command, sweep_of, tmp_path, test_file, capsys
):
    def evaluate(folder):
        return ["evaluate", folder, "--test", test_file]

    assert command(sweep_of([0.5], tmp_path / "begin"))[0] == 0
    assert command(["retrain", tmp_path / "begin"])[0] == 0
    shutil.copytree(tmp_path / "begin", tmp_path / "expected")
    assert command(evaluate(tmp_path / "expected"))[0] == 0
    expected, turns = bits(tmp_path / "expected"), 0
    for folder in fail_everywhere(command, evaluate, tmp_path / "begin", capsys):
        shown = {path.name for path in folder.glob("confusion.*")}
        assert not shown or (folder / "evaluation.json").exists()
        assert command(evaluate(folder))[0] == 0 or "was evaluated on" in capsys.readouterr().err
        assert bits(folder) == expected
        assert command(evaluate(folder))[0] == 2
        turns += 1
    assert turns > 20


@pytest.mark.parametrize(
    "arguments",
    [
        ["report", "."],
        ["export", ".", "--to", "c", "--out", "network.h"],
        ["export", ".", "--to", "python", "--out", "network.py"],
        ["predict", ".", "{test}", "--out", "predictions.csv"],
        ["predict", ".", "{test}", "--out", "predictions.json", "--json"],
    ],
    ids=" ".join,
)
def test_what_is_made_of_a_run_is_whole_or_absent_whichever_call_fails(
    command, sweep_of, tmp_path, test_file, capsys, monkeypatch, arguments
):
    assert command(sweep_of([0.5], tmp_path / "begin"))[0] == 0
    assert command(["retrain", tmp_path / "begin"])[0] == 0
    before = set(files(tmp_path / "begin"))
    subcommand, _, *others = (argument.format(test=test_file) for argument in arguments)
    others = [f"{{folder}}/{other}" if other.startswith(("network", "predictions")) else other for other in others]
    turns, made = 0, set()
    for folder in fail_everywhere(
        command,
        lambda out: [subcommand, out, *(other.format(folder=out) for other in others)],
        tmp_path / "begin",
        capsys,
    ):
        made = set(files(folder)) - before
        turns += 1
    assert len(made) == 1
    assert turns > 3


def test_the_files_of_the_course_are_whole_or_absent_whichever_call_fails(command, tmp_path, capsys, monkeypatch):
    for part in glyphs.COUNTS:
        monkeypatch.setitem(glyphs.COUNTS, part, 30)
    monkeypatch.setenv("FASTMLP_CACHE", str(tmp_path / "cache"))
    assert command(["prepare", "--data", "glyphs", "--out", tmp_path / "expected"])[0] == 0
    expected, turns = files(tmp_path / "expected"), 0
    for folder in fail_everywhere(
        command, lambda out: ["prepare", "--data", "glyphs", "--out", out], tmp_path / "nothing", capsys
    ):
        assert command(["prepare", "--data", "glyphs", "--out", folder, "--force"])[0] == 0
        assert {name: path.read_bytes() for name, path in files(folder).items()} == {
            name: path.read_bytes() for name, path in expected.items()
        }
        turns += 1
    assert turns > 6


@pytest.mark.parametrize("fault", FAULTS)
def test_a_network_is_saved_whole_or_leaves_the_one_that_was_there(tmp_path, monkeypatch, fault):
    X, y = np.eye(6, dtype=np.float32), np.arange(6)
    old, new = (MLP(hidden=(4,), epochs=1, seed=seed).fit(X, y) for seed in (1, 2))
    path = tmp_path / "model.safetensors"
    old.save(path)
    before = path.read_bytes()
    for n in range(1, 5):  # it writes, flushes, renames, and flushes the folder
        with monkeypatch.context() as patch:
            patch.setattr("fastmlp.utils.atomic_files.os", FailingDisk(n, fault))
            with pytest.raises(OSError, match=str(path if n < 4 else tmp_path)) as caught:
                new.save(path)
        assert TEMPORARY.search(str(caught.value)) is None
        assert (path.read_bytes() == before) == (n < 4)
        assert list(tmp_path.iterdir()) == [path]
    assert MLP.load(path).weights[0].tobytes() == new.weights[0].tobytes()


def test_an_interrupted_evaluation_is_not_finished_with_other_test_data(
    command, sweep_of, tmp_path, test_file, train_file, capsys
):
    run, other = tmp_path / "run", tmp_path / "other.npz"
    data = np.load(test_file)
    np.savez(other, images=data["images"][:50], labels=data["labels"][:50])
    assert command(sweep_of([0.5], run))[0] == 0
    assert command(["retrain", run])[0] == 0
    assert command(["evaluate", run, "--test", test_file], n=5)[0] == 2
    capsys.readouterr()
    assert command(["evaluate", run, "--test", other])[0] == 2
    assert "pass --again to evaluate once more" in capsys.readouterr().err
    assert command(["evaluate", run, "--test", other, "--again"])[0] == 0
    looks = json.loads((run / "evaluation.json").read_text(encoding="utf-8"))["evaluations"]
    assert [look["test"]["rows"] for look in looks] == [60, 50]


def test_writes_that_take_a_part_at_a_time_change_nothing(command, sweep_of, tmp_path, monkeypatch):
    class Slow(FailingDisk):
        def write(self, descriptor, data):
            return os.write(descriptor, data[:999])

    assert command(sweep_of([0.5], tmp_path / "expected"))[0] == 0
    monkeypatch.setattr("fastmlp.utils.atomic_files.os", Slow(None))
    assert main(list(map(str, sweep_of([0.5], tmp_path / "run")))) == 0
    assert bits(tmp_path / "run") == bits(tmp_path / "expected")


def test_a_full_disk_says_how_to_go_on(command, sweep_of, tmp_path, capsys):
    status, _ = command(sweep_of([0.5], tmp_path / "run"), 30, FULL)
    assert status == 2
    assert "No space left on device; make room and give the same command again" in capsys.readouterr().err


def test_a_folder_that_cannot_be_made_is_one_line(command, sweep_of, tmp_path, capsys):
    (tmp_path / "file").write_text("in the way")
    assert command(sweep_of([0.5], tmp_path / "file" / "run"))[0] == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "choose another --out" in line
    assert (tmp_path / "file").read_text() == "in the way"


def test_a_folder_that_cannot_be_locked_is_one_line(command, sweep_of, tmp_path, capsys):
    (tmp_path / "run" / ".lock").mkdir(parents=True)
    assert command(sweep_of([0.5], tmp_path / "run"))[0] == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert f"{tmp_path / 'run'} cannot be written to" in line
    assert [path.name for path in (tmp_path / "run").iterdir()] == [".lock"]


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="permissions do not bind root, or Windows")
def test_a_read_only_folder_is_one_line_and_stays_as_it_is(command, sweep_of, tmp_path, capsys):
    assert command(sweep_of([0.5], tmp_path / "run"))[0] == 0
    before = bits(tmp_path / "run")
    capsys.readouterr()
    for path in (tmp_path / "run", *(tmp_path / "run").rglob("*")):
        path.chmod(0o500 if path.is_dir() else 0o400)
    try:
        status = command(sweep_of([0.5, 0.05], tmp_path / "run"))[0]
    finally:
        (tmp_path / "run").chmod(0o700)
    assert status == 2
    assert len(capsys.readouterr().err.splitlines()) == 1
    assert bits(tmp_path / "run") == before
