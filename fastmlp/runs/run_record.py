"""The parts of a run's record that are made from its data, its machine and its trained networks."""

import math
import os
import platform
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np

from fastmlp._version import __version__
from fastmlp.data import CSR, NAMES, Dataset, digest, first_rows, load
from fastmlp.data.joining import joined
from fastmlp.data.split import set_aside
from fastmlp.errors import InputError
from fastmlp.inputs.image_style import ImageStyle
from fastmlp.inputs.table import Table
from fastmlp.runs.cells import CellResult
from fastmlp.runs.records import CellRecord, DataRecord, EnvironmentRecord
from fastmlp.utils.paths import path_text, user_path
from fastmlp.utils.records import as_json
from fastmlp.utils.system import installed


def now() -> str:
    """Return the time as ISO 8601, in UTC, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def environment() -> EnvironmentRecord:
    """Return the versions and the machine that a result depends on."""
    return EnvironmentRecord(
        fastmlp=__version__,
        python=platform.python_version(),
        numpy=installed("numpy"),
        numba=installed("numba"),
        llvmlite=installed("llvmlite"),
        h5py=installed("h5py"),
        matplotlib=installed("matplotlib"),
        platform=platform.platform(),
        machine=platform.machine(),
        cores=os.cpu_count(),
    )


def describe_data(dataset: Dataset, training_rows: int, validation_rows: int, test_rows: int = 0) -> DataRecord:
    """Return what is needed to load the data of a run again and to be sure that they are the same.

    Parameters
    ----------
    dataset : Dataset
        All samples, also those that are in neither part.
    training_rows, validation_rows, test_rows : int
        Number of samples in each part; the last one is set aside for the test.
    """
    rows, features = dataset.X.shape
    return DataRecord(
        name=dataset.name,
        # Absolute, so that the run can be continued from another folder.
        key=dataset.key if dataset.key in NAMES else path_text(user_path(dataset.key).absolute()),
        source=dataset.source,
        synthetic=dataset.synthetic,
        digest=digest(dataset),
        rows=rows,
        training_rows=training_rows,
        validation_rows=validation_rows,
        test_rows=test_rows,
        features=features,
        n_features=features if isinstance(dataset.X, CSR) else None,
        label=dataset.label,
        columns=dataset.X.names if isinstance(dataset.X, Table) else None,
        image_shape=dataset.image_shape,
        image_style=_style(dataset),
        classes=None if dataset.classes is None else tuple(dataset.classes.tolist()),
        class_names=tuple(dataset.class_names),
    )


def _style(dataset: Dataset) -> ImageStyle | None:
    """Return what the images of a dataset look like; None where its rows are not images."""
    if dataset.image_shape is None or not isinstance(dataset.X, np.ndarray):
        return None
    return ImageStyle.measure(dataset.X, dataset.image_shape)


def load_again(data: DataRecord) -> Dataset:
    """Load the samples of both parts of a run: those for training, then those for validation.

    Parameters
    ----------
    data : DataRecord
        What `describe_data` returned.

    Raises
    ------
    InputError
        If they are no longer the same.
    """
    dataset = _load_unchanged(data)
    if data.test_rows:
        dataset, _ = set_aside(dataset, data.test_rows)
    return first_rows(joined(dataset), data.training_rows + data.validation_rows)


def load_set_aside(data: DataRecord) -> Dataset:
    """Load the samples of a run that were set aside for the test.

    Parameters
    ----------
    data : DataRecord
        What `describe_data` returned, with some.

    Raises
    ------
    InputError
        If the data are no longer the same.
    """
    _, test = set_aside(_load_unchanged(data), data.test_rows)
    return replace(test, source=f"{data.source}, {data.test_rows} samples that were set aside")


def _load_unchanged(data: DataRecord) -> Dataset:
    dataset = load(data.key, n_features=data.n_features, label=data.label, task=data.task)
    if digest(joined(dataset)) != data.digest:
        raise InputError(f"{data.source} has changed since the sweep; bring back the old data, or sweep again")
    return dataset


def describe_cell(result: CellResult, folder: str | None) -> CellRecord:
    """Return the settings and the results of a cell.

    Parameters
    ----------
    result : CellResult
        The trained network.
    folder : str or None
        Name of its folder in the run; None where it has none.
    """
    cell, mlp = result.cell, result.mlp
    history, settings, kept = mlp.history, as_json(mlp.config.identity()), mlp.kept_epoch
    final = list(history)[kept - 1] if kept else {}
    accuracies = history["validation_accuracy"]
    best = max(range(len(accuracies)), key=accuracies.__getitem__, default=None)
    return CellRecord(
        slug=cell.slug,
        label=cell.label,
        group=cell.group,
        configuration=cell.configuration,
        folder=folder,
        settings=settings,
        failure_reason=None if mlp.failure_reason is None else str(mlp.failure_reason),
        diagnoses=history.diagnosis_records(),
        pruned=result.pruned,
        epochs=len(history),
        kept_epoch=kept,
        train_loss=finite(final.get("train_loss")),
        train_accuracy=finite(final.get("train_accuracy")),
        validation_loss=finite(final.get("validation_loss")),
        validation_accuracy=finite(final.get("validation_accuracy")),
        best_epoch=None if best is None else history["epoch"][best],
        best_validation_accuracy=None if best is None else finite(accuracies[best]),
        seconds=round(sum(history["seconds"]), 3),
    )


def finite(value: float | None) -> float | None:
    """Return a number as JSON can hold it: None for what is not finite.

    Parameters
    ----------
    value : float or None
        Any number.
    """
    return value if value is not None and math.isfinite(value) else None
