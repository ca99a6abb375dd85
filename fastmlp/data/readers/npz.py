"""Numpy's .npz archives, in which notMNIST and MNIST are often published."""

import zipfile
import zlib
from pathlib import Path

import numpy as np

from fastmlp.data.checks import NoTestPart, picture_shape, read_inputs, read_labels
from fastmlp.data.dataset import Dataset
from fastmlp.data.readers.reader import Reader
from fastmlp.errors import InputError

# Keys of inputs and labels; upper or lower case does not matter. The last two are those of Keras' mnist.npz.
PAIRS = {
    "train": (("images", "labels"), ("x", "y"), ("xdata", "ydata"), ("x_train", "y_train")),
    "test": (("x_test", "y_test"),),
}


class NPZReader(Reader):
    """Archives of `images` (N, 28, 28) or (N, D) and `labels` (N,) or one-hot, or under other keys as in `PAIRS`."""

    name = "npz"
    endings = (".npz",)
    has_test_part = True

    def recognises(self, head: bytes) -> bool:
        """Return True for the signatures of zip archives."""
        return head.startswith((b"PK\x03\x04", b"PK\x05\x06"))

    def read(self, path: Path, *, part: str = "train", n_features: int | None = None) -> Dataset:
        """Read a file as `Reader.read` describes."""
        try:
            # Opened here: numpy leaves a file that it opened itself open when it turns out to be no archive.
            with open(path, "rb") as file, np.load(file, allow_pickle=False) as archive:
                inputs, labels = _keys(path, archive.files, part)
                images, values = np.asarray(archive[inputs]), np.asarray(archive[labels])
        except (zipfile.BadZipFile, zlib.error, EOFError, OSError) as error:
            raise InputError(
                f"{path} cannot be read as npz ({error}); it is damaged or cut short: copy it anew"
            ) from error
        except InputError:  # itself a ValueError
            raise
        except ValueError as error:
            raise InputError(
                f"{path} has something else than plain arrays ({error}); expected numbers: write it with numpy.savez"
            ) from error
        X = read_inputs(f"{path}: {inputs}", images.shape, images.dtype, images.__getitem__)
        y, classes = read_labels(f"{path}: {labels}", values, len(X))
        return Dataset(X, y, classes, picture_shape(images.shape, X), path.name)


def _keys(path: Path, names: list[str], part: str) -> tuple[str, str]:
    """Return the keys of a part's inputs and labels. Raises InputError, NoTestPart."""
    by_lower = {name.lower(): name for name in names}
    for inputs, labels in PAIRS[part]:
        if inputs in by_lower and labels in by_lower:
            return by_lower[inputs], by_lower[labels]
    expected = " or ".join(f"`{inputs}` and `{labels}`" for inputs, labels in PAIRS[part])
    kind = NoTestPart if part == "test" else InputError
    raise kind(f"{path} has the keys {', '.join(names) or 'none'}; expected {expected}: rename its arrays so")
