"""Sorted data, and parts that a file has of its own: which samples become those for validation."""

import numpy as np
import pytest

from fastmlp.data import CSR, Dataset, load, split
from fastmlp.data.joining import joined
from fastmlp.data.split import divide
from fastmlp.data.stratify import differ
from fastmlp.errors import InputError
from fastmlp.inputs.table import Table


def numbered(labels, first=0, **fields):
    """A dataset whose one feature is the row's number."""
    y = np.asarray(labels)
    X = np.arange(first, first + len(y), dtype=np.float32)[:, None]
    classes = None if y.dtype.kind == "f" else np.unique(y)
    return Dataset(X, y, classes, None, "numbered", **fields)


@pytest.mark.parametrize("names", [list(range(5)), [-1, 3, 4, 8, 10], list("abcde"), [False, True]], ids=str)
@pytest.mark.parametrize("backwards", [False, True])
def test_of_data_sorted_by_class_validation_is_drawn_from_each(names, backwards):
    labels = np.repeat(names, 12)
    train, validation = split(numbered(labels[::-1] if backwards else labels))
    for part, each in ((train, 10), (validation, 2)):
        assert np.unique(part.y, return_counts=True)[1].tolist() == [each] * len(names)
        assert part.notes == ("the samples are sorted by class: validation samples are drawn from each class",)


def test_a_class_that_the_last_samples_lack_is_drawn_too():
    train, validation = split(numbered([0, 1, 2] * 20 + [0, 1] * 6))
    assert set(train.y) == set(validation.y) == {0, 1, 2}
    (note,) = train.notes
    assert note == "validation samples would lack 2: validation samples are drawn from each class"


def test_a_class_that_only_the_last_samples_have_is_drawn_too():
    train, _ = split(numbered([0, 1] * 30 + [0, 1, 2] * 4))
    assert set(train.y) == {0, 1, 2}


@pytest.mark.parametrize("labels", [[0, 1] * 30, [0, 1] * 30 + [1, 0, 0, 0], [2] + [0, 1] * 30], ids=str)
def test_the_last_samples_stand_for_all_where_drawing_gains_nothing(labels):
    dataset = numbered(labels)
    train, validation = split(dataset)
    assert np.shares_memory(train.X, dataset.X)
    assert (train.X[0, 0], validation.X[-1, 0]) == (0, len(labels) - 1)
    assert not train.notes


def test_who_wants_the_last_samples_gets_them_and_is_told_what_they_lack():
    train, validation = split(numbered(np.repeat([0, 1, 2], 12)), stratify=False)
    assert set(validation.y) == {2}
    assert train.notes == ("validation samples lack 0, 1, as they are sorted by class",)
    assert divide(numbered(np.repeat([0, 1, 2], 12)), 0.5, stratify=False).notes == (
        "training samples lack 2 and validation samples lack 0, as they are sorted by class",
    )


def test_first_rows_that_lack_a_class_are_told():
    division = divide(numbered(np.repeat([0, 1, 2], 12)), 4, training=16)
    assert division.is_drawn
    assert set(division.training.y) == set(division.validation.y) == {0, 1}
    assert "the first 20 samples lack 2, which others have" in division.notes


def test_sorted_numbers_are_drawn_from_small_to_large():
    y = np.sort(np.random.default_rng(0).normal(size=600))
    train, validation = split(numbered(y))
    assert abs(train.y.mean() - validation.y.mean()) < 0.1
    assert np.histogram(validation.y, np.quantile(y, np.linspace(0, 1, 6)))[0].tolist() == [20] * 5
    assert "as in sorted data: validation samples are drawn from small to large" in train.notes[0]
    assert split(numbered(y), stratify=False)[0].notes[0].endswith("validation results are not those of other samples")


def test_numbers_in_no_order_are_taken_from_the_end():
    train, validation = split(numbered(np.random.default_rng(0).normal(size=600)))
    assert (validation.X[0, 0], train.notes) == (500, ())


@pytest.mark.parametrize("seed", range(3))
def test_the_distance_of_distributions_is_scipys(seed):
    stats = pytest.importorskip("scipy.stats", reason="scipy is the oracle")
    random = np.random.default_rng(seed)
    for shift in (0, 0.1, 0.3, 1):
        first, second = random.normal(size=900), random.normal(shift, size=300).round(1)
        found = stats.ks_2samp(first, second, method="asymp")
        if abs(found.statistic - 0.1) > 0.01 and not 1e-4 < found.pvalue < 1e-2:
            assert differ(first, second) == (found.statistic > 0.1 and found.pvalue < 1e-3)


def test_a_validation_part_of_its_own_is_taken():
    dataset = numbered([0, 1, 2] * 4, validation=numbered([0, 1, 3], first=100))
    division = divide(dataset)
    assert division.training.X[:, 0].tolist() == list(range(12))
    assert division.validation.X[:, 0].tolist() == [100, 101, 102]
    assert division.training.classes.tolist() == division.validation.classes.tolist() == [0, 1, 2, 3]
    assert division.notes == ("validation: the 3 samples of the data's own validation part",)
    assert len(division.whole.y) == 15


@pytest.mark.parametrize("options", [{"validation": 5}, {"validation": 1 / 3}, {"training": 10, "validation": 5}])
def test_a_number_of_validation_samples_divides_both_parts_together(options):
    dataset = numbered([0, 1] * 6, validation=numbered([0, 1, 1], first=12))
    train, validation = split(dataset, **options)
    assert [*train.X[:, 0], *validation.X[:, 0]] == list(range(15))
    assert len(validation.y) == 5


def test_parts_of_every_kind_are_joined():
    first, second = np.array([[0.0, 2], [3, 0]], np.float32), np.array([[0, 0], [0, 7.0]], np.float32)

    def sparse(X):
        rows, columns = np.nonzero(X)
        indptr = np.concatenate([[0], np.cumsum(np.bincount(rows, minlength=2))])
        return CSR(indptr, columns.astype(np.int32), X[rows, columns], X.shape)

    def dataset(X, **fields):
        return Dataset(X, np.arange(2), np.arange(2), None, "two", **fields)

    expected = np.concatenate([first, second])
    whole = joined(dataset(sparse(first), validation=dataset(sparse(second))))
    np.testing.assert_array_equal(whole.X.toarray(), expected)
    words = np.array(["a", "b"], object)
    tables = [Table(("x", "word"), (part[:, 0], words)) for part in (first, second)]
    table = joined(dataset(tables[0], validation=dataset(tables[1]))).X
    assert table.columns[0].tolist() == expected[:, 0].tolist()
    assert table.columns[1].tolist() == ["a", "b"] * 2
    for other in (second[:, :1], sparse(second), tables[1]):
        with pytest.raises(InputError, match="has other columns in its validation part"):
            joined(dataset(first, validation=dataset(other)))
    with pytest.raises(InputError, match="other kinds of labels in its validation part"):
        joined(dataset(first, validation=Dataset(second, np.array(["a", "b"]), np.array(["a", "b"]), None, "two")))


def test_classes_of_both_parts_have_their_names():
    own = Dataset(np.ones((1, 1)), np.array([5]), np.array([5]), None, "few", class_names=("five",))
    dataset = numbered([1, 9], class_names=("one", "nine"), validation=own)
    whole = joined(dataset)
    assert (whole.classes.tolist(), whole.class_names) == ([1, 5, 9], ("one", "five", "nine"))


def test_the_task_of_a_file_is_that_of_its_validation_part(tmp_path):
    path = tmp_path / "parts.npz"
    np.savez(path, x_train=np.ones((30, 2)), y_train=np.arange(30), x_val=np.ones((3, 2)), y_val=np.arange(3))
    train, validation = split(load(path))
    assert (train.task, validation.task, validation.y.dtype) == ("regression", "regression", np.float64)
