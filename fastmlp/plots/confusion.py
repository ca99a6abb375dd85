"""Confusion matrices."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from fastmlp.plots.style import named, new_figure, short_names

FEW_CLASSES, MANY_CLASSES = 12, 40
DARK, LIGHT = "#101010", "#FFFFFF"
LONGEST_NAME = 24


def confusion_matrix(ax: Axes, matrix: NDArray[Any], class_names: Sequence[str]) -> Axes:
    """Draw a confusion matrix: true classes down, predictions across.

    A cell is as dark as its share of its true class, with small shares lifted so that mistakes are seen.

    Parameters
    ----------
    ax : Axes
        Where to draw.
    matrix : ndarray of shape (C, C)
        Counts.
    class_names : sequence of str
        One for each class; () stands for the numbers.

    Raises
    ------
    InputError
        When there are too few names.
    """
    count = len(matrix)
    class_names = short_names(named(class_names, count), LONGEST_NAME)
    shares = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
    darkness = shares**0.45
    ax.imshow(darkness, cmap="Blues", vmin=0, vmax=1, interpolation="none")
    if count <= MANY_CLASSES:
        size = 9 if count <= FEW_CLASSES else 6.5
        for row, column in np.argwhere(matrix):
            colour = LIGHT if darkness[row, column] > 0.6 else DARK
            ax.text(column, row, str(matrix[row, column]), ha="center", va="center", fontsize=size, color=colour)
    every = max(1, count // MANY_CLASSES)
    long = max(map(len, class_names)) > 3
    positions = range(0, count, every)
    names = [class_names[position] for position in positions]
    slant = {"rotation": 45, "ha": "right", "rotation_mode": "anchor"} if long else {}
    ax.set_xticks(positions, names, parse_math=False, **slant)
    ax.set_yticks(positions, names, parse_math=False)
    ax.tick_params(length=0)
    ax.set_xlabel("prediction")
    ax.set_ylabel("true class")
    return ax


def confusion_figure(matrix: NDArray[Any], class_names: Sequence[str], heading: str) -> Figure:
    """Return a figure of a confusion matrix, large enough for its classes.

    Parameters
    ----------
    matrix, class_names
        As for `confusion_matrix`.
    heading : str
        Heading of the figure.
    """
    side = min(max(5.2, 0.3 * len(matrix) + 1.2), 14)
    figure = new_figure(figsize=(side + 0.6, side + 0.6), layout="constrained")
    confusion_matrix(figure.subplots(), matrix, class_names)
    figure.suptitle(heading, fontsize=11, parse_math=False)
    return figure
