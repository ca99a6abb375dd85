"""What images look like."""

import numpy as np
import pytest

from fastmlp.inputs.image_style import ImageStyle, edge


def drawings(count=50, size=10, box=6):
    """Light rectangles `box` high on a dark sheet."""
    images = np.zeros((count, size, size))
    for number, image in enumerate(images):
        top, left = number % (size - box - 1) + 1, number % 5 + 1
        image[top : top + box, left : left + 3] = 200 + number % 56
    images[0, 1, 1] = 255
    return images.reshape(count, -1)


def test_drawings_have_a_background_and_a_size():
    assert ImageStyle.measure(drawings().astype(np.uint8), (10, 10)) == ImageStyle((10, 10), 0, 255, "dark", 0.6)


def test_the_scale_and_the_background_are_those_of_the_numbers():
    style = ImageStyle.measure((1 - drawings() / 127.5).astype(np.float32), (10, 10))
    assert style == ImageStyle((10, 10), -1, 1, "light", 0.6)


def test_photographs_have_no_background():
    photographs = np.random.RandomState(0).randint(0, 256, (30, 100)).astype(np.uint8)
    assert ImageStyle.measure(photographs, (10, 10)).background is None


def test_what_is_dark_in_the_middle_alone_is_no_drawing():
    framed = np.random.RandomState(0).randint(60, 256, (30, 10, 10)).astype(np.uint8)
    framed[:, 1:-1, 1:-1] = 0
    assert ImageStyle.measure(framed.reshape(30, 100), (10, 10)).background is None


def test_images_of_one_grey_have_no_background():
    assert ImageStyle.measure(np.full((3, 100), 7, np.uint8), (10, 10)) == ImageStyle((10, 10), 7, 7, None, 1)


def test_images_from_all_over_many_are_measured():
    many = np.zeros((20_000, 64), np.uint8)
    many[10_000:, 27] = 9
    assert ImageStyle.measure(many, (8, 8)).high == 9


@pytest.mark.parametrize(("shape", "expected"), [((2, 3), [0, 1, 2, 3, 4, 5, 0, 3, 2, 5]), ((1, 1), [0, 0, 0, 0])])
def test_the_edge_is_all_four_sides(shape, expected):
    assert edge(np.arange(np.prod(shape)).reshape(1, *shape)).tolist() == [expected]
