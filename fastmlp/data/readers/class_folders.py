"""A folder that has a folder of PNG or JPEG files for each class, as notMNIST and many collections are published."""

from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fastmlp.data.checks import no_part, read_inputs, shape_of_images, square
from fastmlp.data.dataset import Dataset, Inputs
from fastmlp.data.image_files import ENDINGS, SIGNATURES, is_image_name, like_training, read_image
from fastmlp.data.readers.reader import Expected, Reader
from fastmlp.errors import InputError
from fastmlp.inputs.image_style import ImageStyle
from fastmlp.utils.labels import distinct

PARTS = {
    "train": ("train", "training"),
    "validation": ("val", "valid", "validation"),
    "test": ("test", "testing"),
}


class ClassFoldersReader(Reader):
    """Folders of images, each named by its label; or folders `train`, `val` and `test` with such folders in them.

    Labels are whole numbers if all names are such, else text. All images have to have one size; colours become grey.
    """

    name = "a folder of images"
    endings = ENDINGS
    has_parts = True

    def recognises(self, head: bytes) -> bool:
        """Return True for a single image, which `read` refuses."""
        return head.startswith(SIGNATURES)

    def recognises_folder(self, folder: Path) -> bool:
        """Return True for a folder with images, in folders or not."""
        return bool(_all_images(folder))

    def read(self, path: Path, *, part: str = "train", n_features: int | None = None) -> Dataset:
        """Read a folder as `Reader.read` describes."""
        if not path.is_dir():
            raise InputError(
                f"{path} is one image, without a label; expected a folder with a folder of images for each class"
            )
        roots = _parts(path) or {"train": path}
        if part not in roots:
            wanted = f"expected a folder {' or '.join(PARTS[part])} in it"
            raise no_part(part, f"{path} has no {part} part; {wanted}: give the path of the {part} images instead")
        dataset = _read(roots[part], path.name)
        if part != "train" or "validation" not in roots:
            return dataset
        return replace(dataset, validation=_read(roots["validation"], path.name))

    def read_inputs(self, path: Path, expected: Expected) -> Inputs:
        """Read an image, or all those of a folder and of the folders in it, made like those of the training."""
        paths = _all_images(path) if path.is_dir() else [path]
        style = expected.image_style or _assumed(path, expected.n_features)
        X = np.stack([like_training(read_image(image), style) for image in paths])
        ids = tuple(image.relative_to(path).as_posix() if path.is_dir() else image.name for image in paths)
        return Inputs(X, ids, style.shape, path.name, (f"images become {style.describe()}",), "file")


def _all_images(folder: Path) -> list[Path]:
    """Return the images in a folder and in the folders in it, down to those of the classes of parts."""
    found = _in(folder)
    for child in _folders(folder):
        found += [path for paths in ({"": _in(child)} | _images(child)).values() for path in paths]
    return found


def _assumed(path: Path, n_features: int | None) -> ImageStyle:
    """Return the style of square images like MNIST's for a network of so many inputs. Raises InputError."""
    shape = square(n_features or 0)
    if shape is None:
        raise InputError(f"{path}: expected the size of the images that the network was trained on; it has none")
    return ImageStyle(shape)


def _parts(folder: Path) -> dict[str, Path]:
    """Return the folders of the parts that a folder has; one that has images itself is a class of that name."""
    found = {child.name.lower(): child for child in _folders(folder) if _images(child)}
    return {part: found[name] for part, names in PARTS.items() for name in names[::-1] if name in found}


def _folders(folder: Path) -> list[Path]:
    hidden = (".", "__MACOSX")
    return sorted(child for child in folder.iterdir() if child.is_dir() and not child.name.startswith(hidden))


def _images(root: Path) -> dict[str, list[Path]]:
    """Return the images of each class that has some, in the order of their names."""
    found = {folder.name: _in(folder) for folder in _folders(root)}
    return {name: paths for name, paths in found.items() if paths}


def _in(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if is_image_name(path) and path.is_file())


def _read(root: Path, name: str) -> Dataset:
    """Read the images of one part."""
    images = _images(root)
    if not images:
        found = "images of no class" if _in(root) else "no images"
        raise InputError(f"{root} has {found}; expected a folder of PNG or JPEG files for each class in it")
    if {folder.lower() for folder in images} <= {word for words in PARTS.values() for word in words}:
        raise InputError(
            f"{root} has images in {' and '.join(images)}, of no class; expected a folder for each class in there"
        )
    paths = [path for each in images.values() for path in each]
    first = read_image(paths[0])
    faults: list[str] = []

    def read(rows: slice) -> np.ndarray:
        return np.stack([_like_first(path, first, faults) for path in paths[rows]])

    X = read_inputs(str(root), (len(paths), *first.shape), first.dtype, read)
    if faults:
        others = f" (and {len(faults) - 1:,} more)" if len(faults) > 1 else ""
        raise InputError(faults[0] + others)
    y = np.repeat(_labels(list(images)), [len(each) for each in images.values()])
    return Dataset(X, y, distinct(y), shape_of_images((len(paths), *first.shape), X), name)


def _like_first(path: Path, first: np.ndarray, faults: list[str]) -> np.ndarray:
    """Return an image of the size and type of the first one; of another file say what is wrong, and return zeros."""
    try:
        image = read_image(path)
    except InputError as error:
        faults.append(str(error))
        return np.zeros_like(first)
    if (image.shape, image.dtype) == (first.shape, first.dtype):
        return image
    faults.append(
        f"{path} has {_described(image)}, and the first image {_described(first)}; expected images of one size: "
        "resize them"
    )
    return np.zeros_like(first)


def _described(image: np.ndarray) -> str:
    height, width = image.shape
    return f"{height} x {width} pixels{'' if image.dtype == np.uint8 else ' of 16 bits'}"


def _labels(names: list[str]) -> NDArray[np.int64 | np.str_]:
    """Return names of folders as labels: whole numbers if all of them are, written without leading zeros, else text."""
    if all(name.isascii() and name.isdigit() and name == str(int(name)) for name in names):
        return np.array(names, np.int64)
    return np.array(names)
