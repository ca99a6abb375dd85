"""Inputs without labels, for predictions."""

import gzip
import struct

import h5py
import numpy as np
import pytest
import scipy.io
from PIL import Image

from fastmlp.data import load, load_inputs
from fastmlp.errors import InputError, InputTypeError
from fastmlp.inputs.image_style import ImageStyle

IMAGES = np.random.RandomState(0).randint(0, 256, (6, 9, 9)).astype(np.uint8)
ROWS = IMAGES.reshape(6, 81)
LABELS = np.arange(6)


def write_npz(path, **arrays):
    with open(path, "wb") as file:
        np.savez(file, **arrays)


def write_hdf5(path, **arrays):
    with h5py.File(path, "w") as file:
        for key, array in arrays.items():
            file[key] = array


@pytest.mark.parametrize("write", [write_npz, write_hdf5])
@pytest.mark.parametrize(
    ("arrays", "expected"),
    [
        ({"x": IMAGES}, IMAGES),
        ({"anything": IMAGES}, IMAGES),
        ({"images": IMAGES, "labels": LABELS}, IMAGES),
        ({"x_train": IMAGES[:4], "x_test": IMAGES[4:]}, IMAGES[4:]),
        ({"train_images": IMAGES[:4], "val_images": IMAGES[4:5]}, IMAGES[:4]),
    ],
)
def test_inputs_are_found_with_labels_and_without_and_those_of_the_test_first(tmp_path, write, arrays, expected):
    write(tmp_path / "new", **arrays)
    inputs = load_inputs(tmp_path / "new")
    assert np.array_equal(inputs.X, expected.reshape(-1, 81))
    assert inputs.image_shape == (9, 9)
    assert inputs.ids is None
    assert any("it also has" in note for note in inputs.notes) == (sum(len(a.shape) > 1 for a in arrays.values()) > 1)


def test_several_arrays_none_of_which_is_called_as_inputs_are_refused(tmp_path):
    write_npz(tmp_path / "two.npz", a=ROWS, b=ROWS)
    with pytest.raises(InputError, match="has the arrays a, b; expected inputs under a name such as `x`"):
        load_inputs(tmp_path / "two.npz")


def test_one_array_of_numpy_is_inputs_and_no_training_data(tmp_path, complaint):
    np.save(tmp_path / "rows.npy", ROWS)
    assert np.array_equal(load_inputs(tmp_path / "rows.npy").X, ROWS)
    assert "is one array, without labels" in complaint(tmp_path / "rows.npy")
    np.save(tmp_path / "rows.npy", np.array([{"a": 1}]))
    with pytest.raises(InputError, match=r"rows\.npy cannot be read as npy"):
        load_inputs(tmp_path / "rows.npy")


@pytest.mark.parametrize("matrices", [{"X": ROWS}, {"X": ROWS.T}, {"X": ROWS.T, "y": LABELS}])
def test_matlabs_samples_are_rows_or_columns(tmp_path, matrices):
    scipy.io.savemat(tmp_path / "new.mat", matrices)
    assert np.array_equal(load_inputs(tmp_path / "new.mat", n_features=81).X, ROWS)


def test_idx_images_need_no_labels(tmp_path):
    for name, images in (("train-images-idx3-ubyte.gz", IMAGES), ("t10k-images-idx3-ubyte.gz", IMAGES[:2])):
        header = bytes([0, 0, 8, 3]) + struct.pack(">3I", *images.shape)
        (tmp_path / name).write_bytes(gzip.compress(header + images.tobytes()))
    assert np.array_equal(load_inputs(tmp_path / "train-images-idx3-ubyte.gz").X, ROWS)
    assert np.array_equal(load_inputs(tmp_path).X, ROWS[:2])


def test_a_name_means_its_test_part(real_data, monkeypatch):
    monkeypatch.setenv("FASTMLP_DATA", str(real_data))
    inputs = load_inputs("mnist")
    assert np.array_equal(inputs.X, load("mnist", part="test").X)
    assert inputs.notes[-1].endswith(": the samples of the test part")


def test_image_files_are_called_by_their_names(tmp_path):
    style = ImageStyle((9, 9), background=None)
    for name in ("b.png", "a.png", "class 1/z.png", "test/class 2/y.png"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(IMAGES[len(name) % 6]).save(tmp_path / name)
    inputs = load_inputs(tmp_path, image_style=style)
    assert inputs.ids == ("a.png", "b.png", "class 1/z.png", "test/class 2/y.png")
    assert np.array_equal(inputs.X, ROWS[[len(name) % 6 for name in inputs.ids]])
    one = load_inputs(tmp_path / "a.png", image_style=style)
    assert one.ids == ("a.png",)
    assert np.array_equal(one.X, inputs.X[:1])


def test_images_become_like_mnists_for_as_many_inputs_as_a_square_has(tmp_path):
    Image.fromarray(np.where(np.arange(900).reshape(30, 30) % 30 < 5, 0, 255).astype(np.uint8)).save(tmp_path / "i.png")
    made = load_inputs(tmp_path / "i.png", n_features=784)
    assert made.image_shape == (28, 28)
    assert made.X.reshape(28, 28).any(axis=1).sum() == 20
    with pytest.raises(InputError, match="expected the size of the images that the network was trained on"):
        load_inputs(tmp_path / "i.png", n_features=30)


def test_a_folder_of_the_images_of_a_training_gives_its_rows(tmp_path):
    for label in ("a", "b"):
        (tmp_path / label).mkdir()
        for number in range(3):
            Image.fromarray(IMAGES[number + 3 * (label == "b")]).save(tmp_path / label / f"{number}.png")
    dataset = load(tmp_path)
    style = ImageStyle.measure(dataset.X, dataset.image_shape)
    assert np.array_equal(load_inputs(tmp_path, image_style=style).X, dataset.X)


def test_what_is_no_path_or_not_there_is_refused(tmp_path):
    with pytest.raises(InputTypeError, match="data is 3; expected a path"):
        load_inputs(3)
    with pytest.raises(InputError, match="is not there"):
        load_inputs(tmp_path / "absent.png")
