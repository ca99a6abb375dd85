"""The synthetic digits as a Dataset, kept in the cache between runs."""

import hashlib
import zipfile
import zlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fastmlp.data.checks import check_file
from fastmlp.data.collections import glyphs
from fastmlp.data.collections.cache import cache_folder, save_to_cache
from fastmlp.data.dataset import Dataset
from fastmlp.utils.npz import npz_bytes

Arrays = tuple[NDArray[np.uint8], NDArray[np.int64]]


def load_glyphs(part: str) -> Dataset:
    """Load a part of the synthetic digits from the cache, or draw them, which takes seconds.

    Parameters
    ----------
    part : {"train", "test"}
        Which part, of 60,000 or 10,000 images.

    Returns
    -------
    Dataset
        Images (N, 784) uint8 and their labels.
    """
    folder = cache_folder()
    name = f"glyphs-{glyphs.VERSION}-{part}.npz"
    arrays = None if folder is None else _cached(folder / name, glyphs.COUNTS[part])
    if arrays is None:
        arrays = glyphs.draw(part)
        save_to_cache(name, npz_bytes({"X": arrays[0], "y": arrays[1], "digest": np.array(_digest(*arrays))}))
    X, y = arrays
    source = "glyphs: synthetic digits, drawn from fonts"
    return Dataset(
        X, y, np.arange(10), (28, 28), "glyphs (synthetic digits)", synthetic=True, source=source, key="glyphs"
    )


def _cached(path: Path, count: int) -> Arrays | None:
    """Read the arrays of the cache; None when they are absent, damaged or others."""
    try:
        check_file(path)
        with open(path, "rb") as file, np.load(file, allow_pickle=False) as archive:
            X, y, digest = archive["X"], archive["y"], str(archive["digest"])
    except (OSError, KeyError, ValueError, EOFError, zipfile.BadZipFile, zlib.error):
        return None
    return (X, y) if X.shape == (count, 784) and digest == _digest(X, y) else None


def _digest(X: NDArray[np.uint8], y: NDArray[np.int64]) -> str:
    """Return the SHA-256 of the images and labels."""
    return hashlib.sha256(X.tobytes() + y.tobytes()).hexdigest()
