"""The sweep: every cell of a recipe trained and measured on validation data. Test data are out of its reach."""

import os
import time
from collections.abc import Iterable
from contextlib import closing
from typing import Any

from fastmlp import plots
from fastmlp.data import Dataset, load, split
from fastmlp.errors import InputError
from fastmlp.mlp import MLP
from fastmlp.progress import note, reporter, with_epoch_lines

from .parallel import Failure, Outcome, shared_inputs, train_cells
from .recipe import Cell, Recipe, check_cells
from .record import best_cell, describe_cell, describe_data, describe_failure, environment, now
from .run import FORMAT, Run
from .side_by_side import choose_plan
from .store import Store, panel
from .summary import heading, write_summary, write_table


def sweep(recipe: Recipe, out: str | os.PathLike[str], threads: int | None = None) -> dict:
    """Train all cells of `recipe` into the directory `out`; returns what it wrote to run.json.

    A cell that is there already, of the same settings, data and engine, is not trained again, and one that was
    interrupted goes on from its last checkpoint: the same call finishes what was killed, to the same bits.

    threads  cores to use in all; None: all this process may use. It changes no result
    Raises InputError, InputTypeError for settings, data or a directory that cannot be used, before anything is written.
    """
    check_cells(recipe)
    run = Run(out)
    run.check_usable()
    options = dict(recipe.data)
    data = load(options.pop("name"), n_features=options.pop("n_features", None))
    train, validation = split(data, **options)
    record: dict[str, Any] = {
        "format": FORMAT,
        "finished": False,
        "started": now(),
        "seconds": 0.0,
        "recipe": recipe.to_dict(),
        "data": describe_data(data, len(train.y), len(validation.y)),
        "environment": environment(),
        "notes": [*recipe.notes, *_full_batch(recipe.cells(), len(train.y))],
    }
    parts = ("digest", "training_rows", "validation_rows")
    store = Store(run, {**{name: record["data"][name] for name in parts}, "stratify": options.get("stratify", False)})
    with run.claimed():
        earlier = run.read_unfinished()
        _check_same_data(run, earlier, record)
        for line in record["notes"]:
            note(line)
        run.write_record(record)
        begun = time.perf_counter()
        try:
            outcomes = _train(store, recipe, train, validation, threads, heading(record))
        finally:
            run.forget_if_empty()
        record["seconds"] = round(time.perf_counter() - begun, 3)
        _write_results(run, store, recipe, outcomes, record)
    return record


def _full_batch(cells: list[Cell], rows: int) -> list[str]:
    """A note when a batch size is larger than the training set."""
    largest = max(MLP(**cell.settings).batch_size for cell in cells)
    if largest <= rows:
        return []
    return [f"batch size {largest} is more than the {rows} training samples: a step takes all of them"]


def _check_same_data(run, earlier, record):
    """Raise InputError when the folder holds a sweep of other data, whose results no table may put beside these."""
    if earlier is None or earlier["data"]["digest"] == record["data"]["digest"]:
        return
    before, after = earlier["data"], record["data"]
    raise InputError(
        f"{run.folder} holds a sweep of {before['source']} (SHA-256 {before['digest'][:12]}...), and these data, "
        f"{after['source']}, are others ({after['digest'][:12]}...); choose another --out"
    )


def _train(
    store: Store, recipe: Recipe, train: Dataset, validation: Dataset, threads: int | None, title: str
) -> list[Outcome]:
    """What became of every cell, in order; each is kept as it ends, and what was kept before is not trained again."""
    cells = recipe.cells()
    outcomes: list[Outcome | None] = [store.finished(cell) for cell in cells]
    missing = [position for position, outcome in enumerate(outcomes) if outcome is None]
    if len(missing) < len(cells):
        note(f"{len(cells) - len(missing)} of {len(cells)} cells are there already")
    if missing:
        todo = [cells[position] for position in missing]
        for position, outcome in _side_by_side(store, recipe, todo, train, validation, threads):
            outcomes[missing[position]] = outcome
            if isinstance(outcome, MLP):
                store.keep(todo[position], outcome, title)
    return [outcome for outcome in outcomes if outcome is not None]


def _side_by_side(store, recipe, cells, train, validation, threads) -> Iterable[tuple[int, Outcome]]:
    """Train cells on this machine; yields as `train_cells` does."""
    plan = choose_plan(cells, train, threads)
    note(plan.describe(len(cells)))
    train, validation = shared_inputs(cells, train), shared_inputs(cells, validation)
    labels, epochs = [cell.label for cell in cells], [MLP(**cell.settings).epochs for cell in cells]
    with reporter(labels, epochs) as shown:
        report = with_epoch_lines(shown, labels) if recipe.epoch_lines else shown
        with closing(
            train_cells(cells, train, validation, plan.at_once, plan.threads, store.checkpoints, report)
        ) as trained:
            yield from trained


def _write_results(run, store, recipe, outcomes, record):
    """Everything but the cells' own folders. The record is last but the summary: a run that is finished is whole."""
    cells = recipe.cells()
    record["cells"] = [
        describe_failure(cell, outcome)
        if isinstance(outcome, Failure)
        else {**describe_cell(cell, outcome), "folder": store.folder(cell).name}
        for cell, outcome in zip(cells, outcomes, strict=True)
    ]
    best = best_cell(record["cells"])
    record["best"], record["finished"] = best and best["slug"], True
    panels = [
        panel(cell.label, outcome) for cell, outcome in zip(cells, outcomes, strict=True) if isinstance(outcome, MLP)
    ]
    if panels:
        shape = recipe.shape() if len(panels) == len(cells) else (len(panels), 1)
        plots.save(plots.curves_figure(panels, shape, heading(record)), run.curves)
        plots.save(plots.losses_figure(panels, shape, heading(record)), run.losses)
    write_table(run, record)
    run.write_record(record)
    write_summary(run)
