"""How stored inputs become the numbers that the first layer sees."""

import numpy as np

# Correctly rounded, so that uint8 pixels and the same pixels stored as floats train the same network, bit for bit.
PIXELS = np.arange(256) / 255


def to_network(X, rows, dtype):
    """Rows of X as (rows, D) in `dtype`: pixels (uint8) divided by 255, floats as they are."""
    taken = X[rows]
    if taken.dtype == np.uint8:
        return PIXELS.astype(dtype)[taken]
    return taken.astype(dtype, copy=False)
