"""Svmlight text."""

import bz2

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from fastmlp.data import CSR, load
from fastmlp.data.readers.svmlight import SvmlightReader


@pytest.fixture
def write(tmp_path):
    def write(text, name="rows"):
        path = tmp_path / name
        path.write_text(text)
        return path

    return write


def test_indices_count_from_one_and_signs_are_classes(write):
    dataset = load(write("+1 1:0.5 3:2\n-1 2:1\n"))
    assert isinstance(dataset.X, CSR)
    assert dataset.X.toarray().tolist() == [[0.5, 0, 2], [0, 1, 0]]
    assert dataset.y.tolist() == [1, -1]
    assert dataset.classes.tolist() == [-1, 1]
    types = (dataset.X.indptr.dtype, dataset.X.indices.dtype, dataset.X.data.dtype, dataset.y.dtype)
    assert types == (np.int64, np.int32, np.float32, np.int64)


def test_zero_among_the_indices_means_that_they_count_from_zero(write):
    assert load(write("1 1:5\n2 0:7\n")).X.toarray().tolist() == [[0, 5], [7, 0]]


def test_labels_keep_their_values_and_classes_are_sorted(write):
    dataset = load(write("30 1:1\n10 1:1\n20.0 1:1\n10 1:1\n"))
    assert dataset.y.tolist() == [30, 10, 20, 10]
    assert dataset.classes.tolist() == [10, 20, 30]
    assert dataset.class_names == ()


def test_labels_with_fractions_are_a_regression(write):
    dataset = load(write("1.5 1:1\n2 3:1\n"))
    assert (dataset.task, dataset.classes) == ("regression", None)
    assert dataset.y.tolist() == [1.5, 2]


def test_comments_empty_lines_and_rows_of_zeros_are_read(write):
    dataset = load(write("# made by hand\n\n1 2:3 # the first\n2\n"))
    assert dataset.X.toarray().tolist() == [[0, 3], [0, 0]]


def test_n_features_adds_the_columns_that_a_file_lacks(write):
    assert load(write("1 1:1\n-1 2:1\n"), n_features=123).X.shape == (2, 123)


def test_part_of_a_file_may_have_a_single_class(write):
    dataset = load(write("5 1:1\n5 2:1\n"))
    assert (dataset.y.tolist(), dataset.classes.tolist()) == ([5, 5], [5])


@given(
    table=arrays.arrays(
        np.float32,
        st.tuples(st.integers(1, 6), st.integers(1, 6)),
        elements=st.sampled_from([0.0, 0.0]) | st.floats(-1e6, 1e6, width=32),
    ),
    first=st.sampled_from([0, 1]),
)
def test_written_rows_are_read_back(tmp_path_factory, table, first):
    table[0, 0] = 1  # so that a file that counts from zero shows it
    rows = [" ".join(["1", *(f"{i + first}:{v!r}" for i, v in enumerate(row) if v)]) for row in table.tolist()]
    path = tmp_path_factory.mktemp("svmlight") / "rows"
    path.write_text("\n".join(rows))
    X = SvmlightReader().read(path, n_features=table.shape[1]).X
    assert np.array_equal(X.toarray(), table)
    assert np.array_equal(X.data, table[table != 0])


def test_large_whole_labels_are_exact(write):
    dataset = load(write("9007199254740993 1:1\n9007199254740992 2:1\n5e3 1:1\n", "rows.svmlight"))
    assert dataset.y.tolist() == [9007199254740993, 9007199254740992, 5000]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("1 1:1\n2 3:1 2:1\n", ["line 2", "index 2 after 3"]),
        ("1 1:1\n2 3:1 3:1\n", ["line 2", "index 3 after 3"]),
        ("1 1:1\n2 -1:1\n", ["line 2", "index -1"]),
        ("1 1:1\n2 99999999999:1\n", ["line 2", "99999999999"]),
        ("1 1:1\n2 3:x\n", ["line 2", "'x'"]),
        ("1 1:1\n2 3\n", ["line 2"]),
        ("1 1:1\n2 qid:3 1:1\n", ["line 2", "'qid'"]),
        ("1 1:1\nspam 3:1\n", ["line 2", "'spam'"]),
        ("nan 1:1\n2 3:1\n", ["line 1", "nan"]),
        ("inf 1:1\n2 3:1\n", ["line 1", "inf"]),
        ("1 1:1\n9007199254740993.0 3:1\n", ["line 2", "9007199254740993.0", "2**53"]),
        ("1 1:1\n2 3:nan\n", ["nan", "row 1"]),
        ("1 1:1\n2\n3 3:1e300\n", ["1e+300", "row 2"]),
        ("1 1:1\n9223372036854775808 3:1\n", ["line 2", "9223372036854775808", "64 bits"]),
        ("# none: nothing\n", ["no rows"]),
    ],
)
def test_file_that_cannot_be_used_is_named_with_the_place(write, complaint, text, words):
    message = complaint(write(text, "rows.svmlight"))
    for word in words:
        assert word in message


@pytest.mark.parametrize("n_features", [2, 0, -1, 2.0, True, "9"])
def test_n_features_that_does_not_fit_is_refused(write, complaint, n_features):
    complaint_text = pytest.raises(ValueError if type(n_features) is int else TypeError, match="n_features")
    with complaint_text:
        load(write("1 3:1\n-1 2:1\n"), n_features=n_features)


def test_a9a_has_its_published_shape_and_the_labels_of_its_lines(real_data):
    dataset = load(real_data / "a9a" / "a9a", n_features=123)
    assert dataset.X.shape == (32_561, 123)
    lines = (real_data / "a9a" / "a9a").read_text().splitlines()
    assert dataset.y.tolist() == [1 if line.startswith("+1") else -1 for line in lines]
    assert set(dataset.X.data.tolist()) == {1.0}


def test_a9a_reads_as_scikit_learn_reads_it(real_data):
    datasets = pytest.importorskip("sklearn.datasets", reason="scikit-learn is not installed")
    X, y = datasets.load_svmlight_file(str(real_data / "a9a" / "a9a.t"), n_features=123)
    dataset = load(real_data / "a9a" / "a9a.t", n_features=123)
    assert np.array_equal(dataset.X.toarray(), X.toarray())
    assert np.array_equal(dataset.y, y)


def test_usps_is_read_as_libsvm_publishes_it(tmp_path):
    # https://www.csie.ntu.edu.tw/~cjlin/libsvmtools/datasets/multiclass.html#usps: usps.bz2, digits 0 to 9 called 1 to
    # 10, pixels from -1 to 1 with all 256 in each line.
    values = np.round(np.random.RandomState(0).uniform(-1, 1, (20, 256)), 6)
    lines = [
        f"{row % 10 + 1} " + " ".join(f"{column}:{value:.6f}" for column, value in enumerate(values[row], 1)) + " "
        for row in range(20)
    ]
    (tmp_path / "usps.bz2").write_bytes(bz2.compress("\n".join(lines).encode()))
    dataset = load(tmp_path / "usps.bz2")
    assert dataset.y.tolist() == [row % 10 + 1 for row in range(20)]
    assert dataset.classes.tolist() == list(range(1, 11))
    assert np.array_equal(dataset.X.data.reshape(20, 256), values.astype(np.float32))
