"""Runs that are killed, stopped and resumed for as long as SOAK_MINUTES says: a third of one without it."""

import json
import os
import subprocess
import sys

import pytest
import soak


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="a process that has loaded libraries forks on Linux alone")
def test_a_process_holds_the_same_after_many_runs_that_were_killed_and_resumed():
    minutes = os.environ.get("SOAK_MINUTES", "0.33")
    ended = subprocess.run([sys.executable, soak.__file__, minutes], stdout=subprocess.PIPE, text=True, check=True)
    notes = [json.loads(line) for line in ended.stdout.splitlines()]
    assert notes[-1]["kills"] >= len(notes)
    for what in ("threads", "files", "children", "temporary"):
        assert {note[what] for note in notes} == {notes[0][what]}
    third = len(notes) // 3
    assert third > 0
    before, after = (max(note["memory"] for note in part) for part in (notes[:third], notes[-third:]))
    assert after <= 1.02 * before
