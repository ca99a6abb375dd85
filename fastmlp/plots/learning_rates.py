"""The loss against the learning rate of a search."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from fastmlp.plots.style import BLUE, GREY, VERMILLION, new_figure, tidy


def learning_rate_search_figure(
    rates: Sequence[float] | NDArray[Any],
    losses: Sequence[float] | NDArray[Any],
    smoothed: Sequence[float] | NDArray[Any],
    suggestion: float,
) -> Figure:
    """Return a figure of the loss of each step against its learning rate, and the rate that is suggested.

    Parameters
    ----------
    rates, losses, smoothed : sequence of float, each of length steps
        Rate and loss of each step, and the average of the losses around it.
    suggestion : float
        A rate.
    """
    figure = new_figure(figsize=(6.4, 4), layout="constrained")
    ax = tidy(figure.subplots())
    ax.plot(rates, losses, color=GREY, linewidth=0.9, alpha=0.6, label="each batch")
    ax.plot(rates, smoothed, color=BLUE, linewidth=1.7, label="average")
    ax.axvline(suggestion, color=VERMILLION, linestyle=":", linewidth=1.4, label=f"suggestion {suggestion:.2g}")
    ax.set_xscale("log")
    low, high = float(np.min(smoothed)), float(np.max(smoothed[: -(-len(smoothed) // 2)]))  # what is lost is cut off
    room = (high - low) or 1
    ax.set_ylim(low - 0.1 * room, high + 0.5 * room)
    ax.set_xlabel("learning rate")
    ax.set_ylabel("loss")
    ax.legend(frameon=False)
    return figure
