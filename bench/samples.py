"""Made-up tables, so that the benchmarks of tables need no file: the same numbers everywhere."""

import numpy as np

# Units of the random network whose answers, with noise, are what a table is to be learned from.
TEACHER_UNITS = 16
NOISE = 0.1


def table(rows, columns, classes=0):
    """X (rows, columns) float32, standard normal; y (rows,) int64 below `classes`, or (rows, 1) float32 without.

    A random network with noise answers: there is something to learn, and nothing to learn by heart.
    """
    random = np.random.default_rng(0)
    X = random.standard_normal((rows, columns), dtype=np.float32)
    hidden = np.tanh(X @ (random.standard_normal((columns, TEACHER_UNITS)) / np.sqrt(columns)))
    answers = hidden @ (random.standard_normal((TEACHER_UNITS, classes or 1)) / np.sqrt(TEACHER_UNITS))
    answers += NOISE * random.standard_normal(answers.shape)
    return X, answers.argmax(axis=1) if classes else answers.astype(np.float32)


def exponentials(rows):
    """X (rows, 4) float32, 2 x 2 matrices of standard normal numbers; y (rows, 4) float32, their exponentials.

    The example of SimpleChains.jl's documentation, "Small Multi-Layer Perceptron".
    """
    random = np.random.default_rng(0)
    matrices = random.standard_normal((rows, 2, 2))
    # exp(A) = (exp(A / 2^8))^(2^8): of the small matrix four terms of the series are exact to 1e-10.
    small, exponential, term = matrices / 256, np.eye(2) + np.zeros_like(matrices), np.eye(2)
    for number in range(1, 5):
        term = term @ small / number
        exponential = exponential + term
    for _ in range(8):
        exponential = exponential @ exponential
    return matrices.reshape(rows, 4).astype(np.float32), exponential.reshape(rows, 4).astype(np.float32)
