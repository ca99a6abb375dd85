"""The figures of a run: a panel for each configuration, its other seeds drawn faintly."""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from fastmlp import plots
from fastmlp.mlp import MLP
from fastmlp.report.tables import heading
from fastmlp.runs.aggregate import CellGroup, group_cells, ranked
from fastmlp.runs.cells import CellResult
from fastmlp.runs.records import CellRecord, RunRecord
from fastmlp.runs.run_directory import Run

MOST_PANELS = 30  # six rows of five: a page that can still be read


def draw_cell(path: Path, result: CellResult, title: str) -> None:
    """Write the learning curves of one cell.

    Parameters
    ----------
    path : Path
        The PNG file.
    result : CellResult
        The trained network.
    title : str
        Heading of the figure.
    """
    panel = plots.Panel.of(result.mlp, result.cell.label, result.pruned)
    plots.save(plots.curves_figure([panel], (1, 1), title), path)


def draw_run(run: Run, record: RunRecord, networks: Iterable[MLP], shape: Callable[[int], tuple[int, int]]) -> None:
    """Write curves.png and losses.png.

    Parameters
    ----------
    run : Run
        The run directory.
    record : RunRecord
        Its record.
    networks : iterable of MLP
        The networks of the record's cells, in their order.
    shape : callable
        Returns (rows, columns) of a figure for a number of configurations.
    """
    trained = dict(zip((cell.slug for cell in record.cells), networks, strict=True))
    shown, count = _shown(record.cells), len(group_cells(record.cells))
    panels = [_panel_of(group, trained) for group in shown]
    title = heading(record)
    if len(shown) < count:
        title += f" (the best {len(shown)} of {count} configurations)"
    plots.save(plots.curves_figure(panels, shape(len(panels)), title), run.curves)
    plots.save(plots.losses_figure(panels, shape(len(panels)), title), run.losses)


def _panel_of(group: CellGroup, trained: dict[str, MLP]) -> plots.Panel:
    """The panel of a configuration: its first sound seed, before all others."""
    first = (group.sound or group.cells)[0]
    others = [trained[cell.slug] for cell in group.cells if cell is not first]
    return plots.Panel.of(trained[first.slug], group.label, first.pruned, others)


def _shown(cells: Sequence[CellRecord]) -> list[CellGroup]:
    """The configurations that fit, in order; if there are too many, the best ones."""
    found = group_cells(cells)
    if len(found) <= MOST_PANELS:
        return found
    best = {group.slug for group in ranked(cells)[:MOST_PANELS]}
    return [group for group in found if group.slug in best] or found[:MOST_PANELS]
