"""The best network of a sweep, trained again on all rows: those for training and those for validation."""

import os

from fastmlp.errors import InputError
from fastmlp.mlp import MLP
from fastmlp.progress import reporter, with_epoch_lines

from .parallel import fit_network
from .record import load_again
from .run import Run
from .summary import write_summary


def retrain(folder: str | os.PathLike[str], threads: int | None = None) -> MLP:
    """Train the best cell of the run in `folder` on all rows, with the same settings, and write it to `retrained`.

    All rows are those for training and for validation. With none left to watch, a network that stopped early is now
    trained for as many epochs as gave its best weights (I. Goodfellow, Y. Bengio and A. Courville, Deep Learning, 2016,
    algorithm 7.2).

    threads  cores to use; None: all this process may use. It changes no result
    Raises InputError when there is no best cell, the data have changed, or the network is there already.
    """
    run = Run(folder)
    record = run.read_record()
    cell = best(run, record)
    path = run.model(run.retrained)
    if path.exists():
        raise InputError(
            f"{path} is there already, and the same data and settings give the same network; "
            f"evaluate it, or delete {run.retrained} first"
        )
    data = load_again(record["data"])
    settings, labels = _settings(cell), [f"{cell['label']}, all rows"]
    with reporter(labels, [settings["epochs"]]) as shown:
        report = with_epoch_lines(shown, labels) if record["recipe"].get("epoch_lines") else shown
        mlp = fit_network(settings, data, None, threads, lambda epoch: report(0, epoch))
    mlp.history.to_csv(run.history(run.retrained))
    mlp.save(path)
    write_summary(run)
    return mlp


def _settings(cell):
    """The settings for a training without a validation set."""
    settings = cell["settings"]
    if settings.get("early_stopping") is None:
        return settings
    epochs = cell["kept_epoch"]
    decays = [decay for decay in settings["decay_epochs"] if decay < epochs]
    return {**settings, "early_stopping": None, "epochs": epochs, "decay_epochs": decays}


def best(run: Run, record: dict) -> dict:
    """The best cell of a run. InputError when all diverged."""
    for cell in record["cells"]:
        if cell["slug"] == record["best"]:
            return cell
    raise InputError(f"{run.folder} has no best configuration, all having diverged; sweep with smaller learning rates")
