"""Parts for notMNIST, which has none of its own, is sorted by letter, and has many images more than once."""

import hashlib

import numpy as np
from numpy.typing import NDArray

from fastmlp.utils.random_stream import RandomStream

# The course solution's 12,000, 1,000 and 1,579 of the 14,579 images.
TEST_ROWS, VALIDATION_ROWS = 1579, 1000


def part_rows(
    images: np.ndarray, part: str, test: int = TEST_ROWS, validation: int = VALIDATION_ROWS
) -> NDArray[np.int64]:
    """Return the rows of a part, in a random order that is always the same.

    Identical images are all among the test rows, the validation rows or the others, one after another.

    Parameters
    ----------
    images : ndarray of shape (N, height, width)
        All images.
    part : {"train", "test"}
        "train" ends in the rows for validation.
    test : int, default=1579
        Number of rows of the test part.
    validation : int, default=1000
        Number of rows for validation.

    Returns
    -------
    ndarray of shape (rows,), int64
        Positions in `images`.
    """
    groups = _identical(images)
    waiting = [groups[k] for k in RandomStream(0).permutation(len(groups))]
    tested, waiting = _take(waiting, test)
    held_out, trained = _take(waiting, validation)
    return np.concatenate(tested if part == "test" else [*trained, *held_out], dtype=np.int64)


def _identical(images: np.ndarray) -> list[list[int]]:
    """Return the rows of each distinct image, ascending, in the order in which the images first appear."""
    groups: dict[bytes, list[int]] = {}
    for row, image in enumerate(images):
        groups.setdefault(hashlib.sha256(image.tobytes()).digest(), []).append(row)
    return list(groups.values())


def _take(groups: list[list[int]], rows: int) -> tuple[list[list[int]], list[list[int]]]:
    """Divide groups into the first that fit into `rows` rows together, and the others."""
    taken: list[list[int]] = []
    left: list[list[int]] = []
    for group in groups:
        fits = len(group) <= rows
        (taken if fits else left).append(group)
        rows -= len(group) if fits else 0
    return taken, left
