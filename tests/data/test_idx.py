"""IDX files, plain and gzipped."""

import gzip
import hashlib
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from fastmlp.data import load
from fastmlp.data.readers.idx import raw_digest, read_idx

PICTURES = np.random.RandomState(0).randint(0, 256, (5, 4, 6)).astype(np.uint8)
LABELS = np.array([3, 1, 4, 1, 5], np.uint8)
CODES = {"u1": 0x08, "i1": 0x09, "i2": 0x0B, "i4": 0x0C, "f4": 0x0D, "f8": 0x0E}


def idx_bytes(array):
    """The format as its description has it: two zeros, type, rank, big-endian lengths, big-endian values."""
    code = CODES[array.dtype.str[1:]]
    lengths = struct.pack(f">{array.ndim}I", *array.shape)
    return bytes([0, 0, code, array.ndim]) + lengths + array.astype(array.dtype.newbyteorder(">")).tobytes()


@pytest.fixture
def write_pair(tmp_path):
    def write(images="train-images-idx3-ubyte", labels="train-labels-idx1-ubyte", pictures=PICTURES, values=LABELS):
        for name, array in ((images, pictures), (labels, values)):
            content = idx_bytes(array)
            (tmp_path / name).write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
        return tmp_path / images

    return write


@pytest.mark.parametrize(
    ("images", "labels"),
    [
        ("train-images-idx3-ubyte", "train-labels-idx1-ubyte"),
        ("train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz"),
        ("train-images.idx3-ubyte", "train-labels.idx1-ubyte"),
        ("t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte"),
        ("t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte.gz"),
        ("notmnist-small-subset-images-idx3-ubyte.gz", "notmnist-small-subset-labels-idx1-ubyte.gz"),
    ],
)
def test_labels_are_found_beside_the_pictures(write_pair, images, labels):
    dataset = load(write_pair(images, labels))
    assert np.array_equal(dataset.X, PICTURES.reshape(5, 24))
    assert dataset.X.dtype == np.uint8
    assert dataset.X.flags.writeable
    assert np.array_equal(dataset.y, LABELS)
    assert dataset.image_shape == (4, 6)
    assert dataset.class_count == 6


def test_gzip_without_the_suffix_is_told_by_its_content(write_pair):
    path = write_pair()
    path.write_bytes(gzip.compress(path.read_bytes()))
    assert np.array_equal(load(path).X, PICTURES.reshape(5, 24))


def test_folder_holds_a_training_and_a_test_part(write_pair, tmp_path):
    write_pair()
    write_pair("t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz", PICTURES[:2], LABELS[:2])
    assert len(load(tmp_path).X) == 5
    assert len(load(tmp_path, part="test").X) == 2


def test_folder_without_a_test_part_says_so(write_pair, tmp_path, complaint):
    write_pair()
    assert "t10k-images" in complaint(tmp_path, part="test")


def test_folder_of_two_collections_asks_for_one(write_pair, tmp_path, complaint):
    write_pair()
    write_pair("letters-images-idx3-ubyte", "letters-labels-idx1-ubyte")
    assert "give one of them" in complaint(tmp_path)


def test_pictures_without_labels_say_what_is_missing(write_pair, complaint):
    path = write_pair()
    path.with_name("train-labels-idx1-ubyte").unlink()
    assert "train-labels-idx1-ubyte" in complaint(path)


def test_file_whose_name_leads_to_no_labels_asks_for_another_name(write_pair, complaint):
    path = write_pair()
    assert "`images`" in complaint(path.rename(path.with_name("digits.idx")))


@given(
    array=st.sampled_from(list(CODES)).flatmap(
        lambda dtype: arrays.arrays(dtype, arrays.array_shapes(min_dims=1, max_dims=4, min_side=0))
    ),
    packed=st.booleans(),
)
def test_every_type_and_shape_is_read_back(array, packed):
    content = idx_bytes(array)
    result = read_idx(gzip.compress(content) if packed else content, "array")
    assert result.shape == array.shape
    assert np.array_equal(result, array, equal_nan=array.dtype.kind == "f")
    assert raw_digest(result) == hashlib.sha256(content).hexdigest()


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("cut", [3, 10, 17, 135])
def test_file_that_is_cut_short_is_refused(write_pair, complaint, packed, cut):
    path = write_pair()
    content = path.read_bytes()[:cut]
    path.write_bytes(gzip.compress(content) if packed else content)
    complaint(path)


@pytest.mark.parametrize("share", [0.2, 0.6, 0.95])
def test_gzip_that_is_cut_short_is_refused(write_pair, complaint, share):
    path = write_pair("train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz")
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    assert "cut short" in complaint(path)


def test_damaged_gzip_is_refused(write_pair, complaint):
    path = write_pair("train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz")
    content = bytearray(path.read_bytes())
    content[-6] ^= 1  # within the checksum
    path.write_bytes(content)
    assert "damaged" in complaint(path)


def test_header_that_promises_more_than_memory_is_refused(tmp_path, complaint):
    path = tmp_path / "train-images-idx3-ubyte.gz"
    path.write_bytes(gzip.compress(bytes([0, 0, 8, 3]) + struct.pack(">3I", 2**32 - 1, 2**16, 2**16)))
    path.with_name("train-labels-idx1-ubyte").write_bytes(idx_bytes(LABELS))
    assert "cut short" in complaint(path)


def test_file_longer_than_its_header_says_is_refused(write_pair, complaint):
    path = write_pair()
    path.write_bytes(path.read_bytes() + b"\0")
    assert "longer" in complaint(path)


def test_row_counts_that_differ_are_refused(write_pair, tmp_path):
    with pytest.raises(ValueError, match=r"train-labels-idx1-ubyte has 4 labels for 5 samples"):
        load(write_pair(values=LABELS[:4]))


def test_no_pictures_are_refused(write_pair, complaint):
    assert "(0, 4, 6)" in complaint(write_pair(pictures=PICTURES[:0], values=LABELS[:0]))


def test_gzip_of_something_else_is_refused(tmp_path, complaint):
    path = tmp_path / "train-images-idx3-ubyte.gz"
    path.write_bytes(gzip.compress(b"label,pixel0\n"))
    path.with_name("train-labels-idx1-ubyte").write_bytes(idx_bytes(LABELS))
    assert "expected an IDX file" in complaint(path)


def test_notmnist_has_its_published_count_and_ten_letters(real_data):
    dataset = load(real_data / "notmnist")
    assert dataset.X.shape == (14_579, 784)
    assert dataset.class_count == 10
    assert dataset.image_shape == (28, 28)
