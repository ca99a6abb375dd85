"""Functions of the kernels against the C library in a wider type, over samples of every exponent.

Errors are in ulps: units in the last place of the right answer. The largest over the samples below:

                       float32   float64
    exp                  1.06      1.00
    tanh                 2.28      2.55
    sigmoid              2.41      2.35
    elu                  0.86      1.12
    softplus             2.61      2.69
    softplus's slope     3.83      3.64
"""

import numpy as np
import pytest

from fastmlp.kernels import activations, reference
from fastmlp.kernels.jit import jit
from fastmlp.kernels.layout import ACTIVATIONS, ELU, IDENTITY, LEAKY_RELU, RELU, SIGMOID, SOFTPLUS, TANH
from fastmlp.kernels.registers import pointer

EXP = -1
CODES = {"exp": EXP, "tanh": TANH, "sigmoid": SIGMOID, "elu": ELU, "softplus": SOFTPLUS}
LARGEST_ERROR = {"exp": 1.2, "tanh": 2.7, "sigmoid": 2.6, "elu": 1.2, "softplus": 2.8}
# That of softplus's slope: from the output, whose own error is in it.
LARGEST_SLOPE_ERROR = 4.0
# An exponential below this, in units of the smallest normal number, may be taken as 0.
UNDERFLOW = 1.001
# tanh is a quotient of two rounded numbers: between neighbours it may step back by its own error, not by more.
LARGEST_STEP_BACK = {"exp": 0, "tanh": 2, "sigmoid": 1, "elu": 0, "softplus": 2}


@jit
def on_registers(x, out, code):
    if code == EXP:
        activations.exp_anywhere_row(pointer(x), pointer(out), x.size)
    else:
        activations.activate_row(pointer(x), pointer(out), x.size, code)
    return out


@jit
def times_slope(D, A, factor, code):
    activations.slope_row(pointer(D), pointer(A), factor, D.size, code)
    return D


def slope(name, A, factor=1.0):
    """f' from the outputs A."""
    return times_slope(np.ones_like(A), A, factor, ACTIVATIONS[name])


def computed(name, x):
    return on_registers(x, np.empty_like(x), CODES[name])


def expected(name, x):
    """The function in a wider type than x has."""
    x = x.astype(np.float64 if x.dtype == np.float32 else np.longdouble)
    with np.errstate(under="ignore", over="ignore"):
        if name == "tanh":
            return np.tanh(x)
        if name == "exp":
            return np.exp(x)
        if name == "elu":
            return np.where(x > 0, x, np.expm1(np.minimum(x, 0)))
        z = np.exp(-np.abs(x))
        if name == "softplus":
            return np.maximum(x, 0) + np.log1p(z)
        return np.where(x < 0, z, 1) / (1 + z)


def error_in_ulps(got, right):
    """Errors (n,), without results that underflow or overflow: they are checked to be next to nothing, or inf."""
    smallest, largest = np.finfo(got.dtype).tiny, np.finfo(got.dtype).max
    large = right > largest
    assert (got[large] >= largest).all()
    got, right = got[~large], right[~large]
    tiny = np.abs(right) < UNDERFLOW * smallest
    assert np.abs(got[tiny] - right[tiny]).max(initial=0) <= UNDERFLOW * smallest
    got, right = got[~tiny], right[~tiny]
    unit = np.spacing(np.abs(right).astype(got.dtype))
    return np.abs(got - right) / unit


@pytest.fixture(scope="module", params=["float32", "float64"])
def sample(request):
    """Sorted numbers of either sign: 2^19 random bit patterns, and as many where the functions have their slopes."""
    dtype = np.dtype(request.param)
    random, count = np.random.RandomState(0), 1 << 19
    bits = random.randint(0, 1 << 32, (count, dtype.itemsize // 4), np.uint32).view(dtype).ravel()
    deepest = np.log(np.finfo(dtype).tiny)
    slopes = (random.uniform(-12, 12, count), random.uniform(1.1 * deepest, -1.1 * deepest, count))
    return np.sort(np.concatenate([bits[np.isfinite(bits)], *slopes]).astype(dtype))


@pytest.mark.parametrize("name", CODES)
def test_the_error_is_below_the_stated_bound_at_every_exponent(name, sample):
    if sample.dtype == np.float64 and np.finfo(np.longdouble).eps >= np.finfo(np.float64).eps:
        pytest.skip("long double is no wider than double here")
    assert error_in_ulps(computed(name, sample), expected(name, sample)).max() <= LARGEST_ERROR[name]


def test_softplus_has_a_slope_as_exact_as_its_output_also_next_to_0(sample):
    if sample.dtype == np.float64 and np.finfo(np.longdouble).eps >= np.finfo(np.float64).eps:
        pytest.skip("long double is no wider than double here")
    found = slope("softplus", computed("softplus", sample))
    assert error_in_ulps(found, expected("sigmoid", sample)).max() <= LARGEST_SLOPE_ERROR


def test_elu_has_a_slope_that_is_off_by_less_than_half_a_place_behind_1(sample):
    found = slope("elu", computed("elu", sample))
    right = np.where(sample > 0, 1, np.exp(np.minimum(sample, 0).astype(np.longdouble)))
    assert np.abs(found - right).max() <= 0.5 * np.finfo(sample.dtype).eps


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_what_was_kept_by_dropout_has_the_slope_of_what_it_was(dtype):
    A = np.linspace(0.01, 3, 37).astype(dtype)  # the last elements fill no register
    for name in ("leaky_relu", "elu", "softplus"):
        kept = A - 0.9 * (name == "elu")
        np.testing.assert_allclose(slope(name, kept / A.dtype.type(0.5), 0.5), slope(name, kept), rtol=1e-6)
    assert slope("leaky_relu", np.array([-1, -0.0, 0.0, 1], dtype)).tolist() == [*[A.dtype.type(0.01)] * 3, 1]


@pytest.mark.parametrize("name", CODES)
def test_it_never_falls_by_more_than_its_error(name, sample):
    y = computed(name, sample)
    y = y[np.isfinite(y)]
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
def test_zeros_and_the_least_and_largest_numbers_have_exact_answers(dtype):
    info, inf, nan = np.finfo(dtype), np.inf, np.nan
    small = info.smallest_subnormal
    x = np.array([0.0, -0.0, small, -small, info.max, -info.max, inf, -inf, nan], dtype)
    answers = {
        "tanh": [0.0, -0.0, small, -small, 1, -1, 1, -1, nan],
        "sigmoid": [0.5, 0.5, 0.5, 0.5, 1, 0, 1, 0, nan],
        "elu": [0.0, -0.0, small, -small, info.max, -1, inf, -1, nan],
        "softplus": [*[np.log(2)] * 4, info.max, 0, inf, 0, nan],
        "exp": [1, 1, 1, 1, inf, 0, inf, 0, nan],
    }
    for name, right in answers.items():
        got = computed(name, x)
        np.testing.assert_array_equal(got, np.array(right, dtype))
        np.testing.assert_array_equal(np.signbit(got)[:-1], np.signbit(right)[:-1])
    largest = np.log(info.max).astype(dtype)
    assert np.isfinite(computed("exp", np.nextafter(largest, np.array([0], dtype)))).all()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("code", [IDENTITY, RELU, LEAKY_RELU])
def test_relu_leaky_relu_and_identity_are_exact_and_keep_nan(compiled, code, dtype):
    x = np.array([[1.5, -1.5, 0.0, -0.0, np.inf, -np.inf, np.nan] * 5], dtype)
    right = reference.activate(x, code, np.empty_like(x))
    np.testing.assert_array_equal(compiled.activate(x, code, np.empty_like(x)), right)


@pytest.mark.parametrize("name", ["tanh", "sigmoid", "elu", "softplus"])
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
    for code in ACTIVATIONS.values():
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
@pytest.mark.parametrize(
    ("name", "sign"), [("exp", -1), ("exp", 1), ("tanh", 1), ("elu", -1), ("softplus", -1), ("softplus", 1)]
)
def test_the_error_is_below_the_stated_bound_at_every_float32(name, sign):
    chunk, infinity = 1 << 22, 0x7F800000
    for first in range(0, infinity, chunk):
        x = np.arange(first, min(first + chunk, infinity), dtype=np.uint32).view(np.float32) * np.float32(sign)
        assert error_in_ulps(computed(name, x), expected(name, x)).max(initial=0) <= LARGEST_ERROR[name]
