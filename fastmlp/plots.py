"""Figures: functions that draw on Axes and return them, and builders of whole figures.

Nothing here uses pyplot: no display is needed, and threads may draw side by side. Colours are those of Okabe and Ito,
which colour-blind readers can tell apart, and every line has a dash pattern of its own for print.
"""

import os
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullLocator

from .files import atomic_path
from .history import History

BLUE, VERMILLION, GREY = "#0072B2", "#D55E00", "#777777"
TRAINING: dict[str, Any] = {"color": BLUE, "linestyle": "-", "linewidth": 1.6}
VALIDATION: dict[str, Any] = {"color": VERMILLION, "linestyle": (0, (4, 1.5)), "linewidth": 1.6}
DECAY: dict[str, Any] = {"color": GREY, "linestyle": ":", "linewidth": 1.1}
BEST: dict[str, Any] = {
    "markersize": 7,
    "markerfacecolor": "none",
    "markeredgecolor": VERMILLION,
    "markeredgewidth": 1.5,
}
DOTS_PER_INCH = 150

# Accuracies are drawn at -log10(1 - accuracy + ROOM): 11%, 85% and 97.5% can then be told apart in one picture, from
# 97% as well. ROOM keeps 100% on the axis.
ROOM = 0.005
ACCURACY_TICKS = (0, 0.5, 0.8, 0.9, 0.95, 0.98, 0.99, 1)
FEW_CLASSES, MANY_CLASSES = 12, 40


@dataclass(frozen=True)
class Panel:
    """One network in a figure of learning curves.

    title         such as "tanh, learning rate 0.5"
    history       its epochs
    decay_epochs  epochs after which its learning rate fell
    diverged      None, or why its training failed, in words
    kept_epoch    the epoch, from 1, whose weights it kept when it stopped early; None: the last
    """

    title: str
    history: History
    decay_epochs: Sequence[int] = ()
    diverged: str | None = None
    kept_epoch: int | None = None


# ------------------------------------------------------------------------------------------------- learning curves


def learning_curves(ax: Axes, panel: Panel) -> Axes:
    """Draw training and validation accuracy against epochs, the epochs where the rate fell, and the best epoch."""
    epochs, validation = _draw_curves(ax, panel, "accuracy")
    _stretch(ax)
    if panel.diverged:
        _title_diverged(ax, panel)
    else:
        marked = _mark_best(ax, epochs, validation, panel.kept_epoch or len(epochs))
        ax.set_title(f"{panel.title}\n{marked}", fontsize=10, parse_math=False)
    return ax


def loss_curves(ax: Axes, panel: Panel) -> Axes:
    """Draw training and validation loss per sample against epochs, on a logarithmic axis."""
    _draw_curves(ax, panel, "loss")
    losses = np.array(panel.history["train_loss"])
    if (losses[np.isfinite(losses)] > 0).any():  # a logarithmic axis must have something to show
        ax.set_yscale("log")
    if panel.diverged:
        _title_diverged(ax, panel)
    else:
        ax.set_title(panel.title, fontsize=10, parse_math=False)
    return ax


def _draw_curves(ax, panel, what):
    """Draw "accuracy" or "loss" and the epochs where the rate fell; (epochs, values on the validation set)."""
    columns = panel.history.to_numpy()
    epochs, training, validation = columns["epoch"], columns[f"train_{what}"], columns[f"validation_{what}"]
    for number, decay in enumerate(panel.decay_epochs):
        ax.axvline(decay, label="learning rate decays" if number == 0 else None, **DECAY)
    ax.plot(epochs, training, label="training", **TRAINING)
    ax.plot(epochs, validation, label="validation", **VALIDATION)
    ax.set_xlim(0, max(epochs.max(initial=1), *panel.decay_epochs, 1) * 1.02)
    ax.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=6))
    ax.grid(axis="y", color="0.9", linewidth=0.8)
    ax.set_axisbelow(True)
    ax.spines[["top", "right"]].set_visible(False)
    return epochs, validation


def _title_diverged(ax, panel):
    """The reason without the mend; above the axes, where it hides no curve."""
    reason = textwrap.fill(panel.diverged.partition(";")[0], 52)
    ax.set_title(f"{panel.title}\n{reason}", fontsize=9, color=VERMILLION, parse_math=False)


def _mark_best(ax, epochs, validation, kept):
    """Circle the best epoch, and say how good it and the kept one are; nothing without a validation set."""
    if not np.isfinite(validation).any():
        return ""
    best = int(np.nanargmax(validation))
    ax.plot(epochs[best], validation[best], "o", label="best epoch", **BEST)
    end = "final" if kept == len(epochs) else f"kept epoch {kept},"
    return f"best {validation[best]:.2%} (epoch {epochs[best]}), {end} {validation[kept - 1]:.2%}"


def _stretch(ax):
    """An accuracy axis that gives the last percents as much room as the first ones."""
    ax.set_yscale(
        "function",
        functions=(lambda a: -np.log10(np.maximum(1 - a + ROOM, 1e-9)), lambda drawn: 1 + ROOM - 10.0**-drawn),
    )
    ax.yaxis.set_major_locator(FixedLocator(ACCURACY_TICKS))
    ax.yaxis.set_minor_locator(NullLocator())
    ax.yaxis.set_major_formatter(FuncFormatter(lambda accuracy, _: f"{accuracy:.0%}"))


def accuracy_range(panels: Sequence[Panel]) -> tuple[float, float]:
    """(bottom, top) of an accuracy axis on which all curves of `panels` can be seen."""
    columns = [panel.history[name] for panel in panels for name in ("train_accuracy", "validation_accuracy")]
    values = np.concatenate([np.asarray(column, float) for column in columns])
    values = values[np.isfinite(values)]
    lowest, highest = values.min(initial=1), values.max(initial=0)
    # R^2, the accuracy of numbers, may be below 0: such curves come up from below.
    bottom = max(tick for tick in ACCURACY_TICKS[:-1] if tick <= max(lowest, 0))
    return bottom, min(tick for tick in ACCURACY_TICKS if tick >= highest and tick > bottom)


def curves_figure(panels: Sequence[Panel], shape: tuple[int, int], heading: str) -> Figure:
    """A figure of (rows, columns) panels of learning curves on the same axes, with one legend."""
    figure, axes = _grid_of_curves(panels, shape, heading, learning_curves, "accuracy, stretched near 100%")
    axes[0, 0].set_ylim(*accuracy_range(panels))
    return figure


def losses_figure(panels: Sequence[Panel], shape: tuple[int, int], heading: str) -> Figure:
    """A figure of (rows, columns) panels of loss curves on the same axes, with one legend."""
    return _grid_of_curves(panels, shape, heading, loss_curves, "loss per sample")[0]


def _grid_of_curves(panels, shape, heading, draw, ylabel):
    rows, columns = shape
    figure = Figure(figsize=(max(3.7 * columns, 6.4), 2.9 * rows + 1.2), layout="constrained")
    axes = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False)
    for ax, panel in zip(axes.flat, panels, strict=True):
        draw(ax, panel)
    for ax in axes[:, 0]:
        ax.set_ylabel(ylabel)
    for ax in axes[-1]:
        ax.set_xlabel("epoch")
    figure.suptitle(heading, fontsize=12, parse_math=False)
    entries: dict[str, Artist] = {}
    for ax in axes.flat:
        handles, labels = ax.get_legend_handles_labels()
        entries.update({str(label): handle for handle, label in zip(handles, labels, strict=True)})
    figure.legend(list(entries.values()), list(entries), loc="outside lower center", ncols=len(entries), frameon=False)
    return figure, axes


# ------------------------------------------------------------------------------------------------ confusion matrix


def confusion_matrix(ax: Axes, matrix: np.ndarray, class_names: Sequence[str]) -> Axes:
    """Draw a confusion matrix (C, C) of counts: true classes down, the network's answers across.

    A cell is as dark as its share of its true class, with small shares lifted so that mistakes are seen.
    """
    count = len(class_names)
    shares = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
    darkness = shares**0.45
    ax.imshow(darkness, cmap="Blues", vmin=0, vmax=1)
    if count <= MANY_CLASSES:
        size = 9 if count <= FEW_CLASSES else 6.5
        for row, column in np.argwhere(matrix):
            colour = "white" if darkness[row, column] > 0.6 else "black"
            ax.text(column, row, str(matrix[row, column]), ha="center", va="center", fontsize=size, color=colour)
    every = max(1, count // MANY_CLASSES)
    long = max(map(len, class_names)) > 3
    positions = range(0, count, every)
    names = [class_names[position] for position in positions]
    ax.set_xticks(positions, names, parse_math=False, rotation=45 if long else 0, ha="right" if long else "center")
    ax.set_yticks(positions, names, parse_math=False)
    ax.tick_params(length=0)
    ax.set_xlabel("network's answer")
    ax.set_ylabel("true class")
    return ax


def confusion_figure(matrix: np.ndarray, class_names: Sequence[str], heading: str) -> Figure:
    """A figure of a confusion matrix (C, C), large enough for its classes."""
    side = min(max(5.2, 0.3 * len(class_names) + 1.2), 14)
    figure = Figure(figsize=(side + 0.6, side + 0.6), layout="constrained")
    confusion_matrix(figure.subplots(), matrix, class_names)
    figure.suptitle(heading, fontsize=11, parse_math=False)
    return figure


# --------------------------------------------------------------------------------------------------------- mistakes


def picture(ax: Axes, pixels: np.ndarray, title: str) -> Axes:
    """Draw a picture (height, width), dark ink on white: the darkest ink is its largest value."""
    ax.imshow(pixels, cmap="gray_r", interpolation="nearest")
    ax.set_title(title, fontsize=9, parse_math=False)
    ax.set_axis_off()
    return ax


def mistakes_figure(
    pictures: np.ndarray,
    true: Sequence[int],
    given: Sequence[int],
    certainty: Sequence[float],
    class_names: Sequence[str],
    heading: str,
) -> Figure:
    """A sheet of pictures (K, height, width), K from 1, that a network got wrong.

    true, given  (K,) classes;  certainty  (K,) the probability the network gave to its answer
    """
    columns = min(5, len(pictures))
    rows = -(-len(pictures) // columns)
    width = min(max(1.7, 0.15 * max(map(len, class_names)) + 0.9), 4)
    figure = Figure(figsize=(max(width * columns, 5), 1.95 * rows + 0.9), layout="constrained")
    axes = figure.subplots(rows, columns, squeeze=False).flat
    for ax, pixels, right, wrong, share in zip(axes, pictures, true, given, certainty, strict=False):
        picture(ax, pixels, f"{class_names[right]}, taken for {class_names[wrong]}\n{_percent(share)} certain")
    for ax in axes[len(pictures) :]:
        ax.set_axis_off()
    figure.suptitle(f"Most confident mistakes on {heading}", fontsize=11, parse_math=False)
    return figure


def _percent(share):
    """A probability as a percentage; never 100% when it is less."""
    text = f"{share:.1%}"
    return "> 99.9%" if text == "100.0%" else text


def save(figure: Figure, path: str | os.PathLike[str]) -> None:
    """Write a figure as PNG, atomically."""
    FigureCanvasAgg(figure)
    with atomic_path(path) as temporary:
        figure.savefig(temporary, format="png", dpi=DOTS_PER_INCH)
