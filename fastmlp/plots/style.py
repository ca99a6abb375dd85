"""What all figures share: colours, dash patterns, the axis of accuracies, and how a figure becomes a file."""

import io
import os
from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator
from numpy.typing import NDArray

from fastmlp.errors import InputError
from fastmlp.utils.atomic_files import write_bytes
from fastmlp.utils.paths import user_path

BLUE, VERMILLION, GREY, GREEN, PURPLE = "#0072B2", "#D55E00", "#777777", "#009E73", "#CC79A7"
GRID = "#E5E5E5"
SOLID, DASHED, DOTTED, MIXED = "-", (0, (4, 1.5)), (0, (1, 1.3)), (0, (5, 1.3, 1, 1.3))
# Colour and dash pattern of the first, second ... line of an axis.
LINES = ((BLUE, SOLID), (VERMILLION, DASHED), (GREEN, MIXED), (PURPLE, DOTTED), (GREY, SOLID))

TRAINING: dict[str, Any] = {"color": BLUE, "linestyle": SOLID, "linewidth": 1.6}
VALIDATION: dict[str, Any] = {"color": VERMILLION, "linestyle": DASHED, "linewidth": 1.6}
FAINT: dict[str, Any] = {"linewidth": 0.9, "alpha": 0.35}
DECAY: dict[str, Any] = {"color": GREY, "linestyle": ":", "linewidth": 1.1}
BEST: dict[str, Any] = {
    "markersize": 7,
    "markerfacecolor": "none",
    "markeredgecolor": VERMILLION,
    "markeredgewidth": 1.5,
}
DOTS_PER_INCH = 150

# Accuracies are drawn at -log10(1 - accuracy + ROOM): 11%, 85% and 97.5% can then be distinguished in one picture, from
# 97% as well. ROOM keeps 100% on the axis.
ROOM = 0.005
ACCURACY_TICKS = (0, 0.5, 0.8, 0.9, 0.95, 0.98, 0.99, 1)


def line_style(number: int) -> dict[str, Any]:
    """Return how a line is drawn, as arguments of `Axes.plot`.

    Parameters
    ----------
    number : int
        Its number in the axes, from 0 to 4.
    """
    colour, dashes = LINES[number]
    return {"color": colour, "linestyle": dashes, "linewidth": 1.7}


def tidy(ax: Axes, grid: str = "both") -> Axes:
    """Draw a light grid behind the curves, and no frame but the two axes.

    Parameters
    ----------
    ax : Axes
        Where to draw.
    grid : str
        "x", "y" or "both".
    """
    ax.grid(axis=grid, color=GRID, linewidth=0.8)
    ax.set_axisbelow(True)
    ax.spines[["top", "right"]].set_visible(False)
    return ax


def stretch(axis: Axis) -> None:
    """Make an axis one of accuracies that gives the last percents as much room as the first ones.

    Parameters
    ----------
    axis : Axis
        `ax.xaxis` or `ax.yaxis`.
    """
    set_scale = {"x": axis.axes.set_xscale, "y": axis.axes.set_yscale}[axis.axis_name]
    set_scale(
        "function",
        functions=(lambda a: -np.log10(np.maximum(1 - a + ROOM, 1e-9)), lambda drawn: 1 + ROOM - 10.0**-drawn),
    )
    axis.set_major_locator(FixedLocator(ACCURACY_TICKS))
    axis.set_minor_locator(NullLocator())
    axis.set_major_formatter(FuncFormatter(lambda accuracy, _: f"{accuracy:.0%}"))


def range_of(accuracies: NDArray[Any]) -> tuple[float, float]:
    """Return the limits of an axis of accuracies on which all that are finite can be seen.

    Parameters
    ----------
    accuracies : ndarray
        From 0 to 1; R² may be below.

    Returns
    -------
    tuple of float
        (bottom, top), both ticks.
    """
    values = accuracies[np.isfinite(accuracies)]
    lowest, highest = values.min(initial=1), values.max(initial=0)
    # R^2, the accuracy of numbers, may be below 0: such curves come up from below.
    bottom = max(tick for tick in ACCURACY_TICKS[:-1] if tick <= max(lowest, 0))
    return bottom, min(tick for tick in ACCURACY_TICKS if tick >= highest and tick > bottom)


def named(class_names: Sequence[str], count: int) -> Sequence[str]:
    """Return a name for each class: those given or, where there are none, the numbers.

    Parameters
    ----------
    class_names : sequence of str
        Names, or () for none.
    count : int
        Number of classes.

    Returns
    -------
    sequence of str
        `count` names or more.

    Raises
    ------
    InputError
        When there are too few.
    """
    names = class_names if len(class_names) else [str(number) for number in range(count)]
    if len(names) < count:
        raise InputError(f"class_names has {len(names)} names for {count} classes; give one per class, or () for none")
    return names


def shortened(text: str, most: int) -> str:
    """Return a text with at most so many characters: its beginning and, where differences often are, its end.

    Parameters
    ----------
    text : str
        Any text.
    most : int
        Number of characters.
    """
    if len(text) <= most:
        return text
    end = (most - 1) // 3
    return f"{text[: most - 1 - end].rstrip()}…{text[len(text) - end :].lstrip()}"


def save(figure: Figure, path: str | os.PathLike[str]) -> None:
    """Write a figure as PNG, atomically.

    Parameters
    ----------
    figure : Figure
        What to draw.
    path : str or path-like
        The file.
    """
    FigureCanvasAgg(figure)
    picture = io.BytesIO()
    figure.savefig(picture, format="png", dpi=DOTS_PER_INCH)
    write_bytes(user_path(path), picture.getvalue())
