"""One door to all data: a name or a path."""

import os
from dataclasses import replace

from fastmlp.data.checks import user_path
from fastmlp.data.collections.named import FILES, PARTS, load_named
from fastmlp.data.dataset import Dataset
from fastmlp.errors import InputError, InputTypeError

NAMES = ("auto", *FILES, "glyphs")


def load(path_or_name: str | os.PathLike[str], *, part: str = "train", n_features: int | None = None) -> Dataset:
    """The data of a name or in a file.

    path_or_name  "mnist", "fashion-mnist", "notmnist"; "glyphs", synthetic digits; "auto", which is MNIST, or glyphs
                  where MNIST cannot be had: `name`, `synthetic` and `source` of the result say which. Or a path: HDF5
                  with `xdata` and `ydata`, IDX (the pictures' file or the folder), npz, CSV, svmlight text
    part          "train", or "test" for the samples that are set aside for one last evaluation
    n_features    columns of svmlight text, whose files may lack the last ones
    Raises InputError, InputTypeError: one line with the file, what was expected and the mend. NoTestPart, an
    InputError, where a file has nothing for the part "test".
    """
    if not isinstance(path_or_name, str | os.PathLike):
        raise InputTypeError(f"data is {path_or_name!r}; expected a path or one of the names {', '.join(NAMES)}")
    if part not in PARTS:
        raise InputError(f"part is {part!r}; expected train or test")
    if path_or_name not in NAMES:
        return _load_file(path_or_name, part, n_features)
    if n_features is not None:
        raise InputError(f"n_features is {n_features}, and {path_or_name} has its own number of columns; drop it")
    return _load_name(path_or_name, part)


def _load_name(name, part):
    if name == "auto":
        return _load_auto(part)
    if name == "glyphs":
        return _load_glyphs(part)
    return load_named(name, part)


def _load_auto(part):
    try:
        # The training part alone decides, so that a run on the one collection is never tested on the other, and so
        # that nobody opens the test files before their time.
        train = load_named("mnist", "train")
    except InputError as error:
        return replace(_load_glyphs(part), source=f"glyphs: synthetic digits, because {_reason(error)}")
    return train if part == "train" else load_named("mnist", part)


def _reason(error):
    """The error's first half: the mend is for those who asked for MNIST by name."""
    reason, mark, _ = str(error).rpartition("); ")
    return f"{reason})" if mark else str(error)


def _load_glyphs(part):
    from fastmlp.data.collections.glyph_cache import load_glyphs

    return load_glyphs(part)


def _load_file(path_or_name, part, n_features):
    from fastmlp.data.readers.registry import read

    path = user_path(path_or_name)
    if isinstance(path_or_name, str) and path.name == path_or_name and not path.suffix and not path.exists():
        raise InputError(f"{path} is neither a file nor a known name; expected a path or one of {', '.join(NAMES)}")
    dataset = read(path, part, n_features)
    return replace(dataset, source=str(path), key=os.fspath(path_or_name))
