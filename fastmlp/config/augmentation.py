"""The setting `augment`: how the images of a training set are distorted, again in every epoch."""

import dataclasses
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from fastmlp.errors import InputError, InputTypeError
from fastmlp.kernels.task_types import Distortion
from fastmlp.utils import validation as check
from fastmlp.utils.options import build
from fastmlp.utils.showing import shown

# The Gaussian ends after this many sigmas: 0.3% of its mass is beyond.
REACH = 3.0
# The kernels count seeds in 63 bits.
SEED_BITS = 63


@dataclass(frozen=True)
class Augmentation:
    """Random distortions of images, drawn again in every epoch; a number that is 0 switches its distortion off.

    Numbers are drawn uniformly from their ranges. Outside of the image is 0, and pixels between pixels are
    interpolated. Elastic distortion moves each pixel by random numbers in [-1, 1), smoothed by a Gaussian whose weights
    sum to 1, times alpha: by about 0.16 alpha / sigma on either axis.

    Attributes
    ----------
    shift : float
        Pixels, from 0: either axis moves by up to this much.
    rotation : float
        Degrees, 0 to 180: either way, by up to this much.
    scale : float
        Share, from 0 below 1: width and height grow by separate factors between 1 - scale and 1 + scale.
    shear : float
        Pixels per pixel of height, from 0: the top moves against the bottom by up to this much.
    alpha : float
        Strength of the elastic distortion, from 0.
    sigma : float
        Pixels, above 0: smoothness of the elastic distortion.
    image_shape : tuple of int or None
        (height, width) in pixels; None for square images.

    Raises
    ------
    InputError, InputTypeError
        For other values.

    References
    ----------
    P. Y. Simard, D. Steinkraus and J. C. Platt, Best practices for convolutional neural networks applied to visual
    document analysis, ICDAR 2003, whose elastic distortion of MNIST has alpha 34 and sigma 4.
    """

    shift: float = 0.0
    rotation: float = 0.0
    scale: float = 0.0
    shear: float = 0.0
    alpha: float = 0.0
    sigma: float = 4.0
    image_shape: tuple[int, int] | None = None

    def __post_init__(self) -> None:
        rotation = check.real("augment.rotation", self.rotation, "0 switches it off, try 10 degrees", least=0)
        if rotation > 180:
            raise InputError(
                f"augment.rotation is {shown(self.rotation)}; expected degrees up to 180: 180 is any direction"
            )
        checked = {
            "shift": check.real("augment.shift", self.shift, "0 switches it off, 1 or 2 pixels are common", least=0),
            "rotation": rotation,
            "scale": check.real("augment.scale", self.scale, "0 switches it off, try 0.1", least=0, below=1),
            "shear": check.real("augment.shear", self.shear, "0 switches it off, try 0.1", least=0),
            "alpha": check.real("augment.alpha", self.alpha, "0 switches it off, try 34 with sigma 4", least=0),
            "sigma": check.positive("augment.sigma", self.sigma, "try 4 pixels; alpha=0 switches the smoothing off"),
            "image_shape": _image_shape(self.image_shape),
        }
        for name, value in checked.items():
            object.__setattr__(self, name, value)

    @classmethod
    def from_setting(cls, value: object) -> "Augmentation | None":
        """Return the distortions of a setting of `MLP`; None for none, also where all numbers are 0.

        Parameters
        ----------
        value : None, Augmentation, str or mapping
            The name of one of `PRESETS`, or a dict of settings.

        Raises
        ------
        InputError, InputTypeError
            For anything else.
        """
        if value is None or isinstance(value, Augmentation):
            chosen = value
        elif isinstance(value, str):
            chosen = PRESETS[check.one_of("augment", value, PRESETS)]
        elif isinstance(value, Mapping):
            chosen = build(cls, value, "augment")
        else:
            raise InputTypeError(
                f"augment is {shown(value)}; expected None, a dict such as {{'shift': 1, 'rotation': 10}}, or one of "
                f"{', '.join(PRESETS)}"
            )
        return chosen if chosen is not None and chosen.distorts() else None

    def distorts(self) -> bool:
        """Return whether anything is switched on."""
        return any((self.shift, self.rotation, self.scale, self.shear, self.alpha))

    def to_dict(self) -> dict[str, Any]:
        """Return the settings as plain values, which `from_setting` reads; image_shape only if it is not None."""
        values = dataclasses.asdict(self)
        shape = values.pop("image_shape")
        return values if shape is None else {**values, "image_shape": list(shape)}

    def distortion(self, features: int, seed: int, epoch: int) -> Distortion:
        """Return the kernels' settings for one epoch.

        Parameters
        ----------
        features : int
            Pixels of an image.
        seed : int
            Any whole number from 0.
        epoch : int
            From 0; images are distorted again in each.

        Raises
        ------
        InputError
            When the image's shape does not fit the features, or sigma the image.
        """
        height, width = self._shape_for(features)
        if self.alpha and self.sigma > max(height, width):
            raise InputError(
                f"augment.sigma is {self.sigma:g} pixels for images of {height} x {width}; expected at most "
                f"{max(height, width)}: a wider Gaussian moves the image as a whole, as shift does"
            )
        return Distortion(
            height=height,
            width=width,
            shift=self.shift,
            rotation=self.rotation,
            scale=self.scale,
            shear=self.shear,
            alpha=self.alpha,
            sigma=self.sigma,
            reach=math.floor(REACH * self.sigma + 0.5) if self.alpha else 0,
            seed=int(seed) % 2**SEED_BITS,
            epoch=int(epoch),
        )

    def _shape_for(self, features: int) -> tuple[int, int]:
        if self.image_shape is None:
            side = math.isqrt(features)
            if side * side != features:
                raise InputError(
                    f"X has {features} features, which are not a square image; expected a square number: give "
                    "augment.image_shape as (height, width)"
                )
            return side, side
        height, width = self.image_shape
        if height * width != features:
            raise InputError(
                f"augment.image_shape is {self.image_shape}, {height * width} pixels, but X has {features} features; "
                "expected as many: give the height and width of one image"
            )
        return height, width


def check_setting(_name: str, value: object) -> dict[str, Any] | None:
    """Return the setting `augment` as plain checked values: all numbers, or None for no distortion.

    Parameters
    ----------
    value : object
        As for `Augmentation.from_setting`.
    """
    chosen = Augmentation.from_setting(value)
    return None if chosen is None else chosen.to_dict()


def _image_shape(value: object) -> tuple[int, int] | None:
    if value is None:
        return None
    sides = tuple(value) if isinstance(value, Iterable) and not isinstance(value, str) else ()
    if len(sides) != 2:
        raise InputTypeError(
            f"augment.image_shape is {shown(value)}; expected (height, width) in pixels, such as (28, 28)"
        )
    height, width = (check.whole("a side in augment.image_shape", side, 1, "count its pixels") for side in sides)
    return height, width


# For handwritten digits of 28 x 28 pixels and the like, small enough that they stay legible.
PRESETS = {
    "affine": Augmentation(shift=1, rotation=10, scale=0.1, shear=0.1),
    "elastic": Augmentation(shift=1, rotation=10, scale=0.1, shear=0.1, alpha=36, sigma=5),
}
