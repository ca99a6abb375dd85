"""Totals of campaigns: what was tried and what held, in docs/reliability.json, from which the page beside it is made.

    python -m tests.fuzz.totals             lays out the page
    python -m tests.fuzz.totals model       runs every campaign whose name has that word in full, and records it
    python -m tests.fuzz.totals model 500   with so many cases: a failure is told, nothing is recorded

What is no `Campaign`, such as kills of whole processes, is recorded by `record`.
"""

import json
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from tests.fuzz.campaign import SHOWN, run
from tests.fuzz.registry import CAMPAIGNS

DOCS = Path(__file__).parents[2] / "docs"
TOTALS, PAGE = DOCS / "reliability.json", DOCS / "reliability.md"

HEAD = """# Reliability

This page is generated: `python -m tests.fuzz.totals` lays it out from [`reliability.json`](reliability.json), and with
a word runs the campaigns of that name in full and counts anew. Samples of them are among the fast tests.

Held means: the right result, or a typed error in one line, from the command line with exit status 2. Nothing was
written that was not asked for, no process was ended by a signal, no case took more than a second of a CPU.

Data in HDF5 and MATLAB 7.3 are not in the table: of 941 changed files 10 crashed the HDF5 library and 3 gave no answer
within 20 seconds. `load(..., trusted=False)` reads such files in another process, which a crash or a limit ends.
Counts are of the day that is named; some code changed later that day.

| what | tried | held | counted on |
|---|---:|---:|---|
"""


def read():
    return json.loads(TOTALS.read_text(encoding="utf-8")) if TOTALS.exists() else []


def page(totals):
    """The text of docs/reliability.md."""
    return HEAD + "".join(f"| {one['what']} | {one['tried']:,} | {one['held']:,} | {one['when']} |\n" for one in totals)


def record(what, tried, held):
    """Put a line into docs/reliability.json, in the place of one of that name, and lay out the page."""
    line = {"what": what, "tried": tried, "held": held, "when": datetime.now(UTC).date().isoformat()}
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
        cases = int(count or campaign.full)
        with tempfile.TemporaryDirectory() as folder:
            failures = run(campaign, cases, Path(folder), timed=True)
        print(f"{campaign.what}: {cases - len(failures):,} of {cases:,} held", flush=True)
        print(*failures[:SHOWN], sep="\n")
        failed += len(failures)
        if count is None:
            record(campaign.what, cases, cases - len(failures))
    return bool(failed)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
