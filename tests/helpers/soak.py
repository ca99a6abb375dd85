"""A soak: runs that are killed and stopped at random moments and resumed, most of them in one process, for minutes.

    python tests/helpers/soak.py 30

Each run is killed (kill -9) or stopped (SIGTERM) in other processes, stopped in this one, and then ended in this one,
to the bits of a run that nothing disturbed. After each run this process notes what it holds, as a line of JSON: its
memory in bytes, threads, open files, children, temporary files. Linux alone.
"""

import contextlib
import gc
import json
import os
import random
import shutil
import signal
import sys
import tempfile
import threading
import time
from pathlib import Path

import numpy as np
from faults import bits, check_whole, leftovers
from forking import Server

from fastmlp.cli.main import main

RECIPE = """
title = "Soak"
[data]
validation = 0.25
[network]
hidden = [8]
[training]
batch_size = 50
epochs = 3
optimizer = "adam"
dropout = 0.1
[grid]
learning_rate = [0.01, 0.001]
"""
FEWEST = 3
PAGE = os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else 0


def held(temporary):
    """What this process holds."""
    gc.collect()
    (child,) = Path("/proc/self/task").glob(f"{os.getpid()}/children")
    return {
        "memory": PAGE * int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]),
        "threads": len(os.listdir("/proc/self/task")),
        "files": len(os.listdir("/proc/self/fd")),
        "children": len(child.read_text(encoding="ascii").split()),
        "temporary": len(list(temporary.rglob("*"))),
    }


def run(arguments, after=None):
    """Run the command line in this process, and send SIGTERM after so many seconds; its status."""
    timer = threading.Timer(after or 0, os.kill, (os.getpid(), signal.SIGTERM))
    with open(os.devnull, "w", encoding="utf-8") as nowhere, contextlib.redirect_stdout(nowhere):
        if after is not None:
            timer.start()
        status = main(list(map(str, arguments)))
    timer.cancel()
    if after is not None:
        timer.join()
    return status


def soak(minutes, folder, choose):
    """Kill, stop and resume runs for so many minutes; yields what this process holds after each."""
    temporary = folder / "temporary"
    temporary.mkdir()
    os.environ["TMPDIR"] = tempfile.tempdir = str(temporary)
    signal.signal(signal.SIGTERM, lambda *_: None)  # of one that comes after the end of a run
    (folder / "recipe.toml").write_text(RECIPE, encoding="utf-8")
    for name, count in (("train.npz", 200), ("test.npz", 60)):
        images = np.random.default_rng(count).integers(0, 256, (count, 8, 8)).astype(np.uint8)
        np.savez(folder / name, images=images, labels=np.arange(count) % 3)

    def arguments(out):
        return ["run", "-q", folder / "recipe.toml", "--data", folder / "train.npz", "--test", folder / "test.npz",
                "--threads", "2", "--out", folder / out]  # fmt: skip

    server = Server(arguments("warming"))
    assert run(arguments("undisturbed")) == 0
    expected = drawn_alike(folder / "undisturbed")
    _, life = server.run(arguments("timed"))
    begun = time.monotonic()
    assert run(arguments("timed-here")) == 0
    own_life = time.monotonic() - begun
    until, kills, runs = time.monotonic() + 60 * minutes, 0, 0
    while time.monotonic() < until or runs < FEWEST:
        runs += 1
        for _ in range(choose.randint(1, 4)):
            number = choose.choice((signal.SIGKILL, signal.SIGKILL, signal.SIGTERM))
            status, _ = server.run(arguments("run"), after=choose.uniform(0, life), number=number)
            assert status in (0, -signal.SIGKILL, 128 + signal.SIGTERM), status
            kills += status != 0
            if (folder / "run").exists():
                check_whole(folder / "run")
        status = run(arguments("run"), after=choose.uniform(0, own_life))
        assert status in (0, 128 + signal.SIGTERM), status
        kills += status != 0
        assert run(arguments("run")) == 0
        assert drawn_alike(folder / "run") == expected
        assert leftovers(folder / "run") == []
        shutil.rmtree(folder / "run")
        yield {"seconds": round(time.monotonic() - until + 60 * minutes), "kills": kills, **held(temporary)}
    server.close()


def drawn_alike(run):
    """The bits of a run but for its images, which the other processes only sketch."""
    return {name: value for name, value in bits(run).items() if not name.endswith(".png")}


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        for line in soak(float(sys.argv[1]), Path(folder), random.Random(0)):
            print(json.dumps(line), flush=True)
