"""The figure of docs/optimizers.md."""

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from fastmlp import MLP
from fastmlp.plots import line_style

from .common import digits, tidy

EPOCHS = 20
NETWORK = {"hidden": (64,), "activation": "tanh", "batch_size": 50, "epochs": EPOCHS, "threads": 1}

DESCENTS = (
    ("plain", {}),
    ("momentum 0.9", {"momentum": 0.9}),
    ("momentum 0.9, dampening 0.9", {"momentum": 0.9, "optimizer": {"name": "sgd", "dampening": 0.9}}),
    ("Nesterov, momentum 0.9", {"momentum": 0.9, "optimizer": {"name": "sgd", "nesterov": True}}),
)
OTHERS = (
    ("adam", {"optimizer": "adam", "learning_rate": 0.002}),
    ("adamw, weight_decay = 0.1", {"optimizer": {"name": "adamw", "weight_decay": 0.1}, "learning_rate": 0.002}),
    ("rmsprop", {"optimizer": "rmsprop", "learning_rate": 0.002}),
    ("lbfgs", {"optimizer": "lbfgs"}),
)


def optimizers() -> Figure:
    """Training losses of the same network from the same start."""
    figure = Figure(figsize=(7.6, 3.6), layout="constrained")
    left, right = figure.subplots(1, 2, sharex=True, sharey=True)
    _losses(left, DESCENTS, 0.03)
    tidy(left, "sgd, learning rate 0.03", "epoch", "training loss, nats")
    _losses(right, OTHERS, 0.03)
    tidy(right, "learning rate 0.002; lbfgs has none", "epoch, or iteration of lbfgs")
    for ax in (left, right):
        ax.set_yscale("log")
        ax.set_xlim(1, EPOCHS)
        ax.set_xticks([1, 5, 10, 15, 20])
        ax.set_ylim(2e-3, 2)
    left.legend(fontsize=8.5, frameon=False, loc="lower left")
    right.legend(fontsize=8.5, frameon=False, loc="lower left")
    return figure


def _losses(ax: Axes, trainings: tuple, rate: float) -> None:
    (X, y), _ = digits(5_000)
    for number, (name, settings) in enumerate(trainings):
        mlp = MLP(**{**NETWORK, "learning_rate": rate, **settings}).fit(X, y)
        line = line_style(number)
        if name == "plain":  # broad, for the curve that hides it
            line |= {"linewidth": 4, "alpha": 0.5}
        ax.plot(mlp.history["epoch"], mlp.history["train_loss"], label=name, **line)
