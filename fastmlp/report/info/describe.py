"""Find out what a name or a path is of, and describe it."""

import os

from fastmlp.data import NAMES, NoLabels, load, load_inputs
from fastmlp.errors import InputError
from fastmlp.export.model_file import is_model
from fastmlp.export.model_file import load as load_model
from fastmlp.report.info.data import describe_data, describe_inputs
from fastmlp.report.info.facts import Info
from fastmlp.report.info.model import describe_model
from fastmlp.report.info.run import describe_run
from fastmlp.runs.run_directory import Run
from fastmlp.utils.options import nearest
from fastmlp.utils.paths import user_path


def describe(thing: str | os.PathLike[str], label: str | int | None = None, task: str | None = None) -> Info:
    """Describe a network, a run or data; of data the part for training alone is read.

    Parameters
    ----------
    thing : str or path-like
        Path of a model file, folder of a run, or data as `fastmlp.data.load` takes it.
    label, task : optional
        For data, as for `fastmlp.data.load`.

    Raises
    ------
    InputError
        If it is nothing of the kind, or damaged.
    """
    if thing not in NAMES:
        path, run = user_path(thing), Run(thing)
        found = describe_model(load_model(path), path) if is_model(path) else _run(run)
        if found is not None:
            if label is not None or task is not None:
                raise InputError(f"label or task was given, and {path} is not data; leave them out")
            return found
        if not path.exists():
            raise InputError(
                f"{path} is not there; {nearest(os.fspath(thing), NAMES)}, or the path of a model, a run or data"
            )
    try:
        return describe_data(load(thing, label=label, task=task))
    except NoLabels as error:
        return describe_inputs(load_inputs(thing), user_path(thing), str(error))


def _run(run: Run) -> Info | None:
    record = run.read_unfinished()
    return None if record is None else describe_run(run, record)
