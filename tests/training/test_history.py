"""The record of a training, and the text it is kept as."""

import math

import numpy as np
import pytest

from fastmlp import History
from fastmlp.errors import InputError
from fastmlp.training.history import COLUMNS, DiagnosisRecord, result_text
from fastmlp.training.progress import describe


@pytest.fixture
def history():
    result = History()
    for epoch in (1, 2, 3):
        values = (epoch, 0.1 / epoch, 1 / 3, 5 / 7, 2 / 3, math.nan if epoch == 1 else 1e-300, 0.5, 1e10 / 7)
        result.append(dict(zip(COLUMNS, values, strict=True)))
    return result


def same(a, b):
    for name in COLUMNS:
        np.testing.assert_array_equal(a[name], b[name])


def test_columns_rows_and_length_agree(history):
    assert len(history) == 3
    rows = list(history)
    assert [row["epoch"] for row in rows] == history["epoch"] == [1, 2, 3]
    assert [row["learning_rate"] for row in rows] == history["learning_rate"]
    assert all(tuple(row) == COLUMNS for row in rows)
    assert "3 epochs" in repr(history)


def test_an_unknown_column_is_named_with_those_there_are(history):
    with pytest.raises(KeyError, match=r"'loss'.*train_loss"):
        history["loss"]


def test_a_record_that_lacks_a_column_is_refused_and_leaves_no_half_row(history):
    with pytest.raises(KeyError):
        history.append({"epoch": 4, "learning_rate": 0.1})
    assert {len(history[name]) for name in COLUMNS} == {3}


def test_the_columns_handed_out_are_copies(history):
    history["epoch"].append(9)
    history.to_dict()["epoch"].append(9)
    assert len(history) == 3


def test_diagnoses_are_kept_beside_the_columns_and_not_among_them(history):
    assert history.diagnoses == []
    history.diagnoses.append({"epoch": 2, "cause": "diverged", "sentence": "diverged: the loss is nan"})
    assert tuple(history.to_dict()) == COLUMNS
    assert "diverged" not in history.to_csv()
    assert History.from_dict(history.to_dict()).diagnoses == []


def test_csv_and_back_keeps_every_bit(history, tmp_path):
    path = tmp_path / "new" / "history.csv"
    text = history.to_csv(path)
    assert path.read_text(encoding="utf-8") == text == history.to_csv()
    assert text.splitlines()[0] == ",".join(COLUMNS)
    assert len(text.splitlines()) == 4
    same(History.from_csv(path), history)


def test_dict_and_numpy_and_back_keep_every_bit(history):
    same(History.from_dict(history.to_dict()), history)
    arrays = history.to_numpy()
    assert arrays["epoch"].dtype == np.int64
    assert {arrays[name].dtype for name in COLUMNS[1:]} == {np.dtype(np.float64)}
    same(History.from_dict(arrays), history)


def test_an_empty_history_round_trips(tmp_path):
    History().to_csv(tmp_path / "empty.csv")
    assert len(History.from_csv(tmp_path / "empty.csv")) == 0


@pytest.mark.parametrize("text", ["", "a,b\n1,2\n", "epoch,learning_rate\n1,0.1\n"])
def test_another_csv_is_refused_by_name(tmp_path, text):
    path = tmp_path / "other.csv"
    path.write_text(text)
    with pytest.raises(InputError, match=r"other\.csv is not a history"):
        History.from_csv(path)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("2,0.1", "line 3 has 2 values; expected 8"),
        ("2,0.1,x,0,0,0,0,0", "has a value that is not a number .*'x'"),
        ("2.5,0.1,0,0,0,0,0,0", "has a value that is not a number .*'2.5'"),
    ],
)
def test_a_damaged_row_is_an_error_that_names_the_file(tmp_path, line, expected):
    path = tmp_path / "damaged.csv"
    path.write_text("\n".join([",".join(COLUMNS), "1,0.1,0,0,0,0,0,0", line, ""]))
    with pytest.raises(InputError, match=rf"damaged\.csv,? {expected}"):
        History.from_csv(path)


LOST = DiagnosisRecord(epoch=3, cause="diverged", sentence="diverged: the loss is nan")


def test_arrays_of_a_file_are_read_with_their_diagnoses(history):
    arrays = {**history.to_numpy(), "learning_rate": np.array([0.0, 0.1, 0.2])}  # a warm-up may begin at 0
    read = History.from_file(arrays, 3, [LOST])
    assert read["learning_rate"] == [0.0, 0.1, 0.2]
    assert read.diagnoses == [{"epoch": 3, "cause": "diverged", "sentence": "diverged: the loss is nan"}]
    assert read.diagnosis_records() == (LOST,)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"more": np.zeros(3)}, "history has .*'more'"),
        ({"epoch": np.array([1, 3, 2])}, "history.epoch is not 1 to 3"),
        ({"epoch": np.array([0, 1, 2])}, "history.epoch is not 1 to 3"),
        ({"epoch": np.ones(3)}, "history.epoch is float64"),
        ({"train_loss": np.zeros(4)}, r"history.train_loss is float64 of shape \(4,\)"),
        ({"learning_rate": np.array([0.1, -0.1, 0.1])}, "history.learning_rate has a number that is negative"),
        ({"seconds": np.array([0.1, np.inf, 0.1])}, "history.seconds has a number that is .* not finite"),
    ],
)
def test_arrays_that_no_training_leaves_are_refused(history, change, expected):
    with pytest.raises(ValueError, match=expected):
        History.from_file({**history.to_numpy(), **change}, 3, [])


def test_a_file_that_lacks_a_column_or_tells_of_a_later_epoch_is_refused(history):
    arrays = history.to_numpy()
    with pytest.raises(ValueError, match="diagnoses has an epoch after the last of 2"):
        History.from_file({name: column[:2] for name, column in arrays.items()}, 2, [LOST])
    del arrays["seconds"]
    with pytest.raises(ValueError, match=r"history has .*; expected .*'seconds'"):
        History.from_file(arrays, 3, [])


def test_a_copy_is_of_its_own_with_the_diagnoses(history):
    history.diagnoses.append({"epoch": 2, "cause": "diverged", "sentence": "diverged: the loss is nan"})
    twin = history.copy()
    same(twin, history)
    assert twin.diagnoses == history.diagnoses
    twin.append(history.last())
    twin.diagnoses[0]["epoch"] = 9
    assert len(history) == 3
    assert history.diagnoses[0]["epoch"] == 2


def test_bytes_that_are_no_text_are_an_error_that_names_the_file(tmp_path):
    (tmp_path / "history.csv").write_bytes(b"epoch,\xff\n")
    with pytest.raises(InputError, match=r"history\.csv cannot be read"):
        History.from_csv(tmp_path / "history.csv")


def test_a_record_in_a_few_words(history):
    first, second, _ = history
    assert describe(first) == "loss 0.3333, accuracy 0.6667"
    assert describe(second) == "loss 0.3333, accuracy 0.6667; validation 1e-300, 0.5000"


@pytest.mark.parametrize(
    ("loss", "text"),
    [(0.094, "0.0940"), (2.302585, "2.3026"), (0, "0.0000"), (0.00012345, "0.0001234"), (3.2e7, "3.2e+07")],
)
def test_a_loss_is_told_with_four_decimals_where_they_say_something(loss, text):
    assert result_text(loss) == text
