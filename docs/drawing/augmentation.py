"""The figures of docs/augmentation.md."""

import numpy as np
from matplotlib.figure import Figure

from fastmlp import MLP
from fastmlp.config.augmentation import Augmentation
from fastmlp.kernels.augment import distort
from fastmlp.plots import line_style, tiles

from .common import digits, tidy

ROWS = (
    ("as it is", None),
    ("shift = 3", {"shift": 3}),
    ("rotation = 25", {"rotation": 25}),
    ("scale = 0.25", {"scale": 0.25}),
    ("shear = 0.4", {"shear": 0.4}),
    ("alpha = 34, sigma = 4", {"alpha": 34}),
    ('"affine"', "affine"),
    ('"elastic"', "elastic"),
)
COLUMNS, SIDE, GAP = 10, 28, 2
EPOCHS = 40
NETWORK = {"hidden": (128,), "learning_rate": 0.1, "batch_size": 50, "epochs": EPOCHS, "threads": 1}


def digits_distorted() -> Figure:
    """The same digits as they are and after each distortion, each drawn once."""
    (X, y), _ = digits(100)
    chosen = np.array([np.flatnonzero(y == label)[0] for label in range(COLUMNS)])
    drawn = []
    for _, setting in ROWS:
        augmentation = Augmentation.from_setting(setting)
        images = np.empty((COLUMNS, SIDE * SIDE), np.float32)
        if augmentation is None:
            images[...] = X[chosen] / np.float32(255)
        else:
            distort(X, chosen, 0, augmentation.distortion(SIDE * SIDE, 0, 1), images)
        drawn.append(images.reshape(-1, SIDE, SIDE))
    figure = Figure(figsize=(7.2, 4.4))
    ax = figure.add_axes((0.23, 0.01, 0.76, 0.98))
    ax.imshow(tiles(np.concatenate(drawn), COLUMNS, GAP), cmap="gray_r", interpolation="nearest", vmin=0, vmax=1)
    ax.set_yticks(
        [line * (SIDE + GAP) + SIDE / 2 for line in range(len(ROWS))], [name for name, _ in ROWS], fontsize=9.5
    )
    ax.set_xticks([])
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)
    return figure


def curves() -> Figure:
    """Training and validation accuracy on few images, without distortions and with both presets."""
    figure = Figure(figsize=(7.2, 3.3), layout="constrained")
    left, right = figure.subplots(1, 2, sharex=True, sharey=True)
    training, held_out = digits(1_000)
    for number, augment in enumerate((None, "affine", "elastic")):
        history = MLP(augment=augment, **NETWORK).fit(*training, validation=held_out).history
        left.plot(history["epoch"], history["train_accuracy"], label=f"augment = {augment!r}", **line_style(number))
        right.plot(history["epoch"], history["validation_accuracy"], **line_style(number))
    left.set(xlim=(0, EPOCHS), ylim=(0.8, 1.005))
    tidy(left, "training, undistorted", "epoch", "accuracy")
    tidy(right, "validation", "epoch")
    left.legend(fontsize=9, frameon=False, loc="lower right")
    return figure
