"""The figure of docs/schedules.md."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from fastmlp.config.schedules import from_setting
from fastmlp.plots import BLUE, VERMILLION

from .common import tidy

SCHEDULE_EPOCHS, SCHEDULE_STEPS = 50, 20
# Validation losses that fall, stall, fall a little once the rate is lower, and stall again.
STALLING = np.concatenate([np.geomspace(2, 0.3, 15), np.full(8, 0.3), np.geomspace(0.28, 0.2, 9), np.full(18, 0.2)])

# Title, the setting, decay_epochs; the last one of all is drawn against the losses above.
SCHEDULE_PANELS = (
    ("decay_epochs = [20, 40]", None, (20, 40)),
    ("step, every = 10", {"name": "step", "every": 10}, ()),
    ("exponential, factor = 0.95", "exponential", ()),
    ("inverse, decay = 0.2", {"name": "inverse", "decay": 0.2}, ()),
    ("cosine", "cosine", ()),
    ("cosine, warm_up = 5", {"name": "cosine", "warm_up": 5}, ()),
    ("one-cycle", "one-cycle", ()),
    ("plateau", "plateau", ()),
)


def schedules() -> Figure:
    """Every kind of schedule: the factor on the learning rate against the epochs done."""
    figure = Figure(figsize=(7.2, 7.6), layout="constrained")
    axes = figure.subplots(4, 2, sharex=True, sharey=True)
    for ax, (title, setting, decay_epochs) in zip(axes.flat, SCHEDULE_PANELS, strict=True):
        _schedule(ax, title, setting, decay_epochs)
    _losses(axes.flat[-1])
    for ax in axes[-1]:
        ax.set_xlabel("epochs done")
    for ax in axes[:, 0]:
        ax.set_ylabel("factor")
    return figure


def _schedule(ax: Axes, title: str, setting: object, decay_epochs: tuple[int, ...]) -> None:
    schedule, rates = from_setting(setting, 1.0, SCHEDULE_EPOCHS, decay_epochs), []
    for epoch, loss in enumerate(STALLING, start=1):
        rates.append(schedule.rates(epoch, SCHEDULE_STEPS))
        schedule.after_epoch({"train_loss": loss, "validation_loss": loss})
    time = np.arange(SCHEDULE_EPOCHS * SCHEDULE_STEPS) / SCHEDULE_STEPS
    ax.plot(time, np.concatenate(rates), color=BLUE, linewidth=1.8)
    ax.set(xlim=(0, SCHEDULE_EPOCHS), ylim=(0, 1.06))
    ax.set_xticks(range(0, SCHEDULE_EPOCHS + 1, 10))
    tidy(ax, title)


def _losses(ax: Axes) -> None:
    """The losses that `plateau` follows, scaled to the axes, behind its curve."""
    epochs = np.arange(1, SCHEDULE_EPOCHS + 1)
    ax.plot(epochs, STALLING / STALLING.max(), color=VERMILLION, linestyle=(0, (4, 1.5)), linewidth=1.4, zorder=1)
    ax.text(22.5, 0.22, "validation\nloss, scaled", color=VERMILLION, fontsize=9)
