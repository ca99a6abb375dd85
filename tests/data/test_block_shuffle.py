"""The order of a stream's rows."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastmlp.data.streaming.block_shuffle import even_rows, in_file_order, shuffled
from fastmlp.training.parameters import epoch_order


def visited(windows):
    """The rows of the file in the order in which they are visited."""
    return np.concatenate([window.rows[window.order] for window in windows])


@given(st.integers(1, 400), st.integers(1, 60), st.integers(1, 90), st.integers(0, 3), st.integers(1, 3))
def test_every_row_comes_once_in_windows_of_the_size_asked_for(rows, block_rows, window_rows, seed, epoch):
    for windows in (
        list(shuffled(rows, block_rows, window_rows, seed, epoch)),
        list(in_file_order(rows, block_rows, window_rows)),
    ):
        sizes = [len(window.order) for window in windows]
        assert sizes[:-1] == [window_rows] * (len(sizes) - 1)
        assert sum(sizes) == rows
        assert all((np.diff(window.starts) > 0).all() and (window.counts > 0).all() for window in windows)
        np.testing.assert_array_equal(np.sort(visited(windows)), np.arange(rows))


@given(st.integers(1, 10_000), st.integers(1, 500), st.integers(1, 50))
def test_windows_are_whole_batches_and_nearly_even(rows, batch_size, batches):
    most = batch_size * batches + batch_size // 2
    size = even_rows(rows, most, batch_size)
    assert size <= most
    if rows <= most:
        assert size == rows
    else:
        fewest = -(-rows // (batch_size * batches))
        assert size % batch_size == 0
        assert rows / fewest <= size < rows / fewest + batch_size


def test_order_depends_on_seed_and_epoch():
    def order(seed, epoch):
        return visited(shuffled(5000, 10, 500, seed, epoch)).tolist()

    assert order(0, 1) == order(0, 1)
    assert len({tuple(order(0, 1)), tuple(order(0, 2)), tuple(order(1, 1)), tuple(order(1, 2))}) == 4


def test_one_window_has_the_order_of_memory():
    np.testing.assert_array_equal(visited(shuffled(5000, 64, 5000, 3, 2)), epoch_order(5000, 3, 2, True))


def test_without_a_shuffle_the_order_is_that_of_the_file():
    windows = list(in_file_order(1000, 64, 150))
    np.testing.assert_array_equal(visited(windows), np.arange(1000))
    edges = np.concatenate([window.starts for window in windows])
    assert set(edges) == set(range(0, 1000, 64)) | set(range(0, 1000, 150))


@pytest.mark.parametrize("batch_size", [50, 200])
def test_batches_of_a_sorted_file_vary_as_the_docstring_says(batch_size):
    rows, block_rows, window_rows, classes = 80_000, 20, 8000, 10
    blocks = window_rows // block_rows
    label = np.arange(rows) * classes // rows
    counts = []
    for epoch in range(1, 5):
        batches = label[visited(shuffled(rows, block_rows, window_rows, 0, epoch))].reshape(-1, batch_size)
        counts.append([np.bincount(batch, minlength=classes) for batch in batches])
    counts = np.concatenate(counts)
    share = 1 / classes
    np.testing.assert_allclose(counts.mean(axis=0), batch_size * share, rtol=1e-12)
    full_shuffle = np.sqrt(batch_size * share * (1 - share))  # binomial: drawn from many more rows than a batch
    bound = np.sqrt(1 + (batch_size - 1) / blocks)
    measured = counts.std() / full_shuffle
    # The other side of the bound: the windows are a tenth of the file, whose blocks vary by that much less.
    assert 0.93 * np.sqrt(1 + 0.9 * (batch_size - 1) / blocks) < measured < 1.02 * bound


def test_neighbours_share_a_batch_as_often_as_the_docstring_says():
    rows, block_rows, window_rows, batch_size = 4000, 40, 400, 50
    same_block, all_neighbours = [], []
    for epoch in range(1, 201):
        batch = np.empty(rows, np.int64)
        batch[visited(shuffled(rows, block_rows, window_rows, 0, epoch))] = np.arange(rows) // batch_size
        same_block.append((batch[0::2] == batch[1::2]).mean())  # blocks have an even number of rows
        all_neighbours.append((batch[block_rows - 1 : -1 : block_rows] == batch[block_rows::block_rows]).mean())
    assert np.mean(same_block) == pytest.approx((batch_size - 1) / (window_rows - 1), rel=0.02)
    apart = (batch_size - 1) / (window_rows - 1) * (window_rows - block_rows) / (rows - block_rows)
    assert np.mean(all_neighbours) == pytest.approx(apart, rel=0.15)
