"""Values in messages: whatever their classes do, an error is typed and one line that is not long."""

from contextlib import suppress

import numpy as np
import pandas as pd
import pytest

from fastmlp import MLP
from fastmlp.config.network import NetworkConfig
from fastmlp.data import load
from fastmlp.errors import FastmlpError, InputTypeError
from fastmlp.utils.showing import shown

ROWS = 12
X, Y = np.eye(ROWS, 3, dtype=np.float32), [0, 1] * (ROWS // 2)


class Silent:
    def __repr__(self):
        raise RuntimeError("no text")

    __str__ = __repr__


class Endless:
    def __repr__(self):
        return repr(self)


class Wordy:
    def __repr__(self):
        return "x" * 10_000_000


class Incomparable:
    def __eq__(self, other):
        raise RuntimeError("not comparable")

    def __hash__(self):
        raise RuntimeError("no hash")


class NoArray:
    def __array__(self, *_, **__):
        raise Error


class Error(Exception):
    def __str__(self):
        raise RuntimeError("no text")


HOSTILE = [Silent(), Endless(), Wordy(), Incomparable(), NoArray(), [Silent()], {"a": Silent()}, 10**5000, "x" * 10**7]
each = pytest.mark.parametrize("value", HOSTILE, ids=lambda value: type(value).__name__)


def message_of(function, *arguments, **options):
    """The message of the typed error that a call ends in."""
    with pytest.raises(FastmlpError) as caught:
        function(*arguments, **options)
    message = str(caught.value)
    assert "\n" not in message
    assert len(message) < 1500
    return message


def objects(size, value):
    """An array of objects, all 0 but one."""
    array = np.zeros(size, object)
    array[(3, 2)[: array.ndim]] = value
    return array


@each
def test_a_setting_of_any_class_is_taken_or_refused_by_a_typed_error(value):
    for name in NetworkConfig.FIELDS:
        with suppress(FastmlpError):
            MLP(**{name: value})


@pytest.mark.parametrize("name", ["validation", "validation_split", "progress", "sample_weight", "callbacks"])
@each
def test_an_argument_of_any_class_is_refused_in_one_line(name, value):
    message_of(MLP(epochs=1).fit, X, Y, **{name: value})


@each
def test_inputs_labels_and_cells_of_any_class_are_refused_in_one_line(value):
    message_of(MLP(epochs=1).fit, value, Y)
    message_of(MLP(epochs=1).fit, X, value)
    if isinstance(value, NoArray):
        return  # numpy asks it, and raises what it raises, when it is put into an array
    message_of(MLP(epochs=1).fit, objects(X.shape, value), Y)
    message_of(MLP(epochs=1, loss="squared_error").fit, X, objects(ROWS, value))


@pytest.mark.parametrize("value", [Silent(), Endless(), 10**5000], ids=lambda value: type(value).__name__)
def test_a_cell_or_a_column_of_a_table_without_a_text_is_refused_in_one_line(value):
    words = pd.DataFrame({"a": ["u", "v"] * (ROWS // 2), "b": range(ROWS)})
    words["a"] = words["a"].astype(object)
    network = MLP(epochs=1, hidden=(2,)).fit(words, Y)
    words.at[3, "a"] = value
    message = message_of(MLP(epochs=1).fit, words, Y)
    assert "at row 3" in message
    assert type(value).__name__ in message
    message_of(network.predict, words)
    words.columns = ["a", value]
    message_of(MLP(epochs=1).fit, words, Y)


@pytest.mark.parametrize("name", ["part", "task", "label", "columns"])
@each
def test_an_argument_of_load_of_any_class_is_refused_in_one_line(name, value):
    message_of(load, "glyphs", **{name: value})


def test_a_label_of_class_weight_without_a_text_is_refused():
    assert "a label in class_weight is a value of type Silent" in message_of(MLP, class_weight={Silent(): 1.0})


def test_a_value_is_shown_as_python_writes_it():
    assert (shown("a"), shown(3), shown(np.float64(0.5)), shown(None)) == ("'a'", "3", "0.5", "None")


def test_a_value_that_fails_or_is_long_is_shown_by_its_type():
    assert shown(Silent()) == shown(Silent()) == "a value of type Silent"
    assert shown(Wordy()) == "x" * 500 + "... (type Wordy)"


def test_the_exception_of_a_conversion_that_has_no_text_is_named():
    with pytest.raises(InputTypeError, match=r"X is not an array \(Error\)"):
        MLP(epochs=1).fit(NoArray(), Y)
