"""What a report of a fault needs: the versions, the machine, the settings."""

import json
import os
import platform
import subprocess
import sys
import threading
from pathlib import Path

import llvmlite
import numba
import numpy as np
import pytest
import sklearn

import fastmlp
from fastmlp.cli.main import main


def test_the_version_is_told_in_one_line_with_those_that_matter(capsys):
    with pytest.raises(SystemExit, match="0"):
        main(["--version"])
    (line,) = capsys.readouterr().out.splitlines()
    assert line.startswith(f"fastmlp {fastmlp.__version__} (Python {platform.python_version()}, ")
    assert f"numpy {np.__version__}, numba {numba.__version__}; " in line
    assert line.endswith(f"; {platform.system()} {platform.machine()})")


def test_the_system_is_described_for_programs(capsys, monkeypatch):
    monkeypatch.setenv("FASTMLP_THREADS", "3")
    monkeypatch.setenv("PASSWORD", "secret")
    assert main(["info", "--system", "--json"]) == 0
    printed = capsys.readouterr().out
    told = json.loads(printed)
    assert (told["command"], told["kind"], told["fastmlp"]) == ("info", "system", fastmlp.__version__)
    assert (told["executable"], told["machine"]) == (sys.executable, platform.machine())
    assert (told["cores"], told["threads"]) == (os.cpu_count(), 3)
    assert told["environment"]["FASTMLP_THREADS"] == "3"
    assert "secret" not in printed
    assert {name: told["required"][name] for name in ("numpy", "numba", "llvmlite")} == {
        "numpy": np.__version__,
        "numba": numba.__version__,
        "llvmlite": llvmlite.__version__,
    }
    assert Path(told["location"], "__init__.py").samefile(fastmlp.__file__)


def test_the_system_is_described_for_a_person(capsys, monkeypatch):
    monkeypatch.setenv("FASTMLP_THREADS", "3")
    assert main(["info", "--system"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == f"fastmlp {fastmlp.__version__}"
    assert any("FASTMLP_THREADS=3" in line for line in lines)
    assert all(len(line) <= 100 for line in lines if "/" not in line)


@pytest.mark.skipif(sys.platform != "linux", reason="asks Linux")
@pytest.mark.parametrize(("limit", "chosen", "expected"), [(2**31, "", "1"), (2**31, "2", "2"), (2**40, "", "all")])
def test_where_addresses_are_scarce_numpy_begins_no_threads(limit, chosen, expected):
    script = f"""
import os, resource
from fastmlp.__main__ import command
resource.setrlimit(resource.RLIMIT_AS, ({limit}, {limit}))
try:
    command("--version")
except SystemExit:
    import numpy
    print(len(os.listdir("/proc/self/task")))
"""
    environment = {name: value for name, value in os.environ.items() if name != "OPENBLAS_NUM_THREADS"}
    done = subprocess.run(
        [sys.executable, "-c", script], env=environment | ({"OPENBLAS_NUM_THREADS": chosen} if chosen else {}),
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    cores = len(os.sched_getaffinity(0))
    assert int(done.stdout.splitlines()[-1]) == (cores if expected == "all" else min(int(expected), cores))


def test_a_thread_that_cannot_begin_is_told_in_one_line(capsys, monkeypatch, tmp_path):
    def start(thread):
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", start)
    monkeypatch.setenv("FASTMLP_CACHE", str(tmp_path))
    monkeypatch.delenv("FASTMLP_DATA", raising=False)
    assert main(["info", "mnist"]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line == "fastmlp: error: can't start new thread: not enough memory, or `ulimit -u` allows no more"


def test_packages_that_are_missing_are_named_and_those_for_development_are_not(tmp_path, monkeypatch, capsys):
    extras = ('no-such-package>=2; extra == "ray"', 'scikit-learn>=1.7; extra == "sklearn"', 'mypy; extra == "test"')
    lines = ["Name: fastmlp", "Version: 9", *(f"Requires-Dist: {line}" for line in ("numpy>=1.26", *extras))]
    (tmp_path / "fastmlp-9.dist-info").mkdir()
    (tmp_path / "fastmlp-9.dist-info" / "METADATA").write_text("\n".join(lines), encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    assert main(["info", "--system", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert list(told["required"]) == ["numpy", "llvmlite"]
    assert told["optional"] == {"no-such-package": None, "scikit-learn": sklearn.__version__}
    assert main(["info", "--system"]) == 0
    assert f"scikit-learn {sklearn.__version__}; missing: no-such-package" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "nothing was given; expected MODEL|RUN|DATA or --system"),
        (["mnist", "--system"], "mnist was given with --system; expected --system alone"),
        (["--system", "--label", "price"], "price was given with --system; expected --system alone"),
    ],
)
def test_info_wants_one_thing(arguments, message, caplog):
    assert main(["info", *arguments]) == 2
    assert message in caplog.text
