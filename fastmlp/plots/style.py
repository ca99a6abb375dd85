"""What all figures share: colours, dash patterns, the axis of accuracies, and how a figure becomes a file."""

import io
import os
import re
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator
from numpy.typing import NDArray

from fastmlp.errors import InputError
from fastmlp.training.history import result_text
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
PIXELS_PER_INCH = 90  # of a notebook

# Accuracies are drawn at -log10(1 - accuracy + ROOM): 11%, 85% and 97.5% can then be distinguished in one figure, from
# 97% as well. ROOM keeps 100% on the axis.
ROOM = 0.005
ACCURACY = "accuracy"  # the measure that is a share; another one, such as R², is a number
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


def score_text(measure: str = ACCURACY) -> Callable[[float], str]:
    """Return the function that writes an accuracy as text, as a percentage where it is a share.

    Parameters
    ----------
    measure : str
        What the accuracies are: "accuracy" or "R²".
    """
    return "{:.2%}".format if measure == ACCURACY else result_text


def stretch(axis: Axis, measure: str = ACCURACY) -> None:
    """Make an axis one of accuracies that gives the last percents as much room as the first ones.

    Parameters
    ----------
    axis : Axis
        `ax.xaxis` or `ax.yaxis`.
    measure : str
        What the accuracies are: "accuracy" or "R²".
    """
    set_scale = {"x": axis.axes.set_xscale, "y": axis.axes.set_yscale}[axis.axis_name]
    set_scale(
        "function",
        functions=(lambda a: -np.log10(np.maximum(1 - a + ROOM, 1e-9)), lambda drawn: 1 + ROOM - 10.0**-drawn),
    )
    axis.set_major_locator(SpacedLocator(ACCURACY_TICKS))
    axis.set_minor_locator(NullLocator())
    tick = "{:.0%}" if measure == ACCURACY else "{:g}"
    axis.set_major_formatter(FuncFormatter(lambda accuracy, _: tick.format(accuracy)))


class SpacedLocator(FixedLocator):
    """Ticks at given places, as far as their labels have room: the two at the ends come first.

    Parameters
    ----------
    places : sequence of float
        In ascending order.
    """

    def __init__(self, places: Sequence[float]):
        super().__init__(places)

    def __call__(self) -> Any:
        axis, low, high = self.axis, *sorted(self.axis.get_view_interval())
        inside = [place for place in self.locs if low <= place <= high]
        if len(inside) < 3:
            return np.array(inside)
        across = axis.axis_name == "x"
        points = np.full((len(inside), 2), [axis.axes.get_xlim()[0], axis.axes.get_ylim()[0]])
        points[:, 0 if across else 1] = inside
        pixels = axis.axes.transData.transform(points)[:, 0 if across else 1] * 72 / axis.axes.figure.dpi
        size = axis.get_major_ticks(1)[0].label1.get_size()
        labels = [axis.get_major_formatter()(place) for place in inside]
        # Half of what a label takes along the axis, with some room; digits are about 0.64 of their size wide.
        halves = [size * (0.32 * (len(label) + 1.5) if across else 0.65) for label in labels]
        last = len(inside) - 1

        def clear(one: int, other: int) -> bool:
            return bool(abs(pixels[one] - pixels[other]) >= halves[one] + halves[other])

        kept = [0]
        for place in range(1, last):
            if clear(place, kept[-1]) and clear(place, last):
                kept.append(place)
        return np.array([inside[place] for place in [*kept, last]])


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
    lowest, highest = values.min(initial=1), min(values.max(initial=0), 1)  # what a file says may be larger
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


# Where a text is divided: after commas, if its parts then fit into a line, else at spaces, else between the widths of
# layers, else anywhere.
_BREAKS = (re.compile(r"(?<=,) "), re.compile(" "), re.compile(r"(?<=\d-)(?=\d)"), re.compile("(?<=.)(?=.)"))


def wrapped(text: str, width: int, breaks: Sequence[re.Pattern[str]] = _BREAKS) -> str:
    """Return a text in lines of at most so many characters.

    Parameters
    ----------
    text : str
        Any text.
    width : int
        Number of characters.
    breaks : sequence of pattern
        Where lines may end, the best places first; with the first ones alone, lines may be longer.
    """
    here, *finer = breaks
    lines = [""]
    for number, part in enumerate(here.split(text)):
        gap = " " if number and " " in here.pattern else ""
        if not number or len(lines[-1] + gap + part) <= width:
            lines[-1] += gap + part
        else:
            lines.append(part)
    if finer:
        lines = [wrapped(line, width, finer) if len(line) > width else line for line in lines]
    return "\n".join(lines)


def short_names(names: Sequence[str], most: int) -> list[str]:
    """Return names with at most so many characters; where their beginnings are alike, with their numbers.

    Parameters
    ----------
    names : sequence of str
        Names, the first of which has the number 0.
    most : int
        Number of characters.
    """

    def cut(name: str) -> str:
        return name if len(name) <= most else f"{name[: most - 1].rstrip()}…"

    short = [cut(name) for name in names]
    times = Counter(short)
    return [
        one if len(name) <= most or times[one] == 1 else cut(f"{number}: {name}")
        for number, (name, one) in enumerate(zip(names, short, strict=True))
    ]


def save(figure: Figure, path: str | os.PathLike[str]) -> None:
    """Write a figure as PNG, atomically.

    Parameters
    ----------
    figure : Figure
        What to draw.
    path : str or path-like
        The file.
    """
    write_bytes(user_path(path), _png(figure))


def _png(figure: Figure) -> bytes:
    canvas, dpi, image = FigureCanvasAgg(figure), figure.dpi, io.BytesIO()
    try:
        figure.dpi = DOTS_PER_INCH
        canvas.print_png(image)  # `savefig` draws twice where the margins are found by the layout
    finally:
        figure.dpi = dpi
    return image.getvalue()


class _Figure(Figure):
    """A figure that a notebook shows by itself: of others it does that only where pyplot was imported."""

    def _repr_png_(self) -> tuple[bytes, dict[str, int]]:
        """Return an image, and the pixels of a page that it is to take: fewer than it has, for sharp screens."""
        width, height = (self.get_size_inches() * PIXELS_PER_INCH).round().astype(int).tolist()
        return _png(self), {"width": width, "height": height}


def new_figure(**options: Any) -> Figure:
    """Return an empty figure, which a notebook shows where it is the value of a cell.

    Parameters
    ----------
    **options
        As for matplotlib's `Figure`.
    """
    return _Figure(**options)
