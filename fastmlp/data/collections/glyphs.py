"""Synthetic digits: printed shapes that were bent, turned, thickened and shaded at random.

They stand in for MNIST where it is neither at hand nor to be downloaded: the same counts, size and classes, and a
network learns them about as well, but they are not handwriting, and a result on them is no result on MNIST.
"""

import os
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from fastmlp.data.collections.glyph_shapes import SIZE, digit_shapes

COUNTS = {"train": 60_000, "test": 10_000}
VERSION = 2  # raise it when the pictures change, so that cached ones are drawn again
BLOCK = 500  # pictures drawn from one random stream: small enough for the temporaries to stay in the CPU's cache
_SIDE = 28
_SCALE = SIZE / _SIDE
_KNOTS = 5  # the bending is given on a grid of this many points a side


def draw(part: str, count: int | None = None, threads: int | None = None) -> tuple[np.ndarray, np.ndarray]:
    """The first `count` digits (None: all) of a part, "train" or "test": (count, 784) uint8 and labels (count,) int64.

    Every block has a random stream of its own, named by part and block: `threads` and `count` change no picture.
    """
    count = COUNTS[part] if count is None else count
    X, y = np.empty((count, _SIDE * _SIDE), np.uint8), np.empty(count, np.int64)
    shapes = digit_shapes()

    def fill(block):
        rows = slice(block * BLOCK, min((block + 1) * BLOCK, count))
        pictures, labels = _draw_block(shapes, part, block)
        X[rows], y[rows] = pictures[: rows.stop - rows.start], labels[: rows.stop - rows.start]

    with ThreadPoolExecutor(threads or os.cpu_count()) as team:
        list(team.map(fill, range(-(-count // BLOCK))))
    return X, y


def _draw_block(shapes, part, block):
    """BLOCK pictures (BLOCK, 784) uint8 with their labels (BLOCK,) int64."""
    stream = np.random.SeedSequence(VERSION, spawn_key=(list(COUNTS).index(part), block))
    # RandomState, unlike Generator, is promised to draw the same numbers in every version of numpy.
    random = np.random.RandomState(np.random.PCG64(stream))
    labels = random.randint(0, 10, BLOCK, np.int64)  # of a width of its own: the usual one is the system's
    styles = random.randint(0, len(shapes), BLOCK, np.int64)
    down, right = _sampling_points(random)
    ink = _sample(shapes.reshape(-1, SIZE * SIZE), styles * 10 + labels, down, right)
    return _shade(random, ink), labels


def _sampling_points(random):
    """Where each pixel looks in its shape: row and column, each (BLOCK, 784) float32, in the shape's pixels."""
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
    # Sums in a written order: those of einsum and BLAS depend on the CPU, or on how many threads they were given.
    bent = sum(between[:, knot, None] * bend[:, :, knot, None, :] for knot in range(_KNOTS))
    bent = sum(bent[..., knot, None] * between[:, knot] for knot in range(_KNOTS)).reshape(2, BLOCK, -1)
    centre = (SIZE - 1) / 2
    return [
        (_SCALE * (plain + move) + centre).astype(np.float32) for plain, move in zip((down, right), bent, strict=True)
    ]


def _hat_weights():
    """(28, _KNOTS) float32: how much each knot counts at each pixel, a smooth bump that adds up to 1 over the knots."""
    distance = np.linspace(0, _KNOTS - 1, _SIDE)[:, None] - np.arange(_KNOTS)
    weights = np.where(np.abs(distance) < 1, np.cos(np.pi / 2 * np.clip(distance, -1, 1)) ** 2, 0)
    return weights.astype(np.float32)


def _sample(shapes, chosen, down, right):
    """Shapes (S, SIZE * SIZE) uint8, one per picture, read bilinearly at (down, right): (BLOCK, 784) float32."""
    # Points outside are moved to the margin, which is black in every shape.
    down, right = np.clip(down, 0, SIZE - 1.001), np.clip(right, 0, SIZE - 1.001)
    top, left = down.astype(np.int32), right.astype(np.int32)
    below, beside = down - top, right - left
    corner = chosen[:, None] * (SIZE * SIZE) + top * SIZE + left
    flat = shapes.reshape(-1)
    upper = flat[corner] * (1 - beside) + flat[corner + 1] * beside
    lower = flat[corner + SIZE] * (1 - beside) + flat[corner + SIZE + 1] * beside
    return upper * (1 - below) + lower * below


def _shade(random, ink):
    """Pictures with uneven ink, as uint8; what is black stays black."""
    pressure = random.uniform(0.7, 1.4, (BLOCK, 1)).astype(np.float32)
    grain = random.normal(1, 0.08, ink.shape).astype(np.float32)
    return np.clip(ink * pressure * grain, 0, 255).astype(np.uint8)
