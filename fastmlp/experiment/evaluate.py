"""The evaluation on test data: the only code that opens them."""

import dataclasses
import os
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray

from fastmlp.data import NAMES, Dataset, NoTestPart, digest, load
from fastmlp.data.readers.registry import find_reader
from fastmlp.errors import InputError
from fastmlp.experiment import class_results, number_results
from fastmlp.experiment.executors.base import targets
from fastmlp.mlp import MLP
from fastmlp.report.text_summary import write_summary
from fastmlp.runs.evaluation_record import EvaluationRecord, TestDataRecord
from fastmlp.runs.published_results import compare
from fastmlp.runs.records import CellRecord, DataRecord, RunRecord
from fastmlp.runs.run_directory import Run
from fastmlp.runs.run_record import finite, load_set_aside, now
from fastmlp.runs.selection import best, identity, is_retrained, network_digest
from fastmlp.training.screen import log_line
from fastmlp.utils.commands import command_text
from fastmlp.utils.labels import check_labels, class_numbers
from fastmlp.utils.paths import user_path


def evaluate(folder: str | os.PathLike[str], test: str | None = None, again: bool = False) -> EvaluationRecord:
    """Measure the retrained network of a run on test data, and record it in evaluation.json.

    An evaluation that was interrupted after it was recorded is finished by the next call, and counts once.

    Parameters
    ----------
    folder : path-like
        The folder of the run.
    test : str, optional
        A name or a file of test data; None: the test part of the run's own data.
    again : bool, default False
        Whether to evaluate although it was done before; every evaluation is recorded.

    Raises
    ------
    InputError
        If it was done before, there is no retrained network, or the test data cannot be used.
    """
    run = Run(folder)
    run.read_record()
    with run.claimed():
        return _evaluate(run, test, again)


def _evaluate(run: Run, test: str | None, again: bool) -> EvaluationRecord:
    record, done = run.read_record(), run.read_evaluations()
    begun = done[-1] if done and not done[-1].finished else None
    if done and not again and begun is None:
        raise _done_before(run, done[-1])
    if not is_retrained(run, record):
        raise InputError(f"{run.folder} has no retrained network; run `{command_text('retrain', run.folder)}` first")
    mlp = MLP.load(run.model(run.retrained))
    data = load_test_data(record.data, test)
    for line in data.notes:
        log_line(line)
    if begun is not None:
        if (begun.test.digest, begun.network_digest) == (digest(data), network_digest(mlp)):
            done = done[:-1]  # this one finishes it
        elif not again:
            raise _done_before(run, begun)
    kind = number_results if data.classes is None else class_results
    results, arrays = kind.measure(mlp, data)
    evaluation = _record(record, best(run, record), mlp, data, results)
    # It is recorded before anything shows it: one that is interrupted here counts.
    run.write_evaluations([*done, evaluation])
    kind.write(run, data, evaluation, arrays)
    write_summary(run)
    evaluation = replace(evaluation, finished=True)
    run.write_evaluations([*done, evaluation])
    return evaluation


def _done_before(run: Run, last: EvaluationRecord) -> InputError:
    return InputError(
        f"{run.folder} was evaluated on {last.time}, with a test {last.measure} of {last.score:.4f}; "
        "test data should be used once: pass --again to evaluate once more"
    )


def load_test_data(trained_on: DataRecord, test: str | None = None) -> Dataset:
    """Load the test data of a run.

    Parameters
    ----------
    trained_on : DataRecord
        The data that its networks are trained on.
    test : str, optional
        A name or a file of test data; None: the test part of the run's own data.

    Raises
    ------
    InputError
        If there are none, or they do not go with those that the networks are trained on.
    """
    data = _load_test(trained_on, test)
    if digest(data) == trained_on.digest:
        raise InputError(f"{data.source} is what the network was trained on; expected other samples: pass --test FILE")
    features = trained_on.features
    if data.X.shape[1] != features:
        raise InputError(
            f"{data.source} has {data.X.shape[1]} features; expected {features}, as in training: pass another --test"
        )
    return data if data.classes is None else _with_classes(data, data.classes, trained_on)


def _with_classes(data: Dataset, theirs: NDArray[Any], trained_on: DataRecord) -> Dataset:
    """Return test data, of which `theirs` are the classes, with those of the training, of which they may lack some."""
    classes, _ = check_labels(trained_on.classes, trained_on.outputs, "classes")
    class_numbers(data.y, classes, data.source)
    names = trained_on.class_names
    known = dict(zip(classes.tolist(), names, strict=bool(names)))
    for label, name in zip(theirs.tolist(), data.class_names, strict=bool(data.class_names)):
        if known.get(label, name) != name:
            raise InputError(
                f"{data.source} has the class {label} {name!r}, which is {known[label]!r} in {trained_on.name}; "
                "expected the same classes: pass another --test"
            )
    return dataclasses.replace(data, classes=classes, class_names=names)


def has_test_part(data: str, **options: Any) -> bool:
    """Return whether data have a test part of their own, damaged or not.

    Parameters
    ----------
    data : str
        A name or a file.
    **options
        Arguments of `load`.
    """
    try:
        load(data, part="test", **options)
    except NoTestPart:
        return False
    except InputError:
        pass  # as the evaluation will say
    return True


def _load_test(trained_on: DataRecord, test: str | None) -> Dataset:
    if test is None and trained_on.test_rows:
        return load_set_aside(trained_on)
    if test in NAMES:
        return load(test, part="test", task=trained_on.task)
    path = trained_on.key if test is None else test
    read = partial(load, path, n_features=trained_on.n_features, task=trained_on.task)
    if trained_on.label is not None and find_reader(user_path(path)).takes_columns:
        read = partial(read, label=trained_on.label, columns=trained_on.columns)
    try:
        return read(part="test")
    except NoTestPart:
        if test is None:
            raise InputError(f"{trained_on.key} has no test part; pass --test FILE") from None
        return read()  # all of it is for the test


def _record(record: RunRecord, cell: CellRecord, mlp: MLP, data: Dataset, results: dict[str, Any]) -> EvaluationRecord:
    """Return what was measured, with what it was measured on."""
    loss, _ = mlp.evaluate(data.X, targets(mlp.config.loss_function, data))
    test = TestDataRecord(
        name=data.name, source=data.source, synthetic=data.synthetic, rows=len(data.y), digest=digest(data)
    )
    evaluation = EvaluationRecord(
        time=now(),
        test=test,
        network_digest=network_digest(mlp),
        loss=finite(loss),
        slug=cell.slug,
        identity=identity(record, cell),
        failure_reason=None if mlp.failure_reason is None else str(mlp.failure_reason),
        **results,
    )
    figures = _figures(mlp, loss, evaluation.score)
    return replace(evaluation, reference=compare(record.recipe.reference, cell.group, figures))


def _figures(mlp: MLP, loss: float, accuracy: float) -> dict[str, float]:
    """Return what a reference may be compared with, by the names of `FIGURES`."""
    history = mlp.history
    return {
        "test_accuracy": accuracy,
        "test_loss": loss,
        "first_train_accuracy": history["train_accuracy"][0],
        "train_accuracy": history["train_accuracy"][-1],
        "seconds_per_epoch": float(np.median(history["seconds"])),
    }


def result_files(folder: str | os.PathLike[str]) -> list[Path]:
    """Return the files of a run that a person reads, in the order of reading.

    Parameters
    ----------
    folder : path-like
        The folder of the run.
    """
    run = Run(folder)
    files = run.summary, run.curves, run.losses, run.confusion_figure, run.mistakes, run.predictions
    return [path for path in files if path.exists()]
