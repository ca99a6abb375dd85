"""IDX files, plain and gzipped."""

import bz2
import gzip
import hashlib
import lzma
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from fastmlp.cli.main import main
from fastmlp.data import NoTestPart, load
from fastmlp.data.readers.idx import raw_digest, read_idx
from fastmlp.errors import InputError

IMAGES = np.random.RandomState(0).randint(0, 256, (5, 4, 6)).astype(np.uint8)
LABELS = np.array([3, 1, 4, 1, 5], np.uint8)
CODES = {"u1": 0x08, "i1": 0x09, "i2": 0x0B, "i4": 0x0C, "f4": 0x0D, "f8": 0x0E}


def idx_bytes(array):
    """The format as its description has it: two zeros, type, rank, big-endian lengths, big-endian values."""
    code = CODES[array.dtype.str[1:]]
    lengths = struct.pack(f">{array.ndim}I", *array.shape)
    return bytes([0, 0, code, array.ndim]) + lengths + array.astype(array.dtype.newbyteorder(">")).tobytes()


@pytest.fixture
def write_pair(tmp_path):
    def write(image_file="train-images-idx3-ubyte", labels="train-labels-idx1-ubyte", images=IMAGES, values=LABELS):
        for name, array in ((image_file, images), (labels, values)):
            content = idx_bytes(array)
            (tmp_path / name).write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
        return tmp_path / image_file

    return write


@pytest.mark.parametrize(
    ("image_file", "labels"),
    [
        ("train-images-idx3-ubyte", "train-labels-idx1-ubyte"),
        ("train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz"),
        ("train-images.idx3-ubyte", "train-labels.idx1-ubyte"),
        ("t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte"),
        ("t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte.gz"),
        ("notmnist-small-subset-images-idx3-ubyte.gz", "notmnist-small-subset-labels-idx1-ubyte.gz"),
    ],
)
def test_labels_are_found_beside_the_images(write_pair, image_file, labels):
    dataset = load(write_pair(image_file, labels))
    assert np.array_equal(dataset.X, IMAGES.reshape(5, 24))
    assert dataset.X.dtype == np.uint8
    assert dataset.X.flags.writeable
    assert np.array_equal(dataset.y, LABELS)
    assert dataset.image_shape == (4, 6)
    assert np.array_equal(dataset.classes, np.unique(LABELS))


def test_gzip_without_the_suffix_is_told_by_its_content(write_pair):
    path = write_pair()
    path.write_bytes(gzip.compress(path.read_bytes()))
    assert np.array_equal(load(path).X, IMAGES.reshape(5, 24))


def test_folder_holds_a_training_and_a_test_part(write_pair, tmp_path):
    write_pair()
    write_pair("t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz", IMAGES[:2], LABELS[:2])
    assert len(load(tmp_path).X) == 5
    assert len(load(tmp_path, part="test").X) == 2


def test_folder_without_a_test_part_says_so(write_pair, tmp_path, complaint):
    write_pair()
    assert "t10k-images" in complaint(tmp_path, part="test")


@pytest.mark.parametrize(
    ("train", "test"),
    [
        ("train-images-idx3-ubyte", "t10k-images-idx3-ubyte.gz"),
        ("train-images.idx3-ubyte", "t10k-images.idx3-ubyte"),
        ("qmnist-train-images-idx3-ubyte", "qmnist-test-images-idx3-ubyte.xz"),
        ("emnist-letters-train-images-idx3-ubyte.gz", "emnist-letters-test-images-idx3-ubyte.gz"),
    ],
)
def test_the_test_part_is_the_test_file_beside_the_training_file(write_pair, train, test):
    path = write_pair(train, train.replace("images", "labels").replace("idx3", "idx1"))
    with pytest.raises(NoTestPart, match=r"has no test part: expected it beside it, in .*t10k-images|test-images"):
        load(path, part="test")
    write_pair(test, test.replace("images", "labels").replace("idx3", "idx1"), IMAGES[:2], LABELS[:2])
    assert load(path).y.tolist() == LABELS.tolist()
    for either in (path, path.with_name(test)):
        assert load(either, part="test").y.tolist() == LABELS[:2].tolist()
    assert load(path.with_name(test)).y.tolist() == LABELS[:2].tolist()


def test_real_test_images_are_found_by_the_path_of_the_training_images(real_data):
    dataset = load(real_data / "mnist" / "train-images-idx3-ubyte.gz", part="test")
    assert dataset.y[:10].tolist() == [7, 2, 1, 0, 4, 1, 4, 9, 5, 9]  # MNIST's test set is known for this beginning
    assert len(dataset.y) == 10_000


def test_images_that_are_no_part_have_no_test_part(write_pair):
    path = write_pair("letters-images-idx3-ubyte", "letters-labels-idx1-ubyte")
    with pytest.raises(NoTestPart, match="has no test part; give the path of the test images"):
        load(path, part="test")


def test_course_files_are_made_of_both_parts_or_not_at_all(write_pair, tmp_path, capsys):
    path = write_pair()
    out = tmp_path / "out"
    assert main(["prepare", "--data", str(path), "--out", str(out)]) == 2
    assert "has no test part: expected it beside it, in t10k-images-idx3-ubyte" in capsys.readouterr().err
    assert not out.exists()
    write_pair("t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte", IMAGES[:2], LABELS[:2])
    assert main(["prepare", "--data", str(path), "--out", str(out)]) == 0
    assert load(out / "mnist_testdata.hdf5").y.tolist() == LABELS[:2].tolist()


def test_the_validation_part_of_a_folder_is_its_own(write_pair, tmp_path):
    write_pair()
    assert load(tmp_path).validation is None
    write_pair("val-images-idx3-ubyte", "val-labels-idx1-ubyte", IMAGES[:2], LABELS[:2])
    assert load(tmp_path).validation.y.tolist() == LABELS[:2].tolist()
    assert load(tmp_path, part="validation").y.tolist() == LABELS[:2].tolist()


def test_emnist_is_turned_and_its_labels_stay_with_their_characters(write_pair):
    # https://www.nist.gov/itl/products-and-services/emnist-dataset: the readme calls the images transposed, and the
    # letters are numbered from 1.
    squares = np.random.RandomState(1).randint(0, 256, (5, 6, 6)).astype(np.uint8)
    names = ("emnist-letters-train-images-idx3-ubyte.gz", "emnist-letters-train-labels-idx1-ubyte.gz")
    path = write_pair(*names, squares, np.array([1, 2, 26, 2, 1], np.uint8))
    dataset = load(path)
    assert np.array_equal(dataset.X.reshape(5, 6, 6), squares.transpose(0, 2, 1))
    assert dataset.y.tolist() == [1, 2, 26, 2, 1]
    assert dataset.classes.tolist() == [1, 2, 26]
    assert "turned" in dataset.notes[0]
    mapping = "".join(f"{number} {64 + number} {96 + number}\n" for number in range(1, 27))
    path.with_name("emnist-letters-mapping.txt").write_text(mapping, encoding="ascii")
    assert load(path).class_names == ("A", "B", "Z")


def test_emnists_labels_are_called_by_the_characters_of_its_mapping(write_pair):
    names = ("emnist-balanced-train-images-idx3-ubyte", "emnist-balanced-train-labels-idx1-ubyte")
    path = write_pair(*names, values=np.array([2, 0, 1, 1, 0], np.uint8))
    assert load(path).class_names == ()
    mapping = path.with_name("emnist-balanced-mapping.txt")
    mapping.write_text("0 48\n1 65 97\n2 98\n", encoding="ascii")
    assert load(path).class_names == ("0", "A", "b")
    mapping.write_text("0 48\n1 65\n", encoding="ascii")
    assert load(path).class_names == ()


def test_the_first_of_qmnists_numbers_is_the_label(write_pair):
    # https://github.com/facebookresearch/qmnist: class, series, writer, index, class code, index, and two that are 0.
    numbers = np.arange(40, dtype=np.int32).reshape(5, 8) * 1000
    numbers[:, 0] = LABELS
    path = write_pair("qmnist-train-images-idx3-ubyte", "qmnist-train-labels-idx2-int.gz", values=numbers)
    dataset = load(path)
    assert dataset.y.tolist() == LABELS.tolist()
    assert "8 numbers for each image, of which the first is the label" in dataset.notes[0]


@pytest.mark.parametrize(("ending", "pack"), [(".bz2", bz2.compress), (".xz", lzma.compress)])
def test_other_compressions_are_read_and_their_damage_is_told(write_pair, ending, pack):
    path = write_pair()
    labels = path.with_name("train-labels-idx1-ubyte")
    packed = labels.rename(labels.with_name(labels.name + ending))
    packed.write_bytes(pack(idx_bytes(LABELS)))
    assert load(path).y.tolist() == LABELS.tolist()
    packed.write_bytes(packed.read_bytes()[:-6])
    with pytest.raises(InputError, match="damaged or cut short"):
        load(path)
    packed.write_bytes(pack(bytes([0, 0, 8, 3]) + struct.pack(">3I", 2**32 - 1, 2**32 - 1, 2**32 - 1)))
    with pytest.raises(InputError, match="of memory, and"):
        load(path)


def test_folder_of_two_collections_asks_for_one(write_pair, tmp_path, complaint):
    write_pair()
    write_pair("letters-images-idx3-ubyte", "letters-labels-idx1-ubyte")
    assert "give one of them" in complaint(tmp_path)


def test_images_without_labels_say_what_is_missing(write_pair, complaint):
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


def test_no_images_are_refused(write_pair, complaint):
    assert "(0, 4, 6)" in complaint(write_pair(images=IMAGES[:0], values=LABELS[:0]))


def test_gzip_of_something_else_is_refused_as_labels(write_pair):
    path = write_pair("train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz")
    path.with_name("train-labels-idx1-ubyte.gz").write_bytes(gzip.compress(b"label,pixel0\n"))
    with pytest.raises(InputError, match=r"train-labels-idx1-ubyte.gz begins with .*; expected an IDX file"):
        load(path)


def test_notmnist_has_its_published_count_and_ten_letters(real_data):
    dataset = load(real_data / "notmnist")
    assert dataset.X.shape == (14_579, 784)
    assert dataset.class_count == 10
    assert dataset.image_shape == (28, 28)
