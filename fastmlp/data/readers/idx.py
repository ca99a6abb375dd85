"""IDX files, the format of MNIST, Fashion-MNIST and their kin: one of images, one of labels, compressed or not."""

import hashlib
import io
import lzma
import math
import struct
import zlib
from dataclasses import replace
from pathlib import Path

import numpy as np

from fastmlp.data.checks import NoTestPart, check_file, read_inputs, read_labels, shape_of_images
from fastmlp.data.dataset import Dataset, Inputs
from fastmlp.data.readers.idx_names import are_emnist, images_of, is_folder_of_idx, labels_beside, part_named
from fastmlp.data.readers.reader import Expected, Reader
from fastmlp.data.unpacking import OPENERS, compression
from fastmlp.errors import InputError
from fastmlp.utils.free_memory import check_memory

# Type codes of the format's description at yann.lecun.com/exdb/mnist; numbers are big-endian.
_INT = 0x0C
DTYPES = {0x08: ">u1", 0x09: ">i1", 0x0B: ">i2", _INT: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
_TURNED = "{}: images of EMNIST, which are stored with their columns as rows: turned"
_ASCII = {str(code): chr(code) for code in range(32, 127)}
_AT_A_TIME = 1 << 20  # bytes
_MOST_COMPRESSED = 1032  # deflate's best ratio: a header that promises more than that is wrong


class IDXReader(Reader):
    """A file of images with the file of labels beside it, or a folder of such pairs.

    The parts are told apart by the names of the files, see `fastmlp.data.readers.idx_names`. Images of EMNIST have
    their columns as rows (https://www.nist.gov/itl/products-and-services/emnist-dataset), which is put right. Of the
    8 numbers that QMNIST has for each digit, the first is the label (https://github.com/facebookresearch/qmnist).
    """

    name = "IDX"
    endings = (".idx", ".idx3-ubyte")
    compressions = tuple(OPENERS)
    has_parts = True

    def recognises(self, head: bytes) -> bool:
        """Return True for a header of IDX."""
        return _is_header(head)

    def recognises_folder(self, folder: Path) -> bool:
        """Return True for a folder with a file of images."""
        return is_folder_of_idx(folder)

    def read(self, path: Path, *, part: str = "train", n_features: int | None = None) -> Dataset:
        """Read a file, or the part of a folder, as `Reader.read` describes."""
        image_file = images_of(path, part)
        dataset = _with_labels(image_file, path.name if path.is_dir() else image_file.name)
        if part != "train" or part_named(image_file.name) != "train":
            return dataset
        try:
            validation = images_of(path, "validation")
        except InputError:  # there is none
            return dataset
        return replace(dataset, validation=_with_labels(validation, validation.name))

    def read_inputs(self, path: Path, expected: Expected) -> Inputs:
        """Read a file of images, of a folder that of the test part if there is one, as `Reader.read_inputs`."""
        image_file = path
        if path.is_dir():
            try:
                image_file = images_of(path, "test")
            except NoTestPart:
                image_file = images_of(path, "train")
        images = read_idx(image_file, str(image_file))
        notes = (f"{path}: inputs from {image_file.name}",) if path.is_dir() else ()
        if are_emnist(image_file) and images.ndim == 3:
            images, notes = images.swapaxes(1, 2), (*notes, _TURNED.format(image_file))
        X = read_inputs(str(image_file), images.shape, images.dtype, images.__getitem__)
        return Inputs(X, None, shape_of_images(images.shape, X), image_file.name, notes)


def _with_labels(image_file: Path, name: str) -> Dataset:
    """Read a file of images and the labels beside it."""
    labels = labels_beside(image_file)
    images, values = read_idx(image_file, str(image_file)), read_idx(labels, str(labels))
    if not are_emnist(image_file) or images.ndim != 3:
        return idx_dataset(images, values, image_file, labels, name)
    dataset = idx_dataset(images.swapaxes(1, 2), values, image_file, labels, name)
    return replace(
        dataset, class_names=_characters(image_file, dataset), notes=(*dataset.notes, _TURNED.format(image_file))
    )


def _characters(image_file: Path, dataset: Dataset) -> tuple[str, ...]:
    """Return the characters that EMNIST's labels stand for, from its mapping file; () if there is none.

    A line of emnist-letters-mapping.txt has a label and the codes of its characters: `1 65 97` for A and a.
    """
    collection = image_file.name.partition("-train-" if "-train-" in image_file.name else "-test-")[0]
    path = image_file.with_name(f"{collection}-mapping.txt")
    if dataset.classes is None or not path.is_file():
        return ()
    lines = (line.split() for line in path.read_text("ascii", "replace").splitlines())
    codes = {fields[0]: _ASCII[fields[1]] for fields in lines if len(fields) > 1 and fields[1] in _ASCII}
    names = [codes.get(str(label)) for label in dataset.classes]
    return tuple(map(str, names)) if all(names) else ()


def _is_header(head: bytes) -> bool:
    """Return True if a file that begins so is IDX."""
    return len(head) >= 4 and head[:2] == b"\0\0" and head[2] in DTYPES and 1 <= head[3] <= 4


def read_idx(source: Path | bytes, where: str, most: int | None = None) -> np.ndarray:
    """Read the array of an IDX file, plain or compressed by gzip, bzip2 or xz.

    Parameters
    ----------
    source : Path or bytes
        The file, or its content.
    where : str
        What messages call it.
    most : int, optional
        Bytes that its array may have, where its content is not known to be what is wanted; by default as many as are
        free.

    Returns
    -------
    ndarray
        In the byte order of the format, which is big-endian.

    Raises
    ------
    InputError
        If it is something else, damaged, or shorter or longer than its header promises.
    """
    if isinstance(source, Path):
        check_file(source)
    stored = len(source) if isinstance(source, bytes) else source.stat().st_size
    with io.BytesIO(source) if isinstance(source, bytes) else open(source, "rb") as file:
        kind = compression(file.read(8))
        file.seek(0)
        try:
            if kind is not None and kind in OPENERS:
                bounds = [most] if most is not None else []
                bounds += [stored * _MOST_COMPRESSED] if kind == "gzip" else []
                return _read(OPENERS[kind](file), min(bounds, default=None), where)
            return _read(file, stored, where)
        except (EOFError, zlib.error, lzma.LZMAError, OSError) as error:
            raise InputError(
                f"{where} is damaged or cut short ({error}); expected compressed IDX: copy it again"
            ) from error


def _read(file: io.BufferedIOBase, most: int | None, where: str) -> np.ndarray:
    """Read the array of an open, unpacked file of at most `most` bytes, if that is known."""
    head = file.read(4)
    if not _is_header(head):
        raise InputError(f"{where} begins with {head!r}; expected an IDX file: copy it again")
    lengths = file.read(4 * head[3])
    if len(lengths) < 4 * head[3]:
        raise InputError(f"{where} ends within its header; expected an IDX file: copy it again")
    shape = struct.unpack(f">{head[3]}I", lengths)
    dtype = np.dtype(DTYPES[head[2]])
    size = math.prod(shape) * dtype.itemsize
    if most is not None and size > most:
        raise InputError(f"{where} is cut short: its header says {shape}, and it is smaller than that; copy it again")
    check_memory(where, size)
    try:
        array, got = np.empty(shape, dtype), 0
    except (MemoryError, ValueError) as error:
        raise InputError(f"{where} has a header that says {shape}, more than memory; copy it again") from error
    room = array.reshape(-1).view(np.uint8).data
    while got < size and (more := file.readinto(room[got : got + _AT_A_TIME])):  # gzip makes a copy
        got += more
    if got < size:
        raise InputError(
            f"{where} is cut short: its header says {shape}, {size} bytes, and it has {got}; copy it again"
        )
    if file.read(1):
        raise InputError(f"{where} is longer than the {shape} its header says; expected one IDX file: copy it again")
    return array


def raw_digest(array: np.ndarray) -> str:
    """Return the SHA-256 of the unpacked IDX file that has this array.

    Parameters
    ----------
    array : ndarray
        As `read_idx` returned it.

    Returns
    -------
    str
        64 hexadecimal digits.
    """
    code = next(code for code, dtype in DTYPES.items() if np.dtype(dtype) == array.dtype)
    hasher = hashlib.sha256(struct.pack(f">BBBB{array.ndim}I", 0, 0, code, array.ndim, *array.shape))
    hasher.update(array.reshape(-1).view(np.uint8).data)
    return hasher.hexdigest()


def idx_dataset(
    images: np.ndarray, values: np.ndarray, image_file: Path | str, labels: Path | str, name: str
) -> Dataset:
    """Make a Dataset of two IDX arrays.

    Parameters
    ----------
    images : ndarray of shape (N, height, width)
        Images.
    values : ndarray of shape (N,), or (N, 8) int32
        Labels, or QMNIST's numbers, of which the first is the label.
    image_file, labels : Path or str
        What messages call the two.
    name : str
        What tables and messages call the data.

    Returns
    -------
    Dataset
        With X as a view of `images` if they are uint8.

    Raises
    ------
    InputError, InputTypeError
        If they are no images, no labels, or not as many.
    """
    if images.dtype == np.uint8 and images.ndim == 3 and images.size:
        X = images.reshape(len(images), -1)  # no copy
    else:
        X = read_inputs(str(image_file), images.shape, images.dtype, images.__getitem__)
    notes: tuple[str, ...] = ()
    if values.ndim == 2 and values.dtype == DTYPES[_INT]:
        notes = (f"{labels}: {values.shape[1]} numbers for each image, of which the first is the label, as in QMNIST",)
        values = values[:, 0]
    y, classes = read_labels(str(labels), values, len(X))
    return Dataset(X, y, classes, shape_of_images(images.shape, X), name, notes=notes)
