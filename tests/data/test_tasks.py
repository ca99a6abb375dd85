"""Which labels are classes and which are quantities, by one rule for every format."""

import numpy as np
import pytest

from fastmlp.data import load
from fastmlp.data.checks import are_quantities
from fastmlp.errors import InputError


@pytest.fixture
def write(tmp_path):
    """Write a file of one column of inputs and these labels."""

    def write(labels):
        path = tmp_path / "rows.npz"
        np.savez(path, x=np.ones((len(labels), 1)), y=labels)
        return path

    return write


@pytest.mark.parametrize(("labels", "expected"), [
    (np.arange(10), False), (np.arange(20) * 1000, False), ([1.0, 2.0, 7.0], False), ([-1, 1, 1], False),
    (np.arange(21), True), (np.tile(np.arange(47), 10), False), (np.tile(np.arange(1, 27), 10), False),
    (np.tile(np.arange(47), 9), True), (np.tile(np.arange(47) + 2, 10), True),
    (np.tile(np.r_[0:30, 31], 10), True), (np.r_[np.tile(np.arange(47), 10), 47], True),
    (np.tile(np.arange(1922, 2012), 500), True), ([0.5, 1, 2], True), ([0.0, 1.0, np.nan], True),
])  # fmt: skip
def test_numbers_are_quantities_by_their_values(labels, expected):
    assert are_quantities(np.asarray(labels)) is expected


def test_a_regression_is_noted_with_what_makes_classes_of_it(write):
    dataset = load(write(np.arange(30)))
    assert dataset.task == "regression"
    (note,) = dataset.notes
    assert "30 different numbers" in note
    assert "task = 'classification'" in note


@pytest.mark.parametrize(("labels", "task", "classes"), [
    (np.arange(30), "classification", list(range(30))), ([1, 2, 2], "regression", None), ([1, 2, 2], None, [1, 2]),
    ([1, 2, 2], "classification", [1, 2]), ([0.5, 1.5], "regression", None), (["a", "b"], "classification", ["a", "b"]),
])  # fmt: skip
def test_a_task_that_is_given_counts(write, labels, task, classes):
    dataset = load(write(labels), task=task)
    assert dataset.y.tolist() == list(labels)
    assert (None if dataset.classes is None else dataset.classes.tolist()) == classes
    assert dataset.y.dtype == (np.float64 if classes is None else np.asarray(labels).dtype)
    assert not dataset.notes


@pytest.mark.parametrize(("labels", "task", "words"), [
    (["a", "b"], "regression", "has the label 'a' at row 0; expected numbers"),
    ([0.5, 1], "classification", "has 0.5 at row 0; expected one label per sample"),
    ([0, 1], "guess", "task is 'guess'; expected classification or regression"),
])  # fmt: skip
def test_a_task_that_the_labels_do_not_have_is_refused(write, labels, task, words):
    with pytest.raises(InputError, match=words):
        load(write(np.array(labels)), task=task)


def test_a_collection_has_classes():
    with pytest.raises(InputError, match="glyphs has classes"):
        load("glyphs", task="regression")
