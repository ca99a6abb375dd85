"""Names of IDX files: which part of a collection they are, and where the labels of images are."""

import os
import re
from pathlib import Path

from fastmlp.data.checks import no_part
from fastmlp.errors import InputError

PACKED = (".gz", ".xz", ".bz2")
_IMAGES = re.compile(r"images[.-]idx[234]")
# MNIST: train-, t10k-; EMNIST: emnist-letters-train-, emnist-letters-test-; QMNIST: qmnist-train-, qmnist-test-.
_WORDS = {
    "train": ("train",),
    "validation": ("val", "valid", "validation"),
    "test": ("t10k", "test"),
}
_WORD = re.compile(rf"(?:^|(?<=[-_.]))({'|'.join(word for words in _WORDS.values() for word in words)})(?=[-_.])")


def part_named(name: str) -> str | None:
    """Return the part that the name of a file of images says it is, or None.

    Parameters
    ----------
    name : str
        Name of the file.
    """
    word = _WORD.search(name)
    return next(part for part, words in _WORDS.items() if word[1] in words) if word else None


def images_of(path: Path, part: str) -> Path:
    """Find the file of images of a part.

    Parameters
    ----------
    path : Path
        A file of images, whose name says which part it is, or a folder. For "train" it is the file itself, whatever
        its name.
    part : {"train", "validation", "test"}
        The part.

    Returns
    -------
    Path
        `path` itself, or a file beside it, or in it.

    Raises
    ------
    InputError
        If there is none, or in a folder there is more than one; of type `NoTestPart` for the test part.
    """
    if path.is_dir():
        return _images_in(path, part)
    named = part_named(path.name)
    if part in ("train", named):
        return path  # as samples to train on, any file will do
    beside = [_WORD.sub(word, path.name, count=1) for word in _WORDS[part]] if named else []
    for name in beside:
        found = _packed_or_not(path.with_name(name))
        if found:
            return found
    looked_for = f": expected it beside it, in {' or '.join(beside)}" if beside else ""
    raise no_part(part, f"{path} has no {part} part{looked_for}; give the path of the {part} images instead")


def labels_beside(images: Path) -> Path:
    """Find the file of labels of images: `labels` for `images`, `idx1` or QMNIST's `idx2-int` for `idx3`.

    Parameters
    ----------
    images : Path
        File of images.

    Returns
    -------
    Path
        File of labels, compressed or not.

    Raises
    ------
    InputError
        If the name has no `images` in it, or there is no such file.
    """
    name = re.sub(r"idx[234]", "idx1", images.name.replace("images", "labels"))
    if name == images.name or "images" not in images.name:
        raise InputError(
            f"{images}: expected a name with `images` in it, such as train-images-idx3-ubyte.gz, so that the labels "
            "can be found beside it: rename it, or give the folder"
        )
    for candidate in (name, re.sub(r"idx1-\w+", "idx2-int", name)):
        found = _packed_or_not(images.with_name(candidate))
        if found:
            return found
    raise InputError(f"{images}: expected its labels beside it, in {name}: put them there")


def are_emnist(images: Path) -> bool:
    """Return True for images of EMNIST, whose files have the columns of each image in place of its rows.

    Parameters
    ----------
    images : Path
        File of images.
    """
    return images.name.lower().startswith("emnist")


def is_folder_of_idx(folder: Path) -> bool:
    """Return True if a folder has a file of images.

    Parameters
    ----------
    folder : Path
        A folder.
    """
    return any(_IMAGES.search(name) for name in os.listdir(folder))


def _packed_or_not(path: Path) -> Path | None:
    """Return a file that has this name, or the name with another ending of compression; None if there is none."""
    plain = path.with_suffix("") if path.suffix in PACKED else path
    candidates = [path, plain, *(plain.with_name(plain.name + ending) for ending in PACKED)]
    return next((candidate for candidate in candidates if os.path.lexists(candidate)), None)


def _images_in(folder: Path, part: str) -> Path:
    """Return the file of images of a part in a folder; what no name says to be another part is for training."""
    found = sorted(file for file in folder.iterdir() if _IMAGES.search(file.name))
    wanted = [file for file in found if (part_named(file.name) or "train") == part]
    if not wanted:
        word = _WORDS[part][0]
        raise no_part(
            part,
            f"{folder} has no {part} images; expected a file named like {word}-images-idx3-ubyte.gz: give the file "
            "or another folder",
        )
    plain_and_packed = {file.stem if file.suffix in PACKED else file.name for file in wanted}
    if len(plain_and_packed) > 1:
        raise InputError(f"{folder} has {' and '.join(sorted(plain_and_packed))}; give one of them")
    return wanted[0]
