"""The compiled kernels on disk: loaded, never trusted blindly, never in the way."""

import hashlib
import os
import pickle
import platform
import shutil
import subprocess
import sys
import tempfile
import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import fastmlp
from fastmlp.kernels import cache
from fastmlp.kernels.jit import entry

# A kernel of one line, compiled the way all are.
SCRIPT = """
from fastmlp.kernels.jit import entry

polynomial = entry("polynomial", lambda x: x * x + 3 * x)
print(polynomial(2.0))
"""
ANSWER = "10.0\n"


def polynomial(*values):
    """The same in this process, as if it had not been compiled before."""
    kernel = entry("polynomial", lambda x: x * x + 3 * x)
    return [kernel(value) for value in values]


PREDICTION = """
import numpy as np
from fastmlp.kernels import epoch
from fastmlp.training.parameters import Parameters
p = Parameters((3, 45, 29, 2), ("tanh", "relu"), "float64")
p.initialise("auto", None, "same", 0)
print(epoch.predict(p.layers, p.buffer, np.eye(3), np.empty((3, 2)), 1).tobytes().hex())
"""
DIRECTORY = "from fastmlp.kernels import cache; print(cache.directory())"


@pytest.fixture
def own_cache(monkeypatch, tmp_path):
    """A cache in a folder that is empty at first."""
    monkeypatch.setenv("FASTMLP_CACHE", str(tmp_path / "cache"))


def entries(folder):
    """The files of a cache: {path: (inode, time of writing, content)}."""
    files = sorted(path for path in Path(folder).rglob("*") if path.is_file())
    return {path: (path.stat().st_ino, path.stat().st_mtime_ns, path.read_bytes()) for path in files}


@pytest.mark.parametrize(
    "script", [SCRIPT, pytest.param(PREDICTION, marks=pytest.mark.slow)], ids=["one line", "a whole pass"]
)
def test_a_second_process_loads_what_the_first_compiled(run_python, tmp_path, script):
    answer = run_python(script, FASTMLP_CACHE=str(tmp_path)).stdout
    before = entries(tmp_path)
    assert before
    assert run_python(script, FASTMLP_CACHE=str(tmp_path)).stdout == answer
    assert entries(tmp_path) == before  # whatever is compiled is written again


@pytest.mark.slow
def test_processes_that_begin_at_once_with_an_empty_cache_agree_and_leave_a_whole_one(run_python, tmp_path):
    run_python(SCRIPT, FASTMLP_CACHE=str(tmp_path / "alone"))
    names = [path.relative_to(tmp_path / "alone") for path in entries(tmp_path / "alone")]
    for number in range(3):
        folder = tmp_path / str(number)
        with ThreadPoolExecutor(16) as pool:
            processes = [pool.submit(run_python, SCRIPT, FASTMLP_CACHE=str(folder)) for _ in range(16)]
            assert {process.result().stdout for process in processes} == {ANSWER}
        left = entries(folder)
        assert [path.relative_to(folder) for path in left] == names  # and nothing temporary
        assert run_python(SCRIPT, FASTMLP_CACHE=str(folder)).stdout == ANSWER
        assert entries(folder) == left


# Kernels, and parts of them, whose names are the same; only the numbers that Numba gives to functions tell them apart.
NAMESAKES = """
from fastmlp.kernels.jit import entry, jit

def added(number):
    part = jit(lambda x: x + number)
    return entry(f"added-{number}", lambda x: part(x))
"""


def test_kernels_of_the_same_name_from_several_processes_work_side_by_side(run_python, tmp_path):
    """Numba numbers the functions of a process in the order of their compilation, and the numbers are in the code."""
    settings = {"FASTMLP_CACHE": str(tmp_path), "NUMBA_OPT": "0"}  # so that a part is called, and not put in its place
    for number in (1, 10):
        assert run_python(NAMESAKES + f"print(added({number})(2))", **settings).stdout == f"{2 + number}\n"
    assert run_python(NAMESAKES + "print(added(1)(2), added(10)(2))", **settings).stdout == "3 12\n"


def test_a_damaged_entry_is_compiled_again(own_cache, tmp_path):
    polynomial(2.0)
    (path,) = entries(tmp_path)
    whole = path.read_bytes()
    flipped = bytearray(whole)
    flipped[len(whole) // 2] ^= 1
    for damaged in (whole[: len(whole) // 2], b"", bytes(flipped), b"\x80"):
        path.write_bytes(damaged)
        assert polynomial(2.0) == [10]
        (mended,) = entries(tmp_path)
        assert mended == path
        assert len(path.read_bytes()) > len(whole) // 2
        assert path.read_bytes() != damaged


def test_a_cache_that_cannot_be_written_warns_once_and_works(run_python, tmp_path):
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")
    done = run_python(SCRIPT + "print(polynomial(2))", FASTMLP_CACHE=str(blocked))
    assert done.stdout == ANSWER + "10\n"
    assert done.stderr.count("RuntimeWarning") == 1
    assert "FASTMLP_CACHE" in done.stderr
    assert str(blocked) in done.stderr


class Planted:
    """What makes a folder when it is unpickled."""

    def __init__(self, folder):
        self.folder = str(folder)

    def __reduce__(self):
        return os.mkdir, (self.folder,)


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="Windows has rights of another kind")
@pytest.mark.parametrize("depth", [0, 1, 2], ids=["entry", "folder", "folder above"])
@pytest.mark.parametrize("right", [0o020, 0o002, None], ids=["its group writes", "all write", "another owns"])
def test_an_entry_that_another_user_could_have_planted_is_not_unpickled(own_cache, tmp_path, depth, right):
    if right is None and os.geteuid() != 0:
        pytest.skip("root alone gives files away")
    proof = tmp_path / "proof"
    polynomial(2.0)
    (path,) = entries(tmp_path)
    payload = pickle.dumps(Planted(proof))
    path.write_bytes(cache.MAGIC + hashlib.sha256(payload).digest() + payload)
    assert polynomial(2.0) == [10]
    assert proof.is_dir()  # of this user's own folder everything runs
    proof.rmdir()
    path.write_bytes(cache.MAGIC + hashlib.sha256(payload).digest() + payload)
    theirs = (path, *path.parents)[depth]
    if right is None:
        os.chown(theirs, 65534, 65534)
    else:
        theirs.chmod(theirs.stat().st_mode | right)
    with warnings.catch_warnings(record=True, action="always") as warned:
        assert polynomial(2.0, 2) == [10, 10]
    assert not proof.exists()
    if depth:
        (warning,) = warned
        assert warning.category is RuntimeWarning
        assert f"another user owns or may write to {theirs}" in str(warning.message)
    else:  # it is replaced by one of this user's own
        assert warned == []
        assert path.read_bytes()[: len(cache.MAGIC)] == cache.MAGIC
        assert path.stat().st_mode & 0o022 == 0


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="Windows has rights of another kind")
def test_nobody_else_may_write_what_is_kept_whatever_the_umask(run_python, tmp_path):
    run_python("import os; os.umask(0)\n" + SCRIPT, FASTMLP_CACHE=str(tmp_path / "new" / "cache"))
    found = [*tmp_path.rglob("*")]
    assert len(found) == 5
    assert [path for path in found if path.stat().st_mode & 0o022] == []


def test_two_processes_with_an_empty_cache_at_once_both_work(tmp_path):
    searched = os.pathsep.join(filter(None, (str(Path(fastmlp.__file__).parents[1]), os.environ.get("PYTHONPATH"))))
    environment = {**os.environ, "PYTHONPATH": searched, "FASTMLP_CACHE": str(tmp_path)}
    processes = [
        subprocess.Popen([sys.executable, "-c", SCRIPT], env=environment, stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    for process in processes:
        out, _ = process.communicate(timeout=300)
        assert process.returncode == 0
        assert out == ANSWER
    assert len(entries(tmp_path)) == 1  # no temporary file is left


def test_a_byte_changed_in_any_kernels_source_means_another_folder(run_python, tmp_path):
    package = tmp_path / "fastmlp"
    shutil.copytree(Path(fastmlp.__file__).parent, package, ignore=shutil.ignore_patterns("__pycache__", "data"))

    def directory():
        return run_python(DIRECTORY, path=tmp_path, FASTMLP_CACHE=str(tmp_path)).stdout

    first = directory()
    assert tmp_path in Path(first.strip()).parents
    assert directory() == first
    source = package / "kernels" / "registers.py"
    source.write_bytes(source.read_bytes() + b"#")
    assert directory() != first


SOURCES = st.dictionaries(st.from_regex(r"[a-z]{1,3}\.py", fullmatch=True), st.binary(max_size=4), max_size=3)
VERSIONS = st.tuples(*[st.sampled_from(["0.61.2", "0.62", "0.62.0"])] * 3)


@given(st.tuples(SOURCES, VERSIONS), st.tuples(SOURCES, VERSIONS))
def test_two_versions_have_one_folder_only_if_sources_numba_llvmlite_and_python_are_the_same(one, other):
    def digest(sources, versions):
        with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
            for name, text in sources.items():
                (Path(folder) / name).write_bytes(text)
            for module, name, version in zip(
                (cache.numba, cache.llvmlite, sys), ("__version__", "__version__", "version"), versions, strict=True
            ):
                patch.setattr(module, name, version)
            return cache.sources_digest(Path(folder))

    assert (digest(*one) == digest(*other)) == (one == other)


def test_two_versions_that_share_a_cache_at_the_same_time_never_run_the_code_of_the_other(run_python, tmp_path):
    for version, leak in (("one", "0.01"), ("other", "0.25")):
        package = tmp_path / version / "fastmlp"
        shutil.copytree(Path(fastmlp.__file__).parent, package, ignore=shutil.ignore_patterns("__pycache__", "data"))
        source = package / "kernels" / "layout.py"
        source.write_text(source.read_text("utf-8").replace("LEAK = 0.01", f"LEAK = {leak}"), "utf-8")
    script = (
        "from fastmlp.kernels.layout import LEAK; from fastmlp.kernels.jit import entry\n"
        "print(entry('leaky', lambda x: x * LEAK)(2.0))"
    )

    def run(version):
        return run_python(script, path=tmp_path / version, FASTMLP_CACHE=str(tmp_path / "cache")).stdout

    for _ in range(2):  # at first with an empty cache
        with ThreadPoolExecutor(2) as pool:
            assert [*pool.map(run, ("one", "other"))] == ["0.02\n", "0.5\n"]
        assert len(entries(tmp_path / "cache")) == 2


OTHER_SETTINGS = """
import os
import numba

for name, value in {"OPT": "1", "LOOP_VECTORIZE": "0", "SLP_VECTORIZE": "1", "DEBUGINFO": "1"}.items():
    os.environ[f"NUMBA_{name}"] = value
    numba.config.reload_config()
    print(entry("polynomial", lambda x: x * x + 3 * x)(2.0))
    del os.environ[f"NUMBA_{name}"]
"""


def test_code_compiled_with_other_settings_of_numba_is_kept_beside_the_first(run_python, tmp_path):
    assert run_python(SCRIPT + OTHER_SETTINGS, FASTMLP_CACHE=str(tmp_path)).stdout == 5 * ANSWER
    assert len(entries(tmp_path)) == 5
    others = [{"NUMBA_CPU_NAME": "nehalem"}, {"NUMBA_CPU_FEATURES": "+sse3"}]
    for number, settings in enumerate(others if platform.machine() in ("x86_64", "AMD64") else [], 6):
        assert run_python(SCRIPT, FASTMLP_CACHE=str(tmp_path), **settings).stdout == ANSWER
        assert len(entries(tmp_path)) == number


def test_the_folder_is_the_users_own_unless_it_is_chosen(monkeypatch, tmp_path):
    monkeypatch.setenv("FASTMLP_CACHE", str(tmp_path))
    assert tmp_path in cache.directory().parents
    monkeypatch.delenv("FASTMLP_CACHE")
    if sys.platform == "linux":
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
        assert tmp_path / "xdg" / "fastmlp" in cache.directory().parents


def test_a_chosen_folder_may_begin_with_the_home(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    monkeypatch.setenv("FASTMLP_CACHE", "~/mine")
    assert tmp_path / "mine" in cache.directory().parents
