"""PNG and JPEG files, made like the images of a training."""

import numpy as np
import pytest
from msgspec.structs import replace
from PIL import Image

from fastmlp.data import load
from fastmlp.data.image_files import like_training, read_image
from fastmlp.inputs.image_style import MNIST_FILL, ImageStyle

MNIST = ImageStyle((28, 28))
PHOTOGRAPHS = ImageStyle((28, 28), background=None)
DIGIT = np.zeros((28, 28), np.uint8)
DIGIT[4:24, 9:19] = 255
DIGIT[10:15, 9:14] = 120


def sheet(top, left, scale, height=300, width=200):
    """DIGIT's ink in black on white, each pixel `scale` pixels high and wide, at a place of a sheet of paper."""
    paper = np.full((height, width), 255, np.uint8)
    ink = np.kron(DIGIT[4:24, 9:19], np.ones((scale, scale), np.uint8))
    paper[top : top + ink.shape[0], left : left + ink.shape[1]] -= ink
    return paper


def test_mnists_digits_have_the_style_that_is_assumed(real_data):
    assert ImageStyle.measure(load(real_data / "mnist").X, (28, 28)) == MNIST
    assert MNIST.fill == MNIST_FILL


@pytest.mark.parametrize("style", [MNIST, PHOTOGRAPHS, replace(MNIST, shape=(28, 28), fill=1.0)])
def test_an_image_like_those_of_the_training_stays_as_it_is(style):
    assert np.array_equal(like_training(DIGIT, style), DIGIT.ravel())


def test_dark_on_light_becomes_light_on_dark_and_back_but_no_photograph_does():
    assert np.array_equal(like_training(255 - DIGIT, MNIST), DIGIT.ravel())
    assert np.array_equal(like_training(DIGIT, replace(MNIST, background="light")), 255 - DIGIT.ravel())
    assert np.array_equal(like_training(255 - DIGIT, PHOTOGRAPHS), 255 - DIGIT.ravel())


@pytest.mark.parametrize(("top", "left"), [(0, 0), (100, 60), (199, 149)])
@pytest.mark.parametrize("scale", [1, 5])
@pytest.mark.parametrize("is_light", [False, True])
def test_what_is_drawn_is_fitted_into_the_box_wherever_it_was(top, left, scale, is_light):
    paper = sheet(top, left, scale)
    made = like_training(255 - paper if is_light else paper, MNIST).reshape(28, 28)
    rows, columns = made.any(axis=1).nonzero()[0], made.any(axis=0).nonzero()[0]
    assert np.array_equal(made[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1], DIGIT[4:24, 9:19])
    mass = made.astype(float) / made.sum()
    assert abs((mass.sum(axis=1) @ np.arange(28)) - 14) <= 0.5
    assert abs((mass.sum(axis=0) @ np.arange(28)) - 14) <= 0.5


def test_the_shade_of_paper_is_no_ink():
    random = np.random.RandomState(0)
    clean = like_training(sheet(50, 40, 5), MNIST)
    shaded = sheet(50, 40, 5) * 0.6 + 60 + random.uniform(-8, 8, (300, 200))
    assert np.abs(like_training(shaded.astype(np.uint8), MNIST).astype(int) - clean).max() <= 25


def test_a_thin_line_does_not_fade():
    paper = np.full((1000, 1000), 255, np.uint8)
    np.fill_diagonal(paper[100:900, 100:900], 0)
    assert like_training(paper, MNIST).max() == 255


@pytest.mark.parametrize("grey", [0, 100, 255])
def test_an_empty_sheet_is_background(grey):
    assert not like_training(np.full((60, 50), grey, np.uint8), MNIST).any()


def test_the_numbers_are_on_the_scale_of_the_training():
    divided = like_training(DIGIT, replace(MNIST, high=1.0))
    assert divided.dtype == np.float32
    assert np.array_equal(divided, DIGIT.ravel() / np.float32(255))
    assert np.allclose(like_training(DIGIT, replace(MNIST, low=-1.0, high=1.0)), DIGIT.ravel() / 127.5 - 1)
    assert np.array_equal(like_training(DIGIT.astype(np.float32) * 257, MNIST), DIGIT.ravel())  # of 16 bits


def test_a_photograph_is_resized_as_a_whole():
    corner = np.zeros((56, 84), np.uint8)
    corner[:28, :42] = 200
    made = like_training(corner, PHOTOGRAPHS).reshape(28, 28)
    assert np.array_equal(made, np.where(np.add.outer(np.arange(28) // 14, np.arange(28) // 14) == 0, 200, 0))


def test_digits_drawn_large_on_paper_are_those_of_mnist(real_data):
    digits = load(real_data / "mnist", part="test").X[:100]
    found = []
    for number, digit in enumerate(digits):
        large = Image.fromarray(digit.reshape(28, 28)).resize((280, 280), Image.Resampling.BICUBIC)
        paper = Image.new("L", (700, 500), 255)
        paper.paste(Image.eval(large, lambda value: 255 - value), (number * 4, number * 2))
        made = like_training(np.asarray(paper), MNIST)
        found.append(((digits.astype(float) - made) ** 2).sum(axis=1).argmin())
    assert np.sum(np.array(found) == np.arange(100)) >= 97  # two strokes for a 1 may be nearer to each other


def test_a_photograph_is_read_upright(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was held so that the top is at the right
    Image.fromarray(np.vstack([np.zeros((16, 32)), np.full((16, 32), 255)]).astype(np.uint8)).save(
        tmp_path / "turned.jpg", exif=exif
    )
    upright = read_image(tmp_path / "turned.jpg")
    assert upright[:, :12].min() > 200
    assert upright[:, 20:].max() < 55
