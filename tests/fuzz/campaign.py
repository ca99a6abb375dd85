"""A campaign: hostile cases of one kind, each made from its number alone, and what became of them."""

import contextlib
import io
import random
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from fastmlp.cli.main import main

MOST_SECONDS = 1.0  # of a CPU, for one case
SHOWN = 5  # failures that a run tells of in full


@dataclass(frozen=True)
class Campaign:
    """Cases of one kind.

    Attributes
    ----------
    what : str
        Its line in docs/reliability.md.
    prepare : callable
        From a folder, which campaigns share, to a function that makes and tries the case of a random generator; what
        that raises is a failure.
        Where a process that read the case was ended by a signal, which the library tells of, the result is an `Ended`.
    full, sample : int
        Number of cases for the page, and in the fast tests.
    """

    what: str
    prepare: Callable[[Path], Callable[[random.Random], object]]
    full: int = 20_000
    sample: int = 80


class Ended(str):
    """The name of a signal that ended another process, such as SIGSEGV."""


def run(campaign, count, folder, timed=False, ended=None):
    """Try the cases 0 to `count`. Returns one text per failure: what was raised, and the number of the case.

    Signals that ended other processes are counted in the Counter `ended`.
    """
    case, failures = campaign.prepare(folder), []
    for number in range(count):
        begun = time.process_time()
        try:
            result = case(random.Random(f"{campaign.what} {number}"))
            if isinstance(result, Ended) and ended is not None:
                ended[result] += 1
        except Exception:
            failures.append(f"case {number}: {traceback.format_exc(limit=-3)}")
        seconds = time.process_time() - begun
        if timed and seconds > MOST_SECONDS:
            failures.append(f"case {number}: took {seconds:.1f} s of a CPU")
    return failures


def command(*arguments, folder):
    """Run the command line in this process; what it refuses is one line and leaves the files of a folder alone."""
    before = _state(folder)
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        status = main([str(argument) for argument in arguments])
    said = err.getvalue()
    if status != 0:
        assert (status, said.count("\n"), out.getvalue()) == (2, 1, ""), (status, said, out.getvalue())
        assert said.rstrip("\n").isprintable(), repr(said)
        assert 0 < len(said) < 1500, said
        assert _state(folder) == before, said
    return status, said


def _state(folder):
    files = (path for path in folder.rglob("*") if path.name != ".lock")
    return {path: (stat.st_mtime_ns, stat.st_size) for path in files if (stat := path.lstat())}
