"""How many threads there may be: affinity and quotas of other machines, given by folders like theirs."""

import os
import shutil
import subprocess
import sys

import pytest

from fastmlp.kernels import thread_team
from fastmlp.kernels.quota import NO_QUOTA, quota_cores

ROOT_V2, OWN_V2 = "0::/\n", "0::/user.slice/session.scope\n"
V1 = "12:memory:/jobs/seven\n4:cpu,cpuacct:/jobs/seven\n1:name=systemd:/jobs/seven\n"
HYBRID = V1 + "0::/jobs/seven\n"


@pytest.fixture(autouse=True)
def no_number_asked_for(monkeypatch):
    monkeypatch.delenv("FASTMLP_THREADS", raising=False)


@pytest.fixture
def machine(tmp_path):
    """A function (text of /proc/self/cgroup, {file below /sys/fs/cgroup: its text}) -> the two folders."""

    def make(cgroup, files):
        process, groups = tmp_path / "proc", tmp_path / "cgroup"
        process.mkdir()
        if cgroup is not None:
            (process / "cgroup").write_text(cgroup, encoding="ascii")
        for name, text in files.items():
            path = groups / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="ascii")
        return process, groups

    return make


def v1(folder, quota, period=100_000):
    return {f"cpu/{folder}cpu.cfs_quota_us": f"{quota}\n", f"cpu/{folder}cpu.cfs_period_us": f"{period}\n"}


CASES = {
    "no quota": (ROOT_V2, {"cpu.max": "max 100000\n"}, NO_QUOTA),
    "nothing mounted": (ROOT_V2, {}, NO_QUOTA),
    "no folder of the process": (None, {}, NO_QUOTA),
    "no folder of the process, but a container's quota": (None, {"cpu.max": "300000 100000\n"}, 3),
    "whole cores": (ROOT_V2, {"cpu.max": "200000 100000\n"}, 2),
    "half a core is one, and never none": (ROOT_V2, {"cpu.max": "50000 100000\n"}, 1),
    "a thousandth of a core": (ROOT_V2, {"cpu.max": "1000 1000000\n"}, 1),
    "one and a half are two": (ROOT_V2, {"cpu.max": "150000 100000\n"}, 2),
    "the process's own group": (OWN_V2, {"user.slice/session.scope/cpu.max": "100000 100000\n"}, 1),
    "the group above": (
        OWN_V2,
        {"user.slice/session.scope/cpu.max": "max 100000\n", "user.slice/cpu.max": "300000 100000\n"},
        3,
    ),
    "the smallest of all": (
        OWN_V2,
        {
            "cpu.max": "800000 100000\n",
            "user.slice/cpu.max": "200000 100000\n",
            "user.slice/session.scope/cpu.max": "400000 100000\n",
        },
        2,
    ),
    "a group beside counts for nothing": (OWN_V2, {"system.slice/cpu.max": "100000 100000\n"}, NO_QUOTA),
    "named by its place outside of the container": ("0::/docker/4f2a\n", {"cpu.max": "200000 100000\n"}, 2),
    "outside of what can be seen": ("0::/../../jobs\n", {"cpu.max": "200000 100000\n"}, 2),
    "version 1": (V1, v1("jobs/seven/", 250_000), 3),
    "version 1, half a core": (V1, v1("jobs/seven/", 50_000), 1),
    "version 1, no quota": (V1, v1("jobs/seven/", -1), NO_QUOTA),
    "version 1, the group above": (V1, v1("jobs/seven/", -1) | v1("jobs/", 400_000), 4),
    "version 1 in a container": (V1, v1("", 200_000), 2),
    "both versions": (HYBRID, v1("jobs/seven/", 300_000) | {"cpu.max": "500000 100000\n"}, 3),
    "nonsense": ("?\n\n0:\n" + ROOT_V2, {"cpu.max": "many\n"}, NO_QUOTA),
    "a period of zero": (ROOT_V2, {"cpu.max": "100000 0\n"}, NO_QUOTA),
}


@pytest.mark.parametrize("name", CASES)
def test_control_groups_limit_the_cores(name, machine):
    cgroup, files, expected = CASES[name]
    assert quota_cores(*machine(cgroup, files)) == expected


@pytest.mark.parametrize(("quota", "expected"), [("50000 100000", 1), ("200000 100000", 2), ("max 100000", 8)])
def test_the_smaller_of_affinity_and_quota_counts(machine, monkeypatch, quota, expected):
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(8)), raising=False)
    assert thread_team.available_cores(*machine(ROOT_V2, {"cpu.max": quota})) == expected


def test_an_affinity_of_one_core_is_one_thread(machine, monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {5}, raising=False)
    assert thread_team.available_cores(*machine(ROOT_V2, {"cpu.max": "400000 100000"})) == 1


@pytest.mark.parametrize(("count", "expected"), [(6, 6), (None, 1)])
def test_a_system_without_affinity_and_control_groups_is_asked_for_its_cores(tmp_path, monkeypatch, count, expected):
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)  # macOS, Windows
    monkeypatch.setattr(os, "cpu_count", lambda: count)
    assert thread_team.available_cores(tmp_path / "proc", tmp_path / "sys") == expected


@pytest.mark.parametrize("asked", ["7", "64"])
def test_a_number_that_was_asked_for_overrides_all(machine, monkeypatch, asked):
    monkeypatch.setenv("FASTMLP_THREADS", asked)
    assert thread_team.available_cores(*machine(ROOT_V2, {"cpu.max": "50000 100000"})) == int(asked)


@pytest.mark.parametrize("nonsense", ["", "0", "-1", "two", "1.5"])
def test_a_number_of_threads_that_is_none_is_ignored(machine, monkeypatch, nonsense):
    monkeypatch.setenv("FASTMLP_THREADS", nonsense)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(8)), raising=False)
    assert thread_team.available_cores(*machine(ROOT_V2, {"cpu.max": "300000 100000"})) == 3


@pytest.mark.skipif(shutil.which("taskset") is None, reason="needs taskset, of util-linux")
def test_taskset_to_one_core_gives_one_thread():
    core = min(os.sched_getaffinity(0))
    script = "from fastmlp.kernels import thread_team; print(thread_team.available_cores())"
    done = subprocess.run(
        ["taskset", "-c", str(core), sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout == "1\n"
