"""Sparse rows against dense ones."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from fastmlp.data import CSR

TABLES = arrays.arrays(
    np.float32, st.tuples(st.integers(1, 8), st.integers(1, 5)), elements=st.sampled_from([0.0, 0.0, 1.0, -2.5])
)


def sparse(table):
    rows, columns = np.nonzero(table)
    counts = np.bincount(rows, minlength=len(table))
    indptr = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    return CSR(indptr, columns.astype(np.int32), table[rows, columns], table.shape)


@given(table=TABLES, data=st.data())
def test_slice_holds_the_rows_of_the_dense_slice(table, data):
    rows = data.draw(st.slices(len(table)).filter(lambda s: s.step in (None, 1)))
    part = sparse(table)[rows]
    assert part.shape == table[rows].shape
    assert len(part) == len(table[rows])
    assert np.array_equal(part.toarray(), table[rows])


@given(table=TABLES, data=st.data())
def test_array_of_row_numbers_picks_these_rows(table, data):
    rows = np.array(data.draw(st.lists(st.integers(0, len(table) - 1))), np.int64)
    part = sparse(table)[rows]
    assert np.array_equal(part.toarray(), table[rows])
    assert (part.indptr.dtype, part.indices.dtype, part.data.dtype) == (np.int64, np.int32, np.float32)


def test_slice_shares_its_values():
    whole = sparse(np.ones((4, 3), np.float32))
    assert np.shares_memory(whole[1:3].data, whole.data)


def test_step_is_refused():
    with pytest.raises(IndexError, match="step"):
        sparse(np.ones((4, 3), np.float32))[::2]
