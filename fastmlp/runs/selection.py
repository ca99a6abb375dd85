"""The cell of a run that is trained again on all rows, and whether an evaluation is of its network."""

import hashlib
from typing import Any

from fastmlp.errors import InputError
from fastmlp.mlp import MLP
from fastmlp.runs.evaluation_record import EvaluationRecord
from fastmlp.runs.records import CellRecord, RetrainedManifest, RunRecord
from fastmlp.runs.run_directory import Run
from fastmlp.utils.digests import digest_of_arrays, digest_of_values
from fastmlp.utils.records import read_record


def best(run: Run, record: RunRecord) -> CellRecord:
    """Return the best cell of a run.

    Parameters
    ----------
    run : Run
        The run directory.
    record : RunRecord
        Its record.

    Raises
    ------
    InputError
        If all cells diverged or failed.
    """
    found = record.best_cell
    if found is None:
        raise InputError(
            f"{run.folder} has no best configuration: all diverged or failed, see {run.table}; "
            "sweep with other settings"
        )
    return found


def identity(record: RunRecord, cell: CellRecord) -> str:
    """Return the SHA-256, in hexadecimal, of what distinguishes the training of a cell on all rows from others.

    Parameters
    ----------
    record : RunRecord
        The record of the run.
    cell : CellRecord
        One of its cells.
    """
    data = {
        "digest": record.data.digest,
        "training_rows": record.data.training_rows + record.data.validation_rows,
        "test_rows": record.data.test_rows,
    }
    return digest_of_values({"settings": retraining_settings(cell.settings, cell.kept_epoch), "data": data})


def retraining_settings(settings: dict[str, Any], kept_epoch: int) -> dict[str, Any]:
    """Return the settings of a cell for a training without a validation set.

    Parameters
    ----------
    settings : dict
        Arguments of `MLP` of the cell.
    kept_epoch : int
        The epoch, from 1, whose weights it kept.

    Returns
    -------
    dict
        The same where it did not stop early; otherwise with as many epochs as gave its best weights.
    """
    if settings["early_stopping"] is None:
        return settings
    decays = [decay for decay in settings["decay_epochs"] if decay < kept_epoch]
    return {**settings, "early_stopping": None, "epochs": kept_epoch, "decay_epochs": decays}


def describe_other_network(record: RunRecord, evaluation: EvaluationRecord) -> str | None:
    """Describe the evaluated network if it is no longer that of the best cell; otherwise return None.

    Parameters
    ----------
    record : RunRecord
        The record of the run as it is now.
    evaluation : EvaluationRecord
        One of its evaluations.
    """
    now = record.best_cell
    if now is None or evaluation.slug != now.slug:
        return f"{evaluation.slug}, the best configuration before the sweep grew"
    if evaluation.identity == identity(record, now):
        return None
    return "the best configuration of an earlier sweep into this folder, with other settings or rows"


def network_digest(mlp: MLP) -> str:
    """Return the SHA-256 of a network's weights and biases, in hexadecimal.

    Parameters
    ----------
    mlp : MLP
        A trained network.
    """
    return digest_of_arrays([*mlp.weights, *mlp.biases])


def is_retrained(run: Run, record: RunRecord) -> bool:
    """Return whether the best cell of a run was trained again to the end, and its files are whole.

    Parameters
    ----------
    run : Run
        The run directory.
    record : RunRecord
        Its record.

    Raises
    ------
    InputError
        If another cell was, before the sweep grew.
    """
    manifest = read_retrained(run)
    try:
        model = run.model(run.retrained).read_bytes()
    except OSError:
        return False
    if manifest is None:
        return False
    now = best(run, record)
    if manifest.identity != identity(record, now):
        what = f"{now.slug}{' with other settings or rows' if manifest.slug == now.slug else ''}"
        raise InputError(
            f"{run.retrained} is of {manifest.slug}, and the best cell of the sweep is now {what}; "
            f"delete {run.retrained}, then retrain"
        )
    return manifest.model_sha256 == hashlib.sha256(model).hexdigest() and not run.retraining_checkpoints.exists()


def read_retrained(run: Run) -> RetrainedManifest | None:
    """Return what is in the folder `retrained`; None where nothing was retrained to the end, or the file is damaged.

    Parameters
    ----------
    run : Run
        The run directory.
    """
    try:
        return read_record(run.retrained / "cell.json", RetrainedManifest, "retrain")
    except InputError:
        return None
