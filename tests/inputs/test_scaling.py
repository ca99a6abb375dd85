"""What the numbers of X mean: one rule that looks at values, measured on training rows, kept with the network."""

import h5py
import numpy as np
import pytest

from fastmlp import MLP
from fastmlp.data import CSR, Stream
from fastmlp.errors import InputError
from fastmlp.training.preparation import prepare

RANDOM = np.random.RandomState(0)
Y = np.arange(300) % 3
SMALL = {"hidden": (8,), "epochs": 2, "batch_size": 50}


def digits(most=255, columns=64):
    """(300, columns) whole numbers from 0 to `most`, most of them 0, and both ends among them."""
    X = np.where(RANDOM.random_sample((300, columns)) < 0.3, RANDOM.randint(0, most + 1, (300, columns)), 0)
    X[:2, 0] = 0, most
    return X


def csr(X):
    rows, columns = np.nonzero(X)
    indptr = np.concatenate([[0], np.cumsum(np.count_nonzero(X, axis=1))])
    return CSR(indptr, columns.astype(np.int32), X[rows, columns].astype(np.float32), X.shape)


def bits(mlp):
    return b"".join(array.tobytes() for array in (*mlp.weights, *mlp.biases))


def kind(X, **settings):
    return MLP(**{**SMALL, "epochs": 1, **settings}).fit(X, Y[: X.shape[0]]).fit_info["scaling"]


# ---------------------------------------------------------------------------------------------------------- the rule


@pytest.mark.parametrize(
    ("X", "expected"),
    [
        (digits(1), "none"),
        (RANDOM.uniform(-1, 1, (300, 5)).astype("f4"), "none"),
        (RANDOM.uniform(-1.001, 1, (300, 500)), "standard"),
        (digits(255), "pixels"),
        (digits(128), "pixels"),
        (digits(127), "standard"),
        (digits(256), "standard"),
        (digits(255, columns=63), "standard"),
        (digits(255) - 1, "standard"),
        (digits(254) + 0.5, "standard"),
    ],
)
def test_auto_looks_at_the_values(X, expected):
    assert kind(X) == expected


@pytest.mark.parametrize("most", [1, 16, 255])
def test_the_same_numbers_of_any_type_give_the_same_network(most):
    X = digits(most)
    forms = [X.astype(dtype) for dtype in (np.uint8, np.int16, np.int64, np.float32, np.float64, object)]
    forms += [X.tolist(), np.asfortranarray(X, np.float64), np.repeat(X, 2, axis=0)[::2]]
    networks = [MLP(**SMALL).fit(form, Y, validation=(form, Y)) for form in forms]
    assert {bits(mlp) for mlp in networks} == {bits(networks[0])}
    for mlp in networks:
        answers = {mlp.predict_proba(form).tobytes() for form in forms}
        assert answers == {networks[0].predict_proba(X).tobytes()}
        assert mlp.predict_proba(forms[0][:1]).tobytes() == mlp.predict_proba(forms[4][:1]).tobytes()
        assert len({mlp.evaluate(form, Y) for form in forms}) == 1


@pytest.mark.parametrize("most", [1, 255])
def test_sparse_rows_whose_zeros_stay_zero_give_the_network_of_dense_ones(most):
    X = digits(most)
    dense, sparse = MLP(**SMALL).fit(X, Y), MLP(**SMALL).fit(csr(X), Y)
    assert bits(dense) == bits(sparse)
    assert dense.predict_proba(csr(X)).tobytes() == sparse.predict_proba(X).tobytes()


@pytest.mark.parametrize("scaling", ["auto", "minmax"])
@pytest.mark.parametrize(("most", "columns"), [(16, 30), (255, 64)])
def test_a_stream_gives_the_network_of_its_rows_in_memory(tmp_path, scaling, most, columns):
    X = digits(most, columns).astype(np.float32)
    with h5py.File(tmp_path / "rows.h5", "w") as file:
        file["xdata"], file["ydata"] = X, Y
    settings = {**SMALL, "scaling": scaling, "shuffle": False}
    expected = MLP(**settings).fit(X, Y)
    with Stream(tmp_path / "rows.h5", window_bytes=110 * X.shape[1] * 4, block_bytes=200) as stream:
        mlp = MLP(**settings).fit(stream)
    assert mlp.encoder == expected.encoder
    assert bits(mlp) == bits(expected)


def test_uint8_means_numbers_where_nothing_is_scaled():
    X = digits(200, 12)
    settings = {**SMALL, "scaling": "none", "dtype": "float64", "learning_rate": 1e-4}
    mlp = MLP(**settings).fit(X.astype(np.uint8), Y)
    hidden = np.maximum(X @ mlp.weights[0] + mlp.biases[0], 0) @ mlp.weights[1] + mlp.biases[1]
    expected = np.exp(hidden) / np.exp(hidden).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(mlp.predict_proba(X.astype(np.uint8)), expected, atol=1e-12)
    assert bits(MLP(**settings).fit(X.astype(float), Y)) == bits(mlp)


# ----------------------------------------------------------------------------------------- statistics, by scikit-learn


def table():
    """Columns as tables have them: a large mean, a small range, one that is constant, one with an outlier."""
    random = np.random.RandomState(1)
    X = random.standard_normal((3000, 6)) * [1, 1e-3, 1e4, 0, 5, 1] + [0, 1e3, -1e6, 7, 0, 3]
    X[17, 5] = 1e6
    return X


def sparse_table():
    X = table() * (np.random.RandomState(2).random_sample((3000, 6)) < 0.4)
    X[:, 3] = 0
    return X.astype(np.float32)


@pytest.mark.parametrize(("scaling", "theirs"), [("standard", "StandardScaler"), ("minmax", "MinMaxScaler")])
def test_dense_inputs_are_scaled_as_scikit_learn_does(scaling, theirs):
    preprocessing = pytest.importorskip("sklearn.preprocessing")
    X, y = table(), np.arange(3000) % 3
    ours = prepare(MLP(scaling=scaling, dtype="float64", first_layer="dense").config, X, y).batches.X
    np.testing.assert_allclose(ours, getattr(preprocessing, theirs)().fit_transform(X), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize(
    ("scaling", "theirs", "options"),
    [("standard", "StandardScaler", {"with_mean": False}), ("minmax", "MaxAbsScaler", {})],
)
def test_sparse_inputs_are_scaled_without_being_centred(scaling, theirs, options):
    preprocessing = pytest.importorskip("sklearn.preprocessing")
    scipy_sparse = pytest.importorskip("scipy.sparse")
    X, y = scipy_sparse.csr_matrix(sparse_table()), np.arange(3000) % 3
    mlp = MLP(scaling=scaling, dtype="float64", epochs=1, hidden=(4,)).fit(X, y)
    ours = prepare(mlp.config, X, y).batches.X
    expected = getattr(preprocessing, theirs)(**options).fit_transform(X.astype(np.float64))
    np.testing.assert_allclose(ours.values, expected.data, rtol=1e-9)
    # A network that was trained on sparse rows reads the same numbers in dense ones.
    np.testing.assert_allclose(mlp.predict_proba(X.toarray()), mlp.predict_proba(X), rtol=1e-9)


def test_a_network_of_dense_rows_reads_sparse_ones():
    X = digits(16, 10)
    mlp = MLP(**SMALL).fit(X, Y)
    assert mlp.fit_info["scaling"] == "standard"
    assert mlp.predict_proba(csr(X)).tobytes() == mlp.predict_proba(X).tobytes()


def test_sums_go_row_by_row_however_the_rows_are_cut(monkeypatch):
    from fastmlp.inputs import blocks

    X, y = table(), np.arange(3000) % 3
    expected = prepare(MLP().config, X, y).encoder
    for values in (6, 600, 10**9):
        monkeypatch.setattr(blocks, "BLOCK_VALUES", values)
        assert prepare(MLP().config, X, y).encoder == expected
        assert prepare(MLP().config, X[:, :1], y).encoder == prepare(MLP().config, X[:, :1].copy("F"), y).encoder


# -------------------------------------------------------------------------------------------- kept with the network


def test_validation_and_predictions_are_scaled_as_the_training_rows_were(tmp_path):
    X = table()[:300]
    mlp = MLP(**SMALL).fit(X[:200], Y[:200], validation=(X[200:] + 5, Y[200:]))
    standardised = (X - X[:200].mean(axis=0)) / np.where(X[:200].std(axis=0) > 0, X[:200].std(axis=0), 1)
    moved = (X[200:] + 5 - X[:200].mean(axis=0)) / np.where(X[:200].std(axis=0) > 0, X[:200].std(axis=0), 1)
    by_hand = MLP(**SMALL, scaling="none").fit(standardised[:200], Y[:200], validation=(moved, Y[200:]))
    np.testing.assert_allclose(mlp.history["validation_loss"], by_hand.history["validation_loss"], rtol=1e-4)
    np.testing.assert_allclose(mlp.predict_proba(X[200:]), by_hand.predict_proba(standardised[200:]), rtol=1e-3)
    assert mlp.evaluate(X[200:] + 5, Y[200:])[0] == mlp.history["validation_loss"][-1]
    mlp.save(tmp_path / "model.safetensors")
    loaded = MLP.load(tmp_path / "model.safetensors")
    assert loaded.predict_proba(X).tobytes() == mlp.predict_proba(X).tobytes()
    assert loaded.encoder.describe() == mlp.fit_info["inputs"]
    # The first row alone is scaled by what was measured, not by itself.
    np.testing.assert_allclose(loaded.predict_proba(X[:1]), mlp.predict_proba(X)[:1], rtol=1e-6)


def test_a_training_that_continues_keeps_the_scaling_of_its_first_rows():
    X = table()[:300]
    mlp = MLP(**SMALL).partial_fit(X[:150], Y[:150])
    encoder = mlp.encoder
    mlp.partial_fit(10 * X[150:], Y[150:])
    assert mlp.encoder == encoder
    mlp.fit(10 * X, Y, warm_start=True)
    assert mlp.encoder == encoder
    assert mlp.fit(10 * X, Y).encoder != encoder


def test_prepared_data_of_another_scale_do_not_continue_a_training():
    X = table()[:300]
    mlp = MLP(**SMALL).fit(X, Y)
    with pytest.raises(InputError, match=r"were prepared as .* expected them as in the training that is to continue"):
        mlp.partial_fit(prepare(mlp.config, 2 * X, Y))
    mlp.partial_fit(prepare(mlp.config, 2 * X, Y, encoder=mlp.encoder))


def test_what_was_done_is_told_in_words():
    assert MLP(**SMALL).fit(digits(16), Y).fit_info["inputs"] == "64 columns, 0 to 16, standardised"
    assert MLP(**SMALL).fit(digits(255), Y).fit_info["inputs"] == "64 columns, 0 to 255, divided by 255"
    assert MLP(**SMALL).fit(digits(1, 1), Y).fit_info["inputs"] == "1 column, 0 to 1, as they are"


# -------------------------------------------------------------------------------------------------- copies, refusals


@pytest.mark.parametrize("X", [digits(255).astype(np.uint8), digits(1).astype(np.float32)])
def test_pixels_and_numbers_that_are_not_scaled_are_not_copied(X):
    assert prepare(MLP(first_layer="dense").config, X, Y).batches.X is X


def test_images_are_not_standardised():
    X, augmented = digits(16), {**SMALL, "augment": {"shift": 1}, "engine": "numpy"}
    with pytest.raises(InputError, match="64 columns, 0 to 16, standardised; expected scaling='minmax'"):
        MLP(**augmented).fit(X, Y)
    MLP(**augmented).fit(digits(255), Y)
    MLP(**augmented, scaling="minmax").fit(X, Y)


def test_pixels_that_were_divided_already_are_refused():
    X = digits(255)
    mlp = MLP(**SMALL).fit(X, Y)
    with pytest.raises(InputError, match=r"X has fractions from 0 to 1, which scaling 'pixels' would divide by 255"):
        mlp.predict(X / 255)
    with pytest.raises(InputError, match="multiply by 255, or train with scaling='none'"):
        MLP(**SMALL, scaling="pixels").fit(X / 255, Y)
    assert mlp.predict(np.zeros((3, 64))).shape == (3,)
    np.testing.assert_allclose(mlp.predict_proba(X * 0.999), mlp.predict_proba(X), atol=1e-2)


def test_a_number_far_beyond_those_of_the_training_is_named():
    X = digits(16, 4).astype(float)
    X[:, 2] = 1e-30 * np.arange(300)
    mlp = MLP(**SMALL).fit(X, Y)
    X[7, 2] = 1e30
    with pytest.raises(InputError, match=r"X has 1e\+30 at row 7, column 2, which does not fit float32 when it is"):
        mlp.predict(X)


@pytest.mark.parametrize("scaling", ["standard", "minmax"])
def test_numbers_too_large_to_be_scaled_are_refused(scaling):
    X = 1.7e308 * np.linspace(-1, 1, 300)[:, None]
    with pytest.raises(
        InputError, match=r"X has numbers from -1.7e\+308 to 1.7e\+308, which are too large to be scaled"
    ):
        MLP(**SMALL, dtype="float64", scaling=scaling).fit(X, Y)


# --------------------------------------------------------------------------- what people have: scikit-learn's own sets


@pytest.mark.parametrize(("name", "least"), [("iris", 0.97), ("wine", 0.99), ("breast_cancer", 0.99), ("digits", 0.99)])
def test_raw_tables_train(name, least):
    datasets = pytest.importorskip("sklearn.datasets")
    data = getattr(datasets, f"load_{name}")()
    mlp = MLP().fit(data.data, data.target)
    assert mlp.score(data.data, data.target) >= least
    assert mlp.failure_reason is None


def test_one_hot_columns_of_any_type_are_learnt():
    random = np.random.default_rng(0)
    codes = random.integers(0, 8, (2000, 4))
    y = (codes[:, 0] + codes[:, 1]) % 2
    X = np.concatenate([np.eye(8)[codes[:, k]] for k in range(4)], axis=1)
    settings = {"hidden": (32,), "epochs": 50, "learning_rate": 0.2}
    scores = [
        MLP(**settings).fit(X[:1500].astype(dtype), y[:1500]).score(X[1500:].astype(dtype), y[1500:])
        for dtype in (bool, np.int8, np.uint8, float)
    ]
    assert scores == [1.0] * 4
