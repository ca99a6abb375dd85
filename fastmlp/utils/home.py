"""Help for users without a home folder, such as one known by a number alone, in a container or a job."""

import atexit
import os
import shutil
import tempfile
from pathlib import Path


def ensure_matplotlib_config_folder() -> None:
    """Give matplotlib a temporary folder for its settings where there is no home; to be called before its import.

    By itself matplotlib makes one from version 3.10 on, with a warning of several lines; before, its import fails.
    """
    if os.environ.get("MPLCONFIGDIR"):
        return
    try:
        Path.home()
    except RuntimeError:
        folder = tempfile.mkdtemp(prefix="matplotlib-")
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
        os.environ["MPLCONFIGDIR"] = folder
