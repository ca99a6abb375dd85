"""Networks of a sweep side by side, one point each."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import NullLocator

from fastmlp.plots.style import (
    ACCURACY,
    BEST,
    BLUE,
    GREY,
    LINES,
    VERMILLION,
    SpacedLocator,
    line_style,
    range_of,
    stretch,
    tidy,
    wrapped,
)

MARKERS = "osD^v"
MOST_TICKS = 6
LEGEND_WIDTH = 54  # characters of a line
BESIDE = 26  # characters of a label beside the axes; longer ones are above their points
LABEL_SIZE = 9  # points
SPACED = 1.5  # lines for a network below its label


@dataclass(frozen=True)
class Trial:
    """The result of one network of a sweep.

    Attributes
    ----------
    label : str
        Such as "tanh, learning rate 0.5".
    learning_rate : float
        Its setting.
    train_accuracy, validation_accuracy : float
        Of the weights that were kept, 0 to 1; nan where unknown.
    group : str
        Its other settings, such as "tanh".
    failed : bool
        Whether its training failed.
    """

    label: str
    learning_rate: float
    train_accuracy: float
    validation_accuracy: float
    group: str = ""
    failed: bool = False


def learning_rate_comparison(ax: Axes, trials: Sequence[Trial], joined: bool = True, measure: str = ACCURACY) -> Axes:
    """Draw validation accuracy against learning rate, a line for each group; the best is circled, failures crossed.

    Of more groups than there are kinds of lines, the best ones are named, and the others grey.

    Parameters
    ----------
    ax : Axes
        Where to draw.
    trials : sequence of Trial
        At least one.
    joined : bool
        False where the trials of a group differ in more than their rates, as in a search: points without lines.
    measure : str
        What the accuracies are: "accuracy" or "R²".
    """
    groups = _best_first(trials)
    named = len(LINES) if len(groups) <= len(LINES) else len(LINES) - 1
    for number, group in enumerate(groups):
        line = sorted((t.learning_rate, t.validation_accuracy) for t in trials if t.group == group and not t.failed)
        if number < named:
            style = {**line_style(number), "marker": MARKERS[number], "markersize": 5}
            style["label"] = wrapped(group, LEGEND_WIDTH) or "validation"
        else:
            style = {"color": GREY, "linewidth": 0.7, "marker": ".", "markersize": 3, "zorder": 1.5}
            style["label"] = "the others" if number == named else None
        if not joined:
            style["linestyle"] = "none"
        if line:
            ax.plot(*zip(*line, strict=True), **style)
    bottom, top = range_of(np.array([t.validation_accuracy for t in trials if not t.failed]))
    _mark_failures(ax, trials, bottom)
    best = max((t for t in trials if _is_sound(t)), key=lambda t: t.validation_accuracy, default=None)
    if best is not None:
        ax.plot(
            best.learning_rate, best.validation_accuracy, "o", label="best", clip_on=False, **{**BEST, "markersize": 11}
        )
    stretch(ax.yaxis, measure)
    ax.set_ylim(bottom, top)
    _rates_axis(ax, sorted({t.learning_rate for t in trials}))
    return tidy(ax, "y")


def _is_sound(trial: Trial) -> bool:
    return not trial.failed and math.isfinite(trial.validation_accuracy)


def _best_first(trials: Sequence[Trial]) -> list[str]:
    """The groups, that of the highest accuracy first; in the order of `trials` where there are few."""
    best: dict[str, float] = {}
    for trial in trials:
        reached = trial.validation_accuracy if _is_sound(trial) else -np.inf
        best[trial.group] = max(best.get(trial.group, -np.inf), reached)
    return list(best) if len(best) <= len(LINES) else sorted(best, key=lambda group: -best[group])


def _mark_failures(ax: Axes, trials: Sequence[Trial], bottom: float) -> None:
    failed = [(t.learning_rate, t.validation_accuracy) for t in trials if t.failed]
    if failed:
        rates, accuracies = zip(*failed, strict=True)
        # What is lower, or no number, is put at the foot of the axes.
        ax.plot(rates, np.fmax(accuracies, bottom), "x", color=VERMILLION, markersize=7, label="failed", clip_on=False)


def _rates_axis(ax: Axes, rates: Sequence[float]) -> None:
    if rates[0] > 0:
        ax.set_xscale("log")
    if len(rates) <= MOST_TICKS:
        ax.xaxis.set_major_locator(SpacedLocator(rates))
    ax.xaxis.set_minor_locator(NullLocator())
    ax.xaxis.set_major_formatter(lambda rate, _: f"{rate:g}")
    ax.margins(x=0.08)


def generalisation_gap(ax: Axes, trials: Sequence[Trial], measure: str = ACCURACY) -> Axes:
    """Draw training and validation accuracy of each network, one above the other, joined: the gap between them.

    The y-axis counts lines of text: one for each network and, where labels are too long to stand beside the axes, those
    of the label above it.

    Parameters
    ----------
    ax : Axes
        Where to draw.
    trials : sequence of Trial
        At least one; the first is drawn at the top.
    measure : str
        What the accuracies are: "accuracy" or "R²".
    """
    beside = max(len(t.label) for t in trials) <= BESIDE
    points = ax.bbox.width * 72 / ax.figure.dpi
    labels = [t.label if beside else wrapped(t.label, int(points / (0.56 * LABEL_SIZE))) for t in trials]
    lines = [1 if beside else label.count("\n") + 1 + SPACED for label in labels]
    places = np.cumsum(lines) - 1
    training = np.array([t.train_accuracy for t in trials])
    validation = np.array([t.validation_accuracy for t in trials])
    low, high = range_of(np.concatenate([training, validation]))
    ax.hlines(places, validation, training, color=GREY, linewidth=2, alpha=0.5)
    # Points at the ends of the axis are drawn whole; an R² below it is not drawn, but its line leads there.
    training, validation = (np.where(values < low, np.nan, values) for values in (training, validation))
    ax.plot(training, places, "o", color=BLUE, markersize=5.5, label="training", clip_on=False)
    ax.plot(
        validation,
        places,
        "D",
        color=VERMILLION,
        markersize=5,
        markerfacecolor="none",
        label="validation",
        clip_on=False,
    )
    if beside:
        ax.set_yticks(places, labels, parse_math=False)
    else:
        ax.set_yticks([])
        for place, label in zip(places, labels, strict=True):
            for above, line in enumerate(reversed(label.splitlines()), start=1):
                ax.annotate(
                    line, (0, place - above), (4, 0), ax.get_yaxis_transform(), "offset points", va="center",
                    fontsize=LABEL_SIZE, parse_math=False,
                )  # fmt: skip
    ax.set_ylim(places[-1] + 0.5, -0.5)
    ax.tick_params(axis="y", length=0)
    stretch(ax.xaxis, measure)
    ax.set_xlim(low, high)
    return tidy(ax, "x")
