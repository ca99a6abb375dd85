"""What the images of a network's training look like, so that others can be made like them."""

from typing import Annotated, Any, Literal, Self

import numpy as np
from msgspec import Meta
from numpy.typing import NDArray

from fastmlp.utils.records import Position, Record

MNIST_FILL = 20 / 28  # MNIST's digits are 20 of 28 pixels high, or wide where that is more
NEAR = 0.1  # of the whole range: how far a pixel of the background, or of ink that counts, is from it
_MOST_MEASURED = 4096  # images
# Shares of the pixels of a drawing that are background: of those at the edge, and of all.
_AT_THE_EDGE, _OF_ALL = 0.5, 0.3


class ImageStyle(Record, frozen=True, kw_only=False):
    """Shape, range of values, background and size of what is drawn; the defaults are those of MNIST.

    Attributes
    ----------
    shape : (int, int)
        Height and width in pixels.
    low, high : float
        The numbers of black and white.
    background : {"dark", "light"} or None
        What is drawn on; None for photographs and the like, which are not drawn on anything.
    fill : float
        Share of the image's height or width, whichever is larger, that a drawing fills.
    """

    shape: tuple[Position, Position]
    low: float = 0.0
    high: float = 255.0
    background: Literal["dark", "light"] | None = "dark"
    fill: Annotated[float, Meta(gt=0, le=1)] = MNIST_FILL

    def describe(self) -> str:
        """Describe it, such as "28 x 28 pixels, light on dark, of which drawings fill 71%"."""
        height, width = self.shape
        size = f"{height} x {width} pixels"
        if self.background is None:
            return size
        colours = "light on dark" if self.background == "dark" else "dark on light"
        return f"{size}, {colours}, of which drawings fill {self.fill:.0%}"

    @classmethod
    def measure(cls, X: NDArray[np.uint8 | np.float32], shape: tuple[int, int]) -> Self:
        """Return the style of some images, of which at most 4,096 are looked at.

        They are drawings where half of the pixels at the edges are within a tenth of the range from black, or from
        white, and three of ten of all pixels are, as in MNIST, Fashion-MNIST and notMNIST. What they fill is the median
        of what each of them does.

        Parameters
        ----------
        X : ndarray of shape (N, height * width)
            Images.
        shape : (int, int)
            Height and width in pixels.
        """
        some = X[:: -(-len(X) // _MOST_MEASURED)].reshape(-1, *shape)
        low, high = float(some.min()), float(some.max())
        if low == high:
            return cls(shape, low, high, None, 1.0)
        shares = (some - np.float32(low)) / np.float32(high - low)
        inks: tuple[tuple[Literal["dark", "light"], NDArray[Any]], ...] = (("dark", shares), ("light", 1 - shares))
        for background, ink in inks:
            is_free = ink <= NEAR
            if edge(is_free).mean() >= _AT_THE_EDGE and is_free.mean() >= _OF_ALL:
                return cls(shape, low, high, background, _median_fill(~is_free))
        return cls(shape, low, high, None, 1.0)


def edge(images: NDArray[Any]) -> NDArray[Any]:
    """Return the pixels at the edges of images, those of the corners twice.

    Parameters
    ----------
    images : ndarray of shape (..., height, width)
        Some images.

    Returns
    -------
    ndarray of shape (..., 2 * (height + width))
        Pixels.
    """
    sides = (images[..., 0, :], images[..., -1, :], images[..., :, 0], images[..., :, -1])
    return np.concatenate(sides, axis=-1)


def _median_fill(is_ink: NDArray[np.bool_]) -> float:
    """Return the median of the share of its height or width that the ink of each image (N, height, width) fills."""
    shares = np.zeros(len(is_ink))
    for axis in (1, 2):
        lines = np.logical_or.reduce(is_ink, axis=axis)  # columns, then rows, with ink
        extent = lines.shape[1] - lines.argmax(axis=1) - lines[:, ::-1].argmax(axis=1)
        shares = np.maximum(shares, np.where(lines.any(axis=1), extent, 0) / lines.shape[1])
    return float(np.median(shares[shares > 0]))
