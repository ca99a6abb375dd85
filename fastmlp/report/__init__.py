"""The report of a run: one page that opens anywhere, offline."""

import os
from pathlib import Path

from fastmlp.report.page import render
from fastmlp.report.run_card import read_run
from fastmlp.utils.atomic_files import write_text

__all__ = ["read_run", "write_report"]


def write_report(folder: str | os.PathLike[str]) -> Path:
    """Write `report.html` into a run; the same run gives the same bytes.

    The page needs no other file. It shows what exists: a run that is only swept has no test accuracy yet.

    Parameters
    ----------
    folder : str or path-like
        The run directory.

    Raises
    ------
    InputError
        When the folder holds no finished sweep, or one of its JSON files is damaged.
    """
    view = read_run(folder)
    write_text(view.run.report, render(view))
    return view.run.report
