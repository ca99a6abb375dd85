"""The trained network that a path is of: a model file, or the best one of a run."""

import os
from dataclasses import dataclass
from pathlib import Path

from fastmlp.errors import InputError
from fastmlp.export.model_file import ModelRecord
from fastmlp.export.model_file import load as load_model
from fastmlp.runs.records import DataRecord
from fastmlp.runs.run_directory import Run
from fastmlp.runs.selection import best, is_retrained
from fastmlp.utils.commands import command_text
from fastmlp.utils.paths import user_path


@dataclass(frozen=True)
class Predictor:
    """A trained network, and what is known of its data.

    Attributes
    ----------
    path : Path
        The model file.
    model : ModelRecord
        What is in it.
    data : DataRecord or None
        What it was trained on; None where the file is all that there is.
    notes : tuple of str
        What a user may not expect.
    """

    path: Path
    model: ModelRecord
    data: DataRecord | None
    notes: tuple[str, ...] = ()


def open_predictor(path: str | os.PathLike[str]) -> Predictor:
    """Read a network: of a run the one that was trained on all rows, or else the best one of the sweep.

    Parameters
    ----------
    path : str or path-like
        A model file, or the folder of a run.

    Raises
    ------
    InputError
        If there is none, or it is damaged.
    """
    path = user_path(path)
    if path.is_dir():
        return _of_run(Run(path))
    if not path.exists():
        raise InputError(f"{path} is not there; expected a model file or the folder of a run")
    return _of_model(path, _data_of(path))


def _of_model(path: Path, data: DataRecord | None) -> Predictor:
    model = load_model(path)
    notes = () if model.failure_reason is None else (f"the training of {path} failed: it {model.failure_reason}",)
    return Predictor(path, model, data, notes)


def _of_run(run: Run) -> Predictor:
    record = run.read_record()
    if is_retrained(run, record):
        return _of_model(run.model(run.retrained), record.data)
    cell = best(run, record)
    path = run.model(run.cell(cell.folder or ""))
    note = (
        f"{run.folder} has no retrained network; taking its best one, {cell.label}, which has seen "
        f"{record.data.training_rows} of {record.data.rows} rows: `{command_text('retrain', run.folder)}` trains it on "
        "all"
    )
    return Predictor(path, load_model(path), record.data, (note,))


def _data_of(path: Path) -> DataRecord | None:
    """Return the data of a model file in the folder of a run, such as runs/first/retrained/model.safetensors."""
    for folder in path.absolute().parents[1:3]:
        try:
            record = Run(folder).read_unfinished()
        except InputError:
            return None
        if record is not None:
            return record.data
    return None
