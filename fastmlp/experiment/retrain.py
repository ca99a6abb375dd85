"""The best network of a sweep, trained again on all rows: those for training and those for validation."""

import os

from fastmlp.errors import InputError
from fastmlp.mlp import MLP
from fastmlp.progress import reporter

from .parallel import fit_network
from .record import load_again
from .run import Run
from .summary import write_summary


def retrain(folder: str | os.PathLike[str], threads: int | None = None) -> MLP:
    """Train the best cell of the run in `folder` on all rows, with the same settings, and write it to `retrained`.

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
    with reporter([f"{cell['label']}, all rows"], [cell["settings"]["epochs"]]) as report:
        mlp = fit_network(cell["settings"], data, None, threads, lambda epoch: report(0, epoch))
    mlp.history.to_csv(run.history(run.retrained))
    mlp.save(path)
    write_summary(run)
    return mlp


def best(run: Run, record: dict) -> dict:
    """The best cell of a run. InputError when all diverged."""
    for cell in record["cells"]:
        if cell["slug"] == record["best"]:
            return cell
    raise InputError(f"{run.folder} has no best configuration, all having diverged; sweep with smaller learning rates")
