"""How near each kernel comes to the most that one core can do.

    python -m bench.roofline             a table; --json for programs

The peak is measured: fused multiply-adds into more independent registers than their latency needs. The kernels work on
matrices with the padding that training gives them, and its multiply-adds are counted. Times are the best of many runs:
a limit is compared with, and the machine's other load is not the kernel's.
"""

import argparse
import json
import time

import numpy as np
from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic

from fastmlp.data import load
from fastmlp.kernels import column_sort, dense, sparse
from fastmlp.kernels.compress import compress
from fastmlp.kernels.cpu import REGISTER_BYTES, REGISTER_COUNT
from fastmlp.kernels.jit import entry
from fastmlp.kernels.layout import BLOCK_ROWS, RELU, aligned_zeros, padded, stride_of
from fastmlp.kernels.registers import INDEX, UNIT, ZERO, Vector, pointer, row_stride
from fastmlp.kernels.sparse_rows import PIXELS

from .report import roofline as page_section

SECONDS = 0.3
# Two units with a latency of 4 cycles need 8 accumulators; the two factors take registers too.
ACCUMULATORS = min(24, REGISTER_COUNT - 4)
LANES = REGISTER_BYTES // 4
MULTIPLY_ADDS_A_CALL = 1 << 28
SHAPES = ((500, 784, 100), (500, 100, 50), (500, 50, 25), (128, 1024, 1024))


def _kernel(function):
    """Compile it as training is compiled: what is called without an entry is optimised less."""
    return entry(f"bench.{function.__name__}", function, counts=True)


@intrinsic
def _multiply_add(typing, rounds, numbers):
    """`rounds` fused multiply-adds into each of ACCUMULATORS registers, which end up in `numbers`."""

    def codegen(context, builder, signature, arguments):
        rounds, numbers = arguments
        v = Vector(builder, ir.FloatType())
        factor, term = v.load(numbers, INDEX(0)), v.load(numbers, INDEX(v.lanes))
        cells = [cgutils.alloca_once(builder, v.type) for _ in range(ACCUMULATORS)]
        for i, cell in enumerate(cells):
            builder.store(v.load(numbers, INDEX(i * v.lanes)), cell)
        with cgutils.for_range_slice(builder, INDEX(0), rounds, INDEX(1), intp=INDEX):
            for cell in cells:
                builder.store(v.fma(factor, term, builder.load(cell)), cell)
        for i, cell in enumerate(cells):
            v.store(builder.load(cell), numbers, INDEX(i * v.lanes))
        return context.get_dummy_value()

    return types.void(types.int64, numbers), codegen


@_kernel
def _run_peak(rounds, numbers):
    _multiply_add(rounds, pointer(numbers))


@_kernel
def _shift_and_add(rounds, x):
    """A chain of 2 * rounds operations that take a cycle each on every CPU and cannot overlap: the clock."""
    for _ in range(rounds):
        x += x >> np.uint64(1)
    return x


@_kernel
def _affine(rounds, A, W, b, out):
    for _ in range(rounds):
        dense.affine(A, W, b, RELU, out)


@_kernel
def _update(rounds, A, D, W, b):
    for _ in range(rounds):
        dense.update(A, D, W, b, 1e-9)


@_kernel
def _delta(rounds, D, WT, A, zeros, depth, out):
    for _ in range(rounds):
        dense.delta_block(
            D.shape[0], WT.shape[1], pointer(D), row_stride(D), UNIT, pointer(WT), row_stride(WT), depth,
            pointer(zeros), pointer(A), row_stride(A), 1.0, RELU, pointer(out), row_stride(out),
        )  # fmt: skip


@_kernel
def _sparse_affine(source, order, W, b, out):
    for at in range(0, order.shape[0], BLOCK_ROWS):
        count = min(BLOCK_ROWS, order.shape[0] - at)
        sparse.affine_rows(
            source, order, at, count, ZERO, np.int64(W.shape[1]), pointer(W), W.shape[1], pointer(b), RELU,
            pointer(out[at:]), out.shape[1],
        )  # fmt: skip


@_kernel
def _sparse_regroup(source, order, buckets):
    for at in range(0, order.shape[0], BLOCK_ROWS):
        column_sort.regroup(at // BLOCK_ROWS, source, order, ZERO, at, min(BLOCK_ROWS, order.shape[0] - at), buckets)


@_kernel
def _sparse_update(source, buckets, zeros, D, W):
    sparse.step_columns(
        ZERO, (ZERO, np.int64(buckets.starts.shape[0])), ZERO, W.shape[0], buckets, source[3], pointer(zeros), ZERO,
        np.int64(W.shape[1]), pointer(D), D.shape[1], pointer(W), W.shape[1], 1e-9 / D.shape[0],
    )  # fmt: skip


def fastest(function, *arguments, seconds=SECONDS):
    """Seconds of the fastest of the runs that fit into `seconds`; the first one compiles and does not count."""
    function(*arguments)
    best, end = np.inf, time.perf_counter() + seconds
    while time.perf_counter() < end:
        begun = time.perf_counter()
        function(*arguments)
        best = min(best, time.perf_counter() - begun)
    return best


def peak_gflops(seconds=SECONDS, rounds=100_000):
    numbers = aligned_zeros(ACCUMULATORS * LANES, np.float32)
    return 2e-9 * rounds * ACCUMULATORS * LANES / fastest(_run_peak, rounds, numbers, seconds=seconds)


def gigahertz(seconds=SECONDS, rounds=1_000_000):
    return 2e-9 * rounds / fastest(_shift_and_add, rounds, np.uint64(1), seconds=seconds)


def _room(rows, columns):
    """(rows, padded columns) zeros in float32, laid out as in a training."""
    stride = stride_of(columns, "float32")
    return aligned_zeros(rows * stride, np.float32).reshape(rows, stride)[:, : padded(columns, "float32")]


def _filled(rows, columns, random, scale=1.0):
    """The same with random numbers, the padding zero."""
    numbers = _room(rows, columns)
    numbers[:, :columns] = scale * random.standard_normal((rows, columns))
    return numbers


def dense_kernels(rows, fan_in, fan_out, seconds=SECONDS):
    """affine, delta and update of one layer."""
    random = np.random.default_rng(0)
    A, W, D = _filled(rows, fan_in, random), _filled(fan_in, fan_out, random, 0.01), _filled(rows, fan_out, random)
    b, out, below = _filled(1, fan_out, random)[0], _room(rows, fan_out), _room(rows, fan_in)
    zeros = np.zeros(A.shape[1], np.float32)
    transposed = _room(W.shape[1], fan_in)
    transposed[:, :fan_in] = W.T
    inputs, forward, backward = A[:, :fan_in], fan_in * W.shape[1], A.shape[1] * fan_out
    runs = {
        "affine, relu": (forward, _affine, inputs, W, b, out),
        "delta, relu": (backward, _delta, D, transposed, A, zeros, np.int64(fan_out), below),
        "update": (forward, _update, inputs, D, W, b),
    }
    shape = f"{rows} x {fan_in} x {fan_out}"
    # Compared with a small product, a call from Python takes long.
    rounds = -(-MULTIPLY_ADDS_A_CALL // (rows * forward))
    return [
        {
            "kernel": name,
            "shape": shape,
            "gflops": 2e-9 * rounds * rows * terms / fastest(run, rounds, *rest, seconds=seconds),
        }
        for name, (terms, run, *rest) in runs.items()
    ]


def sparse_kernels(ghz, rows=500, width=100, seconds=SECONDS):
    """affine, regroup and update of a first layer for digits, and cycles per non-zero.

    Images, as neighbouring columns of other inputs are not summed together.
    """
    random = np.random.default_rng(0)
    X = compress(np.ascontiguousarray(load("auto").X[:rows]), "float32")
    rows, features = X.shape
    source = X.indptr, X.indices, X.values, PIXELS.astype(np.float32)
    W, b, D = _filled(features, width, random, 0.01), _filled(1, width, random)[0], _filled(rows, width, random)
    out, zeros = np.zeros_like(D), np.zeros_like(b)
    order = random.permutation(rows)
    buckets = column_sort.new_buckets(X, -(-rows // BLOCK_ROWS), 1, np.zeros(W.size, np.float32))
    runs = {
        "sparse affine, relu": (_sparse_affine, source, order, W, b, out),
        "sparse regroup": (_sparse_regroup, source, order, buckets),
        "sparse update": (_sparse_update, source, buckets, zeros, D, W),
    }
    work, entries = 2e-9 * rows * features * W.shape[1], len(X.indices)
    found = []
    for name, run in runs.items():
        best = fastest(*run, seconds=seconds)
        note = f"{1e9 * ghz * best / entries:.1f} cycles per non-zero, {entries / rows / features:.0%} not zero"
        found.append({"kernel": name, "shape": f"{rows} x {features} x {width}", "gflops": work / best, "note": note})
    return found


def measure(seconds=SECONDS):
    ghz = gigahertz(seconds)
    kernels = [kernel for shape in SHAPES for kernel in dense_kernels(*shape, seconds=seconds)]
    return {
        "peak_gflops": peak_gflops(seconds),
        "lanes": LANES,
        "ghz": ghz,
        "kernels": kernels + sparse_kernels(ghz, seconds=seconds),
    }


def main():
    parser = argparse.ArgumentParser(prog="python -m bench.roofline", description=__doc__.splitlines()[0])
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--seconds", type=float, default=SECONDS, help="for each kernel")
    arguments = parser.parse_args()
    measured = measure(arguments.seconds)
    print(json.dumps(measured) if arguments.json else page_section(measured))


if __name__ == "__main__":
    main()
