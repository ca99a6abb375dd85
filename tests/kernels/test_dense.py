"""affine, delta, gradient and update against the numpy reference in float64.

A sum of n products in a type with unit roundoff u is off by at most about n u times the sum of the products' sizes
(Higham, Accuracy and Stability of Numerical Algorithms, 3.1); the bounds below are that, with a few roundings more.
"""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fastmlp.kernels import dense, reference
from fastmlp.kernels.layout import ACTIVATIONS, RELU, SIGMOID, SOFTPLUS

# A strip of full width sums 112 terms in one piece, one of a single register 448.
WIDTHS = st.integers(1, 65) | st.sampled_from([112, 113, 225, 250, 450])
BATCHES = st.integers(1, 67)
DTYPES = st.sampled_from(["float32", "float64"])
CODES = st.sampled_from(sorted(ACTIVATIONS.values()))
PLACES = st.fixed_dictionaries({"pad": st.integers(0, 17), "offset": st.integers(0, 3)})
SEEDS = st.integers(0, 2**32 - 1)
few_examples = settings(max_examples=60)


def exact(array):
    return np.ascontiguousarray(array, np.float64)


def assert_within(result, expected, bound, dtype):
    """|result - expected| <= 2 u bound, element by element; twice, as the reference rounds too."""
    error = np.abs(exact(result) - expected)
    allowed = 2 * np.finfo(dtype).eps * bound + np.finfo(dtype).tiny
    assert (error <= allowed).all(), f"off by {np.max(error / allowed):.3g} times the bound"


@few_examples
@given(
    rows=BATCHES, fan_in=WIDTHS, fan_out=WIDTHS, dtype=DTYPES, code=CODES, place=PLACES, seed=SEEDS,
    turned=st.booleans(),
)  # fmt: skip
def test_affine_is_the_reference_for_any_shape_and_place(
    compiled, guarded, rows, fan_in, fan_out, dtype, code, place, seed, turned
):
    random = np.random.RandomState(seed)
    A = guarded(random, (fan_in, rows) if turned else (rows, fan_in), dtype, **place).values
    A = A.T if turned else A
    W = guarded(random, (fan_in, fan_out), dtype, **place).values
    b = random.standard_normal(fan_out).astype(dtype)
    out = guarded(random, (rows, fan_out), dtype, **place)
    compiled.affine(A, W, b, code, out.values)
    expected = reference.affine(exact(A), exact(W), exact(b), code, np.empty((rows, fan_out)))
    assert out.is_whole()
    # All activations have slopes of at most 1, so the error of the sum is not magnified.
    sizes = np.abs(exact(A)) @ np.abs(exact(W)) + np.abs(b)
    assert_within(out.values, expected, (fan_in + 2) * sizes + 4 * np.abs(expected), dtype)


@few_examples
@given(
    rows=BATCHES, fan_in=WIDTHS, fan_out=WIDTHS, dtype=DTYPES, code=CODES, place=PLACES, seed=SEEDS,
    turned=st.booleans(),
)  # fmt: skip
def test_delta_is_the_reference_for_any_shape_and_place(
    compiled, guarded, rows, fan_in, fan_out, dtype, code, place, seed, turned
):
    random = np.random.RandomState(seed)
    D = guarded(random, (fan_out, rows) if turned else (rows, fan_out), dtype, **place).values
    D = D.T if turned else D
    W = guarded(random, (fan_in, fan_out), dtype, **place).values
    A = guarded(random, (rows, fan_in), dtype, **place).values
    if code == SIGMOID:
        A[...] = random.random_sample(A.shape)
    elif code in (RELU, SOFTPLUS):
        np.maximum(A, 0, out=A)
    else:
        np.clip(A, -1, 1, out=A)
    out = guarded(random, (rows, fan_in), dtype, **place)
    compiled.delta(D, W, A, code, out.values)
    expected = reference.delta(exact(D), exact(W), exact(A), code, np.empty((rows, fan_in)))
    assert out.is_whole()
    assert_within(out.values, expected, (fan_out + 4) * (np.abs(exact(D)) @ np.abs(exact(W)).T), dtype)


@few_examples
@given(rows=BATCHES, fan_in=WIDTHS, fan_out=WIDTHS, dtype=DTYPES, place=PLACES, seed=SEEDS)
def test_gradient_is_the_reference_for_any_shape_and_place(
    compiled, guarded, rows, fan_in, fan_out, dtype, place, seed
):
    random = np.random.RandomState(seed)
    A = guarded(random, (rows, fan_in), dtype, **place).values
    D = guarded(random, (rows, fan_out), dtype, **place).values
    W = guarded(random, (fan_in, fan_out), dtype, **place)
    b = np.full(fan_out, np.nan, dtype)
    compiled.gradient(A, D, W.values, b)
    W_expected, b_expected = reference.gradient(exact(A), exact(D), np.empty((fan_in, fan_out)), np.empty(fan_out))
    assert W.is_whole()
    assert_within(W.values, W_expected, (rows + 2) * np.abs(exact(A)).T @ np.abs(exact(D)) / rows, dtype)
    assert_within(b, b_expected, (rows + 2) * np.abs(exact(D)).mean(axis=0), dtype)


@few_examples
@given(rows=BATCHES, fan_in=WIDTHS, fan_out=WIDTHS, dtype=DTYPES, place=PLACES, seed=SEEDS)
def test_update_is_the_reference_for_any_shape_and_place(compiled, guarded, rows, fan_in, fan_out, dtype, place, seed):
    random, rate = np.random.RandomState(seed), 0.1
    A = guarded(random, (rows, fan_in), dtype, **place).values
    D = guarded(random, (rows, fan_out), dtype, **place).values
    W = guarded(random, (fan_in, fan_out), dtype, **place)
    b = random.standard_normal(fan_out).astype(dtype)
    W_expected, b_expected = exact(W.values), exact(b)
    W_bound = (rows + 5) * rate * np.abs(exact(A)).T @ np.abs(exact(D)) / rows + 2 * np.abs(W_expected)
    b_bound = (rows + 5) * rate * np.abs(exact(D)).mean(axis=0) + 2 * np.abs(b_expected)
    compiled.update(A, D, W.values, b, rate)
    reference.update(exact(A), exact(D), W_expected, b_expected, rate)
    assert W.is_whole()
    assert_within(W.values, W_expected, W_bound, dtype)
    assert_within(b, b_expected, b_bound, dtype)


def test_an_elements_bits_do_not_depend_on_the_tile_it_falls_in(compiled):
    random = np.random.RandomState(0)
    A, W = random.standard_normal((23, 50)).astype("f4"), random.standard_normal((50, 130)).astype("f4")
    b = random.standard_normal(130).astype("f4")
    whole = compiled.affine(A, W, b, ACTIVATIONS["tanh"], np.empty((23, 130), "f4"))
    for rows, columns in ((1, 1), (3, 17), (7, 65), (22, 129)):
        part = compiled.affine(
            A[-rows:], W[:, -columns:], b[-columns:], ACTIVATIONS["tanh"], np.empty((rows, columns), "f4")
        )
        assert part.tobytes() == np.ascontiguousarray(whole[-rows:, -columns:]).tobytes()


def test_weights_whose_rows_are_not_contiguous_are_refused(compiled):
    A, W = np.ones((2, 3)), np.ones((4, 3)).T
    with pytest.raises(ValueError, match="contiguous rows"):
        compiled.affine(A, W, np.zeros(4), RELU, np.empty((2, 4)))


def test_the_dispatcher_itself_compiles_for_the_arrays_it_is_given():
    A, W, b = np.array([[1.0, 2.0]]), np.array([[3.0], [4.0]]), np.array([-20.0])
    assert dense.affine(A, W, b, RELU, np.empty((1, 1))).item() == 0
    assert dense.affine(A, W, -b, RELU, np.empty((1, 1))).item() == 31


def test_what_a_kernel_makes_for_itself_lives_as_long_as_it_works(compiled):
    """More than 32 MB go back to the system once they are freed: to read them then would end the process."""
    columns = 9_000_000
    one, row = np.ones((1, 1), "f4"), np.ones((1, columns), "f4")
    out, b = np.empty_like(row), np.empty(columns, "f4")
    compiled.gradient(one, row, out, b)
    assert (out == 1).all()
    assert (b == 1).all()
    compiled.update(one, row, out, b, 1.0)
    assert not out.any()
    assert not b.any()
    assert (compiled.delta(one, row.T.copy(), row, RELU, out) == 1).all()
    losses = np.empty(1)
    compiled.cross_entropy(row, np.array([0]), out, losses)
    np.testing.assert_allclose(losses, np.log(columns), rtol=1e-4)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("terms", [2049, 2112, 10_000, 100_003])
def test_sums_of_any_number_of_terms_are_nearly_as_exact_as_of_2048(compiled, dtype, terms):
    """The bound of docs/mathematics.md, for terms of one sign: in one accumulator 100,000 are farther off."""
    random, shape = np.random.RandomState(terms), (5, 37)
    long, short = random.rand(5, terms).astype(dtype), random.rand(terms, 37).astype(dtype)
    # Where all terms are the same, nearly every addition rounds in the same direction.
    long[0], short[:, 0] = 0.3, 0.3
    bound = (2048 + np.ceil((terms - 2048) / 64) + 2) * np.finfo(dtype).eps / 2  # two for what is done with the sum
    totals, sums = long.astype(np.longdouble) @ short, short.sum(axis=0, dtype=np.longdouble)

    def assert_right(found, expected):
        assert np.abs(found / expected - 1).max() < bound

    out, zeros, ones = np.empty(shape, dtype), np.zeros(37, dtype), np.ones(shape, dtype)
    assert_right(compiled.affine(long, short, zeros, RELU, out), totals)
    assert_right(compiled.delta(long, np.ascontiguousarray(short.T), ones, RELU, out), totals)
    b = np.empty(37, dtype)
    compiled.gradient(long.T, short, out, b)
    assert_right(out, totals / terms)
    assert_right(b, sums / terms)
    W, b = np.zeros(shape, dtype), np.zeros(37, dtype)
    compiled.update(long.T, short, W, b, 1.0)
    assert_right(-W, totals / terms)
    assert_right(-b, sums / terms)
