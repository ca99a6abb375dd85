"""The figure of docs/regularisation.md."""

from matplotlib.figure import Figure

from fastmlp import MLP
from fastmlp.plots import Panel, losses_figure

from .common import digits

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
    training, held_out = digits(FEW)
    panels = [
        Panel(title, MLP(**{**NETWORK, **settings}).fit(*training, validation=held_out).history)
        for title, settings in PANELS
    ]
    figure = losses_figure(panels, (2, 3), "500 digits to train on")
    # The validation losses are close to one another, far from zero.
    figure.axes[0].set_yscale("linear")
    figure.axes[0].set_ylim(0, 1)
    return figure
