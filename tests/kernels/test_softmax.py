"""softmax and cross entropy: the properties that define them, and log-sum-exp in float64."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fastmlp.kernels import reference

DTYPES = pytest.mark.parametrize("dtype", ["float32", "float64"])


@pytest.fixture(params=["reference", "compiled"])
def kernels(request, compiled):
    return {"reference": reference, "compiled": compiled}[request.param]


def evaluated(kernels, Z, labels):
    """(delta, losses, hits) of cross_entropy."""
    out, losses = np.empty_like(Z), np.empty(len(Z))
    hits = kernels.cross_entropy(Z, np.asarray(labels, np.int64), out, losses)
    return out, losses, hits


@settings(max_examples=60)
@given(
    rows=st.integers(1, 67), classes=st.integers(2, 65), dtype=st.sampled_from(["float32", "float64"]),
    scale=st.sampled_from([0.0, 1e-3, 1.0, 30.0]), pad=st.integers(0, 17), offset=st.integers(0, 3),
    seed=st.integers(0, 2**32 - 1),
)  # fmt: skip
def test_both_are_the_reference_for_any_shape_and_place(
    compiled, guarded, rows, classes, dtype, scale, pad, offset, seed
):
    random, eps = np.random.RandomState(seed), np.finfo(dtype).eps
    Z = guarded(random, (rows, classes), dtype, pad, offset, scale).values
    labels = random.randint(0, classes, rows)
    exact, losses = np.ascontiguousarray(Z, np.float64), np.empty(rows)
    p = reference.softmax(exact, np.empty((rows, classes)))
    below = exact.max(axis=1, keepdims=True) - exact
    # The difference from the maximum is rounded, exp multiplies its error; the sum has an error of a unit per term.
    bound = eps * (classes + 8 + below) * p + np.finfo(dtype).tiny
    out = guarded(random, (rows, classes), dtype, pad, offset)
    compiled.softmax(Z, out.values)
    assert out.is_whole()
    assert (np.abs(out.values - p) <= bound).all()
    delta = guarded(random, (rows, classes), dtype, pad, offset)
    hits = compiled.cross_entropy(Z, labels, delta.values, losses)
    assert delta.is_whole()
    assert (np.abs(delta.values - (p - np.eye(classes)[labels])) <= bound + eps).all()
    right = np.log(np.exp(-below).sum(axis=1)) + below[np.arange(rows), labels]
    np.testing.assert_allclose(losses, right, rtol=1e-14, atol=eps * (2 * classes + 8))
    assert hits == (exact.argmax(axis=1) == labels).sum()


@DTYPES
def test_rows_sum_to_one(kernels, dtype):
    Z = (20 * np.random.RandomState(0).standard_normal((50, 10))).astype(dtype)
    sums = kernels.softmax(Z, np.empty_like(Z)).sum(axis=1)
    np.testing.assert_allclose(sums, 1, rtol=0, atol=10 * np.finfo(dtype).eps)


@DTYPES
@pytest.mark.parametrize("classes", [1023, 1024, 1025, 10_000, 1_000_000])
def test_rows_of_any_number_of_classes_are_as_exact_as_1024(compiled, dtype, classes):
    """The bound of Higham's section 4.2 for blocks of 1,024 terms; in one accumulator a million are 1% off."""
    Z = np.random.RandomState(classes).uniform(-3, 3, (2, classes)).astype(dtype)
    u, exact = np.finfo(dtype).eps / 2, Z.astype(np.longdouble)
    exact = np.exp(exact - exact.max(axis=1, keepdims=True))
    total = exact.sum(axis=1)
    # Beside the sum: an exponential's error of 1.1 ulp and that of its argument, which is at most 6; the division's.
    bound = (1023 + 2 * 1.1 + 6 + 2) * u
    p = compiled.softmax(Z, np.empty_like(Z))
    assert (np.abs(p / (exact / total[:, None]) - 1) < 2 * bound).all()
    assert (np.abs(p.sum(axis=1, dtype=np.longdouble) - 1) < bound).all()
    losses = evaluated(compiled, Z, [0, classes - 1])[1]
    right = np.log(total) - np.log(exact[[0, 1], [0, classes - 1]])
    assert (np.abs(losses - right) < bound + 12 * u + 1e-14).all()


@DTYPES
def test_a_shift_of_all_logits_changes_nothing(kernels, dtype):
    Z = np.random.RandomState(1).randint(-64, 64, (20, 7)).astype(dtype) / 8  # exact after the shift
    for shift in (-1024, 4, 512):
        assert kernels.softmax(Z + np.dtype(dtype).type(shift), np.empty_like(Z)).tobytes() == (
            kernels.softmax(Z, np.empty_like(Z)).tobytes()
        )


@DTYPES
def test_the_largest_logits_there_are_stay_finite(kernels, dtype):
    big = float(np.finfo(dtype).max)
    Z = np.array([[big, -big, 0], [-big, -big, -big], [big, big, -big], [0, 0, -big]], dtype)
    p = kernels.softmax(Z, np.empty_like(Z))
    np.testing.assert_allclose(p, [[1, 0, 0], [1 / 3, 1 / 3, 1 / 3], [0.5, 0.5, 0], [0.5, 0.5, 0]], rtol=1e-6)
    delta, losses, _ = evaluated(kernels, Z, [0, 1, 0, 1])
    assert np.isfinite(delta).all()
    np.testing.assert_allclose(losses, [0, math.log(3), math.log(2), math.log(2)], rtol=1e-6)


def test_the_loss_of_an_answer_as_wrong_as_can_be_is_the_difference_of_the_logits(kernels):
    Z = np.array([[3e38, -3e38]], "float32")
    assert evaluated(kernels, Z, [1])[1][0] == pytest.approx(6e38, rel=1e-6)


@DTYPES
def test_a_row_far_below_its_neighbours_is_right(kernels, dtype):
    """The maximum is each row's own: with the whole batch's, the first row would be 0 / 0."""
    Z = np.array([[-1000, -1001, -1002], [1000, 0, 0]], dtype)
    p = kernels.softmax(Z, np.empty_like(Z))
    np.testing.assert_allclose(p[0], np.exp([0, -1, -2]) / np.exp([0, -1, -2]).sum(), rtol=1e-6)
    np.testing.assert_allclose(p[1], [1, 0, 0], atol=1e-30)


def test_the_first_of_several_largest_logits_is_the_answer(kernels):
    Z = np.array([[1.0, 2.0, 2.0]] * 3)
    assert [evaluated(kernels, Z[:1], [label])[2] for label in range(3)] == [0, 1, 0]
    assert evaluated(kernels, Z, [0, 1, 2])[2] == 1


def test_nan_in_a_row_spoils_that_row_alone(kernels):
    Z = np.array([[np.nan, 1.0, 2.0], [1.0, np.nan, 2.0], [0.0, 0.0, 0.0]])
    delta, losses, _ = evaluated(kernels, Z, [0, 0, 0])
    assert np.isnan(delta[:2]).all()
    assert np.isnan(losses[:2]).all()
    np.testing.assert_allclose(delta[2], [-2 / 3, 1 / 3, 1 / 3])
    assert losses[2] == pytest.approx(math.log(3))


def test_two_logits_worked_out_by_hand(kernels):
    """z = (0, ln 3): exp 1 and 3, p = (1/4, 3/4); with label 0 the loss is ln 4 and delta (-3/4, 3/4)."""
    delta, losses, hits = evaluated(kernels, np.array([[0, math.log(3)]]), [0])
    np.testing.assert_allclose(delta, [[-3 / 4, 3 / 4]], rtol=1e-15)
    assert losses[0] == pytest.approx(math.log(4), rel=1e-15)
    assert hits == 0
