"""The import of matplotlib where its surroundings are not those it expects."""

import atexit
import os
import shutil
import sys
import tempfile
from contextlib import suppress
from pathlib import Path


def import_matplotlib() -> None:
    """Import matplotlib; call this before anything imports a part of it.

    Without a home folder, as of a user known by a number alone in a container or a job, it gets a temporary one for its
    settings: by itself it makes one from version 3.10 on, with a warning of several lines; before, its import fails.

    A backend in MPLBACKEND that is not installed is passed over, for nothing here is drawn by it: what is started from
    a notebook inherits that of the notebook, which another Python often lacks, and the import would fail.
    """
    if "matplotlib" in sys.modules:
        return
    _ensure_config_folder()
    backend = os.environ.pop("MPLBACKEND", None)
    try:
        import matplotlib
    finally:
        if backend is not None:
            os.environ["MPLBACKEND"] = backend
    if backend:
        with suppress(ValueError):
            matplotlib.rcParams["backend"] = backend  # as the import does


def _ensure_config_folder() -> None:
    if os.environ.get("MPLCONFIGDIR"):
        return
    try:
        Path.home()
    except RuntimeError:
        folder = tempfile.mkdtemp(prefix="matplotlib-")
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
        os.environ["MPLCONFIGDIR"] = folder
