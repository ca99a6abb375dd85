"""The figure of docs/streaming.md."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure

from fastmlp.data.streaming.block_shuffle import shuffled
from fastmlp.plots import BLUE, GREY, VERMILLION

from .common import tidy

# A file of ROWS rows sorted by its ten classes, of which a window holds an eighth.
ROWS, CLASSES, WINDOW = 65_536, 10, 8_192
SORTED = np.arange(ROWS) * CLASSES // ROWS
SHOWN, BATCH = 40, 100
BLOCKS = (4, 16, 64, 256, 1024, 4096)
TRIALS = 6


def streaming() -> Figure:
    """Classes in the batches of a sorted file for several numbers of blocks in a window, and in a full shuffle."""
    figure = Figure(figsize=(7.6, 4.6), layout="constrained")
    strips, right = figure.subfigures(1, 2, width_ratios=(1.15, 1))
    axes = strips.subplots(4, 1, sharex=True)
    for ax, (title, blocks) in zip(
        axes,
        (("4 blocks in a window", 4), ("16, the fewest allowed", 16), ("1,024, the defaults", 1024), ("all rows", 0)),
        strict=True,
    ):
        _strip(ax, title, blocks)
    axes[-1].set_xlabel(f"batches of {BATCH}, one after the other", fontsize=9.5)
    _spread(right.subplots())
    return figure


def _batches(blocks: int, batch: int, seed: int) -> np.ndarray:
    """(batches, CLASSES): how often each class is in each batch of an epoch; blocks 0: one window for all rows."""
    window, block = (WINDOW, WINDOW // blocks) if blocks else (ROWS, 1)
    order = np.concatenate([w.rows[w.order] for w in shuffled(ROWS, block, window, seed, 1)])
    labels = SORTED[order][: ROWS // batch * batch].reshape(-1, batch)
    return (labels[:, :, None] == np.arange(CLASSES)).sum(axis=1)


def _strip(ax: Axes, title: str, blocks: int) -> None:
    """The classes of the first batches as stacked columns."""
    counts = _batches(blocks, BATCH, 3)[:SHOWN]
    image = np.array([np.repeat(np.arange(CLASSES), row) for row in counts]).T
    colours = ListedColormap([str(grey) for grey in np.linspace(0.05, 0.97, CLASSES)])
    ax.imshow(image, cmap=colours, aspect="auto", interpolation="nearest", origin="lower", vmin=0, vmax=CLASSES - 1)
    ax.set_title(title, fontsize=9.5)
    ax.set_yticks([])
    ax.set_ylabel("classes", fontsize=9)
    ax.tick_params(labelsize=9)


def _spread(ax: Axes) -> None:
    """The standard deviation of a class's count over that of a full shuffle: measured, and the formula."""
    for batch, colour, marker in ((100, BLUE, "o"), (500, VERMILLION, "s")):
        share = 1 / CLASSES
        full = np.sqrt(batch * share * (1 - share) * (ROWS - batch) / (ROWS - 1))
        measured = [
            np.sqrt(np.mean([((_batches(blocks, batch, seed) - batch * share) ** 2).mean() for seed in range(TRIALS)]))
            for blocks in BLOCKS
        ]
        ax.plot(BLOCKS, np.array(measured) / full, marker, color=colour, label=f"batches of {batch}")
        line = np.geomspace(BLOCKS[0], BLOCKS[-1], 100)
        ax.plot(line, np.sqrt(1 + (batch - 1) / line), color=colour, linewidth=1.2)
    ax.axhline(1, color=GREY, linewidth=1, linestyle=":")
    ax.set_xscale("log", base=4)
    ax.set_yscale("log")
    ax.set_xticks(BLOCKS, [f"{blocks:,}" for blocks in BLOCKS])
    ax.set_yticks([1, 2, 5, 10], ["1", "2", "5", "10"])
    ax.minorticks_off()
    tidy(ax, "spread of a class's count,\nrelative to a full shuffle", "blocks in a window")
    ax.legend(fontsize=9, frameon=False, title="points measured, lines: formula", title_fontsize=9)
