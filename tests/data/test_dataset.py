"""A dataset's digest names its samples and labels."""

from dataclasses import replace

import numpy as np
import pytest

from fastmlp.data import CSR, Dataset, digest

DENSE = Dataset(np.arange(12, dtype=np.float32).reshape(4, 3), np.array([0, 1, 0, 1]), np.arange(2), None, "dense")
SPARSE = replace(DENSE, X=CSR(np.arange(5), np.zeros(4, np.int32), np.ones(4, np.float32), (4, 3)))


@pytest.mark.parametrize("dataset", [DENSE, SPARSE])
def test_digest_is_sixty_four_hexadecimal_digits_and_leaves_names_out(dataset):
    assert len(bytes.fromhex(digest(dataset))) == 32
    assert digest(replace(dataset, name="other", source="elsewhere")) == digest(dataset)


@pytest.mark.parametrize(
    "other",
    [
        replace(DENSE, X=DENSE.X.reshape(4, 3)[::-1]),
        replace(DENSE, X=DENSE.X.astype(np.uint8)),
        replace(DENSE, X=DENSE.X.reshape(3, 4)),
        replace(DENSE, y=1 - DENSE.y),
        SPARSE,
        replace(SPARSE, X=replace(SPARSE.X, shape=(4, 5))),
    ],
)
def test_every_difference_in_samples_or_labels_shows(other):
    assert len({digest(DENSE), digest(SPARSE), digest(other)}) == (2 if other is SPARSE else 3)


def test_layout_in_memory_and_byte_order_do_not_matter():
    strided = replace(DENSE, X=np.asfortranarray(DENSE.X), y=np.repeat(DENSE.y, 2)[::2])
    assert digest(strided) == digest(DENSE)
    assert digest(replace(DENSE, X=DENSE.X.astype(">f4"))) == digest(DENSE)
