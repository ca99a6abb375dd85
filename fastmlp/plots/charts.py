"""The charts of a page: what `fastmlp.plots` draws, as SVG with its values beside it."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from fastmlp import plots
from fastmlp.plots.comparison import BESIDE
from fastmlp.plots.confusion import FEW_CLASSES
from fastmlp.plots.svg import POINTS_PER_INCH, inline_svg
from fastmlp.training.history import result_text

# Points, which are pixels of a page: a phone shows this width as it is.
WIDTH, HEIGHT = 360, 215
AsText = Callable[[float], str]
MARGINS = (62, 36, 8, 23)  # of curves: left, bottom, right, top
SMALL: dict[str, Any] = {"fontsize": 10}
NOTHING = "\u2013"  # what stands where there is no number
MOST_VALUES = 400  # of a curve that are shown when it is pointed at


@dataclass(frozen=True)
class Chart:
    """A figure for the page.

    Attributes
    ----------
    svg : Markup
        An <svg> element.
    width : int
        Pixels that it needs to be read.
    values : dict or None
        What is shown when it is pointed at: see `_values`.
    """

    svg: Markup
    width: int
    values: dict[str, Any] | None = None


def _axes(width: float, height: float, margins: tuple[float, float, float, float] | None = None) -> Axes:
    """Axes in a figure of this size.

    margins  left, bottom, right, top; None: those that the labels turn out to need, which takes longer to find
    """
    figure = Figure(figsize=(width / POINTS_PER_INCH, height / POINTS_PER_INCH))
    if margins is None:
        figure.set_layout_engine("constrained")
    ax = figure.subplots()
    if margins is not None:
        _set_margins(ax, margins)
    ax.tick_params(labelsize=10, width=0.8)
    return ax


def _set_margins(ax: Axes, margins: tuple[float, float, float, float]) -> None:
    """Let axes fill their figure as it is now, but for margins on the left, at the bottom, right and top."""
    (width, height), (left, bottom, right, top) = ax.figure.get_size_inches() * POINTS_PER_INCH, margins
    ax.set_position((left / width, bottom / height, 1 - (left + right) / width, 1 - (bottom + top) / height))


def _chart(ax: Axes, name: str, title: str) -> Chart:
    figure = ax.figure
    svg = Markup(inline_svg(figure, name, title))  # noqa: S704  written by ElementTree, which escapes
    return Chart(svg, round(figure.get_size_inches()[0] * POINTS_PER_INCH))


def _legend(ax: Axes, columns: int = 4) -> None:
    """Draw the legend above the axes, where it hides nothing."""
    ax.set_title("")
    outside = "outside " if ax.figure.get_layout_engine() else ""
    ax.figure.legend(loc=f"{outside}upper left", ncols=columns, frameon=False, borderaxespad=0, **COMPACT)


COMPACT: dict[str, Any] = {"fontsize": 9.5, "handlelength": 1.8, "columnspacing": 1, "handletextpad": 0.5}


def _values(
    ax: Axes, epochs: Sequence[int], series: Mapping[str, Sequence[float] | NDArray[np.float64]], as_text: AsText
) -> dict[str, Any]:
    """Return where the points of curves are in the drawn figure, and their values as text.

    `series` has the values of each curve, one per epoch. The result has x (epochs,) and, for each curve, its name,
    y (epochs,) and text (epochs,); y is None where it has no point.
    """
    height = ax.figure.get_size_inches()[1] * POINTS_PER_INCH
    chosen = range(0, len(epochs), math.ceil(len(epochs) / MOST_VALUES))
    at = [epochs[position] for position in chosen]
    lines = []
    for name, values in series.items():
        column = np.array([values[position] for position in chosen], float)
        if not np.isfinite(column).any():
            continue
        y = height - ax.transData.transform(np.column_stack([at, column]))[:, 1]
        lines.append(
            {
                "name": name,
                "y": [round(float(v), 1) if math.isfinite(v) else None for v in y],
                "text": [as_text(v) for v in column],
            }
        )
    x = ax.transData.transform([(epoch, ax.get_ylim()[1]) for epoch in at])[:, 0]
    top, bottom = height - ax.bbox.y1, height - ax.bbox.y0
    return {
        "x": [round(float(v), 1) for v in x],
        "epoch": at,
        "span": [round(float(top), 1), round(float(bottom), 1)],
        "lines": lines,
    }


def score(measure: str) -> AsText:
    """Return the function that writes an accuracy as text.

    Parameters
    ----------
    measure : str
        What the accuracies are: "accuracy", which is written as a percentage, or "R²".
    """
    as_text = plots.score_text(measure)
    return lambda value: as_text(value) if math.isfinite(value) else NOTHING


def percent(value: float) -> str:
    """Return a share as text.

    Parameters
    ----------
    value : float
        From 0 to 1, or not finite.
    """
    return score(plots.ACCURACY)(value)


def difference(measure: str) -> AsText:
    """Return the function that writes a difference of accuracies as text, in points where they are percentages.

    Parameters
    ----------
    measure : str
        As for `score`.
    """
    scale, digits = (100, 2) if measure == plots.ACCURACY else (1, 4)
    return lambda value: f"{scale * value:.{digits}f}" if math.isfinite(value) else NOTHING


def number(value: float | None) -> str:
    """Return a loss as text.

    Parameters
    ----------
    value : float or None
        Any number.
    """
    return NOTHING if value is None or not math.isfinite(value) else result_text(value)


def accuracy_chart(panel: plots.Panel, among: Sequence[plots.Panel], name: str) -> Chart:
    """Draw accuracies against epochs.

    Parameters
    ----------
    panel : Panel
        The curves.
    among : sequence of Panel
        Those that have the same axes, this one being among them.
    name : str
        Unique in the page.
    """
    ax = plots.learning_curves(_axes(WIDTH, HEIGHT, MARGINS), panel)
    ax.set_ylim(*plots.accuracy_range(among))
    return _curves(ax, panel, among, name, panel.measure, score(panel.measure))


def loss_chart(panel: plots.Panel, among: Sequence[plots.Panel], name: str) -> Chart:
    """Draw losses against epochs; a network that failed has its own axis of losses.

    Parameters
    ----------
    panel, among, name
        As for `accuracy_chart`.
    """
    ax = plots.loss_curves(_axes(WIDTH, HEIGHT, MARGINS), panel)
    limits = plots.loss_range(among)
    if limits is not None and not panel.failure_reason:
        ax.set_ylim(*limits)
    return _curves(ax, panel, among, name, "loss", number)


def _curves(ax: Axes, panel: plots.Panel, among: Sequence[plots.Panel], name: str, what: str, as_text: AsText) -> Chart:
    ax.set_xlim(*plots.epoch_range(among))
    ax.set_ylabel(what, **SMALL)
    ax.set_xlabel("epoch", **SMALL)
    _legend(ax)
    chart = _chart(ax, name, f"{what} of {panel.title} against epochs")
    column = "loss" if what == "loss" else "accuracy"
    series = {part: panel.history[f"{key}_{column}"] for part, key in PARTS.items()}
    return Chart(chart.svg, chart.width, _values(ax, panel.history["epoch"], series, as_text))


PARTS = {"training": "train", "validation": "validation"}


def all_curves_chart(panels: Sequence[plots.Panel], best: int | None) -> Chart:
    """Draw the validation accuracies of many configurations in one figure.

    Parameters
    ----------
    panels : sequence of Panel
        At least one.
    best : int or None
        Position of the one that is highlighted.
    """
    measure = panels[0].measure
    ax = plots.all_curves(_axes(WIDTH * 1.6, HEIGHT * 1.5, MARGINS), panels, best)
    ax.set_ylabel(f"validation {measure}", **SMALL)
    ax.set_xlabel("epoch", **SMALL)
    _legend(ax)
    chart = _chart(ax, "all", f"validation {measure} of {len(panels)} configurations against epochs")
    longest = max(len(panel.history) for panel in panels)
    table = np.full((len(panels), longest), np.nan)
    for row, panel in zip(table, panels, strict=True):
        row[: len(panel.history)] = panel.history["validation_accuracy"]
    # An epoch that no finite accuracy is left in has no median.
    seen = np.flatnonzero(np.isfinite(table).any(axis=0))
    table = table[:, seen]
    series = {"best configuration": table[best]} if best is not None else {}
    series |= {"highest": np.nanmax(table, axis=0), "median": np.nanmedian(table, axis=0)}
    series |= {"lowest": np.nanmin(table, axis=0)}
    return Chart(chart.svg, chart.width, _values(ax, (seen + 1).tolist(), series, score(measure)))


def rates_chart(trials: Sequence[plots.Trial], measure: str, joined: bool = True) -> Chart:
    """Draw validation accuracy against learning rate.

    Parameters
    ----------
    trials : sequence of Trial
        At least one.
    measure : str
        Name of the accuracies.
    joined : bool
        See `plots.learning_rate_comparison`.
    """
    longest = max(len(trial.group) for trial in trials)
    columns = 4 if longest <= 12 else 2 if longest <= 24 else 1
    ax = plots.learning_rate_comparison(_axes(WIDTH, HEIGHT), trials, joined, measure)
    entries = [label.count("\n") + 1 for label in ax.get_legend_handles_labels()[1]]
    ax.figure.set_figheight((HEIGHT + 14 * sum(entries) / columns) / POINTS_PER_INCH)
    ax.set_ylabel(f"validation {measure}", **SMALL)
    ax.set_xlabel("learning rate", **SMALL)
    _legend(ax, columns)
    return _chart(ax, "rates", f"validation {measure} against learning rate")


def gap_chart(trials: Sequence[plots.Trial], measure: str) -> Chart:
    """Draw training against validation accuracy.

    Parameters
    ----------
    trials : sequence of Trial
        At least one.
    measure : str
        Name of the accuracies.
    """
    beside = max(len(trial.label) for trial in trials) <= BESIDE
    margins = None if beside else (12, 36, 18, 23)
    ax = plots.generalisation_gap(_axes(WIDTH, HEIGHT, margins), trials, measure)
    ax.figure.set_figheight((70 + (19 if beside else 12) * ax.get_ylim()[0]) / POINTS_PER_INCH)
    if margins:
        _set_margins(ax, margins)
    ax.set_xlabel(measure, **SMALL)
    _legend(ax)
    return _chart(ax, "gap", f"training and validation {measure} of each configuration")


def confusion_chart(matrix: NDArray[Any], class_names: Sequence[str]) -> Chart:
    """Draw a confusion matrix with its counts.

    Parameters
    ----------
    matrix : ndarray of shape (C, C)
        Counts by true class and prediction.
    class_names : sequence of str
        One for each class.
    """
    count = len(class_names)
    side = WIDTH if count <= FEW_CLASSES else 18.5 * count + 90
    ax = plots.confusion_matrix(_axes(side, side), matrix, class_names)
    ax.tick_params(labelsize=9)
    return _chart(ax, "confusion", f"confusion matrix of {count} classes: true class down, prediction across")


def predictions_chart(true: NDArray[Any], predicted: NDArray[Any]) -> Chart:
    """Draw predicted numbers against true ones.

    Parameters
    ----------
    true, predicted : ndarray of shape (N,)
        Numbers.
    """
    ax = plots.predictions(_axes(WIDTH, WIDTH), true, predicted, MOST_VALUES)
    return _chart(ax, "predictions", "predicted against true numbers: on the line they are right")


def mistakes_chart(mistakes: dict[str, NDArray[Any]], class_names: Sequence[str]) -> Chart:
    """Draw the most confident mistakes as images.

    Parameters
    ----------
    mistakes : dict
        The arrays of mistakes.npz.
    class_names : sequence of str
        One for each class.
    """
    images, true, given = mistakes["images"], mistakes["true"], mistakes["given"]
    ax = plots.mistakes(_axes(WIDTH, WIDTH), images, true, given, mistakes["certainty"], class_names, fontsize=9)
    return _chart(_fitted(ax), "mistakes", f"the {len(images)} most confident mistakes")


def first_layer_chart(weights: NDArray[Any], image_shape: tuple[int, int]) -> Chart:
    """Draw the weights of the first layer's units as images.

    Parameters
    ----------
    weights : ndarray of shape (fan_in, fan_out)
        The weights.
    image_shape : tuple of int
        (height, width) of the inputs.
    """
    ax = _fitted(plots.first_layer(_axes(WIDTH, WIDTH), weights, image_shape))
    return _chart(ax, "weights", "weights of the first layer, an image for each unit")


def _fitted(ax: Axes) -> Axes:
    """Make the figure as high as the one plot in it asks for."""
    height, width = ax.images[0].get_array().shape
    ax.figure.set_size_inches(WIDTH / POINTS_PER_INCH, WIDTH / POINTS_PER_INCH * height / width)
    return ax
