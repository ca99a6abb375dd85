"""notMNIST: its parts, and that no image is in two of them."""

import gzip
import hashlib
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastmlp.data import load
from fastmlp.data.collections import named
from fastmlp.data.collections.notmnist import part_rows
from fastmlp.errors import InputError

IMAGES, LABELS = "notmnist-small-subset-images-idx3-ubyte", "notmnist-small-subset-labels-idx1-ubyte"


def as_sets(X):
    return {row.tobytes() for row in X}


@pytest.fixture
def real(real_data, monkeypatch):
    """The two parts of the real collection."""
    if not (real_data / "notmnist").is_dir():
        pytest.skip("no notMNIST: set FASTMLP_DATA to a folder that holds notmnist/")
    monkeypatch.setenv("FASTMLP_DATA", str(real_data))
    return load("notmnist"), load("notmnist", part="test")


def test_no_image_is_in_two_of_the_three_parts(real):
    train, test = real
    assert (len(train.y), len(test.y)) == (13_000, 1579)
    trained, held_out, tested = as_sets(train.X[:12_000]), as_sets(train.X[12_000:]), as_sets(test.X)
    assert not trained & held_out
    assert not trained & tested
    assert not held_out & tested


def test_together_the_parts_are_the_collection_with_its_labels(real, real_data):
    with gzip.open(real_data / "notmnist" / f"{IMAGES}.gz") as file:
        images = np.frombuffer(file.read()[16:], np.uint8).reshape(-1, 784)
    with gzip.open(real_data / "notmnist" / f"{LABELS}.gz") as file:
        labels = np.frombuffer(file.read()[8:], np.uint8)
    expected = sorted((image.tobytes(), label) for image, label in zip(images, labels.tolist(), strict=True))
    ours = [(x.tobytes(), label) for part in real for x, label in zip(part.X, part.y.tolist(), strict=True)]
    assert sorted(ours) == expected


def test_every_part_has_every_letter_about_as_often(real):
    train, test = real
    assert train.class_names == tuple("ABCDEFGHIJ")
    for labels in (train.y[:12_000], train.y[12_000:], test.y):
        shares = np.bincount(labels) / len(labels)
        assert shares.min() > 0.07
        assert shares.max() < 0.15


@given(st.lists(st.integers(0, 12), min_size=40, max_size=60), st.integers(1, 8), st.integers(1, 8))
def test_identical_images_stay_together(values, test, validation):
    singles = range(100, 120)  # distinct ones, with which any part can be filled up
    images = np.array([*values, *singles], np.uint8).reshape(-1, 1, 1)
    parts = part_rows(images, "train", test, validation), part_rows(images, "test", test, validation)
    assert sorted(np.concatenate(parts).tolist()) == list(range(len(images)))
    assert len(parts[1]) == test
    train, tested = (images[rows, 0, 0].tolist() for rows in parts)
    for a, b in ((train[:-validation], train[-validation:]), (train, tested)):
        assert not set(a) & set(b)


def test_the_order_is_always_the_same_and_not_that_of_the_letters():
    images = np.arange(50, dtype=np.uint8).reshape(50, 1, 1)
    first, again = (part_rows(images, "train", 5, 5) for _ in range(2))
    assert np.array_equal(first, again)
    assert (np.diff(first) < 0).any()


def test_absent_files_are_asked_for_by_name(elsewhere):
    with pytest.raises(InputError) as caught:
        load("notmnist")
    message = str(caught.value).replace("\\", "/")
    assert f"put {IMAGES}.gz and {LABELS}.gz into data/notmnist" in message
    assert "FASTMLP_DATA" in message
    assert "\n" not in message


def test_harmed_files_are_not_believed(elsewhere, monkeypatch):
    folder = elsewhere / "data" / "notmnist"
    folder.mkdir(parents=True)
    images = bytes([0, 0, 8, 3]) + struct.pack(">3I", 2, 1, 1) + bytes([5, 6])
    labels = bytes([0, 0, 8, 1]) + struct.pack(">I", 2) + bytes([0, 1])
    (folder / IMAGES).write_bytes(images)
    (folder / LABELS).write_bytes(labels)
    digests = {IMAGES: hashlib.sha256(images).hexdigest(), LABELS: hashlib.sha256(labels[:-1]).hexdigest()}
    monkeypatch.setitem(named.DIGESTS, "notmnist", digests)
    with pytest.raises(InputError, match="is not the notmnist-small-subset-labels-idx1-ubyte of notmnist"):
        load("notmnist")
