"""Draws the figures of these pages: `python docs/figures.py`, from the root, writes all, or those that are named."""

import sys
from pathlib import Path

from drawing import augmentation, kernels, losses, optimizers, regularisation, schedules, scikit_learn, streaming

from fastmlp.plots import save

IMAGES = Path(__file__).parent / "images"

FIGURES = {
    "schedules": schedules.schedules,
    "optimizers": optimizers.optimizers,
    "regularisation": regularisation.regularisation,
    "losses": losses.losses,
    "augmented-digits": augmentation.digits_distorted,
    "augmentation": augmentation.curves,
    "streaming": streaming.streaming,
    "kernels-step": kernels.step,
    "kernels-tile": kernels.tile,
    "kernels-memory": kernels.memory,
    "sklearn-filters": scikit_learn.filters,
    "sklearn-alphas": scikit_learn.alphas,
    "sklearn-curves": scikit_learn.training_curves,
}

if __name__ == "__main__":
    for name in sys.argv[1:] or FIGURES:
        save(FIGURES[name](), IMAGES / f"{name}.png")
