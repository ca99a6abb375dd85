"""The commands on the pages: programs, subcommands, options and targets are there, and those of the README run."""

import functools
import importlib.util
import json
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import tomllib

import numpy as np
import pytest
from test_docs import ALL_PAGES, INDEX, ROOT, unfenced

from fastmlp.cli.commands.registry import COMMANDS
from fastmlp.cli.main import main
from fastmlp.data.collections import glyphs

PROGRAMS = ("fastmlp", "python", "make", "pip", "dask", "ray", ".venv/bin/ruff")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
EXTRAS = PROJECT["optional-dependencies"]


def commands(page):
    """The words of every command of a page: in an indented block, or within a line."""
    text = unfenced(page)
    indented = re.findall(r"(?<=^    )\S.*$", text, re.MULTILINE)
    for line in (*indented, *re.findall(r"`([^`\n]+)`", text)):
        if line.startswith(tuple(f"{program} " for program in PROGRAMS)):
            yield shlex.split(line, comments=True)


ON_PAGES = sorted({shlex.join(words) for page in (*ALL_PAGES, INDEX) for words in commands(page)})


def check_fastmlp(command, *arguments):
    """Parsed to the end: `--help` as the last argument would hide an unknown option."""
    from fastmlp.cli.parser import parse

    if arguments:
        parse([command, *arguments])
    else:  # a command that is named in a sentence
        with pytest.raises(SystemExit, match="0"):
            main([command, "--help"])


@functools.cache
def help_of(*command):
    """What a program says of its options."""
    done = subprocess.run([*command, "--help"], cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout


# What Python's modules and scripts say of theirs: all in one process, as each of its own would import the same.
HELP = """
import contextlib, io, json, runpy, sys

def said(words):
    sys.argv[1:] = ["--help"]
    try:
        if words[0] == "-m":
            runpy.run_module(words[1], run_name="__main__", alter_sys=True)
        else:
            runpy.run_path(words[0], run_name="__main__")
    except SystemExit as end:
        assert not end.code, words

sys.path.insert(0, "")
found = []
for words in json.loads(sys.argv[1]):
    with contextlib.redirect_stdout(io.StringIO()) as text:
        said(words)
    found.append(text.getvalue())
json.dump(found, sys.stdout)
"""


@functools.cache
def helps_of_python():
    """What each module or script of the pages says of its options: {words that name it: text}."""
    named = {
        tuple(words[1 : 3 if words[1] == "-m" else 2])
        for words in map(shlex.split, ON_PAGES)
        if words[0] == "python" and (words[1] == "-m" or words[1].endswith(".py")) and words[1] != "docs/figures.py"
    }
    command = [sys.executable, "-c", HELP, json.dumps(sorted(named))]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stderr
    return dict(zip(sorted(named), json.loads(done.stdout), strict=True))


def check_options(text, arguments):
    """Every option is in the program's help."""
    for option in (argument for argument in arguments if argument.startswith("--")):
        assert re.search(rf"{option}\b", text)


def check_python(*words):
    if words[0] == "-m":
        check_options(helps_of_python()[words[:2]], words[2:])
    elif words[0] == "docs/figures.py":
        assert (ROOT / words[0]).exists()
        assert all(f'"{name}": ' in (ROOT / words[0]).read_text(encoding="utf-8") for name in words[1:])
    elif words[0].endswith(".py"):
        check_options(helps_of_python()[words[:1]], words[1:])
    else:
        check_options(help_of(sys.executable, words[0]), words[1:])


def check_make(target, *variables):
    if shutil.which("make") is None or sys.platform == "win32":
        pytest.skip("needs make")
    with tempfile.TemporaryDirectory() as folder:  # where nobody has made a .venv by other means
        for name in ("Makefile", "pyproject.toml"):
            shutil.copy(ROOT / name, folder)
        subprocess.run(["make", "-n", target, *variables], cwd=folder, check=True, capture_output=True, timeout=60)


def check_pip(install, *packages):
    assert install == "install"
    required = " ".join([*PROJECT["dependencies"], *(text for extra in EXTRAS.values() for text in extra)])
    for package in packages:
        if package != ".":
            name, extra = re.fullmatch(r"([\w-]+)(?:\[(\w+)\])?", package).groups()
            assert extra in EXTRAS if name == "fastmlp" else name in required


def check_cluster(module, program, *words):
    if importlib.util.find_spec(module) is None:
        pytest.skip(f"{module} is not installed")
    check_options(help_of(sys.executable, "-m", program, words[0]), words[1:])


CHECKS = {
    "fastmlp": check_fastmlp,
    "python": check_python,
    "make": check_make,
    "pip": check_pip,
    "dask": lambda *words: check_cluster("distributed", "dask", *words),
    "ray": lambda *words: check_cluster("ray", "ray.scripts.scripts", *words),
    ".venv/bin/ruff": lambda *words: check_options(help_of(sys.executable, "-m", "ruff", words[0]), words[1:]),
}


@pytest.mark.parametrize("command", ON_PAGES)
def test_a_command_on_a_page_is_accepted(command):
    program, *arguments = shlex.split(command)
    CHECKS[program](*arguments)


def test_the_search_for_commands_finds_them_in_blocks_lines_and_tables():
    for command in (
        "make demo",
        "python -m bench.scaling",
        "fastmlp retrain runs/ee541",
        "pip install 'fastmlp[dask]'",
    ):
        assert command in ON_PAGES


def arguments_in_the_table():
    """Arguments of the commands in the table of the page on the command line."""
    text = (ROOT / "docs" / "command-line.md").read_text(encoding="utf-8")
    return [shlex.split(line) for line in re.findall(r"^\| `fastmlp ([^`]+)` \|", text, re.MULTILINE)]


def test_the_commands_of_the_table_run_one_after_the_other(test_file, tmp_path, monkeypatch):
    """Each with the arguments that it is shown with, and then small data and few epochs, which win."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(glyphs, "COUNTS", {"train": 100, "test": 50})
    random = np.random.default_rng(0)
    np.savez("many.npz", images=random.integers(0, 256, (30_000, 8, 8)).astype("u1"), labels=np.arange(30_000) % 3)
    small = {
        "prepare": ["--data", "glyphs"],
        "run": ["--data", "many.npz", "--test", str(test_file), "--epochs", "1"],
        "sweep": ["--data", "many.npz", "--epochs", "1"],
        "evaluate": ["--test", str(test_file)],
    }
    rows = random.integers(0, 256, (7, 64))
    np.savetxt("test.csv", rows, "%d", ",", header=",".join(f"pixel{i}" for i in range(64)), comments="")
    for name, few in (("diamonds.csv", 60), ("rest.csv", 20)):
        stones = [f"{random.random():.3f},{'ED'[row % 2]},{random.random() * 1000:.2f}" for row in range(few)]
        (tmp_path / name).write_text("\n".join(["carat,color,price", *stones]), encoding="utf-8")
    shown = arguments_in_the_table()
    for command, *arguments in shown:
        if arguments or command == "prepare":
            fast = ["--epochs", "1"] if "--label" in arguments else small.get(command, [])
            assert main([command, *arguments, *fast]) == 0
    assert {command for command, *_ in shown} == COMMANDS.keys() - {"completion"}  # which has a section of its own
    assert (tmp_path / "runs" / "ee541" / "report.html").is_file()


@pytest.mark.slow
def test_every_row_of_the_table_does_its_work_on_drawn_digits(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for command, *arguments in arguments_in_the_table():
        if command == "demo":
            arguments = ["--set", "data.name=glyphs"]
        if command in ("prepare", "run", "sweep"):
            arguments = [*without_options(arguments, "--data", "--label", "--test"), "--data", "glyphs"]
        if command == "predict":
            arguments[-1] = "glyphs"
        fast = ["--epochs", "1"] if command in ("demo", "run", "sweep") else []
        assert main([command, *arguments, *fast]) == 0, (command, *arguments)


def without_options(words, *names):
    """The words of a command without some options and their values."""
    at = {words.index(name) for name in names if name in words}
    return [word for place, word in enumerate(words) if place not in at and place - 1 not in at]
