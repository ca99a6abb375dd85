"""The course's HDF5 files."""

import subprocess
import sys
import tracemalloc

import h5py
import numpy as np
import pytest

from fastmlp.data import NoTestPart, Stream, load
from fastmlp.errors import InputError

PIXELS = np.random.RandomState(0).randint(0, 256, (12, 784))
LABELS = np.arange(12) % 10


@pytest.fixture
def write(tmp_path):
    def write(**arrays):
        path = tmp_path / "course.hdf5"
        with h5py.File(path, "w") as file:
            for key, array in arrays.items():
                file[key] = array
        return path

    return write


def test_course_file_with_one_hot_labels_gives_float32_images_and_integer_labels(write):
    dataset = load(write(xdata=PIXELS / 255, ydata=np.eye(10)[LABELS]))
    assert dataset.X.dtype == np.float32
    assert np.array_equal(dataset.X, (PIXELS / 255).astype(np.float32))
    assert dataset.y.dtype == np.int64
    assert np.array_equal(dataset.y, LABELS)
    assert dataset.class_count == 10
    assert dataset.image_shape == (28, 28)
    assert dataset.name == "course.hdf5"
    assert not dataset.synthetic


@pytest.mark.parametrize("dtype", ["uint8", "int32", "uint16"])
def test_integer_pixels_stay_pixels(write, dtype):
    dataset = load(write(xdata=PIXELS.astype(dtype), ydata=LABELS))
    assert dataset.X.dtype == np.uint8
    assert np.array_equal(dataset.X, PIXELS)


def test_integers_that_are_no_pixels_become_floats_of_the_same_value(write):
    dataset = load(write(xdata=PIXELS[:, :3] - 1000, ydata=LABELS))
    assert dataset.X.dtype == np.float32
    assert np.array_equal(dataset.X, PIXELS[:, :3] - 1000)
    assert dataset.image_shape is None


@pytest.mark.parametrize("labels", [LABELS, LABELS.astype(np.float64), LABELS.astype(">i2"), LABELS[:, None]])
def test_whole_labels_of_any_type_keep_their_values(write, labels):
    dataset = load(write(xdata=PIXELS / 255, ydata=labels))
    assert (dataset.y.dtype, dataset.y.tolist()) == (np.int64, LABELS.tolist())
    assert dataset.classes.tolist() == sorted(set(LABELS.tolist()))


def test_one_hot_columns_count_even_when_a_class_has_no_row(write):
    dataset = load(write(xdata=PIXELS / 255, ydata=np.eye(15)[LABELS]))
    assert dataset.class_count == 15


def test_chunked_and_compressed_arrays_read_the_same(tmp_path):
    path = tmp_path / "chunked.h5"
    with h5py.File(path, "w") as file:
        file.create_dataset("xdata", data=PIXELS / 255, chunks=(5, 100), compression="gzip", shuffle=True)
        file["ydata"] = LABELS
    assert np.array_equal(load(path).X, (PIXELS / 255).astype(np.float32))


def test_float64_never_exists_whole(tmp_path):
    path = tmp_path / "large.hdf5"
    rows = 30_000
    with h5py.File(path, "w") as file:  # no chunk is written, so that the file is small
        file.create_dataset("xdata", (rows, 784), "f8", chunks=(1000, 784), fillvalue=0.5)
        file["ydata"] = np.arange(rows) % 10
    tracemalloc.start()
    dataset = load(path)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert dataset.X[-1, -1] == 0.5
    whole_float64 = rows * 784 * 8
    assert peak < dataset.X.nbytes + whole_float64 / 3


@pytest.mark.parametrize(
    ("xdata", "ydata", "words"),
    [
        (PIXELS, LABELS[:-1], ["11 labels", "12 samples"]),
        (PIXELS[:0], LABELS[:0], ["(0, 784)", "one row"]),
        (PIXELS[0], LABELS, ["(784,)", "(N, D)"]),
        (np.zeros((2, 2, 4, 5)), LABELS[:2], ["(2, 2, 4, 5)"]),
        (np.where(np.arange(784) == 7, np.nan, PIXELS), LABELS, ["nan", "row 0", "column 7"]),
        (np.where(np.arange(12)[:, None] == 5, np.inf, PIXELS), LABELS, ["inf", "row 5", "column 0"]),
        (np.full((3, 2), 1e300), LABELS[:3], ["float32", "row 0"]),
        (PIXELS, np.where(LABELS == 3, np.nan, LABELS), ["nan", "row 3"]),
        (PIXELS, np.eye(10)[LABELS] + (np.arange(12) == 4)[:, None], ["one-hot", "row 4"]),
        (PIXELS, np.zeros((12, 10)), ["one-hot", "row 0"]),
        (PIXELS, np.zeros((12, 2, 2)), ["(12, 2, 2)"]),
        (np.array([[b"a", b"b"]] * 12), LABELS, ["|S1", "numbers"]),
    ],
)
def test_arrays_that_cannot_be_used_are_named_with_the_place(write, complaint, xdata, ydata, words):
    message = complaint(write(xdata=xdata, ydata=ydata))
    for word in words:
        assert word in message


def test_missing_key_lists_the_keys_there_are(write, complaint):
    message = complaint(write(xdata=PIXELS, labels=LABELS))
    assert "`xdata` and `ydata`" in message
    assert "labels, xdata" in message


def test_group_in_place_of_an_array_is_no_array(tmp_path, complaint):
    path = tmp_path / "group.h5"
    with h5py.File(path, "w") as file:
        file.create_group("xdata")
        file["ydata"] = LABELS
    assert "xdata is a group of arrays; expected one array" in complaint(path)


@pytest.mark.parametrize("key", ["xdata", "ydata"])
@pytest.mark.parametrize("link", [h5py.SoftLink("/nowhere"), h5py.ExternalLink("nowhere.h5", "xdata")])
@pytest.mark.parametrize("read", [load, Stream])
def test_link_that_leads_nowhere_is_named(write, key, link, read):
    path = write(**{"xdata": PIXELS / 255, "ydata": LABELS, key: link})
    with pytest.raises(InputError, match=rf"course\.hdf5: {key} is a link to .* not there; expected a row per sample"):
        read(path)


@pytest.mark.parametrize("share", [0.01, 0.1, 0.5, 0.9, 0.999])
def test_file_that_is_cut_short_says_so(write, complaint, share):
    path = write(xdata=PIXELS / 255, ydata=LABELS)
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    assert "cut short" in complaint(path)


def test_damaged_chunk_is_reported(tmp_path, complaint):
    path = tmp_path / "damaged.h5"
    with h5py.File(path, "w") as file:
        x = file.create_dataset("xdata", data=PIXELS / 255, chunks=(12, 784), compression="gzip")
        place, size = x.id.get_chunk_info(0).byte_offset, x.id.get_chunk_info(0).size
        file["ydata"] = LABELS
    content = bytearray(path.read_bytes())
    content[place : place + size] = bytes(size)
    path.write_bytes(content)
    assert "damaged" in complaint(path)


def test_other_content_under_an_hdf5_name_is_not_hdf5(tmp_path, complaint):
    path = tmp_path / "mnist_traindata.hdf5"
    path.write_text("<!DOCTYPE html>\n<title>Sign in</title>\n")
    assert "expected HDF5" in complaint(path)


@pytest.mark.parametrize("key", ["xdata", "ydata"])
@pytest.mark.parametrize("read", [load, Stream])
def test_an_array_without_a_shape_is_refused(tmp_path, key, read):
    path = tmp_path / "rows.h5"
    with h5py.File(path, "w") as file:
        for name, values in {"xdata": np.ones((3, 2)), "ydata": np.arange(3), key: h5py.Empty("f")}.items():
            file[name] = values
    with pytest.raises(InputError, match=f"{key} is an array without a shape"):
        read(path)


def test_images_are_read_as_in_npz(write):
    dataset = load(write(xdata=PIXELS.reshape(12, 28, 28).astype("u1"), ydata=LABELS))
    assert np.array_equal(dataset.X, PIXELS)
    assert dataset.image_shape == (28, 28)


def test_floats_from_0_to_255_are_the_pixels_that_they_are_in_other_formats(write, tmp_path):
    path = tmp_path / "same.npz"
    np.savez(path, x=PIXELS.astype("u1"), y=LABELS)
    floats, integers = load(write(xdata=PIXELS.astype(float), ydata=LABELS)), load(path)
    assert floats.X.dtype == integers.X.dtype == np.uint8
    assert np.array_equal(floats.X, integers.X)
    assert floats.image_shape == integers.image_shape == (28, 28)


def test_groups_are_the_parts_of_usps(tmp_path):
    # As Kaggle's bistaumanga/usps-dataset has them: floats from 0 to 1.
    values, path = PIXELS[:, :256] / 255, tmp_path / "usps.h5"
    values[0, :2] = 0, 1
    with h5py.File(path, "w") as file:
        for part, rows in (("train", slice(0, 8)), ("test", slice(8, 12))):
            file.create_group(part).create_dataset("data", data=values[rows])
            file[part]["target"] = LABELS[rows]
    dataset = load(path)
    assert np.array_equal(dataset.X, values[:8].astype(np.float32))
    assert dataset.image_shape == (16, 16)
    assert np.array_equal(load(path, part="test").y, LABELS[8:])


def test_a_file_has_no_test_part_unless_an_array_is_called_so(write):
    with pytest.raises(NoTestPart, match=r"course\.hdf5 has no test part, only train, in the arrays xdata, ydata"):
        load(write(xdata=PIXELS, ydata=LABELS), part="test")


@pytest.mark.parametrize("bytes_before", [512, 2048, 32768])
@pytest.mark.parametrize("name", ["course.hdf5", "course"])
def test_a_file_that_begins_with_a_user_block_is_read(tmp_path, name, bytes_before):
    path = tmp_path / name
    with h5py.File(path, "w", userblock_size=bytes_before) as file:
        file["xdata"], file["ydata"] = (PIXELS / 255).astype("f4"), LABELS
    expected = (PIXELS / 255).astype(np.float32)
    assert np.array_equal(load(path).X, expected)
    with Stream(path) as stream:
        assert np.array_equal(stream.head(12), expected)


WRITER = "import h5py, sys, time; file = h5py.File(sys.argv[1], 'a'); print(1, flush=True); time.sleep(60)"


@pytest.mark.parametrize("read", [load, Stream])
def test_a_file_that_another_program_writes_to_is_not_called_damaged(write, read):
    path = write(xdata=PIXELS, ydata=LABELS)
    with subprocess.Popen([sys.executable, "-c", WRITER, path], stdout=subprocess.PIPE) as writer:
        try:
            writer.stdout.readline()
            with pytest.raises(InputError, match=r"course\.hdf5 is open for writing in another program") as caught:
                read(path)
        finally:
            writer.kill()
    assert "damaged" not in str(caught.value)


LEFT = """
import h5py, os, sys
file = h5py.File(sys.argv[1], "w", libver="latest")
file["xdata"], file["ydata"] = [[0.0], [1.0]], [0, 1]
file.flush()
os._exit(0)
"""


def test_a_file_whose_writer_ended_in_the_middle_is_told(tmp_path, complaint):
    path = tmp_path / "left.h5"
    subprocess.run([sys.executable, "-c", LEFT, path], check=True)
    message = complaint(path)
    assert "or one ended while it wrote" in message
    assert "damaged" not in message


@pytest.mark.parametrize("read", [load, Stream])
@pytest.mark.parametrize("key", ["xdata", "ydata"])
def test_a_filter_that_is_not_installed_is_named(tmp_path, key, read):
    path = tmp_path / "packed.h5"
    arrays = {"xdata": PIXELS / 255, "ydata": LABELS}
    with h5py.File(path, "w") as file:
        for name, array in arrays.items():
            packed = {"chunks": array.shape, "compression": 300, "allow_unknown_filter": True} if name == key else {}
            dataset = file.create_dataset(name, array.shape, array.dtype, **packed)
            if name == key:
                dataset.id.write_direct_chunk((0,) * array.ndim, b"packed")
            else:
                dataset[()] = array
    with pytest.raises(InputError, match=rf"{key} is compressed with the HDF5 filter 300 .* not installed") as caught:
        read(path)
    assert "install hdf5plugin" in str(caught.value)
    assert "damaged" not in str(caught.value)


def test_labels_that_are_text_are_decoded(write):
    dataset = load(write(xdata=PIXELS, ydata=np.array([f"klass ä{label}" for label in LABELS], object)))
    assert dataset.y[1] == f"klass ä{LABELS[1]}"
    assert len(dataset.classes) == len(set(LABELS.tolist()))
    with pytest.raises(InputError, match=r"ydata has text that is not UTF-8"):
        load(write(xdata=PIXELS, ydata=np.array([b"\xff", b"a"] * 6)))


def test_numbers_with_fractions_are_a_regression(write):
    dataset = load(write(xdata=PIXELS, ydata=(LABELS + 0.5).astype(np.float32)))
    assert (dataset.task, dataset.classes, dataset.y.dtype) == ("regression", None, np.float64)
    assert np.array_equal(dataset.y, LABELS + 0.5)
