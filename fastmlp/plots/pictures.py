"""Many small pictures in one Axes: inputs that a network got wrong, and what its hidden units look for."""

import math
from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from fastmlp.errors import InputError
from fastmlp.plots.style import named, shortened

GAP = 1 / 14  # between pictures, as a share of their width
UNITS_SHOWN = 64
LONGEST_NAME = 20  # characters of a line of a caption


def tiles(pictures: np.ndarray, columns: int, gap: int, room: int = 0) -> np.ndarray:
    """One picture of pictures (K, height, width), row by row, `gap` pixels apart; nan where there is none.

    room  pixels that stay free above each picture, for a caption
    """
    count, height, width = pictures.shape
    down, across = room + height + gap, width + gap
    sheet = np.full((-(-count // columns) * down - gap, columns * across - gap), np.nan)
    for position, picture in enumerate(pictures):
        top, left = position // columns * down + room, position % columns * across
        sheet[top : top + height, left : left + width] = picture
    return sheet


def mistakes(
    ax: Axes,
    pictures: np.ndarray,
    true: Sequence[int] | np.ndarray,
    given: Sequence[int] | np.ndarray,
    certainty: Sequence[float] | np.ndarray,
    class_names: Sequence[str],
    columns: int | None = None,
    fontsize: float = 8.5,
) -> Axes:
    """Draw pictures (K, height, width), K from 1, that a network got wrong, with both classes above each.

    true, given  (K,) classes;  certainty  (K,) the probability the network gave to its answer
    class_names  one for each class; () stands for the numbers. InputError when there are too few
    columns      pictures side by side; None: 5, or 3 where the names are long
    fontsize     points; a line of a caption has a sixth of a picture's width, or a tenth where the names are long
    The darkest ink of a picture is its largest value.
    """
    count, height, width = pictures.shape
    class_names = named(class_names, max(*true, *given) + 1)
    columns = min(columns or _columns(class_names), count)
    line, gap = max(1, round(width * columns / 30)), max(1, round(width * GAP))
    room = 3 * line
    lowest = pictures.min(axis=(1, 2), keepdims=True).astype(float)
    span = pictures.max(axis=(1, 2), keepdims=True) - lowest
    sheet = tiles((pictures - lowest) / np.where(span > 0, span, 1), columns, gap, room)
    ax.imshow(sheet, cmap="gray_r", interpolation="none", vmin=0, vmax=1)
    for position in range(count):
        names = class_names[true[position]], class_names[given[position]]
        middle = position % columns * (width + gap) + (width - 1) / 2
        foot = position // columns * (room + height + gap) + room - line * 0.5
        for number, text in enumerate(reversed(_caption(*names, _percent(certainty[position])))):
            ax.text(middle, foot - number * line, text, ha="center", va="baseline", fontsize=fontsize, parse_math=False)
    ax.set_axis_off()
    return ax


def mistakes_figure(
    pictures: np.ndarray,
    true: Sequence[int] | np.ndarray,
    given: Sequence[int] | np.ndarray,
    certainty: Sequence[float] | np.ndarray,
    class_names: Sequence[str],
    heading: str,
) -> Figure:
    """A sheet of what `mistakes` draws, with a heading that ends in `heading`."""
    figure = Figure(layout="constrained")
    ax = mistakes(figure.subplots(), pictures, true, given, certainty, class_names)
    height, width = ax.images[0].get_array().shape
    inches = 1.15 * min(_columns(class_names), len(pictures)) * (1 if _columns(class_names) == 5 else 1.5)
    figure.set_size_inches(max(inches, 4.5), inches * height / width + 0.6)
    figure.suptitle(
        f"Most confident mistakes on {heading}:\ntrue class → the network's answer, and its certainty",
        fontsize=11, parse_math=False,
    )  # fmt: skip
    return figure


def first_layer(ax: Axes, weights: np.ndarray, image_shape: tuple[int, int], most: int = UNITS_SHOWN) -> Axes:
    """Draw the weights (fan_in, fan_out) of a first layer, a picture for each unit: red positive, blue negative.

    All units have the same scale, symmetric around zero. Those with the largest norm come first; at most `most` are
    drawn. InputError when the inputs are no pictures of `image_shape`, (height, width).
    """
    fan_in = len(weights)
    if math.prod(image_shape) != fan_in:
        raise InputError(
            f"image_shape is {tuple(image_shape)}, {math.prod(image_shape)} pixels, but the weights have fan_in "
            f"{fan_in}; expected the (height, width) of the inputs"
        )
    first = np.argsort(-np.linalg.norm(weights, axis=0), kind="stable")[:most]
    pictures = weights.T[first].reshape(-1, *image_shape)
    limit = float(np.abs(pictures).max()) or 1.0
    sheet = tiles(pictures, min(math.ceil(math.sqrt(len(first))), 8), max(1, round(image_shape[1] * GAP)))
    ax.imshow(sheet, cmap="RdBu_r", vmin=-limit, vmax=limit, interpolation="none")
    ax.set_axis_off()
    return ax


def _columns(class_names):
    return 5 if max(map(len, class_names), default=0) <= LONGEST_NAME // 4 else 3


def _caption(true, given, certainty):
    """Two lines: "4 → 9" and "99.2%", or longer names one below the other."""
    if len(true) + len(given) <= LONGEST_NAME:
        return f"{true} → {given}", certainty
    return shortened(true, LONGEST_NAME), f"→ {shortened(given, LONGEST_NAME - 8)}, {certainty}"


def _percent(share):
    """A probability as a percentage; never 100% when it is less."""
    text = f"{share:.1%}"
    return "> 99.9%" if text == "100.0%" else text
