"""The folder that is kept between processes: compiled kernels, and the data that were downloaded or drawn."""

import os
import sys
from pathlib import Path


def cache_folder() -> Path:
    """$FASTMLP_CACHE, or fastmlp's folder among the caches of the user on this system. It need not exist yet.

    Raises RuntimeError where the user has no home folder, such as one known by a number alone.
    """
    chosen = os.environ.get("FASTMLP_CACHE")
    if chosen:
        return Path(chosen).expanduser()
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local") / "fastmlp" / "Cache"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "fastmlp"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "fastmlp"
