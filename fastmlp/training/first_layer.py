"""How the first layer reads its inputs: dense, or as compressed rows whose zeros cost nothing."""

import numpy as np

from fastmlp.kernels.sparse_rows import Sparse, to_network

# After this many spans of training the other size of team is tried again: what else the machine does may have changed.
SPANS_BETWEEN_TRIALS = 40

# Share of entries that are not zero from which on skipping the zeros costs more than multiplying by them: what
# `python -m bench.density` prints on a random matrix. MNIST has 0.19, Fashion-MNIST 0.50.
BREAK_EVEN_DENSITY = 0.41


def compact(X, dtype="float32", first_layer="auto"):
    """Checked inputs in the form that trains fastest: (X, share of entries that are not zero).

    X            (N, D) uint8, float32 or float64, or `Sparse` rows
    first_layer  "auto" compresses a dense X below BREAK_EVEN_DENSITY; "sparse" and "dense" force one form
    The result of training is the same, bit for bit. What is compressed here once may serve many trainings.
    """
    if isinstance(X, Sparse):
        density = len(X.indices) / (X.shape[0] * X.shape[1])
        return (_dense(X, dtype) if first_layer == "dense" else X), density
    from fastmlp.kernels.compress import compress, measure_density

    density = measure_density(X)
    if first_layer == "sparse" or (first_layer == "auto" and density < BREAK_EVEN_DENSITY):
        return compress(X, dtype), density
    return X, density


def _dense(X, dtype):
    """Compressed rows as a matrix of `dtype`."""
    return to_network(X, np.arange(X.shape[0]), np.dtype(dtype))


class TeamSize:
    """How many threads train: one or all allowed, whichever the clock says is faster.

    Two cores that exchange small batches can be slower than one, depending on the machine and on what else runs on it.
    The size of the team never changes a result, so it may be chosen by measurement.
    """

    def __init__(self, threads):
        self.sizes = (threads, 1) if threads > 1 else (1,)
        self.seconds_per_row = {}
        self.spans = -1  # the first one loads or compiles the kernels, and tells nothing

    def next(self):
        """The size for the next span of an epoch."""
        untried = [size for size in self.sizes if size not in self.seconds_per_row]
        if untried:
            return untried[0]
        slowest_first = sorted(self.sizes, key=self.seconds_per_row.__getitem__, reverse=True)
        return slowest_first[0 if self.spans % SPANS_BETWEEN_TRIALS == 0 else -1]

    def tell(self, size, seconds, rows):
        """What a span took."""
        if self.spans >= 0:
            self.seconds_per_row[size] = seconds / rows
        self.spans += 1
