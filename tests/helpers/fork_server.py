"""A process that has everything loaded and forks a child for every command, so that a start costs milliseconds.

Reads a line of JSON per command from stdin: arguments; after, the seconds until the child gets the signal (if none is
given: kill -9), or at, the number of the write, fsync or rename at which it kills itself, or neither; err, a file for
its stderr. SIGINT and SIGTERM reach the child once it listens: until then they would end any process without a word.
Writes a line of JSON: status (negative: a signal ended it), seconds. Its own arguments are the command that loads the
modules and the kernels; it leaves no thread.
"""

import json
import os
import signal
import sys
import threading
import time
from contextlib import contextmanager

import pytest
from faults import FailingDisk, run_quickly, write_often

import fastmlp.cli.main
import fastmlp.utils.atomic_files
from fastmlp.cli.main import command, main
from fastmlp.cli.signals import SIGNALS, stoppable


class DeadlyDisk(FailingDisk):
    """The n-th call kills the process; a write has then taken half of its bytes."""

    def write(self, descriptor, data):
        if self._reached():
            os.write(descriptor, data[: len(data) // 2])
        self._fail()
        return os.write(descriptor, data)

    def _fail(self, *_):
        if not self.spared:
            os.kill(os.getpid(), signal.SIGKILL)
            time.sleep(60)  # a thread may run on for a moment


@contextmanager
def stoppable_from_here(ignored_after):
    with stoppable(ignored_after):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)
        yield


def child(arguments, at, err):
    quiet = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1):
        os.dup2(quiet, descriptor)
    os.dup2(os.open(err, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), 2)
    fastmlp.utils.atomic_files.os = DeadlyDisk(at)
    fastmlp.cli.main.stoppable = stoppable_from_here
    signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored where the tests run in the background
    sys.argv[1:] = arguments
    try:
        command()
    except SystemExit as end:  # without what takes the interpreter a second when all is loaded
        os._exit(end.code)


def run(arguments, after=None, number=signal.SIGKILL, at=None, err=os.devnull):
    begun = time.monotonic()
    blocked_before = signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
    process = os.fork()
    if process == 0:
        child(arguments, at, err)
    signal.pthread_sigmask(signal.SIG_SETMASK, blocked_before)
    if after is not None:
        while time.monotonic() - begun < after:
            if os.waitid(os.P_PID, process, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None:
                break
            time.sleep(0.0005)
        os.kill(process, number)
    _, status = os.waitpid(process, 0)
    return {"status": os.waitstatus_to_exitcode(status), "seconds": time.monotonic() - begun}


def serve(warming):
    patch = pytest.MonkeyPatch()
    write_often(patch)
    run_quickly(patch)
    output, sys.stdout = sys.stdout, sys.stderr
    status = main(warming)
    if status != 0 or threading.active_count() > 1:
        sys.exit(f"loading ended with status {status}, {threading.active_count()} threads")
    for line in sys.stdin:
        print(json.dumps(run(**json.loads(line))), file=output, flush=True)


if __name__ == "__main__":
    serve(sys.argv[1:])
