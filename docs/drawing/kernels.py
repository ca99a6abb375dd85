"""The drawings of docs/kernels.md."""

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, Rectangle

from fastmlp.plots import BLUE, GREY, VERMILLION

PALE_BLUE, PALE_RED, PALE_GREY, WHITE = "#D6E8F5", "#F8DDCC", "#ECECEC", "#FFFFFF"
TEXT = "#222222"

# What a thread does in one step, and how long it is drawn: in units of no meaning.
SAMPLES = (("gather", 1.3), ("affine", 2.2), ("loss", 1.2), ("delta", 1.7))
WEIGHTS = (("update", 2.2), ("transpose", 1.6))


def step() -> Figure:
    """One step of training, as two threads take it."""
    figure = Figure(figsize=(7.6, 2.5), layout="constrained")
    ax = _canvas(figure, (-1.3, 14.6), (-0.95, 2.85))
    for thread, y in enumerate((1.3, 0.0)):
        ax.text(-0.15, y + 0.4, f"thread {thread}", ha="right", va="center", fontsize=9.5, color=TEXT)
        x = _boxes(ax, 0, y, SAMPLES, PALE_BLUE)
        _boxes(ax, x + 0.9, y, WEIGHTS, PALE_RED)
    end = sum(width for _, width in SAMPLES)
    second = end + 0.9
    last = second + sum(width for _, width in WEIGHTS)
    for x, text in ((end + 0.45, "barrier: every delta is there"), (last + 0.45, "barrier: the weights are new")):
        ax.plot((x, x), (-0.25, 2.35), color=GREY, linewidth=2.2)
        ax.text(x, -0.4, text, ha="center", va="top", fontsize=8.5, color=TEXT)
    ax.text(end / 2, 2.35, "its own samples of the batch", ha="center", va="bottom", fontsize=9.5, color=BLUE)
    ax.text((second + last) / 2, 2.35, "its own rows of W", ha="center", va="bottom", fontsize=9.5, color=VERMILLION)
    ax.text(last + 0.85, 1.05, "next\nstep", ha="left", va="center", fontsize=9.5, color=TEXT)
    return figure


def tile() -> Figure:
    """One tile of C = A B: sixteen registers, each of which sums a few elements of a row."""
    figure = Figure(figsize=(7.6, 4.1), layout="constrained")
    ax = _canvas(figure, (-5.4, 9.2), (-1.7, 7.8))
    for row in range(4):
        for column in range(6):
            _cell(ax, -5 + 0.7 * column, 3 - row, 0.7, PALE_RED if column == 2 else WHITE)
        for register in range(4):
            _cell(ax, 0.6 + 2 * register, 3 - row, 2, PALE_BLUE if (row, register) == (1, 1) else WHITE, lanes=4)
    for k in range(3):
        for register in range(4):
            _cell(ax, 0.6 + 2 * register, 6.4 - k, 2, PALE_RED if k == 1 else WHITE, lanes=4)
    ax.text(-2.9, 4.25, "A: 4 samples", ha="center", fontsize=10, color=TEXT)
    ax.text(-3.25, -0.25, "k →", ha="center", va="top", fontsize=9.5, color=GREY)
    ax.text(0.3, 5.9, "B: weights,\nk ↓", ha="right", va="center", fontsize=10, color=TEXT)
    ax.text(
        4.6,
        -0.3,
        "C: 4 by 4 registers, here of 4 lanes; bias, activation or step follow",
        ha="center",
        va="top",
        fontsize=9.5,
        color=TEXT,
    )
    for start, end in (((-3.25 + 0.15, 2.5), (2.75, 2.5)), ((3.6, 5.4), (3.6, 2.85))):
        ax.add_patch(FancyArrowPatch(start, end, arrowstyle="-|>", mutation_scale=12, color=VERMILLION, linewidth=1.4))
    ax.text(
        1.9,
        -1.15,
        "C[i, j] = fma(A[i, k], B[k, j], C[i, j])   for k = 0, 1, 2, … in order, one accumulator each",
        ha="center",
        va="top",
        fontsize=9.5,
        family="monospace",
        color=TEXT,
    )
    return figure


def memory() -> Figure:
    """The buffer of a network: rows of W padded to whole cache lines, then b."""
    figure = Figure(figsize=(7.6, 2.9), layout="constrained")
    ax = _canvas(figure, (-1.4, 14.4), (-2.9, 5.1))
    for row in range(4):
        y = 3.2 - 0.8 * row
        name = "b" if row == 3 else f"row {row}"
        ax.text(-0.2, y + 0.35, name, ha="right", va="center", fontsize=9.5, color=TEXT)
        for column in range(12):
            colour = PALE_GREY if column >= 9 else PALE_RED if row == 3 else PALE_BLUE
            ax.add_patch(Rectangle((column, y), 1, 0.7, facecolor=colour, edgecolor="#FFFFFF"))
        for line in (0, 4, 8, 12):
            ax.plot((line, line), (y - 0.05, y + 0.75), color=TEXT, linewidth=1.3)
    _span(ax, 0, 9, 4.3, "FAN_OUT: the weights of one input")
    _span(ax, 9, 12, 4.3, "zeros")
    ax.text(12.25, 2.2, "black:\nborders of\ncache lines", ha="left", va="center", fontsize=9, color=TEXT)
    x = 0.0
    for text, width in (("W of layer 0", 5.2), ("b", 0.8), ("W of layer 1", 4), ("b", 0.8), ("and so on", 2.2)):
        colour = PALE_RED if text == "b" else PALE_BLUE
        ax.add_patch(Rectangle((x, -1.9), width, 0.9, facecolor=colour, edgecolor="#FFFFFF"))
        ax.text(x + width / 2, -1.45, text, ha="center", va="center", fontsize=9, color=TEXT)
        x += width
    ax.text(-0.2, -1.45, "buffer", ha="right", va="center", fontsize=9.5, color=TEXT)
    ax.text(
        0,
        -2.2,
        "one array for all layers; the states of an optimiser are further arrays of the same layout",
        ha="left",
        va="top",
        fontsize=9,
        color=GREY,
    )
    for below, above in ((0, 0), (6, 12)):
        ax.plot((below, above), (-1.0, 0.75), color=GREY, linewidth=0.8, linestyle=":")
    return figure


def _canvas(figure: Figure, x: tuple[float, float], y: tuple[float, float]) -> Axes:
    """Axes without ticks and frames."""
    ax = figure.subplots()
    ax.set(xlim=x, ylim=y)
    ax.set_axis_off()
    return ax


def _boxes(ax: Axes, x: float, y: float, parts: Sequence[tuple[str, float]], colour: str) -> float:
    """Boxes with names in a row; where they end."""
    for name, width in parts:
        ax.add_patch(Rectangle((x, y), width, 0.8, facecolor=colour, edgecolor=TEXT, linewidth=0.8))
        ax.text(x + width / 2, y + 0.4, name, ha="center", va="center", fontsize=9.5, color=TEXT)
        x += width
    return x


def _cell(ax: Axes, x: float, y: float, width: float, colour: str, lanes: int = 1) -> None:
    """A number, or a register that is divided into lanes."""
    ax.add_patch(Rectangle((x, y), width, 1, facecolor=colour, edgecolor=TEXT, linewidth=1))
    for lane in range(1, lanes):
        ax.plot((x + lane * width / lanes,) * 2, (y, y + 1), color=GREY, linewidth=0.5)


def _span(ax: Axes, start: float, end: float, y: float, text: str) -> None:
    """A length with its name above."""
    ax.add_patch(
        FancyArrowPatch(
            (start, y), (end, y), arrowstyle="<->", mutation_scale=9, color=GREY, linewidth=1, shrinkA=0, shrinkB=0
        )
    )
    ax.text((start + end) / 2, y + 0.15, text, ha="center", va="bottom", fontsize=9, color=TEXT)
