"""Totals of campaigns: what was tried and what held, in docs/reliability.json, from which the page beside it is made.

    python -m tests.fuzz.totals             lays out the page
    python -m tests.fuzz.totals model       runs every campaign whose name has that word in full, and records it
    python -m tests.fuzz.totals model 500   with so many cases: a failure is told, nothing is recorded

What is no `Campaign`, such as kills of whole processes, is recorded by `record`.
"""

import json
import sys
import tempfile
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

from tests.fuzz.campaign import SHOWN, run
from tests.fuzz.registry import CAMPAIGNS

DOCS = Path(__file__).parents[2] / "docs"
TOTALS, PAGE = DOCS / "reliability.json", DOCS / "reliability.md"

HEAD = """# Reliability

This page is generated: `python -m tests.fuzz.totals` lays it out from [`reliability.json`](reliability.json), and with
a word runs the campaigns of that name in full and counts again. Samples of them are among the fast tests.

Held means: the right result, or a typed error in one line, from the command line with exit status 2. Nothing was
written that was not asked for, no process was ended by a signal, no case took more than a second of a CPU.

HDF5 and MATLAB files are read by libraries in C, which damaged ones crash or keep in an endless loop: SIGSEGV and its
like, and SIGXCPU at the limit of CPU time. They were read in another process, as `load(..., trusted=False)` does, for
which either is an InputError in one line. Such cases are held, and counted separately; read without that argument they
would have ended the process.
A packed CSV of 165 bytes was not held: it has 492,642 columns, and was refused after 4 seconds of a CPU. The time to
read a table is in proportion to its columns, of which a million are read at most.
Counts are of the day that is named; some code changed later that day.

| what | tried | held | counted on |
|---|---:|---:|---|
"""


def read():
    return json.loads(TOTALS.read_text(encoding="utf-8")) if TOTALS.exists() else []


def page(totals):
    """The text of docs/reliability.md."""
    return HEAD + "".join(
        f"| {one['what']} | {one['tried']:,} | {one['held']:,}{_ended(one)} | {one['when']} |\n" for one in totals
    )


def _ended(one):
    ended = one.get("ended", {})
    counts = ", ".join(f"{count} {name}" for name, count in ended.items())
    return f"; {sum(ended.values())} by the end of the process: {counts}" if ended else ""


def record(what, tried, held, ended=None):
    """Put a line into docs/reliability.json, in the place of one of that name, and lay out the page."""
    line = {"what": what, "tried": tried, "held": held, "when": datetime.now(UTC).date().isoformat()}
    if ended:
        line["ended"] = dict(sorted(ended.items()))
    totals = {one["what"]: one for one in read()} | {what: line}
    lines = ",\n".join(json.dumps(one) for one in totals.values())
    TOTALS.write_text(f"[\n{lines}\n]\n", encoding="utf-8")
    PAGE.write_text(page(list(totals.values())), encoding="utf-8")


def main(word=None, count=None):
    PAGE.write_text(page(read()), encoding="utf-8")
    failed = 0
    for campaign in CAMPAIGNS if word else ():
        if word not in campaign.what:
            continue
        cases, ended = int(count or campaign.full), Counter()
        with tempfile.TemporaryDirectory() as folder:
            failures = run(campaign, cases, Path(folder), timed=True, ended=ended)
        print(f"{campaign.what}: {cases - len(failures):,} of {cases:,} held", *ended.items(), flush=True)
        print(*failures[:SHOWN], sep="\n")
        failed += len(failures)
        if count is None:
            record(campaign.what, cases, cases - len(failures), ended)
    return bool(failed)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
