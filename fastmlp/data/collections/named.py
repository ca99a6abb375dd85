"""Collections that are known by name: where each is looked for, and the digests that its files must have."""

import os
from dataclasses import replace
from pathlib import Path

import numpy as np

from fastmlp.data.collections.cache import cache_folder, save_to_cache
from fastmlp.data.collections.notmnist import part_rows
from fastmlp.data.dataset import Dataset
from fastmlp.data.readers.idx import idx_dataset, raw_digest, read_idx
from fastmlp.errors import InputError
from fastmlp.utils.paths import user_path

_FOUR = {
    "train": ("train-images-idx3-ubyte", "train-labels-idx1-ubyte"),
    "test": ("t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"),
}
_NOTMNIST = ("notmnist-small-subset-images-idx3-ubyte", "notmnist-small-subset-labels-idx1-ubyte")
# The images and the labels of each part; both parts of notMNIST are drawn from the same two files.
FILES = {"mnist": _FOUR, "fashion-mnist": _FOUR, "notmnist": dict.fromkeys(_FOUR, _NOTMNIST)}
# SHA-256 of the unpacked files, the same on every mirror; how they were gzipped may differ.
DIGESTS = {
    "mnist": {
        "train-images-idx3-ubyte": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
        "train-labels-idx1-ubyte": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
        "t10k-images-idx3-ubyte": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
        "t10k-labels-idx1-ubyte": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
    },
    "fashion-mnist": {
        "train-images-idx3-ubyte": "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
        "train-labels-idx1-ubyte": "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
        "t10k-images-idx3-ubyte": "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
        "t10k-labels-idx1-ubyte": "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
    },
    "notmnist": {
        "notmnist-small-subset-images-idx3-ubyte": "881ab994c9bb47abcb5ccdb381c7bd6a4f83601c1daa3c9a53453ba0537eca6a",
        "notmnist-small-subset-labels-idx1-ubyte": "5c46d30e3107fcae978d698316805d57cf67ad7f90ec13e77939b266cd141b6e",
    },
}
MOST_BYTES = 1 << 26  # of a file, unpacked
MIRRORS: dict[str, tuple[str, ...]] = {
    "mnist": (
        "https://ossci-datasets.s3.amazonaws.com/mnist",
        "https://storage.googleapis.com/cvdf-datasets/mnist",
    ),
    "fashion-mnist": (
        "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com",
        "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion",
    ),
    "notmnist": (),
}
CLASS_NAMES = {
    "fashion-mnist": (  # from the README of zalandoresearch/fashion-mnist
        *("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"),
    ),
    "notmnist": tuple("ABCDEFGHIJ"),
}


def load_named(name: str, part: str) -> Dataset:
    """Load a part of a collection from the first folder that has it undamaged, else from a mirror.

    Parameters
    ----------
    name : {"mnist", "fashion-mnist", "notmnist"}
        The last has no mirror; how it is divided is described in `fastmlp.data.collections.notmnist`.
    part : {"train", "test"}
        Which part of it.

    Returns
    -------
    Dataset
        Images (N, 784) uint8 and their labels.

    Raises
    ------
    InputError
        If it is found nowhere; the message gives the reason for each place.
    """
    rejected = []
    for folder in _folders(name):
        try:
            arrays = [_local(folder, name, file) for file in FILES[name][part]]
        except InputError as error:
            rejected.append(str(error))
            continue
        found = [array for array in arrays if array is not None]
        if len(found) == len(arrays):
            return _dataset(name, part, found, str(folder))
    try:
        downloaded = [_download(name, file) for file in FILES[name][part]]
    except InputError as error:
        reasons = "; ".join([*rejected, str(error)])
        raise InputError(f"{name} was not found and could not be downloaded ({reasons}); {how_to_get(name)}") from error
    return _dataset(name, part, downloaded, "a mirror")


def how_to_get(name: str) -> str:
    """Return what to do where a collection cannot be found, as the end of a message.

    Parameters
    ----------
    name : str
        Of the collection.
    """
    files = [f"{file}.gz" for file in DIGESTS[name]]
    listed = " and ".join(files) if len(files) == 2 else "its four gzipped files"
    origin = f", from {MIRRORS[name][0]}," if MIRRORS[name] else ""
    return f"put {listed}{origin} into {Path('data', name)}, or set FASTMLP_DATA to the folder with {name}"


def _folders(name: str) -> list[Path]:
    """List where to look, in this order: each root may have a folder of that name, or the files themselves."""
    chosen = os.environ.get("FASTMLP_DATA")
    roots = [user_path(chosen) if chosen else None, Path("data"), cache_folder()]
    return [folder for root in roots if root is not None for folder in (root / name, root)]


def _local(folder: Path, name: str, file: str) -> np.ndarray | None:
    """Read a file of a folder, gzipped or plain; None when there is none. Raises InputError for a wrong one."""
    for spelling in (file, file.replace("-idx", ".idx")):
        for path in (folder / f"{spelling}.gz", folder / spelling):
            if os.path.lexists(path):
                return _verified(read_idx(path, str(path), MOST_BYTES), str(path), name, file)
    return None


def _verified(array: np.ndarray, where: str, name: str, file: str) -> np.ndarray:
    """Return an array if it is that of the collection. Raises InputError for another."""
    digest = raw_digest(array)
    if digest != DIGESTS[name][file]:
        raise InputError(f"{where} is not the {file} of {name}: its SHA-256 is {digest[:12]}..., unpacked; replace it")
    return array


def _download(name: str, file: str) -> np.ndarray:
    """Read a file from a mirror, and save it to the cache."""
    from fastmlp.data.collections.download import fetch

    if not MIRRORS[name]:
        raise InputError("no mirror is known")
    if os.environ.get("FASTMLP_OFFLINE", "0") not in ("", "0"):
        raise InputError("FASTMLP_OFFLINE is set")

    def accept(content: bytes) -> np.ndarray:
        array = _verified(read_idx(content, f"{file}.gz", MOST_BYTES), f"{file}.gz", name, file)
        save_to_cache(Path(name, f"{file}.gz"), content)
        return array

    return fetch([f"{mirror}/{file}.gz" for mirror in MIRRORS[name]], accept)


def _dataset(name: str, part: str, arrays: list[np.ndarray], origin: str) -> Dataset:
    """Make a Dataset of the images and labels of a collection."""
    images, labels = arrays
    if name == "notmnist":
        rows = part_rows(images, part)
        images, labels = images[rows], labels[rows]
    dataset = idx_dataset(images, labels, *FILES[name][part], name)
    names = CLASS_NAMES.get(name, ())
    return replace(dataset, classes=np.arange(10), class_names=names, source=f"{name} from {origin}", key=name)
