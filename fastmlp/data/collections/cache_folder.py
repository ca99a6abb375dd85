"""The folder where downloaded and drawn data are kept between runs."""

import os
from contextlib import suppress
from pathlib import Path

from fastmlp.utils.atomic_files import write_bytes


def cache_folder() -> Path | None:
    """$FASTMLP_CACHE, or the user's cache folder of this system. It need not exist yet.

    None where that is in a home that is not known, such as of a user who is a bare number: nothing is kept then.
    """
    try:
        if chosen := os.environ.get("FASTMLP_CACHE"):
            return Path(chosen).expanduser()
        import pooch

        return Path(pooch.os_cache("fastmlp")).expanduser()  # some versions leave ~ as it is where there is no home
    except RuntimeError:
        return None


def keep(name: str | Path, data: bytes | memoryview) -> None:
    """Write a file of the cache, if that can be: if not, the next run only has to get the data again."""
    if (folder := cache_folder()) is not None:
        with suppress(OSError):
            write_bytes(folder / name, data)
