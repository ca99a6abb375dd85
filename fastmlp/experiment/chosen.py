"""The cell of a run that is trained again on all rows, and whether a look at the test data was at its network."""

from fastmlp.errors import InputError
from fastmlp.identity import digest_of_values

from .run import Run


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
