"""The figures of docs/scikit-learn.md, after scikit-learn's examples of its perceptrons."""

import warnings
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from sklearn.datasets import load_digits, make_circles, make_classification, make_moons
from sklearn.exceptions import ConvergenceWarning
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, StandardScaler

from fastmlp.plots import line_style
from fastmlp.sklearn import MLPClassifier

from .common import digits, tidy

ALPHAS = (0.01, 0.3, 1.0, 5.0)
SOLVERS = (
    ("constant rate", {"solver": "sgd", "momentum": 0.0, "learning_rate_init": 0.2}),
    ("momentum", {"solver": "sgd", "nesterovs_momentum": False, "learning_rate_init": 0.2}),
    ("Nesterov's", {"solver": "sgd", "learning_rate_init": 0.2}),
    ("invscaling", {"solver": "sgd", "learning_rate": "invscaling", "power_t": 0.2, "learning_rate_init": 0.2}),
    ("adam", {"solver": "adam", "learning_rate_init": 0.01}),
)


def filters() -> Figure:
    """What the hidden units of a network look for in MNIST."""
    (X, y), _ = digits(10_000)
    return filters_of(MLPClassifier, X / np.float32(255), y, 28)


def filters_of(kind: Any, X: np.ndarray, y: np.ndarray, side: int) -> Figure:
    """The weights into 16 hidden units as images."""
    network = kind((40,), solver="sgd", learning_rate_init=0.2, max_iter=8, random_state=1)
    weights = fitted(network, X, y).coefs_[0]
    figure = Figure(figsize=(7.6, 2.1), layout="constrained")
    size = np.abs(weights[:, :16]).max() / 2
    for ax, unit in zip(figure.subplots(2, 8).flat, weights.T[:16], strict=True):
        ax.imshow(unit.reshape(side, side), cmap="gray", vmin=-size, vmax=size)
        ax.set_axis_off()
    return figure


def alphas(kind: Any = MLPClassifier) -> Figure:
    """How sure a network is of two classes, where its weights cost little or much."""
    figure = Figure(figsize=(7.6, 5.2), layout="constrained")
    for row, (X, y) in zip(figure.subplots(3, len(ALPHAS)), clouds(), strict=True):
        x, height = (np.linspace(values.min() - 0.5, values.max() + 0.5, 60) for values in X.T)
        grid = np.stack(np.meshgrid(x, height), axis=-1)
        for ax, alpha in zip(row, ALPHAS, strict=True):
            network = kind((10, 10), "tanh", solver="lbfgs", alpha=alpha, max_iter=60, random_state=1)
            sure = fitted(make_pipeline(StandardScaler(), network), X, y).predict_proba(grid.reshape(-1, 2))[:, 1]
            ax.contourf(x, height, sure.reshape(60, 60), np.linspace(0, 1, 11), cmap="RdBu", alpha=0.8)
            ax.scatter(*X.T, c=y, s=6, cmap="RdBu", edgecolors="black", linewidths=0.3)
            ax.set(xticks=[], yticks=[])
    for ax, alpha in zip(figure.axes, ALPHAS, strict=False):
        ax.set_title(f"alpha {alpha:g}", fontsize=10)
    return figure


def clouds() -> list[tuple[np.ndarray, np.ndarray]]:
    """Three sets of points of two classes."""
    blobs = make_classification(80, 2, n_redundant=0, n_clusters_per_class=1, random_state=0)
    return [make_moons(80, noise=0.3, random_state=0), make_circles(80, noise=0.2, factor=0.5, random_state=1), blobs]


def training_curves(kind: Any = MLPClassifier) -> Figure:
    """The loss of each epoch, by solver and by data."""
    figure = Figure(figsize=(7.6, 3.0), layout="constrained")
    sets = (("digits", *load_digits(return_X_y=True)), ("moons", *make_moons(400, noise=0.3, random_state=0)))
    for ax, (name, X, y) in zip(figure.subplots(1, 2), sets, strict=True):
        for number, (label, settings) in enumerate(SOLVERS):
            network = kind(random_state=0, max_iter=15, **settings)
            curve = fitted(network, MinMaxScaler().fit_transform(X), y).loss_curve_
            ax.plot(range(1, len(curve) + 1), curve, label=label, **line_style(number))
        tidy(ax, name, "epoch", "loss")
    figure.axes[0].legend(fontsize=8, frameon=False)
    return figure


def fitted(estimator: Any, X: np.ndarray, y: np.ndarray) -> Any:
    """The estimator after a training that need not converge."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return estimator.fit(X, y)
