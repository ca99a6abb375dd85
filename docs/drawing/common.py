"""What the figures share: a few digits, and how axes look."""

from functools import cache

import numpy as np
from matplotlib.axes import Axes

from fastmlp import plots
from fastmlp.data import load

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
    ax.tick_params(labelsize=9, color=plots.GREY)
    plots.tidy(ax)
