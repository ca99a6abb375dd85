"""How the first layer reads its inputs: dense, or as compressed rows whose zeros cost nothing."""

import numpy as np

from .kernels.inputs import Sparse, to_network

FIRST_LAYERS = ("auto", "dense", "sparse")

# Share of entries that are not zero from which on skipping the zeros costs more than multiplying by them: measured on
# MNIST (0.19) and Fashion-MNIST (0.50), see docs/benchmarks.md.
BREAK_EVEN_DENSITY = 0.45


def compact(X, dtype="float32", first_layer="auto"):
    """Checked inputs in the form that trains fastest: (X, share of entries that are not zero).

    X            (N, D) uint8, float32 or float64, or `Sparse` rows
    first_layer  "auto" compresses a dense X below BREAK_EVEN_DENSITY; "sparse" and "dense" force one form
    The result of training is the same, bit for bit. What is compressed here once may serve many trainings.
    """
    if isinstance(X, Sparse):
        density = len(X.indices) / (X.shape[0] * X.shape[1])
        return (_dense(X, dtype) if first_layer == "dense" else X), density
    from .kernels.compress import compress, measure_density

    density = measure_density(X)
    if first_layer == "sparse" or (first_layer == "auto" and density < BREAK_EVEN_DENSITY):
        return compress(X, dtype), density
    return X, density


def _dense(X, dtype):
    """Compressed rows as a matrix of `dtype`."""
    return to_network(X, np.arange(X.shape[0]), np.dtype(dtype))
