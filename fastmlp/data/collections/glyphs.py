"""Synthetic digits: printed shapes that were bent, rotated, thickened and shaded at random.

They replace MNIST where it is neither on this disk nor can be downloaded. They have its counts, size and classes, and a
network learns them about as well, but they are not handwriting: a result on them is no result on MNIST.
"""

import os
from concurrent.futures import ThreadPoolExecutor
from functools import reduce

import numpy as np
from numpy.typing import NDArray

from fastmlp.data.collections.glyph_shapes import SIZE, digit_shapes

COUNTS = {"train": 60_000, "test": 10_000}
VERSION = 2  # raise it when the images change, so that cached ones are drawn again
BLOCK = 500  # images drawn from one random stream: small enough for the temporaries to stay in the CPU's cache
_SIDE = 28
_SCALE = SIZE / _SIDE
_KNOTS = 5  # the bending is given on a grid of this many points a side


def draw(
    part: str, count: int | None = None, threads: int | None = None
) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Draw digits; each block of them has its own random stream, so that `threads` and `count` change no image.

    Parameters
    ----------
    part : {"train", "test"}
        Which part to draw.
    count : int, optional
        Number of digits from the start; by default all of the part.
    threads : int, optional
        Number of threads; by default one for each CPU.

    Returns
    -------
    X : ndarray of shape (count, 784), uint8
        Images of 28 x 28 pixels.
    y : ndarray of shape (count,), int64
        The digits.
    """
    count = COUNTS[part] if count is None else count
    X, y = np.empty((count, _SIDE * _SIDE), np.uint8), np.empty(count, np.int64)
    shapes = digit_shapes()

    def fill(block: int) -> None:
        rows = slice(block * BLOCK, min((block + 1) * BLOCK, count))
        images, labels = _draw_block(shapes, part, block)
        X[rows], y[rows] = images[: rows.stop - rows.start], labels[: rows.stop - rows.start]

    with ThreadPoolExecutor(threads or os.cpu_count()) as team:
        list(team.map(fill, range(-(-count // BLOCK))))
    return X, y


def _draw_block(shapes: NDArray[np.uint8], part: str, block: int) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Draw the images (BLOCK, 784) of a block, and return them with their labels (BLOCK,)."""
    stream = np.random.SeedSequence(VERSION, spawn_key=(list(COUNTS).index(part), block))
    # RandomState, unlike Generator, is documented to draw the same numbers in every version of numpy.
    random = np.random.RandomState(np.random.PCG64(stream))
    labels = random.randint(0, 10, BLOCK, np.int64)  # of a width of its own: the usual one is the system's
    styles = random.randint(0, len(shapes), BLOCK, np.int64)
    down, right = _sampling_points(random)
    ink = _sample(shapes.reshape(-1, SIZE * SIZE), styles * 10 + labels, down, right)
    return _shade(random, ink), labels


def _sampling_points(random: np.random.RandomState) -> list[NDArray[np.float32]]:
    """Draw the point of its shape that each pixel shows: row and column, (BLOCK, 784) each, in pixels of the shape."""
    column = (BLOCK, 1)
    angle = random.normal(0, 0.12, column)
    slant = random.uniform(-0.3, 0.3, column)
    height = np.exp(random.normal(0, 0.08, column))
    width = np.exp(random.normal(0, 0.12, column))
    shift = random.normal(0, 0.7, (2, *column))
    bend = random.normal(0, 1.25, (2, BLOCK, _KNOTS, _KNOTS)).astype(np.float32)

    middle = (_SIDE - 1) / 2
    rows, columns = np.divmod(np.arange(_SIDE * _SIDE), _SIDE)
    y, x = rows - middle - shift[0], columns - middle - shift[1]
    down = (np.cos(angle) * y - np.sin(angle) * x) / height
    right = (np.sin(angle) * y + np.cos(angle) * x) / width + slant * down
    between = _hat_weights()
    # Sums in a fixed order: that of einsum and BLAS depends on the CPU, or on the number of threads.
    bent = reduce(np.add, [between[:, knot, None] * bend[:, :, knot, None, :] for knot in range(_KNOTS)])
    bent = reduce(np.add, [bent[..., knot, None] * between[:, knot] for knot in range(_KNOTS)]).reshape(2, BLOCK, -1)
    centre = (SIZE - 1) / 2
    return [
        (_SCALE * (plain + move) + centre).astype(np.float32) for plain, move in zip((down, right), bent, strict=True)
    ]


def _hat_weights() -> NDArray[np.float32]:
    """Return the weight of each knot at each pixel, (28, _KNOTS): smooth bumps that add up to 1 over the knots."""
    distance = np.linspace(0, _KNOTS - 1, _SIDE)[:, None] - np.arange(_KNOTS)
    weights: np.ndarray = np.where(np.abs(distance) < 1, np.cos(np.pi / 2 * np.clip(distance, -1, 1)) ** 2, 0)
    return weights.astype(np.float32)


def _sample(
    shapes: NDArray[np.uint8], chosen: NDArray[np.int64], down: NDArray[np.float32], right: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Interpolate the chosen shapes of (S, SIZE * SIZE) bilinearly at (down, right); return (BLOCK, 784)."""
    # Points outside are moved to the margin, which is black in every shape.
    down, right = np.clip(down, 0, SIZE - 1.001), np.clip(right, 0, SIZE - 1.001)
    top, left = down.astype(np.int32), right.astype(np.int32)
    below, beside = down - top, right - left
    corner = chosen[:, None] * (SIZE * SIZE) + top * SIZE + left
    flat = shapes.reshape(-1)
    upper = flat[corner] * (1 - beside) + flat[corner + 1] * beside
    lower = flat[corner + SIZE] * (1 - beside) + flat[corner + SIZE + 1] * beside
    values: NDArray[np.float32] = upper * (1 - below) + lower * below
    return values


def _shade(random: np.random.RandomState, ink: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Make the ink of images uneven, and return them as uint8; what is black stays black."""
    pressure = random.uniform(0.7, 1.4, (BLOCK, 1)).astype(np.float32)
    grain = random.normal(1, 0.08, ink.shape).astype(np.float32)
    shaded: NDArray[np.float32] = np.clip(ink * pressure * grain, 0, 255)
    return shaded.astype(np.uint8)
