"""Streams of random numbers are what the raw bits of PCG64 make them, on every processor and with every NumPy."""

import ast
import itertools
import math
from pathlib import Path

import numpy as np
import pytest

import fastmlp
from fastmlp.utils.exact_math import logarithm
from fastmlp.utils.random_stream import PAIRS_AT_A_TIME, RandomStream

PACKAGE = Path(fastmlp.__file__).parent
STREAMS = [(0, ()), ((7, 3), ()), ((7, 3), (1,))]


def raw(entropy, spawn_key=()):
    """The stream's raw bits, one int of 64 bits after the other."""
    bits = np.random.PCG64(np.random.SeedSequence(entropy, spawn_key=spawn_key))
    return iter(lambda: int(bits.random_raw()), None)


def fractions(bits):
    """Numbers from 0 to below 1, of 53 bits each."""
    return ((each >> 11) * 2.0**-53 for each in bits)


def halves(bits):
    """The lower 32 bits of each number, then the upper ones."""
    for each in bits:
        yield from (each & 0xFFFFFFFF, each >> 32)


def shuffled(count, bits):
    """Fisher and Yates: exchange each element, from the last, with a random one up to it."""
    order, values = list(range(count)), halves(bits)
    for i in range(count - 1, 0, -1):
        mask = (1 << i.bit_length()) - 1
        j = next(value for value in (each & mask for each in values) if value <= i)
        order[i], order[j] = order[j], order[i]
    return order


def polar(values):
    """Marsaglia's polar method, a number at a time."""
    while True:
        a, b = 2 * next(values) - 1, 2 * next(values) - 1
        square = a * a + b * b
        if 0 < square < 1:
            factor = math.sqrt(-2 * math.log(square) / square)
            yield from (factor * b, factor * a)


@pytest.mark.parametrize(("entropy", "key"), STREAMS)
@pytest.mark.parametrize("count", [1, 2, 5, 64, 1000])
def test_a_permutation_is_that_of_fisher_and_yates_over_the_raw_bits(entropy, key, count):
    order = RandomStream(entropy, key).permutation(count)
    assert order.tolist() == shuffled(count, raw(entropy, key))
    assert order.dtype == np.int64


@pytest.mark.parametrize(("entropy", "key"), STREAMS)
def test_uniform_numbers_are_the_upper_53_bits_scaled(entropy, key):
    values = fractions(raw(entropy, key))
    expected = [-0.3 + (0.4 - -0.3) * value for value in itertools.islice(values, 60)]
    assert RandomStream(entropy, key).uniform(-0.3, 0.4, (4, 15)).ravel().tolist() == expected


@pytest.mark.parametrize("shapes", [[(4, 50)], [(3, 3), (1,), (0,), (5, 7)], [(2 * PAIRS_AT_A_TIME + 5,)]])
def test_normal_numbers_are_those_of_the_polar_method_however_they_are_asked_for(shapes):
    stream = RandomStream(5)
    drawn = np.concatenate([stream.normal(shape).ravel() for shape in shapes])
    expected = np.fromiter(itertools.islice(polar(fractions(raw(5))), len(drawn)), float)
    np.testing.assert_allclose(drawn, expected, rtol=1e-15, atol=0)
    assert (drawn.astype(np.float32) == expected.astype(np.float32)).all()


def test_the_logarithm_is_the_one_of_the_c_library_but_for_the_last_bits():
    random = np.random.RandomState(0)
    x = np.concatenate([random.rand(5000), 1 - 10 ** -random.uniform(1, 16, 5000), [5e-324, 2**-104, 0.5, 1, 2, 1e308]])
    expected = np.array([math.log(each) for each in x])
    assert (np.abs(logarithm(x) - expected) <= 2 * np.spacing(np.abs(expected))).all()
    assert logarithm(np.array([1.0])) == 0


def test_numbers_are_drawn_by_nothing_whose_stream_numpy_may_change():
    """Neither NumPy's Generator, nor its global state, nor Python's random module."""
    drawn = set()
    for path in PACKAGE.rglob("*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute) and ast.unparse(node.value) in ("np.random", "numpy.random"):
                drawn.add(node.attr)
            elif isinstance(node, ast.Import):
                assert "random" not in [alias.name for alias in node.names], path
            elif isinstance(node, ast.ImportFrom):
                assert node.module not in ("random", "numpy.random"), path
    assert drawn == {"RandomState", "PCG64", "SeedSequence"}
