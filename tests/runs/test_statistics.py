"""Intervals against scipy's."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastmlp.runs.statistics import mean_interval, paired_interval, t_quantile

# Accuracies on 10,000 samples: a spread of nothing but rounding is no case of its own.
ACCURACIES = st.integers(0, 10_000).map(lambda right: right / 10_000)
WITHIN = {"abs": 1e-9}  # scipy's own quantiles are right to ten digits only, in its version 1.16
SAMPLES = st.lists(ACCURACIES, min_size=2, max_size=20).filter(lambda values: len(set(values)) > 1)


@pytest.mark.parametrize("degrees", [*range(1, 31), 99, 1000])
@pytest.mark.parametrize("level", [0.5, 0.95, 0.999])
def test_the_quantiles_are_those_of_students_law(degrees, level):
    stats = pytest.importorskip("scipy.stats", reason="scipy is the reference")
    # Not with scipy's own quantiles, which are less precise in some of its versions.
    assert stats.t.sf(t_quantile(degrees, level), degrees) == pytest.approx((1 - level) / 2, rel=1e-11)


@given(SAMPLES)
def test_the_interval_of_a_mean_is_that_of_scipy(values):
    stats = pytest.importorskip("scipy.stats", reason="scipy is the reference")
    ours = mean_interval(values)
    low, high = stats.t.interval(0.95, len(values) - 1, sum(values) / len(values), stats.sem(values))
    assert (ours.mean - ours.half_width, ours.mean + ours.half_width) == pytest.approx((low, high), **WITHIN)
    assert ours.count == len(values)


@given(st.lists(st.tuples(ACCURACIES, ACCURACIES), min_size=2, max_size=12))
def test_the_interval_of_a_difference_is_that_of_the_paired_t_test(pairs):
    stats = pytest.importorskip("scipy.stats", reason="scipy is the reference")
    first, second = zip(*pairs, strict=True)
    ours = paired_interval(first, second)
    if ours.half_width < 1e-12:  # scipy's statistic is a division by that
        return
    theirs = stats.ttest_rel(first, second)
    low, high = theirs.confidence_interval(0.95)
    assert (ours.mean - ours.half_width, ours.mean + ours.half_width) == pytest.approx((low, high), **WITHIN)
    if abs(theirs.pvalue - 0.05) > 1e-9:
        assert ours.excludes_zero == (theirs.pvalue < 0.05)


def test_r2_of_trainings_that_went_astray_has_an_interval_too():
    """Squares of such numbers, and their sum, are beyond the largest float; a scale changes nothing else."""
    far = mean_interval([-(2.0**1000), -3.0 * 2.0**1000, -8.0 * 2.0**1000])
    near = mean_interval([-2.0, -6.0, -16.0])
    assert (far.mean, far.half_width) == (near.mean * 2.0**999, near.half_width * 2.0**999)
    assert mean_interval([-1.7e308, -1.7e308]).mean == -1.7e308
    assert paired_interval([-1.7e308, 1], [1, -1.7e308]).half_width == math.inf


def test_a_single_value_has_no_interval_and_shows_nothing():
    alone = mean_interval([0.9])
    assert alone.mean == 0.9
    assert math.isnan(alone.half_width)
    assert not alone.excludes_zero
