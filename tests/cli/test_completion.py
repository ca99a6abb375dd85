"""The completion of commands, asked of a real bash."""

import shutil
import subprocess
import sys

import pytest

from fastmlp.cli.main import main

pytest.importorskip("shtab")

ASK = """
source "$1"; shift
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMP_LINE="$*"; COMP_POINT=${#COMP_LINE}
$(complete -p fastmlp | sed 's/.*-F \\([^ ]*\\) .*/\\1/')
printf '%s\\n' "${COMPREPLY[@]}"
"""


@pytest.fixture
def complete(tmp_path, capsys):
    """A function that returns what bash offers for the last word of a command."""
    if shutil.which("bash") is None:
        pytest.skip("needs bash")
    assert main(["completion", "bash"]) == 0
    script = tmp_path / "fastmlp.bash"
    script.write_text(capsys.readouterr().out, encoding="utf-8")

    def complete(*words):
        command = ["bash", "-c", ASK, "bash", str(script), "fastmlp", *words]
        done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=tmp_path)
        return done.stdout.split()

    return complete


def test_commands_options_their_choices_and_files_are_completed(complete):
    assert complete("ret") == ["retrain"]
    assert complete("sweep", "--bat") == ["--batch-size"]
    assert complete("sweep", "--qu") == ["--quiet"]
    assert complete("sweep", "--method", "r") == ["random"]
    assert complete("report", "fast") == ["fastmlp.bash"]


@pytest.mark.parametrize("shell", ["zsh", "fish", "tcsh"])
def test_other_shells_get_a_script_that_names_every_verb(shell, capsys):
    assert main(["completion", shell]) == 0
    out = capsys.readouterr().out
    assert all(command in out for command in ("sweep", "retrain", "evaluate", "predict"))


def test_without_shtab_one_line_says_what_to_install(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "shtab", None)
    assert main(["completion", "bash"]) == 2
    assert "pip install 'fastmlp[completion]'" in capsys.readouterr().err
