"""Numpy archives."""

import numpy as np
import pytest
from PIL import Image

from fastmlp.data import NoTestPart, load

IMAGES = np.random.RandomState(0).randint(0, 256, (6, 28, 28)).astype(np.uint8)
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
    dataset = load(write(**dict(zip(keys, (IMAGES, LABELS), strict=True))))
    assert np.array_equal(dataset.X, IMAGES.reshape(6, 784))
    assert np.array_equal(dataset.y, LABELS)
    assert np.array_equal(dataset.classes, LABELS)  # no class for what does not occur
    assert dataset.image_shape == (28, 28)


def test_rows_of_floats_stay_floats(write):
    values = np.random.RandomState(1).normal(size=(6, 5))
    dataset = load(write(x=values, y=np.eye(10)[LABELS]))
    assert np.array_equal(dataset.X, values.astype(np.float32))
    assert np.array_equal(dataset.y, LABELS)
    assert dataset.image_shape is None


def test_images_with_one_channel_are_images(write):
    assert load(write(x=IMAGES[..., None], y=LABELS)).image_shape == (28, 28)


@pytest.mark.parametrize("shape", [(6, 28, 28, 1), (6, 1, 28, 28)])
def test_the_place_of_the_one_channel_does_not_matter(write, shape):
    dataset = load(write(x=IMAGES.reshape(shape), y=LABELS))
    assert dataset.image_shape == (28, 28)
    assert np.array_equal(dataset.X, IMAGES.reshape(6, 784))


@pytest.mark.parametrize("dtype", ["uint8", "int16", "int64", "float32", "float64"])
def test_the_same_numbers_are_the_same_data_whatever_their_type(write, dtype):
    dataset = load(write(x=IMAGES.astype(dtype), y=LABELS))
    assert dataset.X.dtype == np.uint8
    assert np.array_equal(dataset.X, IMAGES.reshape(6, 784))


@pytest.mark.parametrize("dtype", ["uint8", "int64", "float32"])
def test_rows_of_64_whole_numbers_are_images_whatever_their_type_and_others_are_not(write, dtype):
    digits = np.arange(6 * 64).reshape(6, 64) % 17  # from 0 to 16, as scikit-learn's digits
    assert load(write(x=digits.astype(dtype), y=LABELS)).image_shape == (8, 8)
    assert load(write(x=(digits % 2).astype(dtype), y=LABELS)).image_shape is None
    assert load(write(x=digits[:, :63].astype(dtype), y=LABELS)).image_shape is None
    assert load(write(x=digits / 16, y=LABELS)).image_shape is None
    assert load(write(x=digits.reshape(6, 8, 8) / 16, y=LABELS)).image_shape == (8, 8)


def test_values_that_are_no_bytes_after_many_that_are_keep_all_values(write):
    values = np.zeros((3_000_000, 1))
    values[:, 0] = np.arange(len(values)) % 256
    values[-1] = 0.5
    dataset = load(write(x=values, y=np.arange(len(values)) % 2))
    assert np.array_equal(dataset.X, values.astype(np.float32))


def test_colours_become_the_grey_of_pillow_and_that_is_said(write):
    colours = np.random.RandomState(2).randint(0, 256, (6, 5, 7, 3)).astype(np.uint8)
    dataset = load(write(x=colours, y=LABELS))
    grey = np.array([np.asarray(Image.fromarray(image).convert("L")) for image in colours])
    assert np.array_equal(dataset.X, grey.reshape(6, 35))
    assert dataset.image_shape == (5, 7)
    (note,) = dataset.notes
    assert "5 x 7 pixels in colour, which became grey" in note
    assert "rows of 105 numbers" in note
    from_floats = load(write(x=colours / 255, y=LABELS))
    assert np.abs(from_floats.X * 255 - dataset.X).max() <= 0.5 + 1e-4


@pytest.mark.parametrize("shape", [(6, 3, 5, 7), (6, 5, 7, 4), (6, 5, 7, 9, 1)])
def test_other_axes_are_refused(write, complaint, shape):
    message = complaint(write(x=np.ones(shape), y=LABELS))
    assert str(shape) in message
    assert "(N, height, width, 3)" in message


# Keras: https://github.com/keras-team/keras/blob/master/keras/src/datasets/mnist.py. The others are for MATLAB's and
# scikit-learn's habits.
@pytest.mark.parametrize("spelling", ["x_{}", "{}_x", "{}X", "X{}", "{}_set_x", "{}_data", "{}_images"])
def test_the_test_part_is_read_only_on_request(write, spelling):
    def key(part):
        inputs = spelling.format(part)
        for old, new in (("x", "y"), ("X", "Y"), ("data", "target"), ("images", "labels")):
            if inputs.endswith(old) or inputs.startswith(old):
                return inputs, inputs.replace(old, new)

    (x, y), (x_test, y_test) = key("train"), key("test")
    path = write(**{x: IMAGES, y: LABELS, x_test: IMAGES[:2], y_test: LABELS[:2]})
    assert len(load(path).X) == 6
    assert load(path).validation is None
    assert len(load(path, part="test").X) == 2


def test_medmnist_has_three_parts_and_a_column_of_labels(write):
    # https://github.com/MedMNIST/MedMNIST/blob/main/medmnist/dataset.py
    rows = {"train": slice(0, 3), "val": slice(3, 5), "test": slice(5, 6)}
    arrays = {"images": IMAGES, "labels": LABELS[:, None].astype(np.uint8)}
    path = write(**{f"{part}_{key}": array[rows[part]] for part in rows for key, array in arrays.items()})
    for part, name in (("train", "train"), ("validation", "val"), ("test", "test")):
        dataset = load(path, part=part)
        assert np.array_equal(dataset.X, IMAGES[rows[name]].reshape(-1, 784))
        assert np.array_equal(dataset.y, LABELS[rows[name]])
    own = load(path).validation
    assert np.array_equal(own.X, IMAGES[3:5].reshape(-1, 784))
    assert np.array_equal(own.y, LABELS[3:5])


def test_several_labels_for_an_image_are_refused(write, complaint):
    # As MedMNIST's ChestMNIST has them.
    labels = np.eye(10, 14, dtype=np.uint8)[LABELS]
    labels[2, 12:] = 1
    message = complaint(write(train_images=IMAGES, train_labels=labels))
    assert "train_labels has 3 labels at row 2; expected one label per sample" in message


def test_archive_without_a_test_part_says_so(write, complaint):
    path = write(x=IMAGES, y=LABELS)
    assert "no test part, only train, in the arrays x, y; expected names such as `x_test`" in complaint(
        path, part="test"
    )
    with pytest.raises(NoTestPart):
        load(path, part="test")


def test_archive_with_a_test_part_alone_says_so(write, complaint):
    path = write(test_set_x=IMAGES, test_set_y=LABELS)
    assert "has no train part, only test" in complaint(path)
    assert len(load(path, part="test").X) == 6


def test_objects_are_not_unpickled(write, complaint):
    assert "plain arrays" in complaint(write(x=np.array([{"a": 1}, None], object), y=LABELS[:2]))


def test_row_counts_that_differ_are_refused(write, complaint):
    assert "5 labels for 6 samples" in complaint(write(x=IMAGES, y=LABELS[:5]))


@pytest.mark.parametrize("share", [0.001, 0.5, 0.99])
def test_archive_that_is_cut_short_is_refused(write, complaint, share):
    path = write(x=IMAGES, y=LABELS)
    content = path.read_bytes()
    path.write_bytes(content[: max(4, int(len(content) * share))])
    assert "cut short" in complaint(path)


def test_flipped_byte_is_noticed(write, complaint):
    path = write(x=IMAGES, y=LABELS)
    content = bytearray(path.read_bytes())
    content[1000] ^= 1
    path.write_bytes(content)
    assert "damaged" in complaint(path)
