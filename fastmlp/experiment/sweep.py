"""The sweep: every cell of a recipe trained and measured on validation data. Test data are out of its reach."""

import os
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from typing import Any

from msgspec.structs import replace as replace_fields

from fastmlp.config.network import NetworkConfig
from fastmlp.data import Dataset, load
from fastmlp.data.collections.named import how_to_get
from fastmlp.data.split import divide
from fastmlp.errors import FastmlpError, InputError
from fastmlp.experiment.evaluate import has_test_part
from fastmlp.experiment.executors.base import Executor, SweepData
from fastmlp.experiment.executors.registry import open_executor
from fastmlp.experiment.optuna_search import OptunaSearch, load_optuna, study_name
from fastmlp.experiment.progress import shown_progress
from fastmlp.experiment.recipe import Recipe, check_cells
from fastmlp.inputs.encoder import InputEncoder
from fastmlp.inputs.reading import read_inputs
from fastmlp.kernels.thread_team import available_cores
from fastmlp.report.figures import draw_cell, draw_run
from fastmlp.report.tables import heading, write_table
from fastmlp.report.text_summary import write_summary
from fastmlp.runs.aggregate import best_cell
from fastmlp.runs.cell_store import CellStore
from fastmlp.runs.cells import CellResult
from fastmlp.runs.recipe_record import RecipeRecord
from fastmlp.runs.recipe_text import resolved_recipe
from fastmlp.runs.records import DataRecord, RunRecord, TrainingDataRecord
from fastmlp.runs.run_directory import Run
from fastmlp.runs.run_record import describe_cell, describe_data, environment, now
from fastmlp.training.screen import debug_line, log_line
from fastmlp.utils.records import DamagedRecord
from fastmlp.utils.showing import shown

SIDE_BY_SIDE = (
    "trials run side by side, and what Optuna tries depends on which of them end first; --threads 1 can be repeated"
)


def sweep(
    recipe: Recipe,
    out: str | os.PathLike[str],
    threads: int | None = None,
    storage: str | None = None,
    backend: str = "threads",
    scheduler: str | None = None,
    check: Callable[[DataRecord], object] | None = None,
) -> RunRecord:
    """Train all cells of a recipe into the folder of a run.

    A cell that is there already, with the same settings, data and engine, is not trained again, and one that was
    interrupted resumes from its last checkpoint: the same call finishes what was killed, to the same bits.

    Parameters
    ----------
    recipe : Recipe
        What to train.
    out : path-like
        The folder: new, empty, or that of a run.
    threads : int, optional
        Cores to use in all, or on a cluster at most for a cell; None: all there are. It changes no result, except for
        what Optuna tries.
    storage : str, optional
        URL of a database for Optuna's study; None: a file in `out`. A study that is there is resumed.
    backend : str, default "threads"
        The executor: a key of `fastmlp.experiment.executors.registry.EXECUTORS`.
    scheduler : str, optional
        Address of a cluster's scheduler.
    check : callable, optional
        Called with what is known of the data, before anything is written; what it raises ends the sweep.

    Returns
    -------
    RunRecord
        What is in run.json. Of a resumed sweep, `started` is when the first one began, and `seconds` is the sum over
        those that finished. `fastmlp.report.read_run(out)` has it with its histories, and shows it in a notebook.

    Raises
    ------
    InputError, InputTypeError
        For settings, data, a cluster or a folder that cannot be used, before anything is written.
    """
    with closing(open_executor(backend, threads, scheduler)) as executor:
        check_cells(recipe)
        _check_method(recipe, executor, storage)
        run = Run(out)
        run.check_usable()
        data, record, stratify, recipe = _load_data(recipe, threads)
        if check is not None:
            check(record.data)
        store = CellStore(run, TrainingDataRecord(
            digest=record.data.digest, training_rows=record.data.training_rows,
            validation_rows=record.data.validation_rows, test_rows=record.data.test_rows, stratify=stratify,
        ))  # fmt: skip
        with run.claimed():
            earlier = _earlier(run)
            _check_same_data(run, earlier, record)
            record = _resumed(run, store, recipe, record, earlier)
            for line in (*_why_synthetic(recipe, record.data), *record.notes):
                log_line(line)
            run.write_record(record)
            debug_line(resolved_recipe(record))
            begun = time.perf_counter()
            try:
                train = _search if recipe.is_chosen_by_optuna else _train
                results, any_trained = train(run, store, recipe, executor, data, record, storage)
            except BaseException as error:
                if earlier is not None and (isinstance(error, FastmlpError) or not run.cells.exists()):
                    run.write_record(earlier)  # nothing came of this one; what was there can still be retrained
                else:
                    run.remove_if_empty()
                raise
            if any_trained:
                seconds = round(record.seconds + time.perf_counter() - begun, 3)
                record = replace_fields(record, seconds=seconds, environment=environment())
            return _write_results(run, store, recipe, results, record)


def _check_method(recipe: Recipe, executor: Executor, storage: str | None) -> None:
    """Raise InputError if the recipe's method does not go with the executor, or the storage not with the method."""
    if recipe.is_chosen_by_optuna:
        if not executor.adaptive:
            raise InputError(
                "method is 'optuna', whose trials are made by the threads of one machine; leave --backend out"
            )
        load_optuna()
    elif storage is not None:
        raise InputError(
            f"storage is {shown(storage)} and nothing is searched by Optuna; leave it out, or use that method"
        )


def _load_data(recipe: Recipe, threads: int | None) -> tuple[SweepData, RunRecord, bool, Recipe]:
    """Return the data of a recipe, the record of a sweep, whether samples were drawn, and the recipe for these data."""
    asked, options = recipe, dict(recipe.data)
    read: dict[str, Any] = {name: options.pop(name) for name in ("n_features", "label", "task") if name in options}
    loaded = load(options.pop("name"), **read)
    if "test" in options and has_test_part(loaded.key, **read):
        options.pop("test")
    division = divide(loaded, **options)
    data, train, validation = division.whole, division.training, division.validation
    if (train.y == train.y[0]).all():  # as of a file that is sorted by class
        raise InputError(
            f"{data.source} has the single label {shown(train.y[0])} in the {len(train.y)} training samples; expected "
            "two or more: shuffle its rows, or take other ones"
        )
    recipe = _for_data(recipe, data, len(train.y))
    side_by_side = [SIDE_BY_SIDE] if recipe.is_chosen_by_optuna and (threads or available_cores()) > 1 else []
    found = [*_full_batch(recipe, len(train.y)), *side_by_side]
    record = RunRecord(
        finished=False,
        started=now(),
        seconds=0.0,
        recipe=asked.to_record(),
        data=describe_data(data, len(train.y), len(validation.y), division.test_rows),
        environment=environment(),
        notes=(*train.notes, *_meanings(recipe, train), *recipe.notes, *found),
    )
    return (
        SweepData(train, validation, {"name": recipe.data["name"], **read, **options}),
        record,
        division.is_drawn,
        recipe,
    )


def _meanings(recipe: Recipe, train: Dataset) -> list[str]:
    """Return how the networks of a recipe read the inputs: one line, or one for each distinct scaling."""
    ways = dict.fromkeys((config.dtype, config.scaling, config.missing) for config in recipe.configs())
    fitted = (
        InputEncoder.fit(read_inputs(train.X, dtype, missing=missing), dtype, scaling, missing)
        for dtype, scaling, missing in ways
    )
    return list(dict.fromkeys(f"inputs: {encoder.describe()}" for encoder in fitted))


def _why_synthetic(recipe: Recipe, data: DataRecord) -> list[str]:
    """Return a line for a person who gets synthetic digits without having asked for them."""
    if recipe.data["name"] != "auto" or not data.synthetic:
        return []
    return [f"training on {data.source}; for MNIST, {how_to_get('mnist')}"]


def _for_data(recipe: Recipe, data: Dataset, rows: int) -> Recipe:
    """Return the recipe for these data and so many training samples. Raises InputError for a loss of classes alone."""
    recipe = recipe.for_data(data.task, rows)
    for config in recipe.configs():
        if data.classes is None and config.loss_function.has_probabilities:
            raise InputError(
                f"loss is {config.loss!r}, and {data.source} has numbers to predict; expected 'squared_error' or "
                "'poisson', or none in the recipe: or pass --task classification"
            )
    return recipe


def _full_batch(recipe: Recipe, rows: int) -> list[str]:
    """Return a note if a batch size is larger than the training set."""
    largest = max(config.batch_size for config in recipe.configs())
    if largest <= rows:
        return []
    return [f"batch size {largest} is more than the {rows} training samples: a step takes all of them"]


def _earlier(run: Run) -> RunRecord | None:
    """Return the record of a sweep that was begun in the folder, or None. A damaged one is written anew."""
    try:
        return run.read_unfinished()
    except DamagedRecord:
        if not run.cells.is_dir():  # it is perhaps not ours
            raise
        log_line(f"{run.record} is damaged, and is rewritten")
        return None


def _resumed(run: Run, store: CellStore, recipe: Recipe, record: RunRecord, earlier: RunRecord | None) -> RunRecord:
    """Return the record with the start, the duration and the versions of the earlier sweep, if this one resumes it."""
    if earlier is None:
        return record
    if cells := recipe.cells():
        made = {cell.folder for cell in earlier.cells} if earlier.finished else {p.name for p in run.cells.glob("*")}
        is_resumed = any(store.folder(cell).name in made for cell in cells)
    else:
        is_resumed = _without_trials(earlier.recipe) == _without_trials(record.recipe)
    if not is_resumed:
        return record
    return replace_fields(record, started=earlier.started, seconds=earlier.seconds, environment=earlier.environment)


def _without_trials(recipe: RecipeRecord) -> RecipeRecord:
    """Return what distinguishes a search by Optuna from others: with more trials it is resumed."""
    return recipe if recipe.search is None else replace_fields(recipe, search=replace_fields(recipe.search, trials=1))


def _check_same_data(run: Run, earlier: RunRecord | None, record: RunRecord) -> None:
    """Raise InputError if the folder holds a sweep on other data: their results do not belong in one table."""
    if earlier is None or earlier.data.digest == record.data.digest:
        return
    before, after = earlier.data, record.data
    raise InputError(
        f"{run.folder} holds a sweep of {before.source} (SHA-256 {before.digest[:12]}...), and these data, "
        f"{after.source}, are others ({after.digest[:12]}...); choose another --out"
    )


def _train(
    run: Run, store: CellStore, recipe: Recipe, executor: Executor, data: SweepData, record: RunRecord, _: str | None
) -> tuple[list[CellResult], bool]:
    """Return the results of all cells, in order, and whether any was trained; what is kept is not trained again."""
    cells = recipe.cells()
    distinct = {store.identity(cell): cell for cell in reversed(cells)}  # a random search may draw a cell twice
    found = {identity: store.load(cell) for identity, cell in distinct.items()}
    missing = [cell for cell in cells if cell in distinct.values() and _is_missing(found[store.identity(cell)])]
    if len(missing) < len(distinct):
        log_line(f"{len(distinct) - len(missing)} of {len(distinct)} cells are there already")
    if missing:
        labels = [cell.label for cell in missing]
        epochs = [NetworkConfig.from_dict(cell.settings).epochs for cell in missing]
        with (
            shown_progress(labels, epochs, recipe.epoch_lines) as callbacks,
            closing(executor.train(missing, data, callbacks=callbacks, checkpoints=store.checkpoints)) as training,
        ):
            for _position, one in training:
                found[store.identity(one.cell)] = one
                _save(run, store, one, heading(record))
    known = ((cell, found[store.identity(cell)]) for cell in cells)
    all_there = [replace(result, cell=cell) for cell, result in known if result is not None]
    return all_there, bool(missing)


def _is_missing(result: CellResult | None) -> bool:
    """Return whether a cell has to be trained: there is no result, or a search pruned it."""
    return result is None or result.pruned is not None


def _search(
    run: Run,
    store: CellStore,
    recipe: Recipe,
    executor: Executor,
    data: SweepData,
    record: RunRecord,
    storage: str | None,
) -> tuple[list[CellResult], bool]:
    """Let Optuna choose the cells, and return all results, those of an earlier start first; whether any was trained."""
    name = study_name(recipe, run.folder, record.data.digest)
    with closing(OptunaSearch(recipe, storage or run.study, name, store.load)) as search:
        if search.earlier:
            log_line(f"{len(search.earlier)} trials are there already")
        numbers = range(len(search.earlier) + 1, len(search.earlier) + search.remaining + 1)
        labels = [f"trial {number}" for number in numbers]
        most = max(config.epochs for config in recipe.configs())
        found = search.earlier
        with (
            shown_progress(labels, [most] * len(labels), recipe.epoch_lines) as callbacks,
            closing(search.train(executor, data, callbacks)) as training,
        ):
            for one in training:
                found.append(one)
                _save(run, store, one, heading(record))
    return found, bool(labels)


def _write_results(
    run: Run, store: CellStore, recipe: Recipe, results: list[CellResult], record: RunRecord
) -> RunRecord:
    """Write everything but the cells' own folders; run.json near the end, as it says that all is there."""
    cells = tuple(describe_cell(one, None if one.failed else store.folder(one.cell).name) for one in results)
    best = best_cell(cells)
    record = replace_fields(record, cells=cells, best=None if best is None else best.slug, finished=True)
    draw_run(run, record, [one.mlp for one in results], recipe.shape)
    write_table(run, record)
    run.write_record(record)
    write_summary(run)
    return record


def _save(run: Run, store: CellStore, result: CellResult, title: str) -> None:
    """Write the folder of a cell that did not fail."""
    if not result.failed:
        draw_cell(run.curve(store.folder(result.cell)), result, title)
        store.save(result)
