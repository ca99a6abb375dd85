"""Model files with a right checksum and other content are read as they are, or refused in one line."""

import random
import re

import numpy as np
import pytest
from model_files import parts, sealed, tensors, texts, with_model, with_tensors

from fastmlp import MLP
from tests.fuzz.mutators import DEEP, mutated, refusal

X, Y = np.random.default_rng(0).standard_normal((40, 5)), np.arange(40) % 3


@pytest.fixture(scope="module")
def image():
    """A model with a diagnosis and a reason why its training failed."""
    mlp = MLP(hidden=(6, 4), epochs=3, engine="numpy", learning_rate=1e4, seed=1).fit(X, Y, validation=(X, Y))
    assert mlp.failure_reason.kind == "diverged"
    assert mlp.history.diagnoses
    return mlp.to_bytes()


def refused(data):
    message = refusal(MLP.from_bytes, data)
    assert not message or "the model" in message
    return message


def test_changed_json_is_read_or_refused_in_one_line(image):
    model, _ = texts(image)
    choose = random.Random(0)
    assert sum(refused(with_model(image, mutated(model, choose))) != "" for _ in range(600)) > 200


@pytest.mark.parametrize("name", ["settings", "classes", "inputs", "failure_reason", "diagnoses", "fastmlp_version"])
@pytest.mark.parametrize("value", [3, 1.5, "", [1, 2], ["a"], {}, [], {"a": 1}, None])
def test_a_value_of_another_kind_is_named(image, name, value):
    model, _ = texts(image)
    message = refused(with_model(image, {**model, name: value}))
    assert not message or re.search(f"{name}|layer", message)  # other classes are of another last layer
    del model[name]
    assert f"`{name}`" in refused(with_model(image, model))


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "\x00", DEEP, "{}"])
def test_metadata_that_are_no_record_are_refused(image, text):
    assert "cannot be read" in refused(with_model(image, text))


@pytest.mark.parametrize("name", [f"layer{number}.{part}" for number in (1, 2, 3) for part in ("weight", "bias")])
def test_a_tensor_of_another_shape_or_type_is_named(image, name):
    array = np.clip(tensors(image)[name], -9, 9)
    other = (
        array[:-1],
        array[None],
        array.astype("f2"),
        array.astype("i4"),
        array.astype("f8"),
        array[:0],
        np.float32([[[1]]]),
    )
    for value in other:
        assert name in refused(with_tensors(image, lambda arrays, _, value=value: arrays.update({name: value.copy()})))


def test_tensors_and_metadata_that_are_unknown_or_missing_are_named(image):
    assert "more is unknown" in refused(with_tensors(image, lambda arrays, _: arrays.update(more=np.zeros(1))))
    assert "layer2.bias is missing" in refused(with_tensors(image, lambda arrays, _: arrays.pop("layer2.bias")))
    assert "metadata: more is unknown" in refused(with_tensors(image, lambda _, texts: texts.update(more="")))
    assert "metadata: history is missing" in refused(with_tensors(image, lambda _, texts: texts.pop("history")))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"data_offsets": [0, 2**53]}, "within"),
        ({"data_offsets": [8, 128]}, "expected 0"),
        ({"data_offsets": [120, 0]}, "expected 0"),
        ({"data_offsets": [0, 2**70]}, "cannot be read"),
        ({"data_offsets": [-8, 120]}, "cannot be read"),
        ({"data_offsets": [0]}, "cannot be read"),
        ({"shape": [2**53, 2**53]}, "the size of"),
        ({"shape": [0, 2**53], "data_offsets": [0, 0]}, "cannot be read"),
        ({"shape": [1] * 100}, "cannot be read"),
        ({"shape": [-1, 5]}, "cannot be read"),
        ({"shape": [6.0, 5]}, r"the size|layer1\.weight|cannot be read"),
        ({"dtype": "F64"}, "the size of"),
        ({"dtype": "BF16"}, "cannot be read"),
        ({"more": 1}, "cannot be read"),
    ],
)
def test_a_header_that_describes_another_file_is_refused_without_room_for_what_it_claims(image, change, message):
    header, body = parts(image)
    header["layer1.weight"] |= change
    assert re.search(message, refused(sealed(header, body)))


@pytest.mark.parametrize("length", [0, 1, 7, 2**31, 2**63, 2**64 - 1])
def test_a_header_of_another_length_is_refused(image, length):
    assert "cannot be read" in refused(sealed(*parts(image), length))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda rows: rows[:1], ""),
        (lambda rows: [], "is not a history"),
        (lambda rows: [rows[0], rows[2]], r"history\.epoch is not 1 to 1"),
        (lambda rows: [*rows[:2], rows[2] + ",1"], "line 3 has 9 values"),
        (lambda rows: [*rows[:2], rows[2].replace("10000.0", "nan")], r"history\.learning_rate has a number"),
        (lambda rows: [*rows[:2], rows[2].replace("10000.0", "-1")], r"history\.learning_rate has a number"),
        (lambda rows: [*rows[:2], rows[2].replace("10000.0", "x")], "has a value that is not a number"),
        (lambda rows: [rows[0], "9" * 30 + rows[1][1:]], "cannot be read"),
        (lambda rows: [rows[0], "9" * 5000 + rows[1][1:]], "cannot be read"),
        (lambda rows: [rows[0], '"' + "x" * 200_000], "cannot be read"),
    ],
)
def test_a_history_that_cannot_be_is_named(image, change, message):
    def put(_, metadata):
        metadata["history"] = "\n".join(change(metadata["history"].splitlines())) + "\n"

    found = refused(with_tensors(image, put))
    assert re.search(message, found) if message else "diagnoses has an epoch after the last of 0" in found


def test_classes_that_cannot_be_are_named(image):
    model, _ = texts(image)
    for classes, message in (
        ([0, 1, 1], "classes are not unique"),
        ([2, 1, 0], "classes are not sorted"),
        ([0.5, 1.5, 2.5], "classes has 0.5"),
        ([[0, 1], [0, 1], [0, 0]], "classes are not means and deviations"),
        ([[0, 1], 1, 2], "classes are not means and deviations"),
        ([[0, 1], [0, 1], [0, 1]], "classes are the scale of numbers"),
        ([], "classes"),
        ([0, 1], "layer3.weight is float32 of shape (3, 4); expected float32 of shape (2, 4)"),
    ):
        assert message in refused(with_model(image, {**model, "classes": classes}))
