"""The course's HDF5 files."""

import tracemalloc

import h5py
import numpy as np
import pytest

from fastmlp.data import Stream, load
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


def test_course_file_with_one_hot_labels_gives_float32_pictures_and_integer_labels(write):
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
def test_integer_labels_of_any_type_count_to_the_largest(write, labels):
    dataset = load(write(xdata=PIXELS / 255, ydata=labels))
    assert np.array_equal(dataset.y, LABELS)
    assert dataset.class_count == 10


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
        (np.zeros((2, 3, 4, 5)), LABELS[:2], ["(2, 3, 4, 5)"]),
        (np.where(np.arange(784) == 7, np.nan, PIXELS), LABELS, ["nan", "row 0", "column 7"]),
        (np.where(np.arange(12)[:, None] == 5, np.inf, PIXELS), LABELS, ["inf", "row 5", "column 0"]),
        (np.full((3, 2), 1e300), LABELS[:3], ["float32", "row 0"]),
        (PIXELS, LABELS + 0.5, ["0.5", "row 0", "integers"]),
        (PIXELS, np.where(LABELS == 3, np.nan, LABELS), ["nan", "row 3"]),
        (PIXELS, LABELS - 1, ["-1", "row 0", "from 0"]),
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
    assert "`ydata`" in message
    assert "labels, xdata" in message


def test_group_in_place_of_an_array_is_no_array(tmp_path, complaint):
    path = tmp_path / "group.h5"
    with h5py.File(path, "w") as file:
        file.create_group("xdata")
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


def test_samples_that_are_no_rows_are_refused(write):
    with pytest.raises(ValueError, match=r"xdata has shape \(12, 28, 28\); expected \(N, D\)"):
        load(write(xdata=PIXELS.reshape(12, 28, 28), ydata=LABELS))


@pytest.mark.parametrize("key", ["xdata", "ydata"])
@pytest.mark.parametrize("read", [load, Stream])
def test_an_array_without_a_shape_is_refused(tmp_path, key, read):
    path = tmp_path / "rows.h5"
    with h5py.File(path, "w") as file:
        for name, values in {"xdata": np.ones((3, 2)), "ydata": np.arange(3), key: h5py.Empty("f")}.items():
            file[name] = values
    with pytest.raises(InputError, match=f"{key} is an array without a shape"):
        read(path)


def test_a_label_that_would_make_an_enormous_network_is_refused(write):
    with pytest.raises(InputError, match=r"has the label 200000000 at row 3; expected labels below 65536"):
        load(write(xdata=PIXELS, ydata=np.where(np.arange(12) == 3, 200_000_000, LABELS)))
    assert load(write(xdata=PIXELS, ydata=LABELS * 7000)).class_count == 63_001
