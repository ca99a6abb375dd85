"""The sweep: every cell of a recipe trained and measured on validation data. Test data are out of its reach."""

import os
import time
from contextlib import closing
from pathlib import Path
from typing import Any

from fastmlp import plots
from fastmlp.data import Dataset, load, split
from fastmlp.mlp import MLP
from fastmlp.progress import note, reporter, with_epoch_lines

from .parallel import train_cells
from .recipe import Cell, Recipe, check_cells
from .record import best_cell, describe_cell, describe_data, environment, kept_epoch, now
from .run import Run
from .summary import heading, write_summary, write_table


def sweep(recipe: Recipe, out: str | os.PathLike[str], threads: int | None = None) -> dict:
    """Train all cells of `recipe` into the new directory `out`; returns what it wrote to run.json.

    threads  cores to use in all; None: all this process may use. It changes no result
    Raises InputError, InputTypeError for settings, data or a directory that cannot be used, before anything is written.
    """
    check_cells(recipe)
    run = Run(out)
    run.check_free()
    options = dict(recipe.data)
    data = load(options.pop("name"), n_features=options.pop("n_features", None))
    train, validation = split(data, **options)
    record: dict[str, Any] = {
        "format": 1,
        "started": now(),
        "recipe": recipe.to_dict(),
        "data": describe_data(data, len(train.y), len(validation.y)),
        "environment": environment(),
    }
    record["notes"] = [*recipe.notes, *_full_batch(recipe.cells(), len(train.y))]
    run.create()
    for line in record["notes"]:
        note(line)
    begun = time.perf_counter()
    try:
        networks = _train(run, recipe, train, validation, threads, record)
    finally:
        run.remove_if_empty()
    record["seconds"] = round(time.perf_counter() - begun, 3)
    record["cells"] = [describe_cell(cell, networks[position]) for position, cell in enumerate(recipe.cells())]
    best = best_cell(record["cells"])
    record["best"] = best and best["slug"]
    _write_results(run, recipe, networks, record)
    return record


def _full_batch(cells: list[Cell], rows: int) -> list[str]:
    """A note when a batch size is larger than the training set."""
    largest = max(MLP(**cell.settings).batch_size for cell in cells)
    if largest <= rows:
        return []
    return [f"batch size {largest} is more than the {rows} training samples: a step takes all of them"]


def _train(
    run: Run, recipe: Recipe, train: Dataset, validation: Dataset, threads: int | None, record: dict
) -> dict[int, MLP]:
    """Train the cells and write each one's folder as it finishes; the networks by position."""
    networks, cells = {}, recipe.cells()
    labels, epochs = [cell.label for cell in cells], [MLP(**cell.settings).epochs for cell in cells]
    with reporter(labels, epochs) as shown:
        report = with_epoch_lines(shown, labels) if recipe.epoch_lines else shown
        with closing(train_cells(cells, train, validation, threads, report)) as trained:
            for position, mlp in trained:
                networks[position] = mlp
                _write_cell(run.cell(cells[position].slug), run, cells[position], mlp, record)
    return networks


def _write_cell(folder: Path, run: Run, cell: Cell, mlp: MLP, record: dict) -> None:
    mlp.history.to_csv(run.history(folder))
    mlp.save(run.model(folder))
    plots.save(plots.curves_figure([_panel(cell, mlp)], (1, 1), heading(record)), run.curve(folder))


def _panel(cell: Cell, mlp: MLP) -> plots.Panel:
    """What a figure shows of a trained cell."""
    kept = kept_epoch(mlp.history.to_dict(), mlp.early_stopping)
    return plots.Panel(cell.label, mlp.history, mlp.decay_epochs, mlp.diverged, kept)


def _write_results(run, recipe, networks, record):
    panels = [_panel(cell, networks[position]) for position, cell in enumerate(recipe.cells())]
    plots.save(plots.curves_figure(panels, recipe.shape(), heading(record)), run.curves)
    plots.save(plots.losses_figure(panels, recipe.shape(), heading(record)), run.losses)
    write_table(run, record)
    run.write_record(record)  # last but the summary, which is made from it: a run that has it is whole
    write_summary(run)
