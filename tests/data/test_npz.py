"""Numpy archives."""

import numpy as np
import pytest

from fastmlp.data import load

PICTURES = np.random.RandomState(0).randint(0, 256, (6, 28, 28)).astype(np.uint8)
LABELS = np.array([0, 1, 2, 3, 4, 9])


@pytest.fixture
def write(tmp_path):
    def write(**arrays):
        path = tmp_path / "notMNIST.npz"
        np.savez(path, **arrays)
        return path

    return write


@pytest.mark.parametrize("keys", [("Images", "Labels"), ("images", "labels"), ("x", "y"), ("X", "Y"), ("X", "y")])
def test_usual_keys_in_any_case_are_found(write, keys):
    dataset = load(write(**dict(zip(keys, (PICTURES, LABELS), strict=True))))
    assert np.array_equal(dataset.X, PICTURES.reshape(6, 784))
    assert np.array_equal(dataset.y, LABELS)
    assert dataset.class_count == 10
    assert dataset.image_shape == (28, 28)


def test_rows_of_floats_stay_floats(write):
    values = np.random.RandomState(1).normal(size=(6, 5))
    dataset = load(write(x=values, y=np.eye(10)[LABELS]))
    assert np.array_equal(dataset.X, values.astype(np.float32))
    assert np.array_equal(dataset.y, LABELS)
    assert dataset.image_shape is None


def test_pictures_with_one_channel_are_pictures(write):
    assert load(write(x=PICTURES[..., None], y=LABELS)).image_shape == (28, 28)


def test_test_part_is_read_only_on_request(write):
    path = write(x_train=PICTURES, y_train=LABELS, x_test=PICTURES[:2], y_test=LABELS[:2])
    assert len(load(path).X) == 6
    assert len(load(path, part="test").X) == 2


def test_archive_without_a_test_part_says_so(write, complaint):
    assert "`x_test`" in complaint(write(x=PICTURES, y=LABELS), part="test")


def test_missing_key_lists_the_keys_there_are(write, complaint):
    message = complaint(write(pictures=PICTURES, Labels=LABELS))
    assert "pictures, Labels" in message
    assert "`images` and `labels`" in message


def test_objects_are_not_unpickled(write, complaint):
    assert "plain arrays" in complaint(write(x=np.array([{"a": 1}, None], object), y=LABELS[:2]))


def test_row_counts_that_differ_are_refused(write, complaint):
    assert "5 labels for 6 samples" in complaint(write(x=PICTURES, y=LABELS[:5]))


@pytest.mark.parametrize("share", [0.001, 0.5, 0.99])
def test_archive_that_is_cut_short_is_refused(write, complaint, share):
    path = write(x=PICTURES, y=LABELS)
    content = path.read_bytes()
    path.write_bytes(content[: max(4, int(len(content) * share))])
    assert "cut short" in complaint(path)


def test_flipped_byte_is_noticed(write, complaint):
    path = write(x=PICTURES, y=LABELS)
    content = bytearray(path.read_bytes())
    content[1000] ^= 1
    path.write_bytes(content)
    assert "damaged" in complaint(path)
