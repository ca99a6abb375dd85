"""The sparse first layer: what it skips must not show in any result."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fastmlp import MLP
from fastmlp.data import CSR
from fastmlp.errors import InputError
from fastmlp.kernels.column_sort import TOGETHER, new_buckets
from fastmlp.kernels.compress import EntryBuffer, compress, measure_density
from fastmlp.kernels.sparse_rows import Sparse, part, to_network
from fastmlp.utils.arrays import check_inputs


def mostly_zero(rows, features, share, kind, seed=0):
    """A matrix of uint8 pixels or of floats, the given share of which is not zero."""
    random = np.random.default_rng(seed)
    X = random.integers(1, 256, (rows, features)) * (random.random((rows, features)) < share)
    return X.astype(np.uint8) if kind == "uint8" else (X / 255 - 0.3 * (X > 0)).astype(kind)


def trained(X, y, **options):
    meaning = "pixels" if getattr(X, "dtype", None) == np.uint8 else "none"
    usual = {"hidden": (33, 20), "batch_size": 37, "epochs": 3, "learning_rate": 0.2, "scaling": meaning}
    mlp = MLP(**{**usual, **options}).fit(X, y)
    return np.concatenate([array.ravel() for array in mlp.weights + mlp.biases]), mlp


@pytest.mark.parametrize("kind", ["uint8", "float32", "float64"])
@pytest.mark.parametrize("activation", ["relu", "tanh"])
def test_skipping_zeros_gives_the_bits_of_the_dense_path(kind, activation):
    X = mostly_zero(401, 90, 0.2, kind)
    y = np.arange(401) % 4
    sparse, mlp = trained(X, y, activation=activation, first_layer="sparse")
    dense, _ = trained(X, y, activation=activation, first_layer="dense")
    assert mlp.fit_info["first_layer"] == "sparse"
    np.testing.assert_array_equal(sparse.view(np.uint32), dense.view(np.uint32))


@pytest.mark.parametrize("rule", [{"momentum": 0.9}, {"l2": 0.01}, {"momentum": 0.5, "l2": 0.001}])
def test_momentum_and_l2_move_the_weights_of_pixels_that_are_dark(rule):
    X = mostly_zero(300, 50, 0.1, "float32")
    y = np.arange(300) % 3
    sparse, _ = trained(X, y, first_layer="sparse", **rule)
    dense, _ = trained(X, y, first_layer="dense", **rule)
    np.testing.assert_array_equal(sparse.view(np.uint32), dense.view(np.uint32))


@pytest.mark.parametrize("batch_size", [1, 7, 301])
@pytest.mark.parametrize("hidden", [(), (5,), (200, 16)])
def test_any_batch_and_any_width_gives_the_bits_of_the_dense_path(batch_size, hidden):
    X = mostly_zero(301, 40, 0.15, "uint8")
    y = np.arange(301) % 5
    options = {"batch_size": batch_size, "hidden": hidden, "epochs": 1}
    sparse, _ = trained(X, y, first_layer="sparse", **options)
    dense, _ = trained(X, y, first_layer="dense", **options)
    np.testing.assert_array_equal(sparse.view(np.uint32), dense.view(np.uint32))


@pytest.mark.parametrize("features", [40, 3000])
@pytest.mark.parametrize("batch_size", [3, 64, 150])
def test_however_a_block_is_sorted_by_column_the_bits_are_the_same(features, batch_size):
    """Few columns and many entries go through the grid, the others are counted; a batch of either kind may follow."""
    X = mostly_zero(301, features, 0.2, "uint8")
    X[100:200, features // 4 :] = 0
    y = np.arange(301) % 4
    options = {"batch_size": batch_size, "momentum": 0.5, "epochs": 2, "hidden": (7,)}
    sparse, _ = trained(X, y, first_layer="sparse", **options)
    dense, _ = trained(X, y, first_layer="dense", **options)
    np.testing.assert_array_equal(sparse.view(np.uint32), dense.view(np.uint32))


@pytest.mark.parametrize("kind", ["uint8", "float32", "float64"])
@pytest.mark.parametrize("features", [60, 61])
@pytest.mark.parametrize("rule", [{}, {"momentum": 0.5}])
def test_neighbouring_columns_summed_together_give_the_bits_of_the_dense_path(kind, features, rule):
    """An odd last column has no neighbour: what follows its weights are the biases."""
    alike = mostly_zero(301, -(-features // 2), 0.3, kind)
    X = np.repeat(alike, 2, axis=1)[:, :features]
    X[np.random.default_rng(1).random(X.shape) < 0.1] = 0
    together = new_buckets(compress(X, "float32"), 1, 1, np.zeros(0)).together
    assert together == (TOGETHER if kind == "uint8" else 1)
    y = np.arange(301) % 4
    for options in ({"batch_size": 2}, {"batch_size": 20, "threads": 2}, {"batch_size": 150, "hidden": (240,)}):
        sparse, _ = trained(X, y, first_layer="sparse", epochs=1, **options, **rule)
        dense, _ = trained(X, y, first_layer="dense", epochs=1, **options, **rule)
        np.testing.assert_array_equal(sparse.view(np.uint32), dense.view(np.uint32))


@pytest.mark.parametrize("kind", ["uint8", "float32", "float64"])
@pytest.mark.parametrize("width", [5, 112, 240])
def test_rows_that_run_in_stretches_give_the_bits_of_the_dense_path(kind, width):
    """Rows whose entries are in all stretches, in some with gaps between them, in the last alone, and nowhere."""
    X = mostly_zero(61, 900, 0.3, kind)
    X[1, :800] = X[2, 50:] = X[3, 30:850] = 0
    X[4] = X[6:8] = 0
    X[5, :-1] = 0
    y = np.arange(61) % 4
    options = {"hidden": (width,), "batch_size": 61, "epochs": 2, "shuffle": False}
    sparse, narrow = trained(X, y, first_layer="sparse", **options)
    dense, wide = trained(X, y, first_layer="dense", **options)
    np.testing.assert_array_equal(sparse.view(np.uint32), dense.view(np.uint32))
    np.testing.assert_array_equal(narrow.predict_proba(X), wide.predict_proba(X))


@pytest.mark.parametrize("share", [0.004, 0.3])
def test_sums_over_thousands_of_inputs_are_cut_where_the_dense_path_cuts_them(share):
    X = mostly_zero(61, 2400, share, "float32")
    X[1, 2100:] = X[2, :2100] = X[3, 60:2300] = X[4] = X[5, :-1] = 0
    y = np.arange(61) % 4
    options = {"hidden": (112,), "batch_size": 61, "epochs": 2, "shuffle": False}
    sparse, narrow = trained(X, y, first_layer="sparse", **options)
    dense, wide = trained(X, y, first_layer="dense", **options)
    np.testing.assert_array_equal(sparse.view(np.uint32), dense.view(np.uint32))
    predicted = wide.predict_proba(X)
    np.testing.assert_array_equal(narrow.predict_proba(X), predicted)
    np.testing.assert_array_equal([wide.predict_proba(row[None])[0] for row in X], predicted)


@pytest.mark.parametrize("momentum", [0.0, 0.9])
def test_sums_over_thousands_of_samples_are_cut_where_the_dense_path_cuts_them(momentum):
    X = mostly_zero(2500, 60, 0.2, "float32")
    X[:2200, 5] = X[2050:, 6] = X[2200:, 7] = X[64:2400, 8] = X[:, 9] = 0
    y = np.arange(2500) % 10
    options = {"hidden": (120, 30), "batch_size": 2500, "epochs": 2, "shuffle": False, "momentum": momentum}
    dense, _ = trained(X, y, first_layer="dense", threads=2, **options)
    for threads in (1, 2, 3):
        sparse, _ = trained(X, y, first_layer="sparse", threads=threads, **options)
        np.testing.assert_array_equal(sparse.view(np.uint32), dense.view(np.uint32))


def test_a_team_of_any_size_gives_the_same_bits():
    X = mostly_zero(900, 300, 0.15, "uint8")
    y = np.arange(900) % 10
    options = {"hidden": (200, 50), "batch_size": 130, "first_layer": "sparse"}
    alone, _ = trained(X, y, threads=1, **options)
    for threads in (2, 3):
        together, _ = trained(X, y, threads=threads, **options)
        np.testing.assert_array_equal(alone.view(np.uint32), together.view(np.uint32))


@pytest.mark.parametrize("hidden", [(240,), (100, 20)])
def test_a_thread_that_is_ahead_leaves_the_others_their_inputs(hidden):
    """In small batches nobody waits before the next batch's first layer, whose outputs are the second one's inputs."""
    X = mostly_zero(6000, 200, 0.05, "uint8")
    y = np.arange(6000) % 4
    options = {"hidden": hidden, "batch_size": 40, "epochs": 1, "first_layer": "sparse"}
    alone, _ = trained(X, y, threads=1, **options)
    together, _ = trained(X, y, threads=2, **options)
    np.testing.assert_array_equal(alone.view(np.uint32), together.view(np.uint32))


def test_the_plan_follows_the_density_of_the_inputs():
    y = np.arange(100) % 2
    assert trained(mostly_zero(100, 30, 0.1, "uint8"), y, epochs=1)[1].fit_info["first_layer"] == "sparse"
    _, mlp = trained(mostly_zero(100, 30, 0.9, "uint8"), y, epochs=1)
    assert mlp.fit_info["first_layer"] == "dense"
    assert 0.85 < mlp.fit_info["density"] < 0.95


def test_predictions_and_losses_are_those_of_the_dense_path():
    X = mostly_zero(500, 60, 0.2, "float32")
    y = np.arange(500) % 3
    _, sparse = trained(X, y, first_layer="sparse")
    _, dense = trained(X, y, first_layer="dense")
    assert sparse.history["train_loss"] == dense.history["train_loss"]
    compressed = check_inputs(compress(X, "float32"), "float32")
    np.testing.assert_array_equal(sparse.predict_proba(compressed), dense.predict_proba(X))
    assert sparse.evaluate(compressed, y) == dense.evaluate(X, y)


def test_a_sparse_matrix_trains_as_the_matrix_it_stands_for():
    X = mostly_zero(200, 70, 0.1, "float32")
    y = np.arange(200) % 3
    compressed = compress(X, "float32")
    matrix = CSR(compressed.indptr, compressed.indices.astype(np.int32), compressed.values, X.shape)
    from_rows, _ = trained(matrix, y)
    from_dense, _ = trained(X, y, first_layer="dense")
    np.testing.assert_array_equal(from_rows.view(np.uint32), from_dense.view(np.uint32))
    reference, _ = trained(matrix, y, engine="numpy", dtype="float64")
    np.testing.assert_allclose(from_rows, reference, atol=1e-4)


def test_scipy_matrices_of_any_format_are_taken():
    sparse = pytest.importorskip("scipy.sparse")
    X = mostly_zero(150, 40, 0.2, "float64")
    y = np.arange(150) % 3
    expected, _ = trained(X, y, first_layer="dense")
    for format in ("csr", "csc", "coo", "lil", "dok", "bsr"):
        matrix = sparse.csr_array(X).asformat(format)
        np.testing.assert_array_equal(trained(matrix, y)[0].view(np.uint32), expected.view(np.uint32))


def test_a_million_columns_cost_what_their_entries_cost():
    random = np.random.default_rng(1)
    indptr = np.arange(0, 2001, 10)
    indices = np.sort(random.choice(1_000_000, (200, 10)), axis=1).ravel()
    matrix = CSR(indptr, indices.astype(np.int32), random.random(2000).astype(np.float32), (200, 1_000_000))
    y = np.arange(200) % 2
    _, mlp = trained(matrix, y, hidden=(8,), epochs=20, learning_rate=1.0, batch_size=20)
    assert mlp.score(matrix, y) == 1.0


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"indices": np.array([0, 5])}, "index outside of its 3 columns"),
        ({"indices": np.array([-1, 1])}, "index outside"),
        ({"data": np.array([1.0, np.nan])}, "nan at row 1, column 2"),
        ({"indptr": np.array([0, 2, 1])}, "does not rise"),
        ({"indptr": np.array([0, 2, 2]), "indices": np.array([1, 1])}, "column 1 of row 0 twice"),
    ],
)
def test_a_sparse_matrix_that_is_none_is_refused(change, message):
    parts = {"indptr": np.array([0, 1, 2]), "indices": np.array([0, 2]), "data": np.array([1.0, 2.0]), **change}
    matrix = CSR(parts["indptr"], parts["indices"], parts["data"], (2, 3))
    with pytest.raises(InputError, match=message):
        check_inputs(matrix, "float32")


@settings(max_examples=40)
@given(
    st.integers(1, 40),
    st.integers(1, 300),
    st.floats(0, 1),
    st.sampled_from(["uint8", "float32", "float64"]),
    st.integers(0, 5),
)
def test_compressing_keeps_every_number(rows, features, share, dtype, seed):
    X = mostly_zero(rows, features, share, dtype, seed)
    compressed = compress(X, "float32")
    assert isinstance(compressed, Sparse)
    assert compressed.shape == X.shape
    assert len(compressed.values) == np.count_nonzero(X)
    everything = np.arange(rows)
    expected = to_network(X, everything, np.dtype("float32"))
    np.testing.assert_array_equal(to_network(compressed, everything, np.dtype("float32")), expected)
    half = part(compressed, rows // 2, rows)
    np.testing.assert_array_equal(
        to_network(half, np.arange(half.shape[0]), np.dtype("float32")), expected[rows // 2 :]
    )


@pytest.mark.parametrize("threads", [2, 3, 7])
def test_threads_compress_to_the_same_rows(threads):
    X = mostly_zero(1000, 150, 0.3, "uint8")
    for _ in range(20):  # whoever is first must not write over what another has written
        for alone, together in zip(compress(X, "float32"), compress(X, "float32", threads), strict=True):
            np.testing.assert_array_equal(alone, together)


def test_compressing_writes_nothing_behind_the_entries():
    buffer, X = EntryBuffer(), mostly_zero(60, 150, 0.3, "uint8")
    large = compress(np.full_like(X, 7), "float32", buffer=buffer)
    compressed = compress(X, "float32", buffer=buffer)
    assert np.shares_memory(large.values, compressed.values)
    np.testing.assert_array_equal(large.values[len(compressed.values) :], 7)


def test_one_room_serves_matrices_of_all_sizes_and_types():
    buffer = EntryBuffer()
    for rows, features, dtype in [(100, 40, "uint8"), (300, 40, "uint8"), (50, 40, "float32"), (9, 70_000, "float64")]:
        X = mostly_zero(rows, features, 0.3, dtype)
        for fresh, kept in zip(compress(X, "float64"), compress(X, "float64", buffer=buffer), strict=True):
            np.testing.assert_array_equal(fresh, kept)
    X, Y = mostly_zero(100, 40, 0.3, "uint8", seed=1), mostly_zero(100, 40, 0.3, "uint8", seed=2)
    buffer = EntryBuffer()
    assert np.shares_memory(
        compress(X, "float32", buffer=buffer).indices, compress(Y, "float32", buffer=buffer).indices
    )


def test_density_is_the_share_that_is_not_zero():
    X = mostly_zero(5000, 40, 0.3, "uint8")
    assert measure_density(X) == pytest.approx(np.count_nonzero(X) / X.size, abs=0.02)


def test_unsorted_columns_are_put_in_order():
    matrix = CSR(np.array([0, 3, 5]), np.array([2, 0, 1, 3, 0]), np.array([3.0, 1, 2, 5, 4], np.float32), (2, 4))
    rows = check_inputs(matrix, "float32")
    np.testing.assert_array_equal(to_network(rows, np.arange(2), np.dtype("f4")), [[1, 2, 3, 0], [4, 0, 0, 5]])
    assert list(rows.indices) == [0, 1, 2, 0, 3]
