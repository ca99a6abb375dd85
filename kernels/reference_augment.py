"""Random bits and distortions in plain numpy: the specification of `random_bits.py` and `augment.py`, and their oracle.

The functions have the names and signatures of the compiled ones, with arrays in the place of pointers. Bits and uniform
numbers agree with the compiled ones exactly, images up to rounding: here all geometry is in float64.
"""

import numpy as np

from .sparse_rows import to_network
from .task_types import FIELD, GEOMETRY

MASK_32, MASK_64 = 2**32 - 1, 2**64 - 1


def sample_keys(seed, epoch, stream, position):
    """The keys (k0, k1) of one sample's numbers, ints below 2^32: splitmix64's finaliser over the four arguments."""
    z = 0
    for word in (seed, epoch, stream, position):
        z = ((z ^ int(word)) + 0x9E3779B97F4A7C15) & MASK_64
        z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9 & MASK_64
        z = (z ^ z >> 27) * 0x94D049BB133111EB & MASK_64
        z ^= z >> 31
    return z & MASK_32, z >> 32


def bits(k0, k1, count):
    """The random bits (count,) uint32 of the elements 0 to count - 1."""

    def mixed(x):
        x = (x ^ x >> 16) * np.uint32(0x85EBCA6B)
        x = (x ^ x >> 13) * np.uint32(0xC2B2AE35)
        return x ^ x >> 16

    counter = np.arange(count, dtype=np.uint32) * np.uint32(0x9E3779B9) + np.uint32(k0)
    return mixed(mixed(counter) ^ np.uint32(k1))


def uniform_row(k0, k1, count, target):
    """target[:count] = uniform numbers in [-1, 1): the top 24 bits times 2^-23, less 1."""
    target[:count] = (bits(k0, k1, count) >> 8) * 2.0**-23 - 1


def drop_row(k0, k1, keep_threshold, scale, source, target, columns):
    """target[j] = source[j] * scale where bits(j) < keep_threshold (0 to 2^32), else 0."""
    kept = bits(k0, k1, columns).astype(np.uint64) < keep_threshold
    target[:columns] = np.where(kept, source[:columns] * source.dtype.type(scale), 0)


def gaussian_weights(sigma, reach):
    """Weights (2 reach + 1,) of a Gaussian of `sigma` pixels that ends after `reach` pixels; their sum is 1."""
    weights = np.exp(-(np.arange(-reach, reach + 1.0) ** 2) / (2 * sigma**2))
    return weights / weights.sum()


def distort(X, rows, position, recipe, out):
    """out (n, height * width) = the given rows of X, distorted as the samples from `position` on. Returns out."""
    images = to_network(X, rows, out.dtype)
    out[...] = images
    if recipe.shift or recipe.rotation or recipe.scale or recipe.shear or recipe.alpha:
        for i, image in enumerate(images):
            x, y = sources(position + i, recipe)
            out[i] = interpolated(image.reshape(recipe.height, recipe.width), x, y).ravel()
    return out


def sources(position, recipe):
    """Where each pixel of one distorted image comes from: x and y, (height, width) each."""
    height, width = recipe.height, recipe.width
    draws = np.empty(6)
    k0, k1 = sample_keys(recipe.seed, recipe.epoch, GEOMETRY, position)
    uniform_row(k0, k1, len(draws), draws)
    right, down = recipe.shift * draws[:2]
    angle = np.radians(recipe.rotation * draws[2])
    wider, higher = 1 + recipe.scale * draws[3:5]
    rotation = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    shear = np.array([[1, recipe.shear * draws[5]], [0, 1]])
    back = np.linalg.inv(rotation @ shear @ np.diag([wider, higher]))
    y, x = np.indices((height, width))
    x_middle, y_middle = (width - 1) / 2, (height - 1) / 2
    from_middle = np.stack([x - x_middle - right, y - y_middle - down])
    x, y = np.tensordot(back, from_middle, 1) + np.array([x_middle, y_middle])[:, None, None]
    if recipe.alpha:
        noise = np.empty(2 * height * width)
        k0, k1 = sample_keys(recipe.seed, recipe.epoch, FIELD, position)
        uniform_row(k0, k1, len(noise), noise)
        dx, dy = (smoothed(field, recipe) for field in noise.reshape(2, height, width))
        x, y = x + recipe.alpha * dx, y + recipe.alpha * dy
    return x, y


def smoothed(field, recipe):
    """The field convolved with the recipe's Gaussian along both axes, as if it went on with zeros."""
    weights = gaussian_weights(recipe.sigma, recipe.reach)
    for _ in range(2):  # down the columns, and once more with rows and columns exchanged
        field = np.array([np.convolve(column, weights)[recipe.reach :][: len(column)] for column in field.T])
    return field


def interpolated(image, x, y):
    """The image at the positions x, y (any shape), bilinear between its pixels and the zeros around it."""
    height, width = image.shape
    framed = np.zeros((height + 3, width + 3))
    framed[1:-2, 1:-2] = image
    x, y = np.clip(x + 1, 0, width + 1), np.clip(y + 1, 0, height + 1)
    left, top = x.astype(int), y.astype(int)
    x, y = x - left, y - top
    upper = framed[top, left] * (1 - x) + framed[top, left + 1] * x
    lower = framed[top + 1, left] * (1 - x) + framed[top + 1, left + 1] * x
    return upper * (1 - y) + lower * y


__all__ = ["distort", "drop_row", "gaussian_weights", "sample_keys", "uniform_row"]
