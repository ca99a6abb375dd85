"""Random bits by counting: the same as the reference's on registers of any width, and as random as they look."""

import numpy as np
import pytest

from fastmlp.kernels import random_bits, reference_augment
from fastmlp.kernels.jit import jit
from fastmlp.kernels.registers import pointer
from fastmlp.kernels.task_types import DROPOUT, FIELD, GEOMETRY

DTYPES = ["float32", "float64"]
KEYS = [(0, 0), (1, 2**32 - 1), (0xDEADBEEF, 0x12345678)]


@jit
def uniform(k0, k1, out):
    random_bits.uniform_row(np.uint32(k0), np.uint32(k1), out.size, pointer(out))
    return out


@jit
def dropped(k0, k1, keep_threshold, scale, source, target):
    random_bits.drop_row(
        np.uint32(k0), np.uint32(k1), keep_threshold, scale, pointer(source), pointer(target), source.size
    )
    return target


def sample(seed=1, epoch=2, stream=FIELD, position=3, count=4096):
    return uniform(*random_bits.sample_keys(seed, epoch, stream, position), np.empty(count, "float32"))


def correlation(x, y):
    return np.corrcoef(x, y)[0, 1]


@pytest.mark.parametrize(
    "place", [(0, 0, 0, 0), (1, 2, 3, 4), (2**32, 7, 1, 59_999), (2**63 - 1, 10**6, 5, 2**40), (4, 3, 2, 1)]
)
def test_the_keys_are_those_of_the_reference(place):
    assert tuple(map(int, random_bits.sample_keys(*place))) == reference_augment.sample_keys(*place)


def test_keys_differ_wherever_their_arguments_do():
    places = [(s, e, t, p) for s in range(9) for e in range(9) for t in range(9) for p in range(9)]
    assert len({reference_augment.sample_keys(*place) for place in places}) == len(places)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("count", [1, 7, 16, 33, 784])
def test_uniform_numbers_are_those_of_the_reference_whatever_their_number(dtype, count):
    for keys in KEYS:
        right = np.empty(count, dtype)
        reference_augment.uniform_row(*keys, count, right)
        assert uniform(*keys, np.empty(count, dtype)).tobytes() == right.tobytes()


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("keep_threshold", [0, 1, 2**31, 2**32 - 1, 2**32])
@pytest.mark.parametrize("columns", [5, 16, 100])
def test_what_is_dropped_is_what_the_reference_drops(dtype, keep_threshold, columns):
    source = np.random.RandomState(0).standard_normal(columns).astype(dtype)
    right, got = np.empty(columns, dtype), np.empty(columns, dtype)
    reference_augment.drop_row(*KEYS[2], np.uint64(keep_threshold), 1.25, source, right, columns)
    dropped(*KEYS[2], keep_threshold, 1.25, source, got)
    assert got.tobytes() == right.tobytes()
    dropped(*KEYS[2], keep_threshold, 1.25, source, source)
    assert source.tobytes() == right.tobytes()


def test_dropping_nothing_keeps_every_element_and_dropping_all_leaves_no_nan():
    source = np.array([np.nan, np.inf, -1.0] * 9)
    np.testing.assert_array_equal(dropped(1, 2, 2**32, 1.0, source, np.empty_like(source)), source)
    np.testing.assert_array_equal(dropped(1, 2, 0, 1.0, source, np.empty_like(source)), 0)


def test_the_share_that_is_kept_is_the_threshold():
    source = np.ones(200_000, "float32")
    for share in (0.1, 0.5, 0.8):
        kept = dropped(3, 4, int(share * 2**32), 1 / share, source, np.empty_like(source)).mean() * share
        assert kept == pytest.approx(share, abs=5 * np.sqrt(share * (1 - share) / source.size))


def test_uniform_numbers_fill_their_range_with_the_right_mean_and_variance():
    x = np.concatenate([sample(position=p) for p in range(256)]).astype(float)
    assert x.min() >= -1
    assert x.max() < 1
    assert abs(x.mean()) < 5 / np.sqrt(3 * x.size)
    assert x.var() == pytest.approx(1 / 3, abs=5 * np.sqrt(4 / 45 / x.size))


def test_every_byte_takes_every_value_equally_often():
    bits = np.concatenate([reference_augment.bits(*random_bits.sample_keys(5, 0, 0, p), 4096) for p in range(64)])
    for byte in bits.view(np.uint8).reshape(-1, 4).T:
        expected = len(byte) / 256
        chi_square = ((np.bincount(byte, minlength=256) - expected) ** 2 / expected).sum()
        assert abs(chi_square - 255) < 5 * np.sqrt(2 * 255)


@pytest.mark.parametrize("lag", [1, 2, 16, 28, 784])
def test_neighbouring_elements_are_not_correlated(lag):
    x = sample(count=1 << 18)
    assert abs(correlation(x[lag:], x[:-lag])) < 5 / np.sqrt(x.size)


@pytest.mark.parametrize(
    "changed", [{"seed": 2}, {"epoch": 3}, {"stream": GEOMETRY}, {"stream": DROPOUT}, {"position": 4}]
)
def test_seeds_epochs_streams_and_positions_next_to_each_other_are_not_correlated(changed):
    x, y = sample(count=1 << 17), sample(**changed, count=1 << 17)
    for shift in range(3):
        assert abs(correlation(x[shift:], y[: y.size - shift])) < 5 / np.sqrt(x.size)


def test_the_first_elements_of_consecutive_positions_are_not_correlated():
    first = np.array([sample(position=p, count=2) for p in range(20_000)])
    assert abs(correlation(first[1:, 0], first[:-1, 0])) < 5 / np.sqrt(len(first))
    assert abs(correlation(first[:, 0], first[:, 1])) < 5 / np.sqrt(len(first))
