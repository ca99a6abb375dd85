"""Many small images in one Axes: inputs that were classified wrongly, and the weights of hidden units."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from fastmlp.errors import InputError
from fastmlp.plots.style import named, new_figure, short_names, wrapped

GAP = 1 / 14  # between images, as a share of their width
UNITS_SHOWN = 64
LINE, LINES = 20, 2  # characters of a line of a caption, and lines that a name may have
SIDE = 28  # pixels; smaller images are drawn with larger ones, or no room could be left that suits a caption


def tiles(images: NDArray[Any], columns: int, gap: int, room: int = 0) -> NDArray[np.float64]:
    """Return one image of many, row by row.

    Parameters
    ----------
    images : ndarray of shape (K, height, width)
        The images.
    columns : int
        Images side by side.
    gap : int
        Pixels between two images.
    room : int
        Pixels that stay free above each image, for a caption.

    Returns
    -------
    ndarray of shape (rows, columns)
        nan where there is no image.
    """
    count, height, width = images.shape
    down, across = room + height + gap, width + gap
    sheet = np.full((-(-count // columns) * down - gap, columns * across - gap), np.nan)
    for position, image in enumerate(images):
        top, left = position // columns * down + room, position % columns * across
        sheet[top : top + height, left : left + width] = image
    return sheet


def mistakes(
    ax: Axes,
    images: NDArray[Any],
    true: Sequence[int] | NDArray[Any],
    given: Sequence[int] | NDArray[Any],
    certainty: Sequence[float] | NDArray[Any],
    class_names: Sequence[str],
    fontsize: float = 8.5,
) -> Axes:
    """Draw images that a network classified wrongly, with both classes above each; three in a row for long names.

    The darkest ink of an image is its largest value.

    Parameters
    ----------
    ax : Axes
        Where to draw.
    images : ndarray of shape (K, height, width)
        At least one.
    true, given : array-like of shape (K,)
        Classes: the right one, and the prediction.
    certainty : array-like of shape (K,)
        The predicted probability of `given`.
    class_names : sequence of str
        One for each class; () stands for the numbers.
    fontsize : float
        In points; a line of a caption has a sixth of an image's width, or a tenth where the names are long.

    Raises
    ------
    InputError
        When there are too few names.
    """
    images = _enlarged(images)
    count, height, width = images.shape
    class_names = short_names(named(class_names, max(*true, *given) + 1), LINE * LINES - 2)
    columns = min(_columns(class_names), count)
    captions = [
        _caption(class_names[right], class_names[wrong], _percent(share))
        for right, wrong, share in zip(true, given, certainty, strict=True)
    ]
    line, gap = round(width * columns / 30), round(width * GAP)
    room = (max(map(len, captions)) + 1) * line
    lowest = images.min(axis=(1, 2), keepdims=True).astype(float)
    span = images.max(axis=(1, 2), keepdims=True) - lowest
    sheet = tiles((images - lowest) / np.where(span > 0, span, 1), columns, gap, room)
    ax.imshow(sheet, cmap="gray_r", interpolation="none", vmin=0, vmax=1)
    for position, caption in enumerate(captions):
        middle = position % columns * (width + gap) + (width - 1) / 2
        foot = position // columns * (room + height + gap) + room - line * 0.5
        for number, text in enumerate(reversed(caption)):
            ax.text(middle, foot - number * line, text, ha="center", va="baseline", fontsize=fontsize, parse_math=False)
    ax.set_axis_off()
    return ax


def mistakes_figure(
    images: NDArray[Any],
    true: Sequence[int] | NDArray[Any],
    given: Sequence[int] | NDArray[Any],
    certainty: Sequence[float] | NDArray[Any],
    class_names: Sequence[str],
    heading: str,
) -> Figure:
    """Return a figure of what `mistakes` draws.

    Parameters
    ----------
    images, true, given, certainty, class_names
        As for `mistakes`.
    heading : str
        The data, with which the heading ends.
    """
    figure = new_figure(layout="constrained")
    ax = mistakes(figure.subplots(), images, true, given, certainty, class_names)
    height, width = ax.images[0].get_array().shape
    inches = 1.15 * min(_columns(class_names), len(images)) * (1 if _columns(class_names) == 5 else 1.5)
    figure.set_size_inches(max(inches, 4.5), inches * height / width + 0.6)
    figure.suptitle(
        f"Most confident mistakes on {heading}:\ntrue class → prediction, and its probability",
        fontsize=11, parse_math=False,
    )  # fmt: skip
    return figure


def first_layer(ax: Axes, weights: NDArray[Any], image_shape: tuple[int, int], most: int = UNITS_SHOWN) -> Axes:
    """Draw the weights of a first layer, an image for each unit: red positive, blue negative.

    All units have the same scale, symmetric around zero. Those with the largest norm come first.

    Parameters
    ----------
    ax : Axes
        Where to draw.
    weights : ndarray of shape (fan_in, fan_out)
        The weights.
    image_shape : tuple of int
        (height, width) of the inputs.
    most : int
        Largest number of units that are drawn.

    Raises
    ------
    InputError
        When the inputs are no images of that shape.
    """
    fan_in = len(weights)
    if math.prod(image_shape) != fan_in:
        raise InputError(
            f"image_shape is {tuple(image_shape)}, {math.prod(image_shape)} pixels, but the weights have fan_in "
            f"{fan_in}; expected the (height, width) of the inputs"
        )
    first = np.argsort(-np.linalg.norm(weights, axis=0), kind="stable")[:most]
    images = _enlarged(weights.T[first].reshape(-1, *image_shape))
    limit = float(np.abs(images).max()) or 1.0
    sheet = tiles(images, min(math.ceil(math.sqrt(len(first))), 8), round(images.shape[2] * GAP))
    ax.imshow(sheet, cmap="RdBu_r", vmin=-limit, vmax=limit, interpolation="none")
    ax.set_axis_off()
    return ax


def _enlarged(images: NDArray[Any]) -> NDArray[Any]:
    """Images (K, height, width) of at least SIDE pixels across, each pixel being drawn as a square of some."""
    times = -(-SIDE // images.shape[2])
    return images.repeat(times, axis=1).repeat(times, axis=2)


def _columns(class_names: Sequence[str]) -> int:
    return 5 if max(map(len, class_names), default=0) <= LINE // 4 else 3


def _caption(true: str, given: str, certainty: str) -> list[str]:
    """Two lines: "4 → 9" and "99.2%", or longer names one below the other."""
    if len(true) + len(given) <= LINE:
        return [f"{true} → {given}", certainty]
    return [*wrapped(true, LINE).splitlines(), *wrapped(f"→ {given}", LINE).splitlines(), certainty]


def _percent(share: float) -> str:
    """A probability as a percentage; never 100% when it is less."""
    text = f"{share:.1%}"
    return "> 99.9%" if text == "100.0%" else text
