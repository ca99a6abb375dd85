"""Training and validation samples."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from fastmlp.data import CSR, Dataset, load, load_split, split, validation_count
from fastmlp.errors import InputError, InputTypeError


def numbered(labels):
    """A dataset whose one feature is the row's number, so that every row can be traced."""
    y = np.array(labels, np.int64)
    X = np.arange(len(y), dtype=np.float32)[:, None]
    return Dataset(X, y, np.arange(max(2, int(y.max()) + 1)), None, "numbered")


LABELS = st.lists(st.integers(0, 4), min_size=2, max_size=60)
SHARES = st.floats(0.05, 0.95)


def test_sixty_thousand_rows_give_the_first_fifty_and_the_last_ten_thousand():
    train, validation = split(numbered(np.arange(60_000) % 10))
    assert train.X[[0, -1], 0].tolist() == [0, 49_999]
    assert validation.X[[0, -1], 0].tolist() == [50_000, 59_999]


@pytest.mark.parametrize(("rows", "expected"), [(6, 1), (10, 2), (100, 17), (14_579, 2430), (3, None)])
def test_default_is_the_last_sixth_rounded(rows, expected):
    if expected is None:
        with pytest.raises(InputError, match="at least one sample"):
            validation_count(rows)
    else:
        assert validation_count(rows) == expected


def test_default_split_copies_nothing():
    dataset = numbered([0, 1] * 10)
    for part in split(dataset):
        assert np.shares_memory(part.X, dataset.X)
        assert np.shares_memory(part.y, dataset.y)


@given(labels=LABELS, share=SHARES, stratify=st.booleans(), seed=st.integers(0, 5))
def test_parts_are_disjoint_and_together_the_whole(labels, share, stratify, seed):
    dataset = numbered(labels)
    assume(0 < round(len(labels) * share) < len(labels))
    train, validation = split(dataset, share, stratify=stratify, seed=seed)
    assert len(validation.X) == round(len(labels) * share)
    assert sorted([*train.X[:, 0], *validation.X[:, 0]]) == dataset.X[:, 0].tolist()
    for part in (train, validation):
        assert np.array_equal(part.y, dataset.y[part.X[:, 0].astype(int)])
        assert (np.diff(part.X[:, 0]) > 0).all()
        assert part.class_count == dataset.class_count


@given(labels=LABELS, share=SHARES, seed=st.integers(0, 5))
def test_stratified_classes_are_within_one_sample_of_their_share(labels, share, seed):
    dataset = numbered(labels)
    count = round(len(labels) * share)
    assume(0 < count < len(labels))
    _, validation = split(dataset, share, stratify=True, seed=seed)
    exact = np.bincount(dataset.y) * count / len(labels)
    assert (np.abs(np.bincount(validation.y, minlength=len(exact)) - exact) < 1).all()


def test_seed_decides_the_stratified_choice():
    dataset = numbered([0, 1] * 50)
    first, again, other = (split(dataset, 0.3, stratify=True, seed=seed)[1].X for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_number_of_samples_is_taken_as_it_is():
    train, validation = split(numbered([0, 1] * 5), 3)
    assert (len(train.X), len(validation.X)) == (7, 3)


def test_a_number_of_training_samples_takes_the_first_rows_and_leaves_the_rest():
    dataset = numbered(np.arange(60_000) % 10)
    train, validation = split(dataset, 12_000, training=42_000)
    assert np.array_equal(train.X[:, 0], np.arange(42_000))
    assert np.array_equal(validation.X[:, 0], np.arange(42_000, 54_000))
    assert np.shares_memory(train.X, dataset.X)


def test_a_share_beside_a_number_of_training_samples_is_one_of_both_parts():
    train, validation = split(numbered([0, 1] * 50), 0.2, training=40)
    assert (len(train.X), len(validation.X)) == (40, 10)


def test_stratified_samples_beside_a_number_of_training_samples_are_among_the_first_rows():
    train, validation = split(numbered([0, 1] * 50), 20, training=40, stratify=True)
    assert sorted([*train.X[:, 0], *validation.X[:, 0]]) == list(range(60))
    assert np.bincount(validation.y).tolist() == [10, 10]


@pytest.mark.parametrize(
    ("training", "message"),
    [
        (91, "training and validation are 101 samples together; numbered has 100: take fewer"),
        (0, "training is 0; expected at least 1 sample"),
        (True, "training is True; expected a number of samples"),
        (0.5, "training is 0.5; expected a number of samples"),
    ],
)
def test_training_samples_that_cannot_be_had_are_refused(training, message):
    with pytest.raises((InputError, InputTypeError), match=message):
        split(numbered([0, 1] * 50), 10, training=training)


@pytest.mark.parametrize("stratify", [False, True])
def test_sparse_rows_split_as_dense_ones(stratify):
    dataset = numbered([0, 1, 1, 0, 1, 0, 0, 1])
    X = dataset.X + 1
    sparse = CSR(np.arange(9), np.zeros(8, np.int32), X[:, 0], (8, 1))
    for part, dense in zip(
        split(Dataset(sparse, dataset.y, np.arange(2), None, "sparse"), 0.25, stratify=stratify),
        split(dataset, 0.25, stratify=stratify),
        strict=True,
    ):
        assert np.array_equal(part.X.toarray(), dense.X + 1)
        assert np.array_equal(part.y, dense.y)


@pytest.mark.parametrize("validation", [0.0, 1.0, -0.1, 1.5, float("nan"), 0, 10, -1, 0.01])
def test_share_that_leaves_a_part_empty_is_refused(validation):
    with pytest.raises(InputError, match="validation is"):
        split(numbered([0, 1] * 5), validation)


@pytest.mark.parametrize("validation", ["0.2", True, [1]])
def test_share_that_is_no_number_is_refused(validation):
    with pytest.raises(InputTypeError, match="validation is"):
        split(numbered([0, 1] * 5), validation)


@pytest.mark.parametrize("seed", [-1, 0.5, None, True])
def test_seed_that_is_no_whole_number_is_refused(seed):
    with pytest.raises(InputError, match="seed is"):
        split(numbered([0, 1] * 5), 0.2, stratify=True, seed=seed)


def test_load_split_is_load_then_split(tmp_path):
    path = tmp_path / "few.csv"
    path.write_text("".join(f"{i % 2},{i}\n" for i in range(12)))
    for part, expected in zip(load_split(path, validation=0.5), split(load(path), 0.5), strict=True):
        assert np.array_equal(part.X, expected.X)
        assert part.source == str(path)
