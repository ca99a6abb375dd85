"""The order of an epoch's samples: numpy's own permutation, bit for bit."""

import numpy as np
import pytest

from fastmlp.kernels import reference, shuffle
from fastmlp.training.parameters import epoch_order

# Next to powers of two the numbers that are thrown away are fewest and most.
COUNTS = [1, 2, 3, 4, 5, 31, 32, 33, 63, 64, 65, 127, 1000, 65_535, 65_537]


@pytest.mark.parametrize("rows", COUNTS)
@pytest.mark.parametrize("permutations", [shuffle.permutations, reference.permutations])
def test_the_orders_are_those_of_the_stream_of_each_epoch(permutations, rows):
    for seed in (0, 1, 2**32 + 5, 2**200 + 7):
        found = permutations(seed, 3, 4, rows)
        assert found.dtype == np.int64
        np.testing.assert_array_equal(found, [epoch_order(rows, seed, 3 + later, True) for later in range(4)])


def test_no_epochs_have_no_orders():
    assert shuffle.permutations(0, 1, 0, 5).shape == reference.permutations(0, 1, 0, 5).shape == (0, 5)
