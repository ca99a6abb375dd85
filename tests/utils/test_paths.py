"""Paths with ~, in every place where a user gives one."""

import os
from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure

from fastmlp import MLP, plots
from fastmlp.callbacks import CSVLogger
from fastmlp.cli.main import main
from fastmlp.data import load
from fastmlp.data.collections import glyphs
from fastmlp.data.course_files import FILE_NAMES, write_course_file
from fastmlp.errors import InputError, InputTypeError
from fastmlp.kernels.cache_folder import cache_folder
from fastmlp.training.checkpoints import CheckpointStore
from fastmlp.training.history import History
from fastmlp.utils.paths import user_path


@pytest.fixture
def home(tmp_path, monkeypatch):
    """The home folder; the current folder is another one, in which nothing may appear."""
    home, current = tmp_path / "home", tmp_path / "current"
    home.mkdir()
    current.mkdir()
    monkeypatch.setenv("FASTMLP_CACHE", str(cache_folder()))  # compiled kernels stay where they are
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("USERPROFILE", str(home))
    monkeypatch.chdir(current)
    yield home
    assert list(current.iterdir()) == []


def fitted(**options):
    return MLP(hidden=(2,), epochs=2, threads=1).fit(np.eye(6, dtype=np.float32), [0, 1] * 3, **options)


def test_a_tilde_is_the_home_folder_and_stays_one_when_it_is_given_twice(home):
    assert user_path("~") == home
    assert user_path("~/run") == user_path(Path("~/run")) == user_path(user_path("~/run")) == home / "run"
    assert user_path("runs/~") == Path("runs/~")


def test_a_name_that_begins_with_a_tilde_is_meant_after_a_dot_and_a_slash(home):
    meant = Path.cwd() / "~" / "run"
    assert user_path("./~/run") == meant
    assert user_path(user_path("./~/run")) == meant


def test_the_home_of_somebody_unknown_is_refused():
    with pytest.raises(InputError, match="~nobody-of-this-name/x is in a home folder that is not known; expected one"):
        user_path("~nobody-of-this-name/x")


def test_the_files_of_the_library_are_written_and_read_at_home(home, train_file):
    mlp = fitted(checkpoint="~/states")
    mlp.save("~/mlp.safetensors")
    mlp.history.to_csv("~/history.csv")
    plots.save(Figure(), "~/figure.png")
    write_course_file("~/course.hdf5", load(train_file))
    files = {path.relative_to(home).as_posix() for path in home.rglob("*") if path.is_file()}
    checkpoints = {name for name in files if name.startswith("states/checkpoint-")}
    assert checkpoints
    assert files - checkpoints == {"mlp.safetensors", "history.csv", "figure.png", "course.hdf5"}
    assert np.array_equal(MLP.load("~/mlp.safetensors").weights[0], mlp.weights[0])
    assert History.from_csv("~/history.csv").to_csv() == mlp.history.to_csv()
    assert CheckpointStore("~/states").folder == home / "states"


def test_the_command_line_works_at_home(home, train_file, test_file, recipe_file, capsys):
    for path in (train_file, test_file, recipe_file):
        (home / path.name).write_bytes(path.read_bytes())
    data, recipe = ["--data", f"~/{train_file.name}"], f"~/{recipe_file.name}"
    assert main(["sweep", "--recipe", recipe, *data, "--epochs", "1", "--out", "~/run"]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == f"next: fastmlp retrain {home / 'run'}"
    assert main(["retrain", "~/run"]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == f"next: fastmlp evaluate {home / 'run'}"
    assert main(["evaluate", "~/run", "--test", f"~/{test_file.name}"]) == 0
    assert main(["report", "~/run"]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == str(home / "run" / "report.html")
    assert main(["run", recipe, *data, "--test", f"~/{test_file.name}", "--epochs", "1", "--out", "~/whole"]) == 0
    assert (home / "whole" / "report.html").exists()


def test_prepare_writes_to_a_folder_at_home(home, monkeypatch):
    for part in ("train", "test"):
        monkeypatch.setitem(glyphs.COUNTS, part, 100)
    monkeypatch.setenv("FASTMLP_CACHE", "~/cache")
    assert main(["prepare", "--data", "glyphs", "--out", "~/course"]) == 0
    assert sorted(path.name for path in (home / "course").iterdir()) == sorted(FILE_NAMES.values())
    assert len(list((home / "cache").glob("glyphs-*.npz"))) == 2


@pytest.fixture
def latin(tmp_path):
    """A folder whose name is in Latin-1."""
    folder = tmp_path / os.fsdecode(b"l\xe4ufe")
    try:
        folder.mkdir()
    except OSError:
        pytest.skip("this disk has names in UTF-8 alone")
    return folder


@pytest.mark.skipif(os.name != "posix", reason="names are bytes on POSIX systems")
@pytest.mark.parametrize("named_so", ["data", "recipe", "the folder of both"])
def test_a_name_that_no_file_could_hold_is_refused_before_anything_is_written(
    latin, tmp_path, monkeypatch, train_file, capsys, named_so
):
    monkeypatch.chdir(latin if named_so == "the folder of both" else tmp_path)
    data, recipe = "data.npz", "recipe.toml"
    if named_so == "data":
        data = f"{latin.name}.npz"
    elif named_so == "recipe":
        recipe = f"{latin.name}.toml"
    Path(data).write_bytes(train_file.read_bytes())
    Path(recipe).write_text("[data]\nvalidation = 0.25\n[network]\nhidden = [4]\n[training]\nepochs = 1\n")
    assert main(["sweep", "--recipe", recipe, "--data", data, "--out", "run"]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "is not text in utf-8; expected a name that is: rename it" in line
    assert not Path("run").exists()


@pytest.mark.parametrize("name", ["a\0b.csv", "~/a\0b", "\ud800.csv"])
def test_a_path_that_no_system_has_is_refused_in_one_line(name):
    with pytest.raises(InputError, match=r"has a null character or half of one; expected a path without it") as caught:
        user_path(name)
    assert str(caught.value).isprintable()


@pytest.mark.parametrize("path", [3, None, b"a", 1.5, ["a"], object()])
@pytest.mark.parametrize("call", [MLP.load, lambda path: fitted().save(path), CSVLogger, History.from_csv])
def test_what_is_no_path_is_refused_as_such(call, path):
    with pytest.raises(InputTypeError, match=f"a path is of type {type(path).__name__}; expected text or a pathlib"):
        call(path)
