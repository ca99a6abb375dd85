"""Figures: functions that draw on Axes and return them, and builders of whole figures.

    ax = Figure().subplots()
    learning_curves(ax, Panel("tanh", mlp.history))

Nothing here uses pyplot: no display is needed, and threads may draw side by side. Colours are those of Okabe and Ito,
which colour-blind readers can tell apart, and every line has its own dash pattern or marker for print.
"""

# ruff: noqa: E402  all that is imported below imports matplotlib
from fastmlp.utils.matplotlib_setup import import_matplotlib

import_matplotlib()

from fastmlp.plots.comparison import Trial, generalisation_gap, learning_rate_comparison
from fastmlp.plots.confusion import confusion_figure, confusion_matrix
from fastmlp.plots.curves import (
    Panel,
    accuracy_range,
    all_curves,
    curves_figure,
    epoch_range,
    learning_curves,
    loss_curves,
    loss_range,
    losses_figure,
)
from fastmlp.plots.images import first_layer, mistakes, mistakes_figure, tiles
from fastmlp.plots.learning_rates import learning_rate_search_figure
from fastmlp.plots.predictions import predictions, predictions_figure
from fastmlp.plots.style import ACCURACY, BLUE, GREY, VERMILLION, line_style, new_figure, save, score_text, tidy

__all__ = [
    "ACCURACY",
    "BLUE",
    "GREY",
    "VERMILLION",
    "Panel",
    "Trial",
    "accuracy_range",
    "all_curves",
    "confusion_figure",
    "confusion_matrix",
    "curves_figure",
    "epoch_range",
    "first_layer",
    "generalisation_gap",
    "learning_curves",
    "learning_rate_comparison",
    "learning_rate_search_figure",
    "line_style",
    "loss_curves",
    "loss_range",
    "losses_figure",
    "mistakes",
    "mistakes_figure",
    "new_figure",
    "predictions",
    "predictions_figure",
    "save",
    "score_text",
    "tidy",
    "tiles",
]
