"""Load inputs without labels, for predictions."""

import os
from collections.abc import Sequence

from fastmlp.data.dataset import Inputs
from fastmlp.data.loading import NAMES, load
from fastmlp.data.other_process import call
from fastmlp.data.readers.reader import Expected
from fastmlp.data.readers.registry import read_inputs
from fastmlp.errors import InputTypeError
from fastmlp.inputs.image_style import ImageStyle
from fastmlp.utils.paths import user_path
from fastmlp.utils.showing import shown


def load_inputs(
    path_or_name: str | os.PathLike[str],
    *,
    names: Sequence[str] | None = None,
    n_features: int | None = None,
    image_style: ImageStyle | None = None,
    label: str | int | None = None,
    ids: str | None = None,
    trusted: bool = True,
) -> Inputs:
    """Load what is to be predicted: the samples of a file with or without labels, which are not looked at.

    Parameters
    ----------
    path_or_name : str or path-like
        A file in one of the formats that `load` reads; one array as `numpy.save` writes it; a PNG or JPEG file, or a
        folder of such; or a name as for `load`. Of several parts that of the test is taken.
    names : sequence of str, optional
        Names of the network's columns, which a table has to have; none are as if they were not given.
    n_features : int, optional
        Number of the network's inputs, for files that leave it open.
    image_style : ImageStyle, optional
        What the images of the training look like, which files of images are made like: see
        `fastmlp.data.image_files.like_training`. By default like MNIST's, where `n_features` is a square.
    label : str or int, optional
        Column of the labels of the training, which a table may have and which is not used.
    ids : str, optional
        Column that names the rows of a table, if it has one of that name.
    trusted : bool, default=True
        False reads a file in another process, so that one that crashes a library is an InputError: see SECURITY.md.

    Returns
    -------
    Inputs
        The samples.

    Raises
    ------
    InputError
        If the data cannot be found, read or used; one line with the file, what was expected and a hint.
    InputTypeError
        If an argument is of a type that cannot be used.
    """
    if not isinstance(path_or_name, str | os.PathLike):
        raise InputTypeError(f"data is {shown(path_or_name)}; expected a path or one of the names {', '.join(NAMES)}")
    if path_or_name in NAMES:
        dataset = load(path_or_name, part="test")
        note = f"{dataset.source}: the samples of the test part"
        return Inputs(dataset.X, None, dataset.image_shape, dataset.name, (*dataset.notes, note))
    path = user_path(path_or_name)
    expected = Expected(tuple(names or ()) or None, n_features, image_style, label, ids)
    if trusted:
        return read_inputs(path, expected)
    inputs: Inputs = call("read_inputs", path, expected)
    return inputs
