"""For a user without a home folder, such as one who is a bare number, in a container or a job."""

import atexit
import os
import shutil
import tempfile
from pathlib import Path


def lend_matplotlib_a_folder() -> None:
    """Where there is no home, give matplotlib a temporary folder for its settings; to be called before its import.

    Of itself it takes one from version 3.10 on, with a warning of several lines; before that its import fails.
    """
    if os.environ.get("MPLCONFIGDIR"):
        return
    try:
        Path.home()
    except RuntimeError:
        folder = tempfile.mkdtemp(prefix="matplotlib-")
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
        os.environ["MPLCONFIGDIR"] = folder
