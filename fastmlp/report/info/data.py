"""What is in data: format, columns, labels."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastmlp.data import CSR, NAMES, Dataset, Inputs
from fastmlp.data.readers.registry import find_reader
from fastmlp.inputs.table import Table
from fastmlp.report.info.facts import LISTED, Info, counted, listed
from fastmlp.utils.paths import path_text, user_path


def describe_data(dataset: Dataset) -> Info:
    """Describe the training part of data.

    Parameters
    ----------
    dataset : Dataset
        As `load` returned it.
    """
    X, validation = dataset.X, dataset.validation
    rows, columns = X.shape
    form = "collection" if dataset.key in NAMES else find_reader(user_path(dataset.key)).name
    facts = [
        ("format", form),
        ("rows", f"{rows:,}" + ("" if validation is None else f", and {len(validation.y):,} for validation")),
        ("images", _images(dataset.image_shape)),
    ]
    values = {
        "kind": "data",
        "name": dataset.name,
        "source": dataset.source,
        "format": form,
        "synthetic": dataset.synthetic,
        "rows": rows,
        "validation_rows": 0 if validation is None else len(validation.y),
        "features": columns,
        "image_shape": dataset.image_shape,
    }
    for name, text, value in (_inputs(X), _labels(dataset)):
        facts.append((name, text))
        values[name] = value
    facts.append(("notes", "\n".join(dataset.notes)))
    values["notes"] = list(dataset.notes)
    note = ", synthetic" if dataset.synthetic else ""
    return Info(f"{dataset.source}: data{note}", facts, values)


def describe_inputs(inputs: Inputs, path: Path, reason: str) -> Info:
    """Describe data that have no labels.

    Parameters
    ----------
    inputs : Inputs
        As `load_inputs` returned them.
    path : Path
        Their file.
    reason : str
        Why there are no labels.
    """
    form, (rows, features) = find_reader(path).name, inputs.X.shape
    columns, text, described = _inputs(inputs.X)
    facts = [
        ("format", form),
        ("rows", f"{rows:,}"),
        ("images", _images(inputs.image_shape)),
        (columns, text),
        ("labels", f"none: {reason}"),
        ("notes", "\n".join(inputs.notes)),
    ]
    values = {
        "kind": "data",
        "name": inputs.name,
        "format": form,
        "rows": rows,
        "features": features,
        "image_shape": inputs.image_shape,
        columns: described,
        "labels": None,
        "notes": list(inputs.notes),
    }
    return Info(f"{path_text(path)}: data without labels, to be predicted", facts, values)


def _images(shape: tuple[int, int] | None) -> str:
    return "" if shape is None else "{} x {} pixels".format(*shape)


def _inputs(X: NDArray[Any] | CSR | Table) -> tuple[str, str, Any]:
    """Return the columns in words and as values."""
    if isinstance(X, Table):
        columns = [_column(name, values) for name, values in zip(X.names, X.columns, strict=True)]
        lines = [str(len(columns)), *(f"{one['name']}: {_column_text(one)}" for one in columns[:LISTED])]
        more = [f"and {len(columns) - LISTED:,} more"] if len(columns) > LISTED else []
        return "columns", "\n".join([*lines, *more]), columns
    if isinstance(X, CSR):
        share = len(X.data) / (X.shape[0] * X.shape[1])
        low, high = (float(f(X.data, initial=0)) for f in (np.min, np.max))
        text = f"{X.shape[1]:,} of sparse numbers, {low:g} to {high:g}, {share:.2%} of them not zero"
        return "columns", text, {"low": low, "high": high, "nonzero": share}
    low, high = float(X.min()), float(X.max())
    return "columns", f"{X.shape[1]:,} of numbers, {low:g} to {high:g}", {"low": low, "high": high}


def _column(name: str, values: NDArray[Any]) -> dict[str, Any]:
    """Return what is in a column of a table."""
    if values.dtype == object:
        words = sorted({value for value in values.tolist() if value is not None}, key=str)
        return {"name": name, "kind": "text", "missing": sum(v is None for v in values.tolist()), "values": words}
    missing = int(np.isnan(values).sum()) if values.dtype.kind == "f" else 0
    low, high = (None, None) if missing == len(values) else (float(np.nanmin(values)), float(np.nanmax(values)))
    return {"name": name, "kind": "numbers", "missing": missing, "low": low, "high": high}


def _column_text(column: dict[str, Any]) -> str:
    missing = f", {column['missing']:,} missing" if column["missing"] else ""
    if column["kind"] == "text":
        return f"{counted(len(column['values']), 'word')}, {listed(list(map(str, column['values'])))}{missing}"
    return "empty" if column["low"] is None else f"{column['low']:g} to {column['high']:g}{missing}"


def _labels(dataset: Dataset) -> tuple[str, str, Any]:
    """Return the classes with their counts, or the range of the numbers of a regression."""
    y = dataset.y
    if dataset.classes is None:
        low, high, mean = float(y.min()), float(y.max()), float(y.mean())
        return "labels", f"numbers, {low:g} to {high:g}, mean {mean:g}", {"low": low, "high": high, "mean": mean}
    names = dataset.class_names or ("",) * dataset.class_count
    counts = [int((y == label).sum()) for label in dataset.classes]
    found = list(zip(dataset.classes.tolist(), names, counts, strict=True))
    texts = [f"{count:,} of {label}{f' ({name})' if name else ''}" for label, name, count in found]
    return (
        "classes",
        f"{len(found):,}: {listed(texts)}",
        [{"label": label, "name": name or str(label), "count": count} for label, name, count in found],
    )
