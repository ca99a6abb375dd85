"""The cell of a run that is trained again on all rows, and whether a look at the test data was at its network."""

import hashlib

from fastmlp.errors import InputError
from fastmlp.mlp import MLP
from fastmlp.runs.run_directory import Run, read_json
from fastmlp.utils.digests import digest_of_arrays, digest_of_values


def best(run: Run, record: dict) -> dict:
    """The best cell of a run. InputError when all diverged or failed."""
    found = _best(record)
    if found is None:
        raise InputError(
            f"{run.folder} has no best configuration: all diverged or failed, see {run.table}; "
            "sweep with other settings"
        )
    return found


def _best(record):
    return next((cell for cell in record["cells"] if cell["slug"] == record["best"]), None)


def identity(record: dict, cell: dict) -> str:
    """What tells the training of a cell on all rows from others."""
    rows = record["data"]["training_rows"] + record["data"]["validation_rows"]
    data = {"digest": record["data"]["digest"], "training_rows": rows}
    return digest_of_values({"settings": settings(cell), "data": data})


def settings(cell: dict) -> dict:
    """The settings for a training without a validation set."""
    settings = cell["settings"]
    if settings.get("early_stopping") is None:
        return settings
    epochs = cell["kept_epoch"]
    decays = [decay for decay in settings["decay_epochs"] if decay < epochs]
    return {**settings, "early_stopping": None, "epochs": epochs, "decay_epochs": decays}


def instead_of_best(record: dict, look: dict) -> str | None:
    """Whose network a look at the test data measured, in words, where it is not that of the best cell as it is now."""
    slug, now = look.get("slug"), _best(record)
    if now is None or slug not in (None, now["slug"]):
        return f"{slug}, the best configuration before the sweep grew" if slug is not None else None
    if look.get("identity") in (None, identity(record, now)):  # None: an evaluation.json of an older version
        return None
    return "the best configuration of an earlier sweep into this folder, with other settings or rows"


def network_digest(mlp: MLP) -> str:
    """SHA-256, in hexadecimal, of a network's weights and biases."""
    return digest_of_arrays([*mlp.weights, *mlp.biases])


def is_retrained(run: Run, record: dict) -> bool:
    """Whether the best cell of a run was trained again to the end, and its network is whole.

    Raises InputError when another cell was, before the sweep grew.
    """
    try:
        made, model = read_json(run.retrained / "cell.json"), run.model(run.retrained).read_bytes()
    except (InputError, OSError):
        return False
    best_cell = best(run, record)
    if made.get("identity") != identity(record, best_cell):
        now = f"{best_cell['slug']}{' with other settings or rows' if made.get('slug') == best_cell['slug'] else ''}"
        raise InputError(
            f"{run.retrained} is of {made.get('slug')}, and the best cell of the sweep is now {now}; "
            f"delete {run.retrained}, then retrain"
        )
    return made.get("model_sha256") == hashlib.sha256(model).hexdigest() and not retraining_checkpoints(run).exists()


def retraining_checkpoints(run):
    """The folder of the checkpoints; the last thing of a training that goes."""
    return run.retrained / "checkpoint"
