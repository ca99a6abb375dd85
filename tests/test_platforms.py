"""What differs on other systems, as far as it can be simulated here: files in use, line ends, consoles, checkouts."""

import ast
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import fastmlp
from fastmlp.cli.console import prepare_streams
from fastmlp.cli.main import main
from fastmlp.data.collections import cache as collections_cache
from fastmlp.kernels import cache
from fastmlp.kernels.cache_folder import cache_folder
from fastmlp.utils import atomic_files as files
from fastmlp.utils import digests as identity
from fastmlp.utils.atomic_files import remove, write_text

ROOT = Path(__file__).parents[1]
PACKAGE = Path(fastmlp.__file__).parent


class InUse:
    """A function of `os` that fails as on Windows, where a process has the file open, for the first calls."""

    def __init__(self, function, failures, winerror=32):
        self.function, self.left, self.winerror = function, failures, winerror

    def __call__(self, *arguments, **options):
        self.left -= 1
        if self.left < 0:
            return self.function(*arguments, **options)
        error = PermissionError(13, "Permission denied", str(arguments[0]))
        error.winerror = self.winerror
        raise error


@pytest.fixture
def pauses(monkeypatch):
    """The seconds that were waited for."""
    waited = []
    monkeypatch.setattr(files.time, "sleep", waited.append)
    return waited


@pytest.mark.parametrize("winerror", [5, 32, 33])
def test_a_file_that_is_open_for_a_moment_is_replaced_after_it(tmp_path, monkeypatch, pauses, winerror):
    write_text(tmp_path / "file", "old")
    monkeypatch.setattr(os, "replace", InUse(os.replace, 3, winerror))
    write_text(tmp_path / "file", "new")
    assert (tmp_path / "file").read_text() == "new"
    assert len(pauses) == 3
    assert sum(pauses) < 1


def test_a_file_that_stays_open_is_told_of_by_its_name_and_kept(tmp_path, monkeypatch, pauses):
    write_text(tmp_path / "file", "old")
    monkeypatch.setattr(os, "replace", InUse(os.replace, 1000))
    with pytest.raises(PermissionError, match="open in another program, or write-protected; close it") as told:
        write_text(tmp_path / "file", "new")
    assert told.value.filename == str(tmp_path / "file")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
    assert (tmp_path / "file").read_text() == "old"
    assert sum(pauses) < 2


def test_a_file_that_is_open_for_a_moment_is_deleted_after_it(tmp_path, monkeypatch, pauses):
    write_text(tmp_path / "file", "old")
    monkeypatch.setattr(os, "unlink", InUse(os.unlink, 2))
    remove(tmp_path / "file")
    assert not (tmp_path / "file").exists()
    remove(tmp_path / "file")
    assert len(pauses) == 2


def test_a_permission_that_other_systems_refuse_is_not_waited_for(tmp_path, monkeypatch, pauses):
    monkeypatch.setattr(os, "replace", InUse(os.replace, 1, winerror=None))
    with pytest.raises(PermissionError):
        write_text(tmp_path / "file", "new")
    assert pauses == []


def test_the_command_line_tells_of_a_table_open_in_a_spreadsheet_in_one_line(swept, monkeypatch, pauses, capsys):
    monkeypatch.setattr(os, "replace", InUse(os.replace, 1000))
    assert main(["report", str(swept)]) == 2
    err = capsys.readouterr().err
    assert err.count("\n") == 1
    assert "report.html: open in another program" in err


def test_the_version_of_the_engine_does_not_depend_on_line_ends(tmp_path):
    unix, windows = tmp_path / "unix", tmp_path / "windows"
    for folder, end in ((unix, b"\n"), (windows, b"\r\n")):
        (folder / "config").mkdir(parents=True)
        (folder / "config" / "a.py").write_bytes(b"x = 1" + end + b"y = 2" + end)
    digest = identity.digest_of_sources
    assert digest(unix) == digest(windows)
    (windows / "config" / "a.py").write_bytes(b"x = 1\r\ny = 3\r\n")
    assert digest(unix) != digest(windows)


def _translates_line_ends(node):
    """Whether a call writes text through the system's line ends: Path.write_text, or open(..., "w") without newline."""
    if not isinstance(node, ast.Call):
        return False
    if isinstance(node.func, ast.Attribute):
        return node.func.attr == "write_text"
    if not (isinstance(node.func, ast.Name) and node.func.id == "open"):
        return False
    named = {word.arg: word.value for word in node.keywords}
    mode = node.args[1] if len(node.args) > 1 else named.get("mode", ast.Constant("r"))
    return "newline" not in named and not ("b" in mode.value or mode.value == "r")


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ('open(path, "w", encoding="utf-8")', True),
        ('open(path, mode="a")', True),
        ("path.write_text(text)", True),
        ('open(path, "w", newline="")', False),
        ('open(path, "rb+")', False),
        ("open(path)", False),
        ("write_text(path, text)", False),
    ],
)
def test_the_search_for_translated_line_ends_finds_them(source, found):
    assert any(map(_translates_line_ends, ast.walk(ast.parse(source)))) == found


def test_the_library_writes_no_text_with_the_line_ends_of_the_system():
    for path in sorted(PACKAGE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            assert not _translates_line_ends(node), f"{path}:{node.lineno}"


def test_the_files_of_a_run_have_the_same_line_ends_everywhere(swept):
    written = [path for path in swept.rglob("*") if path.suffix in (".csv", ".json", ".md", ".html")]
    assert len(written) > 5
    assert not [path for path in written if b"\r" in path.read_bytes()]


def test_sources_and_templates_have_the_same_line_ends_everywhere():
    suffixes = {".py", ".toml", ".css", ".js", ".jinja"}
    sources = [path for folder in (PACKAGE, ROOT / "scripts") for path in folder.rglob("*") if path.suffix in suffixes]
    assert len(sources) > 50
    assert not [path for path in sources if b"\r" in path.read_bytes()]


# What `fastmlp` does, for several commands with + between them; a form feed ends what each one prints.
COMMANDS = """
import itertools, sys
from fastmlp.cli.console import prepare_streams
from fastmlp.cli.main import main

prepare_streams()
for is_command, words in itertools.groupby(sys.argv[1:], "+".__ne__):
    if is_command:
        print(main(list(words)), end="\\f", flush=True)
        print(end="\\f", file=sys.stderr, flush=True)
"""


def fastmlp_in(encoding, *commands):
    """Run command lines in a console of this encoding; of each its status and what it printed, decoded."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": encoding, "PYTHONUTF8": "0"}
    words = [str(word) for command in commands for word in (*command, "+")]
    done = subprocess.run([sys.executable, "-c", COMMANDS, *words], capture_output=True, env=environment, check=True)
    printed, told = (stream.decode(encoding).split("\f")[:-1] for stream in (done.stdout, done.stderr))
    for out, err in zip(printed, told, strict=True):
        *lines, status = out.split("\n")
        yield int(status), "\n".join(lines), err


@pytest.mark.parametrize("encoding", ["ascii", "cp1252"])
def test_a_console_that_lacks_characters_gets_others_and_no_traceback(tmp_path, train_file, test_file, encoding):
    recipe, out = tmp_path / "größe.toml", tmp_path / "läufe-→"
    recipe.write_text(
        'title = "Größe → 大"\n[data]\nvalidation = 0.25\n[network]\nhidden = [8]\n'
        "[training]\nbatch_size = 20\nepochs = 1\nlearning_rate = 0.5\n",
        encoding="utf-8",
    )
    sweep = ("sweep", "--recipe", recipe, "--data", train_file, "--out", out, "--seeds", "2")
    plus_minus = "±" if encoding == "cp1252" else "+-"
    good = {
        sweep: plus_minus,
        ("retrain", out): "->" if encoding == "ascii" else "l",
        ("evaluate", out, "--test", test_file): "test accuracy",
        ("report", out): "report.html",
    }
    wrong = (("evaluate", tmp_path / "nirgendwo-→"), ("run", "größe-大"), ("sweep", "--größe"))
    ended = list(fastmlp_in(encoding, *good, *wrong))
    assert len(ended) == len(good) + len(wrong)
    for expected, (status, printed, told) in zip(good.values(), ended[: len(good)], strict=True):
        assert status == 0, told
        assert "Traceback" not in told
        assert expected in printed
    for status, _, told in ended[len(good) :]:
        assert (status, told.count("\n")) == (2, 1)
        assert told.startswith("fastmlp: error: ")


def test_a_stream_that_cannot_be_changed_is_left_alone(monkeypatch):
    stand_in = object()
    monkeypatch.setattr(sys, "stdout", stand_in)
    monkeypatch.setattr(sys, "stderr", stand_in)
    prepare_streams()
    assert sys.stdout is stand_in


@pytest.mark.parametrize("missing", ["stdout", "stderr"])
def test_a_verb_runs_without_a_console(swept, missing):
    code = f"import sys; sys.{missing} = None; sys.argv[1:] = ['report', sys.argv[1]]; import fastmlp.__main__ as m"
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", f"{code}; m.command()", swept], capture_output=True, text=True, env=environment
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert (swept / "report.html").exists()


@pytest.mark.parametrize(
    ("platform", "variables", "expected"),
    [
        ("linux", {"XDG_CACHE_HOME": "/caches"}, Path("/caches/fastmlp")),
        ("linux", {}, Path("/home/me/.cache/fastmlp")),
        ("darwin", {"XDG_CACHE_HOME": "/caches"}, Path("/home/me/Library/Caches/fastmlp")),
        ("win32", {"LOCALAPPDATA": "/local"}, Path("/local/fastmlp/Cache")),
        ("win32", {}, Path("/home/me/AppData/Local/fastmlp/Cache")),
        ("win32", {"FASTMLP_CACHE": "/mine", "LOCALAPPDATA": "/local"}, Path("/mine")),
    ],
)
def test_compiled_kernels_and_data_are_kept_where_the_system_keeps_caches(monkeypatch, platform, variables, expected):
    for name in ("FASTMLP_CACHE", "XDG_CACHE_HOME", "LOCALAPPDATA"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(sys, "platform", platform)
    monkeypatch.setattr(Path, "home", lambda: Path("/home/me"))
    assert cache_folder() == expected
    assert cache.directory().parents[1] == expected
    assert collections_cache.cache_folder() == expected


def test_a_checkout_without_the_link_to_the_kernels_says_so_in_one_line(tmp_path):
    (tmp_path / "fastmlp").mkdir()
    for name in ("__init__.py", "_version.py"):
        shutil.copy(PACKAGE / name, tmp_path / "fastmlp")
    (tmp_path / "fastmlp" / "kernels").write_text("../kernels")  # what git writes instead
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-S", "-c", "import fastmlp"], capture_output=True, text=True, env=environment, cwd=tmp_path
    )
    assert "`git config core.symlinks true`" in done.stderr.splitlines()[-1]
