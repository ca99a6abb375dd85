"""The fraction of non-zeros above which the dense first layer is faster than the sparse one.

python -m bench.density              a table and the break-even; --json for programs
"""

import argparse
import json
import time
from statistics import median

import numpy as np

from fastmlp.kernels import epoch
from fastmlp.kernels.compress import compress
from fastmlp.kernels.thread_team import available_cores
from fastmlp.training.first_layer import BREAK_EVEN_DENSITY
from fastmlp.training.parameters import Parameters, epoch_order

from .report import density as page_section

ROWS, FEATURES, HIDDEN, CLASSES, BATCH = 10_000, 784, (100, 50, 25), 10, 500
DENSITIES = tuple(round(0.1 * tenth, 1) for tenth in range(1, 10))


def matrix(density, rows, seed=0):
    """(rows, FEATURES) uint8 pixels, of which a random `density` are not zero."""
    random = np.random.default_rng(seed)
    X = random.integers(1, 256, (rows, FEATURES), dtype=np.uint8)
    X[random.random((rows, FEATURES), dtype=np.float32) >= density] = 0
    return X


def epoch_milliseconds(forms, y, order, threads, repetitions):
    """The median epoch of each form of the same inputs; they take turns."""
    p = Parameters((FEATURES, *HIDDEN, CLASSES), ("relu",) * len(HIDDEN), "float32")
    samples = [[] for _ in forms]
    for repetition in range(repetitions + 1):
        for times, X in zip(samples, forms, strict=True):
            p.initialise("auto", None, "zero", seed=0)
            begun = time.perf_counter()
            epoch.train(
                p.layers, p.buffer, p.states, X, y, order, BATCH, 0.01, np.zeros(2), threads
            )  # fmt: skip
            if repetition:  # the first one warms up
                times.append(1e3 * (time.perf_counter() - begun))
    return [median(times) for times in samples]


def break_even(densities, dense, sparse):
    """The density at which the straight lines between the measured points cross; None when they do not."""
    gaps = [s - d for s, d in zip(sparse, dense, strict=True)]
    for i in range(len(gaps) - 1):
        if gaps[i] < 0 <= gaps[i + 1]:
            return densities[i] + (densities[i + 1] - densities[i]) * -gaps[i] / (gaps[i + 1] - gaps[i])
    return None


def measure(rows=ROWS, repetitions=7, densities=DENSITIES):
    """Epochs of both forms over the densities, with one thread and with all."""
    y = np.random.default_rng(1).integers(0, CLASSES, rows)
    order = epoch_order(rows, seed=0, epoch=1, shuffle=True)
    counts = sorted({1, available_cores()})
    milliseconds = {str(threads): {"dense": [], "sparse": []} for threads in counts}
    for share in densities:
        X = matrix(share, rows)
        forms = X, compress(X, "float32")
        for threads in counts:
            dense, sparse = epoch_milliseconds(forms, y, order, threads, repetitions)
            milliseconds[str(threads)]["dense"].append(dense)
            milliseconds[str(threads)]["sparse"].append(sparse)
    return {
        "rows": rows,
        "features": FEATURES,
        "hidden": HIDDEN,
        "batch": BATCH,
        "densities": densities,
        "milliseconds": milliseconds,
        "break_even": {
            threads: break_even(densities, forms["dense"], forms["sparse"]) for threads, forms in milliseconds.items()
        },
        "planned": BREAK_EVEN_DENSITY,
    }


def main():
    parser = argparse.ArgumentParser(prog="python -m bench.density", description=__doc__.splitlines()[0])
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--rows", type=int, default=ROWS)
    parser.add_argument("--repetitions", type=int, default=7)
    arguments = parser.parse_args()
    measured = measure(arguments.rows, arguments.repetitions)
    print(json.dumps(measured) if arguments.json else page_section(measured))


if __name__ == "__main__":
    main()
