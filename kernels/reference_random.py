"""The random bits of `random_bits.py` in plain numpy, bit for bit."""

import numpy as np

from .random_bits import DROPOUT, GOLDEN_32

_MASK = 2**64 - 1


def sample_keys(seed, epoch, stream, position):
    """The two 32-bit keys of one sample's numbers, by the finaliser of splitmix64."""
    z = 0
    for number in (seed, epoch, stream, position):
        z = ((z ^ number) + 0x9E3779B97F4A7C15) & _MASK
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9 & _MASK
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB & _MASK
        z ^= z >> 31
    return z & 0xFFFFFFFF, z >> 32


def bits(k0, k1, count):
    """(count,) uint32: the random bits of the elements 0 to count - 1."""
    with np.errstate(over="ignore"):
        x = np.arange(count, dtype=np.uint32) * np.uint32(GOLDEN_32) + np.uint32(k0)
        for key in (k1, 0):
            for multiplier, shift in ((0x85EBCA6B, 16), (0xC2B2AE35, 13)):
                x = (x ^ (x >> np.uint32(shift))) * np.uint32(multiplier)
            x ^= x >> np.uint32(16)
            x ^= np.uint32(key)
    return x


def drop(A, keep, clock, layer, start):
    """Drop from the rows of A (rows, columns), in place, all but a share `keep`; divide the rest by it.

    layer: whose inputs they are;  start: place of the first row in the order of a call of `train` at `clock`
    """
    for i, row in enumerate(A):
        keys = sample_keys(clock.seed, clock.epoch, DROPOUT + layer, clock.position + start + i)
        row[...] = np.where(bits(*keys, len(row)) < np.rint(keep * 2.0**32), row * row.dtype.type(1 / keep), 0)
