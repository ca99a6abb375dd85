"""What the figures share: a few digits, and how axes and lines look."""

from functools import cache

import numpy as np
from matplotlib.axes import Axes

from fastmlp.data import load
from fastmlp.plots import BLUE, GREY, VERMILLION

GREEN, ORANGE, PURPLE = "#009E73", "#E69F00", "#CC79A7"  # of Okabe and Ito, as those of `fastmlp.plots`
SOLID, DASHED, DOTTED, MIXED = "-", (0, (4, 1.5)), (0, (1, 1.3)), (0, (5, 1.3, 1, 1.3))
# Colour and dash pattern of the first, second ... line of an axis: told apart without colour too.
LINES = ((BLUE, SOLID), (VERMILLION, DASHED), (GREEN, MIXED), (PURPLE, DOTTED), (GREY, SOLID))

HELD_OUT = slice(50_000, 55_000)


@cache
def digits(count: int) -> tuple[tuple[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]:
    """The first `count` images of MNIST with their labels, and 5,000 others to validate on."""
    data = load("mnist")
    return (data.X[:count], data.y[:count]), (data.X[HELD_OUT], data.y[HELD_OUT])


def tidy(ax: Axes, title: str, x: str = "", y: str = "") -> None:
    """Title, names of the axes, and a light grid; nothing else around the curves."""
    ax.set_title(title, fontsize=10)
    ax.set_xlabel(x, fontsize=9.5)
    ax.set_ylabel(y, fontsize=9.5)
    ax.grid(color="0.9", linewidth=0.8)
    ax.set_axisbelow(True)
    ax.spines[["top", "right"]].set_visible(False)
    ax.tick_params(labelsize=9, color=GREY)


def style(number: int) -> dict:
    """How the line of that number in an axis is drawn."""
    colour, dashes = LINES[number]
    return {"color": colour, "linestyle": dashes, "linewidth": 1.7}
