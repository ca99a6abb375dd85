"""exp, tanh and sigmoid against the C library in a wider type, over samples of every exponent.

Errors are in ulps: units in the last place of the right answer. The largest over the samples below:

            float32   float64
    exp       1.06      1.00
    tanh      2.28      2.55
    sigmoid   2.41      2.35
"""

import numpy as np
import pytest

from fastmlp.kernels import activations, reference
from fastmlp.kernels.jit import jit
from fastmlp.kernels.layout import IDENTITY, RELU, SIGMOID, TANH
from fastmlp.kernels.registers import pointer

EXP = -1
CODES = {"exp": EXP, "tanh": TANH, "sigmoid": SIGMOID}
LARGEST_ERROR = {"exp": 1.2, "tanh": 2.7, "sigmoid": 2.6}
# An exponential below this, in units of the smallest normal number, may be taken as 0.
UNDERFLOW = 1.001
# tanh is a quotient of two rounded numbers: between neighbours it may step back by its own error, not by more.
LARGEST_STEP_BACK = {"exp": 0, "tanh": 2, "sigmoid": 1}


@jit
def on_registers(x, out, code):
    if code == EXP:
        activations.exp_row(pointer(x), pointer(out), x.size)
    else:
        activations.activate_row(pointer(x), pointer(out), x.size, code)
    return out


def computed(name, x):
    return on_registers(x, np.empty_like(x), CODES[name])


def expected(name, x):
    """The function in a wider type than x has."""
    x = x.astype(np.float64 if x.dtype == np.float32 else np.longdouble)
    with np.errstate(under="ignore"):
        if name == "tanh":
            return np.tanh(x)
        if name == "exp":
            return np.exp(x)
        z = np.exp(-np.abs(x))
        return np.where(x < 0, z, 1) / (1 + z)


def error_in_ulps(got, right):
    """Errors (n,), with results that underflow left out: they are checked to be next to nothing."""
    smallest = np.finfo(got.dtype).tiny
    tiny = np.abs(right) < UNDERFLOW * smallest
    assert np.abs(got[tiny] - right[tiny]).max(initial=0) <= UNDERFLOW * smallest
    got, right = got[~tiny], right[~tiny]
    unit = np.spacing(np.abs(right).astype(got.dtype))
    return np.abs(got - right) / unit


@pytest.fixture(scope="module", params=["float32", "float64"])
def sample(request):
    """Sorted numbers of either sign: 2^21 random bit patterns, and as many where the functions have their slopes."""
    dtype = np.dtype(request.param)
    random, count = np.random.RandomState(0), 1 << 21
    bits = random.randint(0, 1 << 32, (count, dtype.itemsize // 4), np.uint32).view(dtype).ravel()
    deepest = np.log(np.finfo(dtype).tiny)
    slopes = (random.uniform(-12, 12, count), random.uniform(1.1 * deepest, -1.1 * deepest, count))
    return np.sort(np.concatenate([bits[np.isfinite(bits)], *slopes]).astype(dtype))


@pytest.mark.parametrize("name", CODES)
def test_the_error_is_below_the_stated_bound_at_every_exponent(name, sample):
    if sample.dtype == np.float64 and np.finfo(np.longdouble).eps >= np.finfo(np.float64).eps:
        pytest.skip("long double is no wider than double here")
    x = sample[sample <= 0] if name == "exp" else sample
    assert error_in_ulps(computed(name, x), expected(name, x)).max() <= LARGEST_ERROR[name]


@pytest.mark.parametrize("name", CODES)
def test_it_never_falls_by_more_than_its_error(name, sample):
    x = sample[sample <= 0] if name == "exp" else sample
    y = computed(name, x)
    falls = np.diff(y) < 0
    assert (-np.diff(y)[falls] <= LARGEST_STEP_BACK[name] * np.spacing(np.abs(y[1:][falls]))).all()


def test_tanh_is_odd_and_never_beyond_one(sample):
    y = computed("tanh", sample)
    assert computed("tanh", -sample).tobytes() == (-y).tobytes()
    assert np.abs(y).max() == 1


def test_sigmoid_is_never_beyond_zero_and_one(sample):
    y = computed("sigmoid", sample)
    assert y.min() == 0
    assert y.max() == 1


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_edges(dtype):
    info, inf, nan = np.finfo(dtype), np.inf, np.nan
    small = info.smallest_subnormal
    x = np.array([0.0, -0.0, small, -small, info.max, -info.max, inf, -inf, nan], dtype)
    answers = {
        "tanh": [0.0, -0.0, small, -small, 1, -1, 1, -1, nan],
        "sigmoid": [0.5, 0.5, 0.5, 0.5, 1, 0, 1, 0, nan],
    }
    for name, right in answers.items():
        got = computed(name, x)
        np.testing.assert_array_equal(got, np.array(right, dtype))
        np.testing.assert_array_equal(np.signbit(got)[:-1], np.signbit(right)[:-1])
    np.testing.assert_array_equal(computed("exp", x[[0, 1, 3, 5, 7, 8]]), np.array([1, 1, 1, 0, 0, nan], dtype))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("code", [IDENTITY, RELU])
def test_relu_and_identity_are_exact_and_keep_nan(compiled, code, dtype):
    x = np.array([[1.5, -1.5, 0.0, -0.0, np.inf, -np.inf, np.nan] * 5], dtype)
    right = reference.activate(x, code, np.empty_like(x))
    np.testing.assert_array_equal(compiled.activate(x, code, np.empty_like(x)), right)


@pytest.mark.parametrize("name", ["tanh", "sigmoid"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_values_result_does_not_depend_on_its_neighbours_or_its_place(compiled, name, dtype):
    x = np.random.RandomState(1).uniform(-5, 5, 70).astype(dtype)
    alone = np.concatenate([computed(name, x[i : i + 1].copy()) for i in range(70)])
    for start in range(9):
        for stop in (70, 53):
            part = x[None, start:stop]
            out = compiled.activate(part, CODES[name], np.empty_like(part))
            assert out.tobytes() == alone[start:stop].tobytes()


def test_activate_works_in_place_and_between_padded_matrices(compiled, guarded):
    random = np.random.RandomState(2)
    for code in (IDENTITY, RELU, TANH, SIGMOID):
        Z = guarded(random, (5, 37), "float64", pad=3, offset=1)
        out = guarded(random, (5, 37), "float64", pad=1)
        right = reference.activate(Z.values.copy(), code, np.empty((5, 37)))
        compiled.activate(Z.values, code, out.values)
        compiled.activate(Z.values, code, Z.values)
        assert Z.is_whole()
        assert out.is_whole()
        np.testing.assert_allclose(out.values, right, rtol=1e-14)
        np.testing.assert_array_equal(Z.values, out.values)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "sign"), [("exp", -1), ("tanh", 1)])
def test_the_error_is_below_the_stated_bound_at_every_float32(name, sign):
    chunk, infinity = 1 << 22, 0x7F800000
    for first in range(0, infinity, chunk):
        x = np.arange(first, min(first + chunk, infinity), dtype=np.uint32).view(np.float32) * np.float32(sign)
        assert error_in_ulps(computed(name, x), expected(name, x)).max(initial=0) <= LARGEST_ERROR[name]
