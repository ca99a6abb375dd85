"""Memory that is free, and shares of it for what is trained side by side."""

import sys
import threading

import pytest

from fastmlp.errors import InputError
from fastmlp.utils.free_memory import MOST, check_memory, free_memory, reserved_memory, resident_limit, size_text

GB = 1 << 30


def test_free_memory_is_what_the_system_can_give_within_the_containers_limit(tmp_path):
    assert free_memory(tmp_path) == MOST
    (tmp_path / "proc").mkdir()
    (tmp_path / "proc" / "meminfo").write_text("MemTotal: 9000 kB\nMemAvailable: 5000 kB\nSwapFree: 7 kB\n")
    assert free_memory(tmp_path) == 5007 * 1024
    group = tmp_path / "sys" / "fs" / "cgroup"
    group.mkdir(parents=True)
    (group / "memory.max").write_text("max\n")
    assert free_memory(tmp_path) == 5007 * 1024
    (group / "memory.max").write_text("1000000\n")
    (group / "memory.stat").write_text("anon 200000\nfile 600000\nshmem 100000\n")  # a cache of files is given up
    assert free_memory(tmp_path) == 700_000
    check_memory("a", 700_000, tmp_path)
    with pytest.raises(InputError, match=r"^b needs 701 kB of memory, and 700 kB are free"):
        check_memory("b", 701_000, tmp_path)


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the memory in use is not known")
def test_a_limit_that_the_system_does_not_know_counts_in_the_thread_that_was_told():
    found, seen = free_memory(), []
    with resident_limit(20_000_000_000_000):
        assert free_memory() > 0.5 * found
    with resident_limit(2 * GB):
        assert free_memory() <= 2 * GB - 4_000_000  # which an interpreter has in use
        thread = threading.Thread(target=lambda: seen.append(free_memory()))
        thread.start()
        thread.join()
    with resident_limit(1000):
        assert free_memory() == 0
    assert seen[0] > 0.5 * found
    assert free_memory() > 0.5 * found


V1 = "9:cpu:/\n4:memory:/jobs/seven\n"
GROUPS = {
    "version 2, its own group": (
        "0::/jobs/seven\n",
        {"jobs/seven/memory.max": "900", "jobs/seven/memory.stat": "anon 100\nshmem 50"},
        750,
    ),
    "version 2, the group above, which others use too": (
        "0::/jobs/seven\n",
        {"jobs/seven/memory.max": "max", "jobs/memory.max": "900", "jobs/memory.stat": "anon 300"},
        600,
    ),
    "version 1": (
        V1,
        {
            "memory/jobs/seven/memory.limit_in_bytes": "900",
            "memory/jobs/seven/memory.stat": "cache 700\nrss 100\ntotal_rss 200\ntotal_shmem 100",
        },
        600,
    ),
    "version 1, the group above": (
        V1,
        {
            "memory/jobs/seven/memory.limit_in_bytes": "9223372036854771712",
            "memory/jobs/memory.limit_in_bytes": "500",
            "memory/jobs/memory.stat": "total_rss 200",
        },
        300,
    ),
    "version 1 in a container": (V1, {"memory/memory.limit_in_bytes": "500"}, 500),
    "a limit that is exceeded": ("0::/\n", {"memory.max": "100", "memory.stat": "anon 200"}, 0),
    "a group beside": ("0::/jobs/seven\n", {"jobs/eight/memory.max": "100"}, MOST),
}


@pytest.mark.parametrize(("own", "files", "free"), GROUPS.values(), ids=GROUPS)
def test_free_memory_is_what_the_tightest_control_group_leaves(tmp_path, own, files, free):
    (tmp_path / "proc" / "self").mkdir(parents=True)
    (tmp_path / "proc" / "self" / "cgroup").write_text(own)
    for name, text in files.items():
        path = tmp_path / "sys" / "fs" / "cgroup" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{text}\n")
    assert free_memory(tmp_path) == free


def test_free_memory_is_what_the_limit_of_a_process_leaves(tmp_path):
    process = tmp_path / "proc" / "self"
    process.mkdir(parents=True)
    (process / "status").write_text("Name:\tpython\nVmPeak:\t  900 kB\nVmSize:\t  300 kB\n")
    limits = "Limit                     Soft Limit           Hard Limit\nMax address space         {} bytes\n"
    (process / "limits").write_text(limits.format("unlimited            unlimited           "))
    assert free_memory(tmp_path) == MOST
    (process / "limits").write_text(limits.format("1024000              unlimited           "))
    assert free_memory(tmp_path) == 1_024_000 - 300 * 1024
    (process / "limits").write_text(limits.format("1000                 2000                "))
    assert free_memory(tmp_path) == 0
    (process / "status").write_text("VmSize:\t  300 kB\nVmData:\t  100 kB\n")
    (process / "limits").write_text("Max data size             204800               unlimited            bytes\n")
    assert free_memory(tmp_path) == 100 * 1024


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere it is not known")
def test_the_free_memory_of_this_system_is_a_number_of_bytes():
    assert 1 << 20 < free_memory() < 1 << 60


def test_sizes_have_three_digits():
    assert [size_text(count) for count in (0, 1500, 10**6, 82 * 10**9, 2**75)] == [
        "0 kB", "1.5 kB", "1 MB", "82 GB", "3.78e+07 PB",
    ]  # fmt: skip


@pytest.fixture
def machine(tmp_path):
    """A function that says how many GB are free on a machine, and its folder."""

    def free(gigabytes):
        (tmp_path / "proc").mkdir(exist_ok=True)
        (tmp_path / "proc" / "meminfo").write_text(f"MemAvailable: {gigabytes << 20} kB\n")
        return tmp_path

    return free


@pytest.fixture
def begun_beside():
    """A function (GB, system) -> an event that is set once a thread has begun what needs so much, and its end."""
    threads = []

    def begin(gigabytes, system):
        begun, end = threading.Event(), threading.Event()

        def work():
            with reserved_memory(gigabytes * GB, system):
                begun.set()
                end.wait(60)

        threads.append((threading.Thread(target=work), end))
        threads[-1][0].start()
        return begun, end

    yield begin
    for thread, end in threads:
        end.set()
        thread.join()


def test_what_does_not_fit_beside_others_begins_when_they_are_done(machine, begun_beside):
    system = machine(16)
    first, end = begun_beside(10, system)
    assert first.wait(60)
    small, _ = begun_beside(5, system)
    assert small.wait(60)
    large, _ = begun_beside(7, system)
    assert not large.wait(0.05)  # 16 GB are free still, and promised
    machine(1)  # they are taken
    assert not large.wait(0.05)
    machine(11)
    end.set()
    assert large.wait(60)


def test_what_would_not_fit_alone_waits_for_nothing(machine):
    with (
        reserved_memory(20 * GB, machine(16)),
        reserved_memory(30 * GB, machine(16)),
        reserved_memory(1000, machine(16)),
    ):
        pass


def test_what_others_in_the_system_take_counts(machine, begun_beside):
    first, _ = begun_beside(2, machine(16))
    assert first.wait(60)
    second, _ = begun_beside(12, machine(11))
    assert not second.wait(0.05)
