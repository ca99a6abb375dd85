"""Downloaded and drawn data, kept between runs in the folder that compiled kernels are kept in too."""

from contextlib import suppress
from pathlib import Path

from fastmlp.kernels import cache_folder as kernels_cache
from fastmlp.utils.atomic_files import write_bytes


def cache_folder() -> Path | None:
    """Return the cache folder, which need not exist yet; None if the user has no home folder."""
    try:
        folder: Path = kernels_cache.cache_folder()
    except RuntimeError:
        return None
    return folder


def save_to_cache(name: str | Path, data: bytes | memoryview) -> None:
    """Write a file of the cache, if that is possible: if not, the next run has to get the data again.

    Parameters
    ----------
    name : str or Path
        Path of the file within the cache.
    data : bytes or memoryview
        Its content.
    """
    if (folder := cache_folder()) is not None:
        with suppress(OSError):
            write_bytes(folder / name, data)
