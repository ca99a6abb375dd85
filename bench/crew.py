"""Worker processes that take turns: while one works the others are stopped, their spinning threads included."""

import contextlib
import importlib.util
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

from fastmlp.kernels.thread_team import available_cores

from .cpus import CPUS
from .peers import PEERS

REPOSITORY = Path(__file__).parents[1]
POOLS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS", "NPROC")


class Absent(Exception):
    """Why a competitor does not take part, in words."""


class Crew:
    """Every competitor as a process that serves all workloads: most runs are shorter than an import.

    log_folder gets what the processes print; cpu is one of `bench.cpus.CPUS`.
    """

    def __init__(self, log_folder, cpu="native"):
        self.log_folder, self.cpu, self.members = Path(log_folder), cpu, {}

    def member(self, name, threads):
        """The competitor's process, a new one where there is none or it has ended. Raises Absent, with the reason."""
        known = self.members.get((name, threads))
        if known is None or known.process.poll() is not None:
            log = self.log_folder / f"log-{name}-{threads}.txt"
            known = self.members[name, threads] = Member(log, name, threads, available_cores(), self.cpu)
        return known

    def close(self):
        """End all processes."""
        for member in self.members.values():
            member.close()


class Member:
    """One competitor with one number of threads, in a separate process. Raises Absent, with the reason."""

    def __init__(self, log, name, threads, cores, cpu="native"):
        for package in PEERS[name][0]:
            if importlib.util.find_spec(package) is None:
                raise Absent(f"{package} is not installed")
        self.name, self.threads = name, threads
        environment = {**os.environ, **dict.fromkeys(POOLS, str(threads)), **CPUS[cpu]}
        command = [sys.executable, "-m", "bench.worker", name, str(threads)]
        with open(log, "wb") as output:
            self.process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=output, cwd=REPOSITORY, env=environment
            )
        if "jax" in name and threads == 1 and cores > 1 and hasattr(os, "sched_setaffinity"):
            os.sched_setaffinity(self.process.pid, {max(os.sched_getaffinity(0))})

    def ask(self, request):
        """What the worker replies to "check", "turn" or "task FOLDER", after which it is stopped."""
        self._signal("SIGCONT")
        try:
            self.process.stdin.write(f"{request}\n".encode())
            self.process.stdin.flush()
        except (BrokenPipeError, ValueError):
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
