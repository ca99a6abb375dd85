"""Load data by name or from a file."""

import os
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from fastmlp.data.checks import PARTS
from fastmlp.data.collections.named import FILES, load_named
from fastmlp.data.dataset import Dataset
from fastmlp.data.tasks import REGRESSION, check_task, with_task
from fastmlp.errors import InputError, InputTypeError
from fastmlp.utils.options import nearest
from fastmlp.utils.paths import path_text, user_path
from fastmlp.utils.showing import shown

NAMES = ("auto", *FILES, "glyphs")


def load(
    path_or_name: str | os.PathLike[str],
    *,
    part: str = "train",
    n_features: int | None = None,
    label: str | int | None = None,
    columns: Sequence[str] | None = None,
    task: str | None = None,
    trusted: bool = True,
) -> Dataset:
    """Load a collection by its name, or the data in a file.

    Parameters
    ----------
    path_or_name : str or path-like
        "mnist", "fashion-mnist" or "notmnist"; "glyphs", which are synthetic digits; "auto", which is MNIST, or glyphs
        where MNIST cannot be found: `name`, `synthetic` and `source` of the result report which. Or the path of a file:
        HDF5, IDX (the file of images, or the folder), npz, MATLAB, CSV or svmlight text; or of a folder that has a
        folder of images for each class. docs/data.md lists what each may have.
    part : {"train", "validation", "test"}, default="train"
        "test" is the samples that are set aside for one last evaluation. "validation" is for files that have such a
        part, which the `validation` of their training part is as well.
    n_features : int, optional
        Columns of svmlight text, whose files may lack the last ones.
    label : str or int, optional
        Column of the labels of a table in text: its name, or its position from 0, or if negative from the last one on.
        By default the one named label, target, class, species or y, else as `notes` of the result say.
    columns : sequence of str, optional
        Names of the columns of a table in text that are inputs, in this order. By default all but that of the labels, a
        first one that names or numbers the rows, and empty ones.
    task : {"classification", "regression"}, optional
        What the labels are; None decides it by their values, see `fastmlp.data.checks.are_quantities`.
    trusted : bool, default=True
        False reads a file in another process, so that one that crashes a library is an InputError: see SECURITY.md.

    Returns
    -------
    Dataset
        The samples of that part, with their labels.

    Raises
    ------
    InputError
        If the data cannot be found, read or used; one line with the file, what was expected and a hint.
    NoTestPart
        If `part` is "test" and the file has no test data; an InputError.
    NoLabels
        If the file has no labels, but an array or pixels alone; an InputError.
    InputTypeError
        If an argument is of a type that cannot be used.

    Examples
    --------
    >>> from fastmlp.data import load
    >>> load("glyphs", part="test").X.shape
    (10000, 784)
    """
    if not isinstance(path_or_name, str | os.PathLike):
        raise InputTypeError(f"data is {shown(path_or_name)}; expected a path or one of the names {', '.join(NAMES)}")
    if not isinstance(part, str) or part not in PARTS:
        raise InputError(f"part is {shown(part)}; expected {', '.join(PARTS[:-1])} or {PARTS[-1]}")
    check_task(task)
    if columns is not None:
        columns = _names_in(columns)
    if not isinstance(path_or_name, str) or path_or_name not in NAMES:
        return with_task(_load_file(path_or_name, trusted, part, n_features, label, columns), task)
    if part == "validation":
        raise InputError(f"{path_or_name} has no validation part of its own; `split` takes one from its training part")
    if task == REGRESSION:
        raise InputError(f"task is {shown(task)}, and {path_or_name} has classes; leave it out")
    if label is not None:
        raise InputError(f"label is {shown(label)}, and {path_or_name} has its own labels; leave it out")
    if columns is not None:
        raise InputError(f"columns is {shown(columns)}, and {path_or_name} has images; leave it out")
    if n_features is not None:
        raise InputError(f"n_features is {n_features}, and {path_or_name} has its own number of columns; drop it")
    if path_or_name == "auto":
        return _load_auto(part)
    return _load_glyphs(part) if path_or_name == "glyphs" else load_named(path_or_name, part)


def _names_in(columns: Sequence[str]) -> tuple[str, ...]:
    """Return names of columns as a tuple. Raises InputTypeError for anything else."""
    if isinstance(columns, str) or not isinstance(columns, Iterable) or not columns:
        raise InputTypeError(f"columns is {shown(columns)}; expected names of columns in a list, one or more")
    names = tuple(columns)
    if not all(isinstance(name, str) for name in names):
        raise InputTypeError(f"columns is {shown(columns)}; expected names of columns, which are text")
    return names


def _load_auto(part: str) -> Dataset:
    """Load MNIST, or glyphs where it cannot be found."""
    try:
        # The training part alone decides, so that a run on the one collection is never tested on the other, and so
        # that nobody opens the test files before their time.
        train = load_named("mnist", "train")
    except InputError as error:
        reason, mark, _ = str(error).rpartition("); ")  # without the hint, which is for those who asked for MNIST
        return replace(_load_glyphs(part), source=f"glyphs: synthetic digits, because {reason}{')' if mark else error}")
    return train if part == "train" else load_named("mnist", part)


def _load_glyphs(part: str) -> Dataset:
    from fastmlp.data.collections.glyph_cache import load_glyphs

    return load_glyphs(part)


def _load_file(
    path_or_name: str | os.PathLike[str],
    trusted: bool,
    *options: Any,
) -> Dataset:
    """Load a file, with these options of `registry.read`."""
    from fastmlp.data.other_process import call
    from fastmlp.data.readers.registry import read

    path = user_path(path_or_name)
    if isinstance(path_or_name, str) and path.name == path_or_name and not path.suffix and not path.exists():
        raise InputError(f"{path} is neither a file nor a known name; {nearest(path, NAMES)}, or a path")
    source = path_text(path)
    dataset = read(path, *options) if trusted else call("read", path, *options)
    return replace(dataset, source=source, key=os.fspath(path_or_name))
