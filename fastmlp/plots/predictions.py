"""Predicted numbers against true ones."""

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from fastmlp.plots.style import BLUE, GREY, new_figure, tidy

MOST_POINTS = 3000


def predictions(ax: Axes, true: NDArray[Any], predicted: NDArray[Any], most: int = MOST_POINTS) -> Axes:
    """Draw a point for each prediction, and the line on which they would be right.

    Parameters
    ----------
    ax : Axes
        Where to draw.
    true, predicted : ndarray of shape (N,)
        Numbers.
    most : int
        Largest number of points; of more rows as many are drawn, evenly spread over the true numbers.
    """
    order = np.argsort(true, kind="stable")
    chosen = order[np.unique(np.linspace(0, len(order) - 1, min(most, len(order))).astype(int))]
    x, y = true[chosen], predicted[chosen]
    shown = np.concatenate([x, y[np.isfinite(y)]])
    low, high = float(shown.min()), float(shown.max())
    margin = 0.03 * (high - low) or 1.0
    ends = [low - margin, high + margin]
    ax.plot(ends, ends, color=GREY, linewidth=1, zorder=1)
    alpha = float(np.clip(30 / np.sqrt(len(x)), 0.15, 0.8))
    ax.scatter(x, y, s=9, color=BLUE, alpha=alpha, linewidths=0, zorder=2)
    ax.set_xlim(*ends)
    ax.set_ylim(*ends)
    ax.set_aspect("equal")
    ax.set_xlabel("true")
    ax.set_ylabel("predicted")
    return tidy(ax)


def predictions_figure(true: NDArray[Any], predicted: NDArray[Any], heading: str) -> Figure:
    """Return a figure of predicted numbers against true ones.

    Parameters
    ----------
    true, predicted : ndarray of shape (N,)
        Numbers.
    heading : str
        Heading of the figure.
    """
    figure = new_figure(figsize=(5.6, 5.8), layout="constrained")
    predictions(figure.subplots(), true, predicted)
    figure.suptitle(heading, fontsize=11, parse_math=False)
    return figure
