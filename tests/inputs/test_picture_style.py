"""What pictures look like."""

import numpy as np
import pytest

from fastmlp.inputs.picture_style import PictureStyle, edge


def drawings(count=50, size=10, box=6):
    """Light rectangles `box` high on a dark sheet."""
    pictures = np.zeros((count, size, size))
    for number, picture in enumerate(pictures):
        top, left = number % (size - box - 1) + 1, number % 5 + 1
        picture[top : top + box, left : left + 3] = 200 + number % 56
    pictures[0, 1, 1] = 255
    return pictures.reshape(count, -1)


def test_drawings_have_a_background_and_a_size():
    assert PictureStyle.measure(drawings().astype(np.uint8), (10, 10)) == PictureStyle((10, 10), 0, 255, "dark", 0.6)


def test_the_scale_and_the_background_are_those_of_the_numbers():
    style = PictureStyle.measure((1 - drawings() / 127.5).astype(np.float32), (10, 10))
    assert style == PictureStyle((10, 10), -1, 1, "light", 0.6)


def test_photographs_have_no_background():
    photographs = np.random.RandomState(0).randint(0, 256, (30, 100)).astype(np.uint8)
    assert PictureStyle.measure(photographs, (10, 10)).background is None


def test_what_is_dark_in_the_middle_alone_is_no_drawing():
    framed = np.random.RandomState(0).randint(60, 256, (30, 10, 10)).astype(np.uint8)
    framed[:, 1:-1, 1:-1] = 0
    assert PictureStyle.measure(framed.reshape(30, 100), (10, 10)).background is None


def test_pictures_of_one_grey_have_no_background():
    assert PictureStyle.measure(np.full((3, 100), 7, np.uint8), (10, 10)) == PictureStyle((10, 10), 7, 7, None, 1)


def test_pictures_from_all_over_many_are_measured():
    many = np.zeros((20_000, 64), np.uint8)
    many[10_000:, 27] = 9
    assert PictureStyle.measure(many, (8, 8)).high == 9


@pytest.mark.parametrize(("shape", "expected"), [((2, 3), [0, 1, 2, 3, 4, 5, 0, 3, 2, 5]), ((1, 1), [0, 0, 0, 0])])
def test_the_edge_is_all_four_sides(shape, expected):
    assert edge(np.arange(np.prod(shape)).reshape(1, *shape)).tolist() == [expected]
