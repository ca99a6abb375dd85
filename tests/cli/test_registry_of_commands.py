import os
import subprocess
import sys
from pathlib import Path

import pytest

from fastmlp.cli.commands.registry import COMMANDS
from fastmlp.cli.main import main

ROOT = Path(__file__).parents[2]


def python(*arguments, **options):
    """Run Python on this source tree."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(
        [sys.executable, *map(str, arguments)], capture_output=True, text=True, env=environment, check=False, **options
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "the following arguments are required: COMMAND; see `fastmlp --help`"),
        (["swep"], "argument COMMAND: is 'swep'; did you mean 'sweep'? expected one of prepare, run, "),
        (
            ["--threads", "4", "sweep"],
            "--threads stands before the command; expected it after the command; see `fastmlp sweep --help`",
        ),
        (
            ["-j4", "retrain", "x"],
            "-j4 stands before the command; expected it after the command; see `fastmlp retrain --help`",
        ),
        (["--threads", "4"], "argument COMMAND: is '4'; expected one of prepare, "),
        (["prepare", "--dtype", "Float32"], "argument --dtype: is 'Float32'; did you mean 'float32'?"),
        (
            ["sweep", "--out", "run", "--data", "mnits"],
            "mnits is neither a file nor a known name; did you mean 'mnist'?",
        ),
        (["sweep"], "the following arguments are required: --out; see `fastmlp sweep --help`"),
        (["sweep", "--out"], "argument --out: expected one argument"),
        (["sweep", "--out", ""], "argument --out: is empty; expected a folder"),
        (["sweep", "--out", "run", "--epochs", "many"], "argument --epochs: invalid int value: 'many'"),
        (["sweep", "--out", "run", "--validation", "half"], "argument --validation: invalid number value: 'half'"),
        (["sweep", "--out", "run", "--test", "x"], "unrecognized arguments: --test x"),
        (["sweep", "--out", "run", "--epo", "3"], "unrecognized arguments: --epo 3"),
        (
            ["sweep", "--out", "run", "--recip", "x"],
            "unrecognized arguments: --recip x; did you mean --recipe?; see `fastmlp sweep --help`",
        ),
        (["report", "run", "--out", "x"], "unrecognized arguments: --out x; see `fastmlp report --help`"),
        (["retrain"], "the following arguments are required: RUN"),
        (["evaluate", "nowhere"], "nowhere is not there; expected the --out of a sweep"),
        (["run"], "the following arguments are required: RECIPE; see `fastmlp run --help`"),
        (["run", "ee542"], "recipe 'ee542' is not there; did you mean 'ee541'? expected one of default, "),
        (["run", "ee541", "--threads", "0"], "--threads is 0; expected at least 1"),
        (["run", "ee541", "--threads", "10000"], "--threads is 10000; expected at most 4096: leave it out"),
        (["sweep", "--out", "run", "--epochs", "1" + 13 * "0"], f"epochs is {10**13}; expected at most 10000000"),
        (["demo", "--epochs", "1" + 400 * "0"], f"epochs is {10**400}; expected at most 10000000"),
        (["run", "ee541", "--data", "absent.npz"], "absent.npz is not there"),
        (["demo", "--epochs", "0"], "epochs is 0; expected at least 1"),
    ],
)
def test_every_mistake_is_one_line_with_status_2(tmp_path, monkeypatch, capsys, arguments, message):
    monkeypatch.chdir(tmp_path)
    assert main(arguments) == 2
    out, err = capsys.readouterr()
    assert err.startswith("fastmlp: error: ")
    assert message in err
    assert (out, err.count("\n")) == ("", 1)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(capsys, command):
    with pytest.raises(SystemExit) as end:
        main([command, "--help"])
    assert end.value.code == 0
    assert f"usage: fastmlp {command}" in capsys.readouterr().out


@pytest.mark.parametrize("arguments", [["--help"], ["sweep", "--help"], ["evaluate", "--help"], ["run", "--help"]])
def test_help_loads_nothing_heavy(arguments):
    code = (
        "import sys\nfrom fastmlp.cli.main import main\n"
        f"try:\n    main({arguments})\nexcept SystemExit:\n    pass\n"
        "print([name for name in ('numpy', 'numba', 'matplotlib', 'h5py', 'rich') if name in sys.modules])"
    )
    assert python("-c", code).stdout.splitlines()[-1] == "[]"


def test_a_folder_that_cannot_be_written_is_one_line(tmp_path, capsys):
    (tmp_path / "file").write_text("in the way")
    recipe = tmp_path / "one.toml"
    recipe.write_text('title = "One"\n[data]\nname = "data.csv"\n')
    (tmp_path / "data.csv").write_text("label,a,b\n" + "0,1,2\n1,2,1\n" * 10)
    arguments = ["--recipe", str(recipe), "--data", str(tmp_path / "data.csv"), "--out", str(tmp_path / "file" / "run")]
    assert main(["sweep", *arguments]) == 2
    err = capsys.readouterr().err
    assert err.startswith("fastmlp: error: ")
    assert err.count("\n") == 1


def test_python_dash_m_runs_the_command_line():
    done = python("-m", "fastmlp", "sweep")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("fastmlp: error: ")


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_names_its_own_help_when_an_option_is_unknown(command, capsys):
    needed = {
        "run": ["ee541"], "predict": ["run", "file"], "export": ["run", "--to", "c"], "sweep": ["--out", "run"],
        "prepare": [], "demo": [], "completion": ["bash"],
    }.get(command, ["folder"])  # fmt: skip
    assert main([command, *needed, "--no-such-option"]) == 2
    assert capsys.readouterr().err.endswith(f"--no-such-option; see `fastmlp {command} --help`\n")


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_an_executable_script(command):
    script = ROOT / "scripts" / f"{'prepare_data' if command == 'prepare' else command}.py"
    if os.name == "posix":
        assert os.access(script, os.X_OK)
    assert script.read_text(encoding="utf-8").startswith("#!/usr/bin/env python3\n")
    done = python(script, "--help")
    assert done.returncode == 0
    assert done.stdout.startswith(f"usage: fastmlp {command}")
