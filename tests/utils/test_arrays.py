"""Arrays that cannot be used are refused before anything is trained, by a message that says where and what."""

import itertools

import h5py
import numpy as np
import pytest

from fastmlp import MLP
from fastmlp.config.network import NetworkConfig
from fastmlp.data import CSR, Stream
from fastmlp.errors import InputError, InputTypeError, OutOfMemoryError
from fastmlp.training.preparation import prepare_inputs

ENGINE = {"engine": "numpy", "epochs": 1, "hidden": (3,), "batch_size": 5}


@pytest.fixture
def data():
    random = np.random.RandomState(0)
    return random.standard_normal((12, 4)), np.arange(12) % 3


def spoiled(X, value):
    X = X.copy()
    X[7, 2] = value
    return X


def compressed(X):
    rows, columns = np.nonzero(X)
    indptr = np.concatenate([[0], np.cumsum(np.count_nonzero(X, axis=1))])
    return CSR(indptr, columns, X[rows, columns], X.shape)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_what_is_no_finite_number_is_named_by_row_and_column(data, value, dtype):
    X, y = data
    with pytest.raises(InputError, match=rf"X has {value} at row 7, column 2; expected finite"):
        MLP(**ENGINE).fit(spoiled(X, value).astype(dtype), y)


@pytest.mark.parametrize("as_rows", [lambda X: X, compressed], ids=["dense", "sparse"])
def test_a_number_that_the_networks_dtype_cannot_hold_is_named(data, as_rows):
    X, y = as_rows(spoiled(data[0], 1e39)), data[1]
    with pytest.raises(InputError, match=r"X has 1e\+39 at row 7, column 2; expected numbers that fit float32.*scale"):
        MLP(**ENGINE).fit(X, y)
    assert prepare_inputs(NetworkConfig(**ENGINE, dtype="float64"), X).shape == (12, 4)


def test_a_target_that_the_networks_dtype_cannot_hold_is_named(data):
    y = np.where(np.arange(12) == 5, -1e39, 0.0)
    with pytest.raises(InputError, match=r"y has -1e\+39 at row 5; expected numbers that fit float32"):
        MLP(**ENGINE, loss="squared_error").fit(data[0], y)


@pytest.mark.parametrize(("arguments", "kind", "message"), [
    ({"X": [[1, 2], [3]], "y": [0, 1]}, InputError, "X has rows of several lengths"),
    ({"X": [[1, 2], [10**400, 4]], "y": [0, 1]}, InputError, "X has a number of more than 308 digits"),
    ({"X": np.eye(2), "y": [[1, 0], [1]]}, InputError, "y has rows of several lengths"),
    ({"X": np.eye(2), "y": np.empty((2, 0))}, InputError, r"y has shape \(2, 0\)"),
    ({"X": np.eye(2), "y": np.array([0, 2**63], np.uint64)}, InputError, "label 9223372036854775808 at row 1"),
    ({"X": np.eye(2), "y": [0, 1], "classes": 2}, InputTypeError, r"classes is 2; expected .* range\(10\)"),
    (
        {"X": np.eye(2), "y": [0, 1], "classes": np.array([0, 1, 2**63], np.uint64)},
        InputError,
        "classes has the label 9223372036854775808 at row 2; expected at most 9223372036854775807: number the classes",
    ),
    ({"X": np.eye(2), "y": [0, 1], "classes": [0, [1]]}, InputError, "classes has rows of several lengths"),
])  # fmt: skip
def test_what_numpy_would_complain_about_is_told_in_our_words(arguments, kind, message):
    with pytest.raises(kind, match=message):
        MLP(**ENGINE).fit(**arguments)


class Tensor:
    """What libraries have whose numbers are elsewhere, or of a kind that numpy lacks."""

    def __init__(self, error):
        self.error = error

    def __array__(self, dtype=None, copy=None):
        raise self.error


@pytest.mark.parametrize(
    "error", [RuntimeError("detach it first\nplease"), TypeError("unsupported BFloat16"), AttributeError("no BFloat16")]
)
@pytest.mark.parametrize("name", ["X", "y"])
def test_what_an_array_refuses_to_give_is_told_in_one_line(data, error, name):
    arguments = {"X": data[0], "y": data[1], name: Tensor(error)}
    with pytest.raises(InputTypeError, match=f"{name} is not an array .*(detach it first|BFloat16).; expected"):
        MLP(**ENGINE).fit(**arguments)


class Rows:
    """As many rows as are said, each of which is asked for by its number."""

    def __init__(self, count):
        self.count = count

    def __len__(self):
        return self.count

    def __getitem__(self, row):
        return [row] * 4


@pytest.mark.parametrize("name", ["X", "y", "sample_weight"])
def test_rows_beyond_all_memory_are_refused(data, name):
    arguments = {"X": data[0], "y": data[1], name: Rows(2**62)}
    with pytest.raises(OutOfMemoryError, match=f"{name}, of type Rows, needs more memory than is free"):
        MLP(**ENGINE).fit(**arguments)


@pytest.mark.parametrize("loss", ["cross_entropy", "squared_error", "binary_cross_entropy", "poisson"])
@pytest.mark.parametrize("y", [{0, 1, 2}, {0: 1}, iter([0, 1]), len], ids=lambda value: type(value).__name__)
def test_targets_that_are_no_array_are_refused(data, loss, y):
    with pytest.raises(InputError, match=r"y has shape \(\); expected \(samples,\)"):
        MLP(**ENGINE, loss=loss).fit(data[0], y)


def test_sparse_columns_beyond_all_memory_are_refused():
    X = CSR(np.arange(3), np.arange(2), np.ones(2), (2, 2**40))
    with pytest.raises(OutOfMemoryError, match=r"the scaling of 1,099,511,627,776 columns needs 70\.4 TB of memory"):
        MLP(**ENGINE).fit(X, [0, 1])


@pytest.mark.parametrize("name", ["hidden", "activation", "dropout"])
@pytest.mark.parametrize(
    "endless",
    [itertools.count(1), Rows(2**62), memoryview(np.eye(2))],
    ids=lambda value: type(value).__name__,
)
def test_settings_without_an_end_are_refused(name, endless):
    with pytest.raises(InputTypeError, match=f"{name} is .*; expected "):
        MLP(**{name: endless})


@pytest.mark.parametrize("name", ["X", "y"])
@pytest.mark.parametrize("loss", ["cross_entropy", "squared_error"])
def test_nothing_is_learned_from_values_below_a_mask(data, name, loss):
    arguments = dict(zip("Xy", data, strict=True))
    masked = np.ma.masked_array(arguments[name], False)
    fitted = MLP(**ENGINE, loss=loss).fit(**{**arguments, name: masked})
    assert fitted.weights[0].tobytes() == MLP(**ENGINE, loss=loss).fit(**arguments).weights[0].tobytes()
    masked[3] = np.ma.masked
    with pytest.raises(InputError, match=f"{name} has masked values; expected finite numbers: remove or fill in"):
        MLP(**ENGINE, loss=loss).fit(**{**arguments, name: masked})


def test_a_single_compressed_row_is_refused_with_its_shape(data):
    row = compressed(data[0][:1])
    flat = CSR(row.indptr, row.indices, row.data, (4,))  # as scipy's `matrix[0]` is
    with pytest.raises(InputError, match=r"X has shape \(4,\); expected \(samples, features\).*reshape\(1, -1\)"):
        MLP(**ENGINE).fit(*data).predict(flat)


def test_labels_of_half_precision_are_taken(data):
    np.testing.assert_array_equal(MLP(**ENGINE).fit(data[0], data[1].astype(np.float16)).classes, [0, 1, 2])


def test_nan_is_found_in_every_block_of_rows():
    X = np.zeros((10_000, 2), np.float32)
    X[9_999, 1] = np.nan
    with pytest.raises(InputError, match="row 9999, column 1"):
        MLP(**ENGINE).fit(X, np.arange(10_000) % 2)


@pytest.mark.parametrize("shape", [(12,), (12, 2, 2), ()])
def test_inputs_of_the_wrong_rank_are_refused_with_their_shape(data, shape):
    with pytest.raises(InputError) as caught:
        MLP(**ENGINE).fit(np.zeros(shape), data[1])
    assert str(shape) in str(caught.value)
    assert "(samples, features)" in str(caught.value)


@pytest.mark.parametrize("shape", [(0, 4), (4, 0), (0, 0)])
def test_empty_inputs_are_refused(shape):
    with pytest.raises(InputError, match="at least one sample"):
        MLP(**ENGINE).fit(np.zeros(shape), np.zeros(shape[0], int))


@pytest.mark.parametrize("X", [np.full((3, 2), "a"), np.zeros((3, 2), complex), np.array([[1, 2], [3, "4"]], object)])
def test_inputs_that_are_no_numbers_are_a_type_error(X):
    with pytest.raises(InputTypeError, match="expected numbers"):
        MLP(**ENGINE).fit(X, [0, 1, 0])


@pytest.mark.parametrize(
    ("y", "kind", "message"),
    [
        (np.arange(11) % 3, InputError, "11 labels for 12 samples"),
        (np.zeros((12, 2, 2)), InputError, "shape"),
        (np.full(12, 0.5), InputError, "0.5 at row 0"),
        (np.array([0, 1] * 5 + [1, np.nan]), InputError, r"no label at row 11 \(nan\)"),
        (np.array([0, 1] * 5 + [1, np.inf]), InputError, "inf at row 11"),
        (np.zeros(12, complex), InputTypeError, "dtype complex128; expected one label per sample"),
        (np.array([["a", "b"]] * 12), InputTypeError, "dtype <U1 .*expected one label per sample"),
        (np.zeros((12, 3)), InputError, "not one-hot at row 0"),
        (np.ones((12, 3)), InputError, "not one-hot at row 0"),
        (np.full((12, 2), 0.5), InputError, "not one-hot at row 0"),
        (np.zeros(12, int), InputError, "single class 0"),
    ],
)
def test_labels_that_cannot_be_used_are_refused(data, y, kind, message):
    with pytest.raises(kind, match=message):
        MLP(**ENGINE).fit(data[0], y)


def test_a_one_hot_row_with_two_ones_is_named(data):
    y = np.eye(3)[data[1]]
    y[5, :2] = 1
    with pytest.raises(InputError, match="not one-hot at row 5"):
        MLP(**ENGINE).fit(data[0], y)


def test_a_validation_label_that_training_never_saw_is_named(data):
    X, y = data
    with pytest.raises(InputError, match=r"validation y has the label 9 at row 1, out of range.*0, 1, 2"):
        MLP(**ENGINE).fit(X, y, validation=(X[:2], [0, 9]))


def test_validation_inputs_of_another_width_are_refused(data):
    X, y = data
    with pytest.raises(InputError, match="validation X has 3 features; expected 4"):
        MLP(**ENGINE).fit(X, y, validation=(X[:, :3], y))


def test_validation_inputs_that_are_not_finite_are_refused(data):
    X, y = data
    with pytest.raises(InputError, match="validation X has nan at row 7, column 2"):
        MLP(**ENGINE).fit(X, y, validation=(spoiled(X, np.nan), y))


def test_labels_outside_of_the_given_classes_are_refused(data):
    X, y = data
    with pytest.raises(InputError, match="label 2 at row 2"):
        MLP(**ENGINE).fit(X, y, classes=[0, 1])


@pytest.mark.parametrize("method", ["predict", "predict_proba", "evaluate", "score"])
def test_inputs_of_another_width_than_in_training_are_refused(data, method):
    X, y = data
    mlp = MLP(**ENGINE).fit(X, y)
    arguments = (X[:, :3], y) if method in ("evaluate", "score") else (X[:, :3],)
    with pytest.raises(InputError, match="3 features; expected 4, as in training"):
        getattr(mlp, method)(*arguments)


@pytest.mark.parametrize("use", [
    lambda mlp, X, y: mlp.predict(X), lambda mlp, X, y: mlp.predict_proba(X), lambda mlp, X, y: mlp.score(X, y),
    lambda mlp, X, y: mlp.evaluate(X, y), lambda mlp, X, y: mlp.weights, lambda mlp, X, y: mlp.biases,
    lambda mlp, X, y: mlp.save("never.hdf5"),
])  # fmt: skip
def test_before_fit_every_use_says_to_call_fit(data, use):
    with pytest.raises(InputError, match="call fit first"):
        use(MLP(), *data)


def test_progress_that_is_no_function_is_a_type_error(data):
    with pytest.raises(InputTypeError, match="progress is 'bar'"):
        MLP(**ENGINE).fit(*data, progress="bar")


@pytest.mark.parametrize("bad", [
    {"y": np.zeros(12, int)}, {"y": np.arange(12) % 2, "validation": (np.zeros((1, 3)), [0])},
    {"y": np.arange(12) % 5, "validation": (np.zeros((1, 4)), [77])},
])  # fmt: skip
@pytest.mark.parametrize("engine", ["numba", "numpy"])
def test_a_fit_that_is_refused_leaves_the_fitted_network_as_it_was(data, bad, engine):
    X, y = data
    mlp = MLP(**{**ENGINE, "engine": engine}).fit(X, y)
    before, classes = mlp.predict_proba(X), mlp.classes.copy()
    with pytest.raises(InputError):
        mlp.fit(X, **bad)
    # The classes first: with others than the weights were made for, a prediction has no room for its columns.
    np.testing.assert_array_equal(mlp.classes, classes)
    np.testing.assert_array_equal(mlp.predict_proba(X), before)


@pytest.mark.parametrize(("bad", "message"), [
    ({"progress": "bar"}, "progress is 'bar'"), ({"checkpoint": 3}, "checkpoint is 3"),
    ({"X": Stream, "y": None}, "window_bytes"),
])  # fmt: skip
def test_so_does_one_that_is_refused_at_the_last_moment(data, bad, message, tmp_path):
    X, y = data
    mlp, fresh = MLP(**ENGINE).fit(X, y), MLP(**ENGINE)
    before, classes, history = mlp.predict_proba(X), mlp.classes, mlp.history
    with h5py.File(tmp_path / "rows.h5", "w") as file:
        file["xdata"], file["ydata"] = np.zeros((9, 4), np.float32), np.arange(9) % 2
    with Stream(tmp_path / "rows.h5", window_bytes=3 * 16) as stream:
        arguments = {"X": X, "y": y % 2, **bad}
        arguments["X"] = stream if arguments["X"] is Stream else X
        for network in (mlp, fresh):
            with pytest.raises((InputError, InputTypeError), match=message):
                network.fit(**arguments)
    np.testing.assert_array_equal(mlp.classes, classes)
    np.testing.assert_array_equal(mlp.predict_proba(X), before)
    assert mlp.history is history
    with pytest.raises(InputError, match="call fit first"):
        fresh.predict(X)


@pytest.mark.parametrize("convert", [
    np.asfortranarray, lambda X: np.repeat(X, 2, axis=0)[::2], lambda X: np.repeat(X, 2, axis=1)[:, ::2],
    lambda X: X[::-1].copy()[::-1], lambda X: X.tolist(), lambda X: X.astype(">f8"),
], ids=["Fortran order", "every second row", "every second column", "backwards", "lists", "big-endian"])  # fmt: skip
@pytest.mark.parametrize("engine", ["numba", "numpy"])
def test_the_layout_of_the_inputs_does_not_matter(data, convert, engine):
    X, y = data
    settings = {**ENGINE, "engine": engine, "dtype": "float64"}
    expected, converted = MLP(**settings).fit(X, y), convert(X)
    mlp = MLP(**settings).fit(converted, y)
    np.testing.assert_array_equal(mlp.weights[0], expected.weights[0])
    np.testing.assert_array_equal(mlp.predict_proba(converted), expected.predict_proba(X))


@pytest.mark.parametrize("engine", ["numba", "numpy"])
def test_rows_a_fraction_of_an_element_apart_are_read_right(data, engine):
    """A field of packed records: rows of 4 floats stand 33 bytes apart."""
    X, y = data
    records = np.zeros(len(X), [("inputs", "<f8", 4), ("flag", "u1")])
    records["inputs"], records["flag"] = X, 255
    settings = {**ENGINE, "engine": engine, "dtype": "float64"}
    np.testing.assert_array_equal(
        MLP(**settings).fit(records["inputs"], y).weights[0], MLP(**settings).fit(X, y).weights[0]
    )


@pytest.mark.parametrize("dtype", ["int8", "int64", "uint16", "bool", "float16", "float32"])
def test_other_numbers_are_converted(data, dtype):
    y = data[1]
    X = np.random.RandomState(1).randint(0, 2, (12, 4))
    settings = {**ENGINE, "dtype": "float64"}
    np.testing.assert_array_equal(
        MLP(**settings).fit(X.astype(dtype), y).weights[0], MLP(**settings).fit(X.astype(float), y).weights[0]
    )


@pytest.mark.parametrize("dtype", ["int32", "uint32", "int64"])
@pytest.mark.parametrize("as_rows", [lambda X: X, compressed], ids=["dense", "sparse"])
def test_a_network_of_float64_reads_whole_numbers_to_the_last_digit(dtype, as_rows):
    X = np.array([[2**24 + 1, 0], [0, 2**31 - 1]], dtype)
    mlp = MLP(hidden=(), loss="squared_error", dtype="float64", epochs=1).fit(np.eye(2), [0, 1])
    mlp.weights[0][...], mlp.biases[0][...] = 1, 0
    assert mlp.predict(as_rows(X)).tolist() == [2**24 + 1, 2**31 - 1]


@pytest.mark.parametrize("engine", ["numba", "numpy"])
def test_fit_leaves_its_arrays_alone_and_takes_ones_that_cannot_be_written(data, engine):
    X, y = data
    X_before, y_before = X.copy(), y.copy()
    X.flags.writeable = y.flags.writeable = False
    mlp = MLP(**{**ENGINE, "engine": engine}).fit(X, y, validation=(X, y))
    mlp.predict(X)
    mlp.score(X, y)
    np.testing.assert_array_equal(X, X_before)
    np.testing.assert_array_equal(y, y_before)


@pytest.mark.parametrize("first_layer", ["sparse", "dense"])
def test_compressed_rows_whose_arrays_skip_elements_are_read_right(data, first_layer):
    """As of a table of which indices and values are columns."""
    X, y = data
    X = np.where(X > 0, X, 0).astype(np.float32)
    rows, columns = np.nonzero(X)
    indptr = np.concatenate([[0], np.cumsum(np.count_nonzero(X, axis=1))])
    apart = [np.repeat(array, 2) for array in (indptr, columns.astype(np.uint16), X[rows, columns])]
    for array in apart:
        array[1::2] = 3
    spread = CSR(*(array[::2] for array in apart), X.shape)
    settings = {**ENGINE, "engine": "numba", "first_layer": first_layer, "scaling": "none"}
    expected, mlp = MLP(**settings).fit(X, y), MLP(**settings).fit(spread, y)
    np.testing.assert_array_equal(mlp.weights[0], expected.weights[0])
    np.testing.assert_array_equal(mlp.predict_proba(spread), expected.predict_proba(X))
