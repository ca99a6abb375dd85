"""The drawn digits as a Dataset, kept in the cache between runs."""

import hashlib
import io
import zipfile
import zlib

import numpy as np

from fastmlp.data.checks import check_file
from fastmlp.data.collections import glyphs
from fastmlp.data.collections.cache import cache_folder, save_to_cache
from fastmlp.data.dataset import Dataset


def load_glyphs(part: str) -> Dataset:
    """A part of the synthetic digits, 60,000 or 10,000 pictures: from the cache, or else drawn within seconds."""
    folder = cache_folder()
    name = f"glyphs-{glyphs.VERSION}-{part}.npz"
    arrays = None if folder is None else _kept(folder / name, glyphs.COUNTS[part])
    if arrays is None:
        arrays = glyphs.draw(part)
        save_to_cache(name, _archive(*arrays))
    X, y = arrays
    return Dataset(
        X,
        y,
        10,
        (28, 28),
        "glyphs (synthetic digits)",
        synthetic=True,
        source="glyphs: synthetic digits, drawn from fonts",
        key="glyphs",
    )


def _kept(path, count):
    """The arrays in the cache, None when they are absent, damaged or others."""
    try:
        check_file(path)
        with open(path, "rb") as file, np.load(file, allow_pickle=False) as archive:
            X, y, digest = archive["X"], archive["y"], str(archive["digest"])
    except (OSError, KeyError, ValueError, EOFError, zipfile.BadZipFile, zlib.error):
        return None
    return (X, y) if X.shape == (count, 784) and digest == _digest(X, y) else None


def _archive(X, y):
    archive = io.BytesIO()
    np.savez(archive, X=X, y=y, digest=np.array(_digest(X, y)))
    return archive.getbuffer()


def _digest(X, y):
    return hashlib.sha256(X.tobytes() + y.tobytes()).hexdigest()
