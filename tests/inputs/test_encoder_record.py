"""What a model file says of the inputs is checked before anything is made of it."""

import json

import numpy as np
import pytest

from fastmlp.inputs.encoder import InputEncoder
from fastmlp.inputs.encoder_record import EncoderRecord
from fastmlp.inputs.table import Table
from fastmlp.utils.records import DamagedRecord, decode_record, encode_record

X = Table(
    ("size", "colour", "age"),
    (np.array([1.0, 2.5, np.nan, 4.0]), np.array(["red", "blue", None, "red"], object), np.array([30.0, 40, 50, 60])),
)


def plain():
    return json.loads(encode_record(InputEncoder.fit(X, missing="median").to_record()))


def read(values):
    return decode_record(json.dumps(values), EncoderRecord, "a file", "expected a whole one")


def test_an_encoder_is_the_same_after_it_was_written_and_read():
    encoder = InputEncoder.fit(X, missing="median")
    again = InputEncoder.from_record(read(plain()))
    assert again == encoder
    assert again.describe() == encoder.describe()
    np.testing.assert_array_equal(again.encode(X, "float64"), encoder.encode(X, "float64"))


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (("scaling",), "auto"),
        (("missing",), "refuse"),
        (("missing",), "mean"),
        (("numbers",), 3),
        (("offset",), []),
        (("scale",), [1.0, 0.0]),
        (("scale",), [1.0, None]),
        (("scale",), [1.0, 2.0, 3.0]),
        (("columns", 0, "fill"), None),
        (("columns", 0, "name"), None),
        (("columns", 0, "name"), "age"),
        (("columns", 1, "categories"), ["red", "blue"]),
        (("columns", 1, "categories"), ["blue", "blue"]),
        (("columns", 1, "kind"), "text"),
    ],
)
def test_what_contradicts_itself_is_refused(place, value):
    values = plain()
    *way, last = place
    inside = values
    for step in way:
        inside = inside[step]
    inside[last] = value
    with pytest.raises(DamagedRecord, match=r"^a file cannot be read \(.*\); expected a whole one$"):
        read(values)
