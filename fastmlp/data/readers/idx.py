"""IDX files, the format of MNIST, Fashion-MNIST and their kin: one of pictures, one of labels, plain or gzipped."""

import gzip
import hashlib
import io
import math
import os
import re
import struct
import zlib
from pathlib import Path

import numpy as np

from fastmlp.data.checks import NoTestPart, check_file, picture_shape, read_inputs, read_labels
from fastmlp.data.dataset import Dataset
from fastmlp.data.readers.reader import Reader
from fastmlp.errors import InputError

GZIP = b"\x1f\x8b"
# Type codes of the format's description at yann.lecun.com/exdb/mnist; numbers are big-endian.
DTYPES = {0x08: ">u1", 0x09: ">i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
_MOST_COMPRESSED = 1032  # deflate's best ratio: a header that promises more than that is wrong


class IDXReader(Reader):
    """A file of pictures with the file of labels beside it, or a folder of such pairs."""

    name = "IDX"
    endings = (".gz", ".idx", ".idx3-ubyte")
    reads_folders = True
    has_test_part = True

    def recognises(self, head: bytes) -> bool:
        """Return True for gzip, or a header of IDX."""
        return head.startswith(GZIP) or _is_header(head)

    def read(self, path: Path, *, part: str = "train", n_features: int | None = None) -> Dataset:
        """Read a file, or the part of a folder, as `Reader.read` describes."""
        images = _images_in(path, part) if path.is_dir() else path
        labels = labels_beside(images)
        return idx_dataset(read_idx(images, str(images)), read_idx(labels, str(labels)), images, labels, path.name)


def _is_header(head: bytes) -> bool:
    """Return True if a file that begins so is IDX."""
    return len(head) >= 4 and head[:2] == b"\0\0" and head[2] in DTYPES and 1 <= head[3] <= 4


def read_idx(source: Path | bytes, where: str) -> np.ndarray:
    """Read the array of an IDX file, plain or gzipped.

    Parameters
    ----------
    source : Path or bytes
        The file, or its content.
    where : str
        What messages call it.

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
        packed = file.read(2) == GZIP
        file.seek(0)
        try:
            return _read(gzip.open(file) if packed else file, stored * (_MOST_COMPRESSED if packed else 1), where)
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise InputError(
                f"{where} is damaged or cut short ({error}); expected gzipped IDX: copy it anew"
            ) from error


def _read(file: io.BufferedIOBase, most: int, where: str) -> np.ndarray:
    """Read the array of an open, unpacked file of at most `most` bytes."""
    head = file.read(4)
    if not _is_header(head):
        raise InputError(f"{where} begins with {head!r}; expected an IDX file: copy it anew")
    lengths = file.read(4 * head[3])
    if len(lengths) < 4 * head[3]:
        raise InputError(f"{where} ends within its header; expected an IDX file: copy it anew")
    shape = struct.unpack(f">{head[3]}I", lengths)
    dtype = np.dtype(DTYPES[head[2]])
    size = math.prod(shape) * dtype.itemsize
    if size > most:
        raise InputError(f"{where} is cut short: its header says {shape}, and it is smaller than that; copy it anew")
    array, got = np.empty(shape, dtype), 0
    room = array.reshape(-1).view(np.uint8).data
    while got < size and (more := file.readinto(room[got:])):  # a gzip file gives a part at a time
        got += more
    if got < size:
        raise InputError(f"{where} is cut short: its header says {shape}, {size} bytes, and it has {got}; copy it anew")
    if file.read(1):
        raise InputError(f"{where} is longer than the {shape} its header says; expected one IDX file: copy it anew")
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


def idx_dataset(pictures: np.ndarray, values: np.ndarray, images: Path | str, labels: Path | str, name: str) -> Dataset:
    """Make a Dataset of two IDX arrays.

    Parameters
    ----------
    pictures : ndarray of shape (N, height, width)
        Pictures.
    values : ndarray of shape (N,)
        Labels.
    images, labels : Path or str
        What messages call the two.
    name : str
        What tables and messages call the data.

    Returns
    -------
    Dataset
        With X as a view of `pictures` if they are uint8.

    Raises
    ------
    InputError, InputTypeError
        If they are no pictures, no labels, or not as many.
    """
    if pictures.dtype == np.uint8 and pictures.ndim == 3 and pictures.size:
        X = pictures.reshape(len(pictures), -1)  # no copy
    else:
        X = read_inputs(str(images), pictures.shape, pictures.dtype, pictures.__getitem__)
    y, classes = read_labels(str(labels), values, len(X))
    return Dataset(X, y, classes, picture_shape(pictures.shape, X), name)


def labels_beside(images: Path) -> Path:
    """Find the file of labels, whose name has `labels` for `images` and `idx1` for `idx3`; either may be gzipped.

    Parameters
    ----------
    images : Path
        File of pictures.

    Returns
    -------
    Path
        File of labels.

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
    plain = images.with_name(name.removesuffix(".gz"))
    for candidate in (images.with_name(name), plain, plain.with_name(f"{plain.name}.gz")):
        if os.path.lexists(candidate):
            return candidate
    raise InputError(f"{images}: expected its labels beside it, in {name}: put them there")


def _images_in(folder: Path, part: str) -> Path:
    """Return the file of pictures of a part in a folder: files named t10k or test are the test part."""
    found = sorted(file for file in folder.iterdir() if re.search(r"images.idx[234]", file.name))
    wanted = [file for file in found if file.name.startswith(("t10k", "test")) == (part == "test")]
    if not wanted:
        kind = NoTestPart if part == "test" else InputError
        raise kind(
            f"{folder} has no {part} pictures; expected a file named like "
            f"{'t10k' if part == 'test' else 'train'}-images-idx3-ubyte.gz: give the file or another folder"
        )
    plain_and_packed = {file.name.removesuffix(".gz") for file in wanted}
    if len(plain_and_packed) > 1:
        raise InputError(f"{folder} has {' and '.join(sorted(plain_and_packed))}; give one of them")
    return wanted[0]
