"""Worker processes that take turns: while one works the others are stopped, their spinning threads included."""

import contextlib
import importlib.util
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

from .peers import PEERS

REPOSITORY = Path(__file__).parents[1]
POOLS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS", "NPROC")


class Absent(Exception):
    """Why a competitor does not take part, in words."""


class Member:
    """One competitor with one number of threads, in a process of its own. Raises Absent, with the reason."""

    def __init__(self, folder, name, threads, cores):
        if importlib.util.find_spec(PEERS[name][0]) is None:
            raise Absent(f"{PEERS[name][0]} is not installed")
        self.name, self.threads = name, threads
        self.log = Path(folder) / f"log-{name}-{threads}.txt"
        environment = {**os.environ, **dict.fromkeys(POOLS, str(threads))}
        command = [sys.executable, "-m", "bench.worker", str(folder), name, str(threads)]
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, cwd=REPOSITORY, env=environment
            )
        if name == "jax" and threads == 1 and cores > 1 and hasattr(os, "sched_setaffinity"):
            os.sched_setaffinity(self.process.pid, {max(os.sched_getaffinity(0))})
        self.title = self._read()["title"]
        self._pause()

    def ask(self, request):
        """What the worker replies to "check" or "turn"."""
        self._signal("SIGCONT")
        try:
            self.process.stdin.write(f"{request}\n".encode())
            self.process.stdin.flush()
        except BrokenPipeError:
            raise Absent("its process has ended") from None
        reply = self._read()
        self._pause()
        return reply

    def _read(self):
        line = self.process.stdout.readline()
        if not line:
            code = self.process.wait()
            self.close()
            raise Absent(f"its process ended with code {code}")
        reply = json.loads(line)
        if "absent" in reply:
            self.close()
            raise Absent(reply["absent"])
        return reply

    def _pause(self):
        self._signal("SIGSTOP")

    def _signal(self, name):
        if hasattr(signal, name) and self.process.poll() is None:
            self.process.send_signal(getattr(signal, name))

    def close(self):
        """End the process."""
        self.process.kill()
        self.process.wait()
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.close()
        self.process.stdout.close()
