"""The figure of docs/losses.md."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from fastmlp import MLP
from fastmlp.plots import line_style

from .common import digits, tidy

EPOCHS = 20
NETWORK = {"hidden": (64,), "activation": "tanh", "batch_size": 50, "epochs": EPOCHS, "threads": 1}
# Rates at which each loss trains well here.
TRAININGS = (("cross_entropy", 0.2), ("binary_cross_entropy", 0.2), ("squared_error", 0.05))
# Images of each class to train on, and of the class 0.
RARE, OFTEN = 20, 400


def losses() -> Figure:
    """The losses of one sample, and what they and the weights of classes do to a training."""
    figure = Figure(figsize=(7.6, 3.3), layout="constrained")
    shapes, curves, classes = figure.subplots(1, 3)
    _shapes(shapes)
    _curves(curves)
    _classes(classes)
    shapes.legend(fontsize=8, frameon=False, loc="upper left", bbox_to_anchor=(0.02, 1))
    for ax in (curves, classes):
        ax.legend(fontsize=8, frameon=False, loc="lower right")
    return figure


def _shapes(ax: Axes) -> None:
    """The loss of a sample against how much its own logit is above the other, or the output above 0."""
    z = np.linspace(-4, 6, 201)
    wrong = np.logaddexp(0, -z)  # of two classes, the loss of the true one
    ax.plot(z, wrong, label="cross entropies", **line_style(0))
    ax.plot(z, 0.9 * wrong + 0.1 * (wrong + z / 2), label="label_smoothing = 0.2", **line_style(1))
    near = np.abs(z - 1) < 3.4
    ax.plot(z[near], 0.5 * (z[near] - 1) ** 2, label="squared error, target 1", **line_style(2))
    ax.set(ylim=(0, 9), xlim=(-4, 6))
    ax.set_xticks([-4, -2, 0, 2, 4, 6])
    tidy(ax, "loss of one sample", "logit or output", "loss")


def _curves(ax: Axes) -> None:
    """Validation accuracy of networks that are trained on each loss with the digits as ten columns."""
    (X, y), (Xv, yv) = digits(2_000)
    for number, (loss, rate) in enumerate(TRAININGS):
        accuracies = []
        mlp = MLP(loss=loss, learning_rate=rate, **NETWORK)
        for _ in range(EPOCHS):
            mlp.partial_fit(X, np.eye(10)[y])
            outputs = mlp.predict(Xv) if loss == "squared_error" else mlp.predict_proba(Xv)
            accuracies.append((outputs.argmax(axis=1) == yv).mean())
        ax.plot(range(1, EPOCHS + 1), accuracies, label=loss, **line_style(number))
    ax.set_xlim(1, EPOCHS)
    tidy(ax, "digits, by loss", "epoch", "validation accuracy")


def _classes(ax: Axes) -> None:
    """Fraction of the rare digits that are found, without and with weights."""
    (X, y), (Xv, yv) = digits(5_000)
    rows = np.concatenate([np.flatnonzero(y == label)[: OFTEN if label == 0 else RARE] for label in range(10)])
    for number, weight in enumerate((None, "balanced")):
        recalls = []
        mlp = MLP(class_weight=weight, learning_rate=0.1, **NETWORK)
        for _ in range(EPOCHS):
            mlp.partial_fit(X[rows], y[rows])
            recalls.append((mlp.predict(Xv[yv > 0]) == yv[yv > 0]).mean())
        ax.plot(range(1, EPOCHS + 1), recalls, label=f"class_weight = {weight!r}", **line_style(number))
    ax.set(xlim=(1, EPOCHS), ylim=(0.05, 0.8))
    tidy(ax, "nine rare classes", "epoch", "of them right")
