"""Model files with changed attributes and arrays are read as they are, or refused in one line."""

import json
import random
import re

import h5py
import numpy as np
import pytest

from fastmlp import MLP
from fastmlp.errors import InputError
from tests.helpers.damage import contents, mutated, refusal

X, Y = np.random.default_rng(0).standard_normal((40, 5)), np.arange(40) % 3


@pytest.fixture(scope="module")
def image():
    """A model with a diagnosis and a reason why its training failed."""
    mlp = MLP(hidden=(6, 4), epochs=3, engine="numpy", learning_rate=1e4, seed=1).fit(X, Y, validation=(X, Y))
    assert mlp.failure_reason.kind == "diverged"
    assert mlp.history.diagnoses
    return mlp.to_bytes()


@pytest.fixture
def path(image, tmp_path):
    (tmp_path / "model.h5").write_bytes(image)
    return tmp_path / "model.h5"


def refused(path):
    before = contents(path.parent)
    message = refusal(MLP.load, path)
    assert contents(path.parent) == before
    assert not message or str(path) in message
    return message


@pytest.mark.parametrize(("name", "count"), [("settings", 300), ("diagnoses", 150)])
def test_changed_json_is_read_or_refused_in_one_line(path, name, count):
    with h5py.File(path) as file:
        value = json.loads(file.attrs[name])
    choose, number = random.Random(name), 0
    for _ in range(count):
        text = mutated(value, choose)
        if "\x00" in text:
            continue
        with h5py.File(path, "r+") as file:
            file.attrs.create(name, text.encode("utf-8", "surrogatepass"), dtype=h5py.string_dtype())
        if message := refused(path):
            number += 1
            assert name in message or "weights" in message, text[:200]  # those of another number of layers
    assert number > count / 3


@pytest.mark.parametrize(
    "name", ["settings", "diagnoses", "failure_reason", "failure_kind", "fastmlp_version", "format"]
)
@pytest.mark.parametrize("value", [3, 1.5, np.nan, "", np.bytes_(b"x"), [1, 2], ["a"], h5py.Empty("f"), None])
def test_an_attribute_of_another_kind_is_named(path, name, value):
    with h5py.File(path, "r+") as file:
        del file.attrs[name]
        if value is not None:
            file.attrs[name] = value
    assert re.search(name if name != "format" else "no model|format", refused(path))


@pytest.mark.parametrize("format_version", ["2", 1.0, [3, 3], h5py.Empty("f"), -1])
def test_a_format_that_is_no_number_is_refused(path, format_version):
    with h5py.File(path, "r+") as file:
        file.attrs["format_version"] = format_version
    assert "format" in refused(path)


@pytest.mark.parametrize(
    "name", ["classes", *(f"{part}/{layer}" for part in ("weights", "biases") for layer in range(3))]
)
def test_an_array_of_another_shape_or_type_is_named(path, name):
    with h5py.File(path) as file:
        array = file[name][:]
    array = np.clip(array, -9, 9)
    kinds = [array[:-1] if name != "weights/0" else array[:, :-1], array[None], array.astype("f2"), array.astype("S9")]
    for changed in (*kinds, np.float32(1), h5py.Empty("f4"), array[:0], array.astype(array.dtype.newbyteorder())):
        with h5py.File(path, "r+") as file:
            del file[name]
            file[name] = changed
        message = refused(path)
        assert name in message or (name == "classes" and "weights/2" in message)


def test_arrays_that_are_unknown_missing_or_elsewhere_are_named(path, tmp_path):
    with h5py.File(path, "r+") as file:
        file["weights/3"] = np.zeros(3)
    assert "weights: 3 is unknown" in refused(path)
    with h5py.File(path, "r+") as file:
        del file["weights/3"], file["history/seconds"]
    assert "history: seconds is missing" in refused(path)
    with h5py.File(path, "r+") as file:
        file.create_dataset("history/seconds", (3,), "f8", external=[(tmp_path / "model.h5", 0, 24)])
    assert "history/seconds is no array in this file" in refused(path)


@pytest.mark.parametrize("name", ["weights/0", "classes", "history/epoch", "biases/1"])
def test_an_array_that_claims_terabytes_makes_no_room_for_them(path, name):
    with h5py.File(path, "r+") as file:
        old = file[name]
        shape, dtype = (10**12, *old.shape[1:]), old.dtype
        del file[name]
        file.create_dataset(name, shape, dtype, chunks=(8, *shape[1:]))
    assert re.search(rf"{name} has \d+ bytes in a file of \d+", refused(path))


@pytest.mark.parametrize(
    ("name", "values", "message"),
    [
        ("classes", [0, 1, 1], "classes are not unique"),
        ("history/epoch", [1], r"history\.learning_rate is float64 of shape .*; expected float64 of shape \(1,\)"),
        ("history/seconds", [1.0], r"history\.seconds is float64 of shape \(1,\); expected float64 of shape"),
        ("history/train_loss", [], r"history\.train_loss is"),
        ("history/epoch", None, r"history\.epoch is not 1 to"),
        ("history/seconds", -1.0, r"history\.seconds has a number that is negative or not finite"),
        ("history/learning_rate", np.nan, r"history\.learning_rate has a number"),
    ],
)
def test_numbers_that_cannot_be_are_named(path, name, values, message):
    with h5py.File(path, "r+") as file:
        old = file[name][:]
        del file[name]
        if values is None or isinstance(values, float):
            file[name] = np.full_like(old, values or 7)
        else:
            file[name] = np.array(values, old.dtype)
    assert re.search(message, refused(path))


def test_a_reason_of_another_kind_is_refused(path):
    with h5py.File(path, "r+") as file:
        file.attrs["failure_kind"] = "died"
    assert "failure_kind is 'died'" in refused(path)
    with pytest.raises(InputError):
        MLP.load(path)
