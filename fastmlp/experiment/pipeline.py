"""A recipe in one go: data, sweep, retraining, evaluation."""

import os
from collections.abc import Callable
from functools import partial
from pathlib import Path

from fastmlp.errors import InputError
from fastmlp.experiment.evaluate import evaluate, load_test_data, result_files
from fastmlp.experiment.recipe import Recipe
from fastmlp.experiment.retrain import check_retrained, retrain
from fastmlp.experiment.sweep import sweep
from fastmlp.report.tables import table
from fastmlp.report.text_summary import evaluation_text
from fastmlp.runs.records import RunRecord
from fastmlp.runs.run_directory import Run
from fastmlp.runs.selection import is_retrained
from fastmlp.training.screen import show_result
from fastmlp.utils.paths import user_path


def run_pipeline(
    recipe: Recipe,
    out: str | os.PathLike[str],
    threads: int | None = None,
    test: str | None = None,
    say: Callable[[str], None] = show_result,
) -> RunRecord:
    """Sweep a recipe, retrain its best network and evaluate it.

    What was done before in the folder is not done again, least of all the evaluation on test data. Those are opened
    before the sweep too, to refuse at once what the evaluation would refuse; no network meets them before its time.

    Parameters
    ----------
    recipe : Recipe
        What to train.
    out : path-like
        The folder of the run.
    threads : int, optional
        Cores to use in all; None: all this process may use. It changes no result.
    test : str, optional
        A name or a file of test data; None: the test part of the recipe's data.
    say : callable, default show_result
        Called with each step's result, as text; the default writes to stdout.

    Raises
    ------
    InputError, InputTypeError
        As `sweep`, `retrain` and `evaluate` do.
    """
    check_retrained(Run(out), recipe)
    done = Run(out).read_evaluations()
    is_evaluated = bool(done) and done[-1].finished
    record = sweep(recipe, out, threads, check=None if is_evaluated else partial(load_test_data, test=test))
    say(table(record))
    if record.best is None:
        return record
    if not is_retrained(Run(out), record):
        retrain(out, threads)
    say(f"\n{evaluation_text(done[-1] if is_evaluated else evaluate(out, test))}\n")
    for path in result_files(out):
        say(str(path))
    return record


def free_folder(wanted: str | os.PathLike[str], recipe: Recipe) -> Path:
    """Return the first of wanted, wanted-2, wanted-3, ... that is not there, or where this recipe was interrupted.

    Parameters
    ----------
    wanted : path-like
        The folder.
    recipe : Recipe
        What is to be run.
    """
    wanted = user_path(wanted)
    folder, number = wanted, 1
    while folder.exists() and not _was_interrupted(folder, recipe):
        number += 1
        folder = wanted.with_name(f"{wanted.name}-{number}")
    return folder


def _was_interrupted(folder: Path, recipe: Recipe) -> bool:
    run = Run(folder)
    try:
        run.check_usable()
        record, evaluations = run.read_unfinished(), run.read_evaluations()
    except InputError:
        return False
    if record is None:
        return any(folder.iterdir())  # what is left of a run that was killed at once
    return record.recipe == recipe.to_record() and not (evaluations and evaluations[-1].finished)
