"""The report of a run: one page that opens anywhere, offline."""

import os
from pathlib import Path

from fastmlp.report.page import render
from fastmlp.report.run_view import read_run
from fastmlp.utils.atomic_files import write_text


def write_report(folder: str | os.PathLike[str]) -> Path:
    """Write `report.html` into the run in `folder` and return its path; the same run gives the same bytes.

    The page needs no other file. It tells what is there: a run that is only swept has no test accuracy yet.
    Raises InputError when the folder holds no finished sweep.
    """
    view = read_run(folder)
    write_text(view.run.report, render(view))
    return view.run.report
