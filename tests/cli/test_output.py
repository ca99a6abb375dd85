"""What every command prints: results on stdout, for people or as JSON, and all else on stderr."""

import json
import shlex
from pathlib import Path

import pytest

from fastmlp.cli.commands.registry import COMMANDS
from fastmlp.cli.exit_status import EXIT_STATUSES
from fastmlp.cli.main import main
from fastmlp.cli.parser import parse

PAGE = Path(__file__).parents[2] / "docs" / "command-line.md"


def json_of(capsys, *arguments):
    """The object that a command prints, its exit status, and what it says on stderr."""
    status = main([*map(str, arguments), "--json"])
    out, err = capsys.readouterr()
    return json.loads(out), status, err


def read(path):
    return json.loads(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("command", COMMANDS)
def test_the_help_of_every_command_ends_with_an_example_that_is_accepted(command, capsys):
    with pytest.raises(SystemExit):
        main([command, "--help"])
    _, _, end = capsys.readouterr().out.partition("example:\n")
    program, *arguments = shlex.split(end.splitlines()[0])
    assert program == "fastmlp"
    assert parse(arguments).command == command


def test_the_help_of_the_program_lists_the_exit_statuses(capsys):
    with pytest.raises(SystemExit):
        main(["--help"])
    end = capsys.readouterr().out
    assert all(f"  {status:<4} {meaning}\n" in end for status, meaning in EXIT_STATUSES.items())


def test_the_page_has_every_exit_status_and_every_command_with_json():
    text = PAGE.read_text(encoding="utf-8")
    assert all(f"| {status} | {meaning.split(':')[0]}" in text for status, meaning in EXIT_STATUSES.items())
    assert all(f"`{name}`" in text for name, command in COMMANDS.items() if not command.prints_itself)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_is_quiet_or_verbose_but_not_both(command, capsys):
    example = shlex.split(COMMANDS[command].example)[1:]
    assert parse([*example, "-q"]).quiet
    assert parse([*example, "--verbose"]).verbose
    assert main([*example, "--quiet", "--verbose"]) == 2
    assert "not allowed with argument" in capsys.readouterr().err


def test_a_sweep_prints_its_record_as_json_and_its_notes_on_stderr(swept, train_file, recipe_file, capsys):
    command = ["sweep", "--data", train_file, "--recipe", recipe_file, "--out", swept]
    found, status, err = json_of(capsys, *command)
    assert (found["command"], found["status"], status) == ("sweep", 0, 0)
    assert found["record"] == read(swept / "run.json")
    assert found["run"] == str(swept)
    assert all(Path(path).is_file() for path in found["files"])
    assert found["next"] == f"fastmlp retrain {swept}"
    assert "4 of 4 cells are there already" in err.splitlines()


def test_a_run_prints_nothing_beside_its_json(tmp_path, train_file, test_file, written, capsys):
    recipe = written("epoch_lines = true\n[network]\nhidden = [4]\n[training]\nepochs = 2\nseed = 3\n")
    out = tmp_path / "run"
    command = ["run", recipe, "--data", train_file, "--test", test_file, "--out", out]
    found, _, err = json_of(capsys, *command)
    assert [found["evaluation"]] == read(out / "evaluation.json")["evaluations"]
    assert found["record"] == read(out / "run.json")
    assert Path(found["report"]).is_file()
    assert sum(line.startswith("Epoch 2: ") for line in err.splitlines()) == 2  # of the sweep, and of the retraining


def test_what_is_done_with_a_run_is_printed_as_json(swept, test_file, capsys):
    retrained, _, _ = json_of(capsys, "retrain", swept)
    assert Path(retrained["model"]).is_file()
    assert 0 < retrained["train_accuracy"] <= 1
    evaluated, _, _ = json_of(capsys, "evaluate", swept, "--test", test_file)
    assert [evaluated["evaluation"]] == read(swept / "evaluation.json")["evaluations"]
    report, _, _ = json_of(capsys, "report", swept)
    assert report == {"command": "report", "status": 0, "run": str(swept), "report": str(swept / "report.html")}
    described, _, _ = json_of(capsys, "info", swept)
    assert (described["command"], described["kind"]) == ("info", "run")


def test_input_that_cannot_be_used_prints_no_json(tmp_path, capsys):
    assert main(["report", str(tmp_path / "absent"), "--json"]) == 2
    assert capsys.readouterr().out == ""


def test_a_quiet_sweep_says_nothing_but_its_result(train_file, recipe_file, swept, capsys):
    arguments = ["sweep", "--data", str(train_file), "--recipe", str(recipe_file), "--out", str(swept)]
    assert main([*arguments, "--quiet"]) == 0
    out, err = capsys.readouterr()
    assert (out.splitlines()[0], err) == ("Bars: bars.npz", "")
    assert main(arguments) == 0
    assert "4 of 4 cells are there already" in capsys.readouterr().err


def test_errors_are_shown_however_quiet(capsys):
    assert main(["report", "absent", "--quiet"]) == 2
    assert capsys.readouterr().err.startswith("fastmlp: error: absent is not there")
