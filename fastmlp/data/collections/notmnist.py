"""The parts of notMNIST, which has none of its own, is sorted by letter, and holds some images many times."""

import hashlib

import numpy as np

# The course solution's 12,000, 1,000 and 1,579 of the 14,579 images.
TEST_ROWS, VALIDATION_ROWS = 1579, 1000


def part_rows(pictures: np.ndarray, part: str, test: int = TEST_ROWS, validation: int = VALIDATION_ROWS) -> np.ndarray:
    """The rows of `pictures` (N, height, width) that are a part's, in a random order that is always the same one.

    part        "train", the last `validation` rows of which are for validation; or "test", which has `test` rows
    Identical images are all among the test rows, the validation rows or the others, one after another.
    """
    groups = _identical(pictures)
    random = np.random.RandomState(np.random.PCG64(0))  # promised to be the same in every version of numpy
    waiting = [groups[k] for k in random.permutation(len(groups))]
    tested, waiting = _take(waiting, test)
    held_out, trained = _take(waiting, validation)
    return np.concatenate(tested if part == "test" else [*trained, *held_out])


def _identical(pictures):
    """The rows of each distinct picture, rising, in the order in which the pictures first appear."""
    groups: dict[bytes, list[int]] = {}
    for row, picture in enumerate(pictures):
        groups.setdefault(hashlib.sha256(picture.tobytes()).digest(), []).append(row)
    return list(groups.values())


def _take(groups: list[list[int]], rows: int) -> tuple[list[list[int]], list[list[int]]]:
    """The first groups that have `rows` rows together, passing over those too large for what is missing; the others."""
    taken: list[list[int]] = []
    left: list[list[int]] = []
    for group in groups:
        fits = len(group) <= rows
        (taken if fits else left).append(group)
        rows -= len(group) if fits else 0
    return taken, left
