"""What run.json says about the machine, the data and the cells, and the data it leads back to."""

import math
import os
import platform
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from fastmlp._version import __version__
from fastmlp.data import CSR, NAMES, Dataset, digest, first_rows, load
from fastmlp.errors import InputError
from fastmlp.runs.aggregate import ranked
from fastmlp.runs.cells import CellResult

PACKAGES = ("numpy", "numba", "llvmlite", "h5py", "matplotlib")


def now() -> str:
    """The time as ISO 8601, in UTC, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def environment() -> dict[str, Any]:
    """The versions and the machine that a result depends on."""
    return {
        "fastmlp": __version__,
        "python": platform.python_version(),
        **{name: _version(name) for name in PACKAGES},
        "platform": platform.platform(),
        "machine": platform.machine(),
        "cores": os.cpu_count(),
    }


def _version(name):
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def describe_data(dataset: Dataset, training_rows: int, validation_rows: int) -> dict[str, Any]:
    """The data of a run: enough to load them again and to be sure that they are the same.

    dataset  all of it, also what is in neither part;  training_rows, validation_rows  samples in each of them
    """
    rows, features = dataset.X.shape
    return {
        "name": dataset.name,
        # Absolute, so that the run can be continued from another folder.
        "key": dataset.key if dataset.key in NAMES else str(Path(dataset.key).expanduser().absolute()),
        "source": dataset.source,
        "synthetic": dataset.synthetic,
        "digest": digest(dataset),
        "rows": rows,
        "training_rows": training_rows,
        "validation_rows": validation_rows,
        "features": features,
        "n_features": features if isinstance(dataset.X, CSR) else None,
        "image_shape": dataset.image_shape and list(dataset.image_shape),
        "class_count": dataset.class_count,
        "class_names": list(dataset.class_names),
    }


def class_names(data: dict) -> list[str]:
    """One name per class: the data's own, or the numbers. `data` is what `describe_data` gave."""
    return list(data["class_names"]) or [str(number) for number in range(data["class_count"])]


def load_again(data: dict) -> Dataset:
    """The samples of both parts that `describe_data` described. InputError when they are no longer the same."""
    dataset = load(data["key"], n_features=data["n_features"])
    if digest(dataset) != data["digest"]:
        raise InputError(f"{data['source']} has changed since the sweep; bring back the old data, or sweep anew")
    return first_rows(dataset, data["training_rows"] + data["validation_rows"])


def describe_cell(trained: CellResult, folder: str | None) -> dict[str, Any]:
    """The settings and the results of a cell; None for a value that is not finite, or that a failed cell never had.

    The results are those of the weights that the network has: after its last epoch, or, where it stopped early, after
    the one that it went back to, `kept_epoch`.

    folder  what its folder in the run is called; None where it has none
    """
    cell, mlp = trained.cell, trained.mlp
    history, settings = mlp.history.to_dict(), mlp.settings()
    accuracies = history["validation_accuracy"]
    best = max(range(len(accuracies)), key=accuracies.__getitem__, default=None)
    del settings["threads"]
    kept = kept_epoch(history, settings["early_stopping"])
    finals = ("train_loss", "train_accuracy", "validation_loss", "validation_accuracy")
    return {
        "slug": cell.slug,
        "label": cell.label,
        "group": cell.group,
        "configuration": cell.configuration,
        "folder": folder,
        "settings": settings,
        "failure_reason": mlp.failure_reason and str(mlp.failure_reason),
        "diagnoses": mlp.history.diagnoses,
        "pruned": trained.pruned,
        "epochs": len(accuracies),
        "kept_epoch": kept,
        **{name: _finite(history[name][kept - 1]) if kept else None for name in finals},
        "best_epoch": None if best is None else history["epoch"][best],
        "best_validation_accuracy": None if best is None else _finite(accuracies[best]),
        "seconds": round(sum(history["seconds"]), 3),
    }


def kept_epoch(history: dict[str, list], early_stopping: int | dict | None) -> int:
    """The epoch, from 1, whose weights a network has after its training; `history` is a `History` as a dict."""
    epochs = len(history["epoch"])
    if early_stopping is None:
        return epochs
    options = early_stopping if isinstance(early_stopping, dict) else {}
    monitor, least = options.get("monitor", "validation_loss"), options.get("min_delta", 0.0)
    sign = -1 if monitor.endswith("loss") else 1
    kept, best = 0, -math.inf
    for epoch, value in enumerate(history[monitor], start=1):
        if sign * value > best + least:
            kept, best = epoch, sign * value
    return kept or epochs


def _finite(value):
    return value if math.isfinite(value) else None


def best_cell(cells: list[dict]) -> dict | None:
    """The cell to retrain: of the configuration with the highest mean validation accuracy; None where there is none.

    The accuracy after the last epoch, or after the one that early stopping went back to; not the highest of any epoch:
    retraining follows the whole schedule, so its last epoch is what one gets. Ties are broken by the losses.

    Of the configuration's seeds the first that did not diverge, which is the recipe's own: choosing the luckiest would
    be choosing noise, as the luck of a seed is not that of the same seed on more rows.
    """
    best = ranked(cells)
    return best[0].sound[0] if best else None
