"""Curves against epochs."""

import textwrap
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullLocator
from numpy.typing import NDArray

from fastmlp.plots.style import BEST, DECAY, FAINT, GREY, TRAINING, VALIDATION, VERMILLION, range_of, stretch, tidy
from fastmlp.training.history import History, result_text

TITLE_WIDTH = 44  # characters above a panel


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
    """

    title: str
    history: History
    decay_epochs: Sequence[int] = ()
    failure_reason: str | None = None
    kept_epoch: int | None = None
    others: Sequence[History] = ()


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
    stretch(ax.yaxis)
    if panel.failure_reason:
        _title_failure(ax, panel)
    else:
        _mark_best(ax, panel, epochs, validation, np.nanargmax, "best", "{:.2%}".format)
    return ax


def loss_curves(ax: Axes, panel: Panel) -> Axes:
    """Draw training and validation loss per sample against epochs, on a logarithmic axis, and the lowest one.

    Parameters
    ----------
    ax, panel
        As for `learning_curves`.
    """
    epochs, validation = _draw_curves(ax, panel, "loss")
    losses = np.array(panel.history["train_loss"])
    if (losses[np.isfinite(losses)] > 0).any():  # a logarithmic axis must have something to show
        ax.set_yscale("log")
        ax.yaxis.set_major_locator(_Losses())
        ax.yaxis.set_major_formatter(FuncFormatter(lambda loss, _: f"{loss:g}"))
        ax.yaxis.set_minor_locator(NullLocator())
    if panel.failure_reason:
        _title_failure(ax, panel)
    else:
        _mark_best(ax, panel, epochs, validation, np.nanargmin, "lowest", result_text)
    return ax


class _Losses(LogLocator):
    """Powers of ten; between them as well where few of them are in view."""

    def tick_values(self, vmin: float, vmax: float) -> Any:
        if vmax > 30 * vmin:
            return super().tick_values(vmin, vmax)
        between = LogLocator(subs=(1, 2, 5)) if vmax > 4 * vmin else MaxNLocator(5, steps=(1, 2, 5, 10))
        return between.tick_values(vmin, vmax)


def _draw_curves(ax: Axes, panel: Panel, what: str) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Draw "accuracy" or "loss" and the epochs where the rate fell; (epochs, values on the validation set)."""
    columns = panel.history.to_numpy()
    epochs, training, validation = columns["epoch"], columns[f"train_{what}"], columns[f"validation_{what}"]
    for number, decay in enumerate(panel.decay_epochs):
        ax.axvline(decay, label="learning rate decays" if number == 0 else None, **DECAY)
    for number, other in enumerate(panel.others):
        for part, style in (("train", TRAINING), ("validation", VALIDATION)):
            label = "other seeds" if (number, part) == (0, "validation") else None
            ax.plot(other["epoch"], other[f"{part}_{what}"], label=label, **{**style, **FAINT})
    dot = {"marker": "."} if len(epochs) == 1 else {}  # a line needs two points
    ax.plot(epochs, training, label="training", **TRAINING, **dot)
    if np.isfinite(validation).any():
        ax.plot(epochs, validation, label="validation", **VALIDATION, **dot)
    ax.set_xlim(0, max(epochs.max(initial=1), *panel.decay_epochs, *map(len, panel.others), 1) * 1.02)
    ax.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=6))
    tidy(ax, "y")
    return epochs, validation


def _title_failure(ax: Axes, panel: Panel) -> None:
    """Write the reason without its hint above the axes, where it hides no curve."""
    reason = textwrap.fill((panel.failure_reason or "").partition(";")[0], 52)
    ax.set_title(f"{_wrapped(panel.title)}\n{reason}", fontsize=9, color=VERMILLION, parse_math=False)


def _wrapped(title: str) -> str:
    """In lines that are no wider than a panel."""
    return textwrap.fill(title, TITLE_WIDTH, break_on_hyphens=False)


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
    text = _wrapped(panel.title)
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


def all_curves(ax: Axes, panels: Sequence[Panel], best: int | None = None) -> Axes:
    """Draw the validation accuracies of many networks against epochs in one picture, thin and grey.

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
    stretch(ax.yaxis)
    ax.set_ylim(*range_of(np.concatenate(lines)[:, 1]))
    ax.set_xlim(0, max(*(line[:, 0].max(initial=1) for line in lines), 1) * 1.02)
    ax.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=6))
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
    figure, axes = _grid_of_curves(panels, shape, heading, learning_curves, "accuracy, stretched near 100%")
    axes[0, 0].set_ylim(*accuracy_range(panels))
    return figure


def losses_figure(panels: Sequence[Panel], shape: tuple[int, int], heading: str) -> Figure:
    """Return a figure of panels of loss curves on the same axes, with one legend.

    Parameters
    ----------
    panels, shape, heading
        As for `curves_figure`.
    """
    return _grid_of_curves(panels, shape, heading, loss_curves, "loss per sample")[0]


def _grid_of_curves(
    panels: Sequence[Panel],
    shape: tuple[int, int],
    heading: str,
    draw: Callable[[Axes, Panel], Axes],
    ylabel: str,
) -> tuple[Figure, NDArray[np.object_]]:
    rows, columns = shape
    figure = Figure(figsize=(max(3.7 * columns, 6.4), 2.9 * rows + 1.2), layout="constrained")
    axes = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False)
    longest = 0.0
    for ax, panel in zip(axes.flat, panels, strict=False):
        longest = max(longest, draw(ax, panel).get_xlim()[1])
    axes[0, 0].set_xlim(0, longest)  # all have the same axis, which each drawing has set to its own epochs
    for ax in axes[:, 0]:
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
    figure.legend(list(entries.values()), list(entries), loc="outside lower center", ncols=len(entries), frameon=False)
    return figure, axes
