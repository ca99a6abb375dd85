"""The folder where downloaded and drawn data are kept between runs."""

import os
from pathlib import Path


def cache_folder() -> Path:
    """$FASTMLP_CACHE, or the user's cache folder of this system. It need not exist yet."""
    if chosen := os.environ.get("FASTMLP_CACHE"):
        return Path(chosen)
    import pooch

    return Path(pooch.os_cache("fastmlp"))
