"""Commands that messages tell to type: a shell makes of them the words that were meant."""

import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from fastmlp.cli.main import main
from fastmlp.utils.commands import command_text

NAMES = ["run", "run 1", "it's", 'a "b"', "$HOME", "a;b", "*", "Läufe 1", "a\\b"]

posix = pytest.mark.skipif(os.name != "posix", reason="a POSIX shell reads them back")


@posix
@pytest.mark.parametrize("name", NAMES)
def test_a_shell_reads_a_command_as_it_was_meant(name, tmp_path):
    program = tmp_path / "fastmlp"
    program.write_text(f"#!{sys.executable}\nimport sys; print(sys.argv[1:])\n", encoding="utf-8")
    program.chmod(0o755)
    command = command_text("retrain", Path(name))
    said = subprocess.run(
        ["sh", "-c", f'PATH="{tmp_path}:$PATH"\n{command}'], capture_output=True, text=True, check=True, cwd=tmp_path
    ).stdout
    assert said == f"{['retrain', name]}\n"


def test_a_plain_command_has_no_quotes():
    assert command_text("retrain", "runs/first") == "fastmlp retrain runs/first"


@posix
def test_the_command_that_each_step_names_is_the_one_that_works(
    tmp_path, monkeypatch, train_file, test_file, recipe_file, capsys
):
    monkeypatch.chdir(tmp_path)
    step = ["sweep", "--recipe", str(recipe_file), "--data", str(train_file), "--epochs", "1", "--out", "run 1"]
    commands = []
    while step:
        assert main(step) == 0
        commands.append(step[0])
        name, _, command = capsys.readouterr().out.splitlines()[-1].partition(": ")
        step = shlex.split(command)[1:] if name == "next" else []
        if step and step[0] == "evaluate":
            step += ["--test", str(test_file)]
    assert commands == ["sweep", "retrain", "evaluate"]


@posix
def test_the_command_in_a_refusal_works_too(swept, tmp_path, train_file, capsys):
    run = swept.rename(tmp_path / "run 1")
    assert main(["evaluate", str(run)]) == 2
    command = capsys.readouterr().err.split("`")[1]
    assert shlex.split(command) == ["fastmlp", "retrain", str(run)]
