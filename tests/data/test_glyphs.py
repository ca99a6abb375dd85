"""The synthetic digits and their cache."""

import hashlib

import numpy as np
import pytest

from fastmlp.data import load
from fastmlp.data.collections import glyph_shapes, glyphs


@pytest.fixture(scope="module")
def drawn():
    return glyphs.draw("train", 4000), glyphs.draw("test", 1000)


@pytest.fixture
def few(elsewhere, monkeypatch, tmp_path):
    """Collections of 700 and 300 digits, so that drawing is quick; the folder of their cache."""
    monkeypatch.setitem(glyphs.COUNTS, "train", 700)
    monkeypatch.setitem(glyphs.COUNTS, "test", 300)
    return tmp_path / "cache"


def test_shapes_and_images_are_the_same_with_every_version_of_every_package(drawn):
    def digest(*arrays):
        return hashlib.sha256(b"".join(array.tobytes() for array in arrays)).hexdigest()[:16]

    # With matplotlib 3.8.0, 3.9.0, 3.10.0 and 3.11.2 and numpy 1.26.0 to 2.5.5 these came out.
    assert digest(glyph_shapes.digit_shapes()) == "bcf2e02e9e086adc"
    assert digest(*drawn[0]) == "7e769e12196c133f"
    assert digest(*drawn[1]) == "0f3b5397cfe8ace8"


def test_an_outline_is_filled_but_for_its_holes():
    def square(radius, turn):
        corners = radius * np.array([[-1.0, -1], [1, -1], [1, 1], [-1, 1]])[::turn]
        return np.array([corners, np.roll(corners, -1, axis=0)])

    # Half pixels have four units a side: a frame from 2 to 6 half pixels around the middle.
    frame = np.concatenate([square(24, 1), square(8, -1)], axis=1)
    expected = np.zeros((2 * glyph_shapes.SIZE,) * 2)
    expected[50:62, 50:62] = 255
    expected[54:58, 54:58] = 0
    assert np.array_equal(glyph_shapes._filled(frame), expected)
    # One that is drawn twice, and half a unit too far, is as full: a point is inside or it is not.
    assert np.array_equal(glyph_shapes._filled(np.concatenate([frame, frame + 0.25], axis=1)), expected)


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_images_do_not_depend_on_the_number_of_threads(drawn, threads):
    X, y = glyphs.draw("train", 2000, threads)
    assert np.array_equal(X, drawn[0][0][:2000])
    assert np.array_equal(y, drawn[0][1][:2000])


@pytest.mark.parametrize("count", [1, glyphs.BLOCK, glyphs.BLOCK + 1])
def test_first_images_are_the_same_however_many_are_drawn(drawn, count):
    X, y = glyphs.draw("train", count)
    assert np.array_equal(X, drawn[0][0][:count])
    assert np.array_equal(y, drawn[0][1][:count])


def test_no_image_is_drawn_twice_in_either_part(drawn):
    (train, _), (test, _) = drawn
    assert len(np.unique(np.concatenate([train, test]), axis=0)) == len(train) + len(test)


def test_classes_are_about_equally_many(drawn):
    counts = np.bincount(drawn[0][1], minlength=10)
    assert counts.min() > 300
    assert counts.max() < 500


def test_digits_are_white_on_black_within_their_frame(drawn):
    X = drawn[0][0].reshape(-1, 28, 28)
    assert (X.reshape(len(X), -1).max(axis=1) > 120).all()
    frame = np.ones((28, 28), bool)
    frame[2:-2, 2:-2] = False
    assert (X[:, frame] > 0).mean() < 0.02
    assert 0.1 < (X > 0).mean() < 0.4


def test_nearest_mean_image_tells_most_digits_but_not_all(drawn):
    (X, y), (test, labels) = drawn
    means = np.stack([X[y == digit].mean(axis=0) for digit in range(10)])
    distances = ((test[:, None, :] - means) ** 2).sum(axis=2)
    assert 0.7 < (distances.argmin(axis=1) == labels).mean() < 0.95


def test_dataset_says_that_it_is_synthetic(few):
    dataset = load("glyphs")
    assert dataset.synthetic
    assert dataset.name == "glyphs (synthetic digits)"
    assert dataset.X.shape == (700, 784)
    assert (dataset.class_count, dataset.image_shape, dataset.key) == (10, (28, 28), "glyphs")
    assert len(load("glyphs", part="test").X) == 300


def test_second_load_reads_the_cache(few, monkeypatch):
    first = load("glyphs")
    monkeypatch.delattr(glyphs, "draw")  # drawing again would fail
    assert np.array_equal(load("glyphs").X, first.X)


@pytest.mark.parametrize("harm", ["cut", "flipped", "emptied", "other", "short"])
def test_harmed_cache_is_drawn_again(few, harm):
    first = load("glyphs")
    (path,) = few.iterdir()
    content = bytearray(path.read_bytes())
    if harm == "cut":
        path.write_bytes(content[:-100])
    elif harm == "flipped":
        content[5000] ^= 1
        path.write_bytes(content)
    elif harm == "emptied":
        path.write_bytes(b"")
    elif harm == "other":
        np.savez(path, X=first.X[::-1], y=first.y, digest=np.array("0"))
    else:
        X, y = first.X[:10], first.y[:10]
        np.savez(path, X=X, y=y, digest=np.array(hashlib.sha256(X.tobytes() + y.tobytes()).hexdigest()))
    again = load("glyphs")
    assert np.array_equal(again.X, first.X)
    assert np.array_equal(again.y, first.y)
    assert path.stat().st_size == len(content)


def test_cache_that_cannot_be_written_does_no_harm(few, tmp_path, monkeypatch):
    (tmp_path / "a file").touch()
    monkeypatch.setenv("FASTMLP_CACHE", str(tmp_path / "a file" / "cache"))
    assert len(load("glyphs").X) == 700
