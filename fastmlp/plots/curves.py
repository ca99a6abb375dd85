"""Curves against epochs."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median_low
from typing import Any, Self

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullLocator
from numpy.typing import ArrayLike, NDArray

from fastmlp.plots.style import (
    ACCURACY,
    BEST,
    DECAY,
    FAINT,
    GREY,
    TRAINING,
    VALIDATION,
    VERMILLION,
    new_figure,
    range_of,
    score_text,
    stretch,
    tidy,
    wrapped,
)
from fastmlp.training.history import History, result_text, when_measured
from fastmlp.training.network import Network

PARTS = ("train", "validation")
TITLE_WIDTH = 44  # characters above a panel
# A loss may be this many times the highest one of a usual network before the axis, which all share, cuts it off.
SPIKE = 10
MOST = 1e300  # of a value: Matplotlib multiplies the ends of an axis


@dataclass(frozen=True)
class Panel:
    """One network in a figure of learning curves.

    Attributes
    ----------
    title : str
        Such as "tanh, learning rate 0.5".
    history : History
        Its epochs.
    decay_epochs : sequence of int
        Epochs after which its learning rate fell.
    failure_reason : str or None
        Why its training failed.
    kept_epoch : int or None
        The epoch, from 1, whose weights were kept when it stopped early; None for the last.
    others : sequence of History
        The epochs of the same network from other seeds, drawn faintly behind it.
    measure : str
        What its accuracies are: "accuracy" or "R²".
    train_metrics : str or None
        As in the settings, "full" or "running"; None: the figure does not say when the training set was measured.
    """

    title: str
    history: History
    decay_epochs: Sequence[int] = ()
    failure_reason: str | None = None
    kept_epoch: int | None = None
    others: Sequence[History] = ()
    measure: str = ACCURACY
    train_metrics: str | None = None

    @classmethod
    def of(cls, mlp: Network, title: str = "", pruned: int | None = None, others: Sequence[Network] = ()) -> Self:
        """Return what a figure shows of a trained network.

        Parameters
        ----------
        mlp : MLP
            The network.
        title : str
            What to call it.
        pruned : int, optional
            The epoch after which a search gave it up.
        others : sequence of MLP
            The same network from other seeds.
        """
        failure = f"pruned after epoch {pruned}" if pruned else mlp.failure_reason
        histories, config = [other.history for other in others], mlp.config
        return cls(
            title, mlp.history, mlp.decay_epochs, failure, mlp.kept_epoch or None, histories,
            config.loss_function.measure, config.train_metrics,
        )  # fmt: skip


def learning_curves(ax: Axes, panel: Panel) -> Axes:
    """Draw training and validation accuracy against epochs, the epochs where the rate fell, and the best epoch.

    Parameters
    ----------
    ax : Axes
        Where to draw.
    panel : Panel
        What to draw.
    """
    epochs, validation = _draw_curves(ax, panel, "accuracy")
    stretch(ax.yaxis, panel.measure)
    if panel.failure_reason:
        _title_failure(ax, panel)
    else:
        _mark_best(ax, panel, epochs, validation, np.nanargmax, "best", score_text(panel.measure))
    return ax


def loss_curves(ax: Axes, panel: Panel) -> Axes:
    """Draw training and validation loss per sample against epochs, on a logarithmic axis, and the lowest one.

    Parameters
    ----------
    ax, panel
        As for `learning_curves`.
    """
    epochs, validation = _draw_curves(ax, panel, "loss")
    if limits := _around(_losses(panel)):  # a logarithmic axis must have something to show
        ax.set_yscale("log")
        ax.set_ylim(*limits)
        ax.yaxis.set_major_locator(_LossLocator())
        ax.yaxis.set_major_formatter(FuncFormatter(lambda loss, _: f"{loss:g}"))
        ax.yaxis.set_minor_locator(NullLocator())
    if panel.failure_reason:
        _title_failure(ax, panel)
    else:
        _mark_best(ax, panel, epochs, validation, np.nanargmin, "lowest", result_text)
    return ax


class _LossLocator(LogLocator):
    """Powers of ten; between them as well where few of them are in view."""

    def tick_values(self, vmin: float, vmax: float) -> Any:
        if vmax > 30 * vmin:
            return super().tick_values(vmin, vmax)
        between = LogLocator(subs=(1, 2, 5)) if vmax > 4 * vmin else MaxNLocator(5, steps=(1, 2, 5, 10))
        return between.tick_values(vmin, vmax)


def _draw_curves(ax: Axes, panel: Panel, what: str) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Draw "accuracy" or "loss" and the epochs where the rate fell; (epochs, values on the validation set)."""
    columns = panel.history.to_numpy()
    epochs, training, validation = columns["epoch"], *(_drawn(columns[f"{part}_{what}"]) for part in PARTS)
    for number, decay in enumerate(panel.decay_epochs):
        ax.axvline(decay, label="learning rate decays" if number == 0 else None, **DECAY)
    for number, other in enumerate(panel.others):
        for part, style in zip(PARTS, (TRAINING, VALIDATION), strict=True):
            label = "other seeds" if (number, part) == (0, "validation") else None
            ax.plot(other["epoch"], _drawn(other[f"{part}_{what}"]), label=label, **{**style, **FAINT})
    dot = {"marker": "."} if np.isfinite(training).sum() == 1 else {}  # a line needs two points
    ax.plot(epochs, training, label="training", **TRAINING, **dot)
    if np.isfinite(validation).any():
        ax.plot(epochs, validation, label="validation", **VALIDATION, **dot)
    ax.set_xlim(*epoch_range([panel]))
    ax.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=6, min_n_ticks=1))
    tidy(ax, "y")
    return epochs, validation


def _drawn(values: ArrayLike) -> NDArray[np.float64]:
    """Return values, with nan for those that no axis can show."""
    drawn: NDArray[np.float64] = np.asarray(values, float)
    return np.where(np.abs(drawn) < MOST, drawn, np.nan)


def _title_failure(ax: Axes, panel: Panel) -> None:
    """Write the reason without its hint above the axes, where it hides no curve."""
    reason = wrapped((panel.failure_reason or "").partition(";")[0], 52)
    ax.set_title(f"{wrapped(panel.title, TITLE_WIDTH)}\n{reason}", fontsize=9, color=VERMILLION, parse_math=False)


def _mark_best(
    ax: Axes,
    panel: Panel,
    epochs: NDArray[np.int64],
    validation: NDArray[np.float64],
    choose: Callable[[NDArray[np.float64]], np.intp],
    what: str,
    as_text: Callable[[float], str],
) -> None:
    """Circle the epoch that `choose` finds, and write its value and that of the kept one into the title."""
    text = wrapped(panel.title, TITLE_WIDTH)
    if np.isfinite(validation).any():
        kept = panel.kept_epoch or len(epochs)
        best = int(choose(validation))
        ax.plot(epochs[best], validation[best], "o", label="best epoch", **BEST)
        end = f"final {as_text(validation[kept - 1])}"
        if kept < len(epochs):  # in few words, for the title of the next panel begins where this one's ends
            end = "kept" if kept == best + 1 else f"kept epoch {kept}, {as_text(validation[kept - 1])}"
        text += f"\n{what} {as_text(validation[best])} (epoch {epochs[best]}), {end}"
    ax.set_title(text, fontsize=10, parse_math=False)


def accuracy_range(panels: Sequence[Panel]) -> tuple[float, float]:
    """Return the limits (bottom, top) of an accuracy axis on which all curves can be seen.

    Parameters
    ----------
    panels : sequence of Panel
        At least one.
    """
    histories = [history for panel in panels for history in (panel.history, *panel.others)]
    columns = [history[name] for history in histories for name in ("train_accuracy", "validation_accuracy")]
    return range_of(np.concatenate([np.asarray(column, float) for column in columns]))


def epoch_range(panels: Sequence[Panel]) -> tuple[float, float]:
    """Return the limits (left, right) of an axis of epochs, from the first to the last of the longest training.

    Parameters
    ----------
    panels : sequence of Panel
        At least one.
    """
    longest = max(max(len(panel.history), 1, *panel.decay_epochs, *map(len, panel.others)) for panel in panels)
    room = 0.03 * (longest - 1) or 0.5
    return 1 - min(room, 0.5), longest + room  # there is no epoch 0 that could be marked


def loss_range(panels: Sequence[Panel]) -> tuple[float, float] | None:
    """Return the limits (bottom, top) of a logarithmic axis for the losses of several networks.

    Those that failed are left out, and so is what rises far above the others for a while: it would flatten them.

    Parameters
    ----------
    panels : sequence of Panel
        The networks.

    Returns
    -------
    tuple of float, or None
        None where there is nothing that such an axis can show.
    """
    sound = [panel for panel in panels if not panel.failure_reason and len(_losses(panel))]
    if not sound:
        return None
    losses = np.concatenate([_losses(panel) for panel in sound])
    ends = [panel.history[name][-1] for panel in sound for name in ("train_loss", "validation_loss")]
    usual = max([SPIKE * median_low(_losses(panel).max() for panel in sound), *filter(math.isfinite, _drawn(ends))])
    return _around(losses[losses <= usual])


def _losses(panel: Panel) -> NDArray[np.float64]:
    """All losses of a panel that a logarithmic axis can show."""
    histories = (panel.history, *panel.others)
    columns = [history[name] for history in histories for name in ("train_loss", "validation_loss")]
    losses = _drawn(np.concatenate(columns))
    return losses[losses > 0]


def _around(losses: NDArray[np.float64]) -> tuple[float, float] | None:
    """Limits with some room below and above, more of it around a single value; None where there is nothing."""
    if not len(losses):
        return None
    low, high = float(losses.min()), float(losses.max())
    room = 1.25 if high > 1.01 * low else 4
    return low / room, high * room


def all_curves(ax: Axes, panels: Sequence[Panel], best: int | None = None) -> Axes:
    """Draw the validation accuracies of many networks against epochs in one figure, thin and grey.

    Parameters
    ----------
    ax : Axes
        Where to draw.
    panels : sequence of Panel
        At least one.
    best : int, optional
        Position in `panels` of the one that is highlighted.
    """
    lines = [np.column_stack([panel.history["epoch"], panel.history["validation_accuracy"]]) for panel in panels]
    ax.add_collection(LineCollection(lines, colors=GREY, linewidths=0.7, alpha=0.55, label=f"all {len(panels)}"))
    if best is not None:
        ax.plot(*lines[best].T, label="best configuration", **{**VALIDATION, "linestyle": "-"})
    stretch(ax.yaxis, panels[0].measure)
    ax.set_ylim(*range_of(np.concatenate(lines)[:, 1]))
    ax.set_xlim(*epoch_range(panels))
    ax.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=6, min_n_ticks=1))
    return tidy(ax, "y")


def curves_figure(panels: Sequence[Panel], shape: tuple[int, int], heading: str) -> Figure:
    """Return a figure of panels of learning curves on the same axes, with one legend.

    Parameters
    ----------
    panels : sequence of Panel
        At least one; there may be fewer than places in the last row.
    shape : tuple of int
        (rows, columns).
    heading : str
        Heading of the figure.
    """
    measure, limits = panels[0].measure, accuracy_range(panels)
    ylabel = f"{measure}, stretched near {'100%' if measure == ACCURACY else '1'}"
    return _grid_of_curves(panels, shape, heading, learning_curves, ylabel, [limits] * len(panels))


def losses_figure(panels: Sequence[Panel], shape: tuple[int, int], heading: str) -> Figure:
    """Return a figure of panels of loss curves on the same axes, with one legend; what failed has its own axes.

    Parameters
    ----------
    panels, shape, heading
        As for `curves_figure`.
    """
    common = loss_range(panels)
    limits = [_around(_losses(panel)) if panel.failure_reason else common for panel in panels]
    return _grid_of_curves(panels, shape, heading, loss_curves, "loss per sample", limits)


def _grid_of_curves(
    panels: Sequence[Panel],
    shape: tuple[int, int],
    heading: str,
    draw: Callable[[Axes, Panel], Axes],
    ylabel: str,
    limits: Sequence[tuple[float, float] | None],
) -> Figure:
    """A figure of panels; `limits` of the y-axis of each, None for those that `draw` has set."""
    rows, columns = shape
    figure = new_figure(figsize=(max(3.7 * columns, 6.4), 2.9 * rows + 1.2), layout="constrained")
    axes = figure.subplots(rows, columns, squeeze=False)
    epochs = epoch_range(panels)
    for number, (ax, panel) in enumerate(zip(axes.flat, panels, strict=False)):
        draw(ax, panel).set_xlim(*epochs)
        if own := limits[number]:
            ax.set_ylim(*own)
        begins_row = number % columns == 0
        ax.tick_params(labelleft=begins_row or limits[number] != limits[number - 1], labelbottom=False)
        if begins_row:
            ax.set_ylabel(ylabel)
    for ax in axes.flat[len(panels) :]:
        ax.set_axis_off()
    for ax in axes.flat[max(len(panels) - columns, 0) : len(panels)]:  # the lowest of each column
        ax.set_xlabel("epoch")
        ax.tick_params(labelbottom=True)
    figure.suptitle(heading, fontsize=12, parse_math=False)
    entries: dict[str, Artist] = {}
    for ax in axes.flat:
        handles, labels = ax.get_legend_handles_labels()
        entries.update({str(label): handle for handle, label in zip(handles, labels, strict=True)})
    figure.legend(
        list(entries.values()), list(entries), loc="outside lower center", ncols=len(entries), frameon=False,
        title=when_measured(panel.train_metrics for panel in panels if panel.train_metrics), title_fontsize=9,
    )  # fmt: skip
    return figure
