"""The setting `augment`: what it accepts, what it refuses, and what it tells the kernels."""

import math

import numpy as np
import pytest

from fastmlp.config.augmentation import PRESETS, Augmentation
from fastmlp.errors import InputError, InputTypeError
from fastmlp.kernels import augment

# (setting, bad value, kind of error, what was expected)
BAD = [
    ("shift", -1, InputError, "from 0"),
    ("shift", "2", InputTypeError, "a number"),
    ("shift", math.inf, InputError, "finite"),
    ("rotation", -5, InputError, "from 0"),
    ("rotation", 181, InputError, "up to 180"),
    ("scale", 1, InputError, "below 1"),
    ("scale", True, InputTypeError, "a number"),
    ("shear", math.nan, InputError, "finite"),
    ("alpha", -34, InputError, "from 0"),
    ("sigma", 0, InputError, "above 0"),
    ("image_shape", 28, InputTypeError, "(height, width)"),
    ("image_shape", "28x28", InputTypeError, "(height, width)"),
    ("image_shape", (28,), InputTypeError, "(height, width)"),
    ("image_shape", (28, 0), InputError, "at least 1"),
    ("image_shape", (28, 28.0), InputTypeError, "whole number"),
]


@pytest.mark.parametrize(("name", "value", "kind", "expected"), BAD)
def test_a_bad_setting_is_named_with_what_was_expected(name, value, kind, expected):
    with pytest.raises(kind) as caught:
        Augmentation(**{name: value})
    message = str(caught.value)
    assert f"augment.{name}" in message
    assert expected in message


@pytest.mark.parametrize(
    ("value", "kind", "expected"),
    [
        ("strong", InputError, "affine, elastic"),
        (3, InputTypeError, "a dict"),
        ({"rotate": 3}, InputError, "rotation"),
        ({"scale": 2}, InputError, "augment.scale"),
    ],
)
def test_what_is_no_setting_is_refused(value, kind, expected):
    with pytest.raises(kind, match=expected):
        Augmentation.from_setting(value)


@pytest.mark.parametrize("value", [None, {}, {"shift": 0, "sigma": 3}, Augmentation()])
def test_nothing_switched_on_is_no_augmentation(value):
    assert Augmentation.from_setting(value) is None


def test_a_dict_a_preset_and_the_object_are_the_same_setting():
    expected = Augmentation(shift=1, rotation=10, image_shape=(20, 30))
    assert Augmentation.from_setting({"shift": 1, "rotation": 10.0, "image_shape": [20, 30]}) == expected
    assert Augmentation.from_setting(expected) is expected
    assert Augmentation.from_setting("elastic") == PRESETS["elastic"]


@pytest.mark.parametrize("setting", [*PRESETS.values(), Augmentation(shear=0.5, image_shape=(3, 4))])
def test_a_setting_survives_its_dict(setting):
    assert Augmentation.from_setting(setting.to_dict()) == setting
    assert all(isinstance(value, float | list) for value in setting.to_dict().values())


def test_images_are_square_unless_their_shape_is_given():
    square, wide = Augmentation(shift=1), Augmentation(shift=1, image_shape=(2, 392))
    assert square.distortion(784, 0, 0)[:2] == (28, 28)
    assert wide.distortion(784, 0, 0)[:2] == (2, 392)
    with pytest.raises(InputError, match=r"785 features.*image_shape"):
        square.distortion(785, 0, 0)
    with pytest.raises(InputError, match="784 pixels, but X has 785 features"):
        wide.distortion(785, 0, 0)


def test_a_gaussian_wider_than_the_image_is_refused_where_it_is_used():
    with pytest.raises(InputError, match=r"augment.sigma is 40 pixels for images of 28 x 28"):
        Augmentation(alpha=1, sigma=40).distortion(784, 0, 0)
    assert Augmentation(shift=1, sigma=40).distortion(784, 0, 0).reach == 0


@pytest.mark.parametrize("seed", [0, 2**32, 2**64 + 5])
def test_the_kernels_take_what_a_setting_gives_for_any_seed(seed):
    X = np.random.RandomState(0).randint(0, 256, (4, 784)).astype(np.uint8)
    recipe = PRESETS["elastic"].distortion(784, np.int64(seed) if seed < 2**40 else seed, np.int64(3))
    out = augment.distort(X, np.arange(4), 0, recipe, np.empty((4, 784), "float32"))
    assert np.isfinite(out).all()
    assert (out != X / 255).any()
