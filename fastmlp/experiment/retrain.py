"""The best network of a sweep, trained again on all rows: those for training and those for validation."""

import hashlib
import os
from collections.abc import Iterator
from contextlib import closing

from fastmlp.config.network import NetworkConfig
from fastmlp.data.tasks import TASKS
from fastmlp.errors import InputError
from fastmlp.experiment.executors.base import SweepData
from fastmlp.experiment.executors.registry import open_executor
from fastmlp.experiment.progress import shown_progress
from fastmlp.experiment.recipe import Recipe
from fastmlp.mlp import MLP
from fastmlp.runs.cells import Cell
from fastmlp.runs.records import RetrainedManifest
from fastmlp.runs.run_directory import Run
from fastmlp.runs.run_record import load_again
from fastmlp.runs.selection import (
    best,
    identity,
    is_retrained,
    read_retrained,
    retraining_settings,
)
from fastmlp.training.checkpoints import CheckpointStore
from fastmlp.utils.atomic_files import write_bytes
from fastmlp.utils.digests import engine_version
from fastmlp.utils.records import write_record


def retrain(folder: str | os.PathLike[str], threads: int | None = None) -> MLP:
    """Train the best cell of a run on all rows, with the same settings, and write it to `retrained`.

    All rows are those for training and for validation. As none are left for validation, a network that stopped early is
    now trained for as many epochs as gave its best weights [1]_. A training that was interrupted resumes from its last
    checkpoint.

    Parameters
    ----------
    folder : path-like
        The folder of the run.
    threads : int, optional
        Cores to use; None: all this process may use. It changes no result.

    Raises
    ------
    InputError
        If there is no best cell, the data have changed, or the network is there already.

    References
    ----------
    .. [1] I. Goodfellow, Y. Bengio and A. Courville, Deep Learning, 2016, algorithm 7.2.
    """
    run = Run(folder)
    run.read_record()
    with run.claimed():
        return _retrain(run, threads)


def _retrain(run: Run, threads: int | None) -> MLP:
    record = run.read_record()
    best_cell = best(run, record)
    if is_retrained(run, record):
        raise InputError(
            f"{run.model(run.retrained)} is there already, and the same data and settings give the same network; "
            f"evaluate it, or delete {run.retrained} first"
        )
    data = load_again(record.data)
    label = f"{best_cell.label}, all rows"
    cell = Cell("retrained", label, retraining_settings(best_cell.settings, best_cell.kept_epoch), "retrained", label)
    made_of = identity(record, best_cell)
    checkpoints = CheckpointStore(run.retraining_checkpoints, identity=f"{made_of} {engine_version()}")
    executor, epochs = open_executor("threads", threads), cell.settings["epochs"]
    with shown_progress([label], [epochs], record.recipe.epoch_lines) as callbacks:
        training = executor.train(
            [cell], SweepData(data), count=1, callbacks=callbacks, checkpoints=lambda _: checkpoints
        )
        with closing(training):
            _, result = next(training)
    mlp = result.mlp
    if result.failed:
        raise InputError(f"{cell.label} {mlp.failure_reason}")
    model = mlp.to_bytes()
    mlp.history.to_csv(run.history(run.retrained))
    write_bytes(run.model(run.retrained), model)
    digest = hashlib.sha256(model).hexdigest()
    manifest = RetrainedManifest(identity=made_of, slug=best_cell.slug, model_sha256=digest)
    write_record(run.retrained / "cell.json", manifest)
    checkpoints.remove()
    return mlp


def check_retrained(run: Run, recipe: Recipe) -> None:
    """Check that a retrained network, if there is one, has settings of a cell of the recipe.

    It is checked before a sweep that a retraining follows, which would refuse only when everything is trained.

    Parameters
    ----------
    run : Run
        The run.
    recipe : Recipe
        What is to be swept.

    Raises
    ------
    InputError
        If no cell has them.
    """
    if read_retrained(run) is None:
        return  # there is none, or it is to be trained again
    try:
        mlp = MLP.load(run.model(run.retrained))
    except (InputError, OSError):
        return
    if recipe.is_chosen_by_optuna:
        return  # its cells are not known yet
    if mlp.config.replace(threads=None) not in _retrainings(recipe, mlp.epochs):
        raise InputError(
            f"{run.retrained} holds a network with other settings than any configuration of this run; choose another "
            "--out, or delete that folder first"
        )


def _retrainings(recipe: Recipe, epochs: int) -> Iterator[NetworkConfig]:
    """Yield the settings with which cells of the recipe may be retrained; those that stop early: for so many epochs."""
    if recipe.most_steps is not None:
        recipe = recipe.shortened(epochs)
    cells = (cell for task in TASKS for cell in recipe.for_data(task, 1).cells())  # what the data are is not known here
    for cell in cells:
        config = NetworkConfig.from_dict({**cell.settings, "threads": None})
        yield NetworkConfig.from_dict(retraining_settings(config.to_dict(), min(epochs, config.epochs)))
