"""The figure of docs/regularisation.md."""

import numpy as np
from matplotlib.figure import Figure

from fastmlp import MLP
from fastmlp.plots import BEST, TRAINING, VALIDATION

from .common import digits, tidy

EPOCHS, FEW = 60, 500
NETWORK = {"hidden": (128, 64), "learning_rate": 0.1, "batch_size": 50, "epochs": EPOCHS, "threads": 1}
PANELS = (
    ("nothing", {}),
    ("l2 = 0.01", {"l2": 0.01}),
    ("l1 = 0.0005", {"l1": 0.0005}),
    ("dropout = (0.2, 0.5, 0.5)", {"dropout": (0.2, 0.5, 0.5)}),
    ("max_norm = 1", {"max_norm": 1.0}),
    ("label_smoothing = 0.1", {"label_smoothing": 0.1}),
)


def regularisation() -> Figure:
    """Training and validation losses of a network that is large for its few samples."""
    figure = Figure(figsize=(7.6, 5.2), layout="constrained")
    axes = figure.subplots(2, 3, sharex=True, sharey=True)
    for ax, (title, settings) in zip(axes.flat, PANELS, strict=True):
        training, held_out = digits(FEW)
        history = MLP(**{**NETWORK, **settings}).fit(*training, validation=held_out).history
        validation = np.array(history["validation_loss"])
        best = int(validation.argmin())
        ax.plot(history["epoch"], history["train_loss"], label="training", **TRAINING)
        ax.plot(history["epoch"], validation, label="validation", **VALIDATION)
        ax.plot(history["epoch"][best], validation[best], "o", label="lowest validation loss", **BEST)
        tidy(ax, f"{title}\nlowest {validation[best]:.3f}, last {validation[-1]:.3f}")
    for ax in axes[-1]:
        ax.set_xlabel("epoch", fontsize=9.5)
    for ax in axes[:, 0]:
        ax.set_ylabel("loss, nats", fontsize=9.5)
    axes[0, 0].set(xlim=(0, EPOCHS), ylim=(0, 1))
    handles, labels = axes[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=3, frameon=False, fontsize=9.5)
    return figure
