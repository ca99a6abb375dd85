"""Small trained networks of every kind that can be exported, with the inputs on which they are compared."""

import numpy as np

from fastmlp import MLP
from fastmlp.inputs.table import Table
from fastmlp.kernels.layout import ACTIVATIONS

ROWS = 60
NUMBERS = np.random.RandomState(3).standard_normal((ROWS, 5)).astype(np.float32)
WIDE = (NUMBERS * 3 + np.arange(5)).astype(np.float32)
PIXELS = np.random.RandomState(4).randint(0, 256, (ROWS, 64)).astype(np.float32)
THIRDS = np.arange(ROWS) % 3
NAMES = np.array(["Iris\u00e9 */ ??/", 'a "quoted" \\ one', "it's"])[THIRDS]
NUMBERS_WITH_GAPS = np.where(np.random.RandomState(5).random_sample(NUMBERS.shape) < 0.2, np.nan, WIDE)
NUMBERS_WITH_GAPS[:, 4] = WIDE[:, 4]  # no indicator of this one


def table(gaps):
    """Columns of numbers and text, with gaps or without."""
    words = np.array(["green */", 'b"?l?/u\\e', "\u00e9"], object)[np.random.RandomState(6).randint(0, 3, ROWS)]
    letters = np.array(["x", "y"], object)[np.random.RandomState(7).randint(0, 2, ROWS)]
    if gaps:
        words[::7] = None
    numbers = NUMBERS_WITH_GAPS if gaps else WIDE
    return Table(("size /*", "colour", "weight", "X"), (numbers[:, 0], words, numbers[:, 1], letters))


def network(*data, **settings):
    """A network after a few epochs."""
    return MLP(**{"hidden": (6, 4), "epochs": 4, "engine": "numpy", "batch_size": 10, **settings}).fit(*data)


MIXED = {"hidden": (6, 5, 4, 3, 6, 5, 4), "activation": tuple(ACTIVATIONS)}
BITS = (np.random.RandomState(8).random_sample((ROWS, 3)) < 0.4).astype(int)
LARGE = WIDE.astype(np.float64) + 1e6  # of which float32 has a digit behind the point

CASES = {
    "as they are": lambda: (network(np.tanh(NUMBERS), THIRDS), np.tanh(NUMBERS)),
    "standardised, names": lambda: (network(WIDE, NAMES), WIDE),
    "minmax, all activations": lambda: (network(WIDE, THIRDS - 1, scaling="minmax", **MIXED), WIDE),
    "float64, all activations": lambda: (
        network(WIDE.astype(float), THIRDS, dtype="float64", **MIXED),
        WIDE.astype(float),
    ),
    "pixels": lambda: (network(PIXELS, THIRDS), PIXELS),
    "float64": lambda: (network(WIDE.astype(float), THIRDS, dtype="float64"), WIDE.astype(float)),
    "far from zero": lambda: (network(LARGE, THIRDS), LARGE),
    "two classes": lambda: (network(WIDE, THIRDS == 1), WIDE),
    "no hidden layer": lambda: (network(WIDE, THIRDS, hidden=()), WIDE),
    "bits": lambda: (network(WIDE, BITS, loss="binary_cross_entropy"), WIDE),
    "one bit": lambda: (network(WIDE, BITS[:, 0], loss="binary_cross_entropy"), WIDE),
    "a number": lambda: (network(WIDE, WIDE[:, 0] * 2, loss="squared_error", learning_rate=0.01), WIDE),
    "numbers": lambda: (network(WIDE, WIDE[:, :2], loss="squared_error", learning_rate=0.01), WIDE),
    "means": lambda: (network(WIDE, THIRDS, loss="poisson", learning_rate=0.01), WIDE),
    "scaled numbers": lambda: (
        network(WIDE.astype(float), 20 * WIDE[:, :2] + 50, loss="squared_error", dtype="float64"),
        WIDE.astype(float),
    ),
    "gaps": lambda: (network(NUMBERS_WITH_GAPS, THIRDS, missing="median"), NUMBERS_WITH_GAPS),
    "a table": lambda: (network(table(False), NAMES), table(False)),
    "a table with gaps": lambda: (network(table(True), THIRDS, missing="median"), table(True)),
}
OF_NUMBERS = [name for name in CASES if "table" not in name]


def is_regression(mlp):
    """Whether a network predicts numbers."""
    return not mlp.config.loss_function.has_probabilities


def outputs(mlp, X):
    """Probabilities (N, C), or numbers (N, C) of a regression."""
    proba = mlp.predict if is_regression(mlp) else mlp.predict_proba
    return proba(X).reshape(len(X), -1)


def rows_of(X):
    """Inputs as lists of plain values."""
    return (
        [list(row) for row in zip(*(column.tolist() for column in X.columns), strict=True)]
        if isinstance(X, Table)
        else X.tolist()
    )
