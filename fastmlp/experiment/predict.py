"""Predictions of a trained network for the rows of files."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastmlp.data import Inputs, load_inputs
from fastmlp.data.checks import square
from fastmlp.errors import FastmlpError, InputError
from fastmlp.inputs.image_style import ImageStyle
from fastmlp.inputs.reading import read_inputs
from fastmlp.runs.predictor import Predictor
from fastmlp.training.inference import outputs_of_inputs
from fastmlp.utils.labels import check_labels

BLOCK_VALUES = 1 << 22  # features that are encoded at once


@dataclass(frozen=True)
class Predictions:
    """What a network says about rows.

    Attributes
    ----------
    answer : str
        "class": the most probable one of `classes`, of each row. "labels": any number of them, each as probable as not
        or more. "value": the outputs themselves.
    outputs : ndarray of shape (N, C)
        Probabilities, or the values.
    classes : ndarray of shape (C,)
        What the columns stand for; their numbers where nobody knows.
    ids : sequence of str or None
        What the files call their rows.
    ids_name : str
        What they call those names.
    notes : tuple of str
        What a user may not expect.
    """

    answer: str
    outputs: NDArray[Any]
    classes: NDArray[Any]
    ids: Sequence[str] | None = None
    ids_name: str = ""
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.outputs)


def predict(
    predictor: Predictor, files: Sequence[str], ids_name: str | None = None, threads: int | None = None
) -> Predictions:
    """Predict the rows of files; labels in them are ignored.

    Parameters
    ----------
    predictor : Predictor
        What predicts.
    files : sequence of str
        What `load_inputs` takes; several only if they name their rows, as files of images do.
    ids_name : str, optional
        Column that names the rows, where there is one of that name.
    threads : int, optional
        Cores to use.

    Returns
    -------
    Predictions
        Of all rows, in their order.

    Raises
    ------
    InputError
        If a file cannot be read, or has other columns or values than the network can read.
    """
    model, parts, notes = predictor.model, [], list(predictor.notes)
    for file in files:
        inputs = load_inputs(
            file, names=model.encoder.names, n_features=model.encoder.width, image_style=image_style(predictor),
            label=None if predictor.data is None else predictor.data.label, ids=ids_name,
        )  # fmt: skip
        if len(files) > 1 and inputs.ids is None:
            raise InputError(f"{file} has no names of its rows; expected images where there are several files")
        parts.append((inputs, _outputs(predictor, inputs, file, threads)))
        notes += inputs.notes
        if predictor.data is None and inputs.image_shape is not None and inputs.id_name == "file":
            notes.append(f"{predictor.path} is in no run that says what its images look like: assumed like MNIST's")
    answer, outputs, classes = _meaning(predictor, np.concatenate([outputs for _, outputs in parts]))
    ids = None if parts[0][0].ids is None else [name for inputs, _ in parts for name in inputs.ids or ()]
    return Predictions(answer, outputs, classes, ids, parts[0][0].id_name, tuple(dict.fromkeys(notes)))


def image_style(predictor: Predictor) -> ImageStyle | None:
    """Return what the images of a network's training look like, as far as that is known; None for no images.

    Parameters
    ----------
    predictor : Predictor
        The network.
    """
    if predictor.data is not None:
        return predictor.data.image_style
    encoder = predictor.model.encoder
    shape, scaling = square(encoder.width), encoder.scaling
    if shape is None:
        return None
    if scaling.kind == "pixels" or scaling.low is None or scaling.high is None or scaling.low == scaling.high:
        return ImageStyle(shape=shape)
    return ImageStyle(shape=shape, low=scaling.low, high=scaling.high)


def _outputs(predictor: Predictor, inputs: Inputs, name: str, threads: int | None) -> NDArray[Any]:
    """Return the outputs (N, C) for all rows, which are encoded a block at a time."""
    model, X = predictor.model, inputs.X
    config, encoder = model.config, model.encoder

    def encoded(block: Any) -> Any:
        return encoder.encode(read_inputs(block, config.dtype, name, config.missing), config.dtype, name)

    rows = max(1, BLOCK_VALUES // encoder.features)
    blocks = (X[start : start + rows] for start in range(0, X.shape[0], rows))
    try:
        outputs = [outputs_of_inputs(config, model.parameters, encoded(block), threads) for block in blocks]
    except FastmlpError as error:
        raise _of_file(name, error, lambda: encoded(X)) from None
    return np.concatenate(outputs)


def _of_file(name: str, error: FastmlpError, encode_all: Callable[[], object]) -> FastmlpError:
    """Return an error about a block of rows as one about a file, in which rows have other numbers."""
    try:
        encode_all()
    except FastmlpError as other:
        error = other
    return error if name in str(error) else InputError(f"{name}: {error}")


def _meaning(predictor: Predictor, outputs: NDArray[Any]) -> tuple[str, NDArray[Any], NDArray[Any]]:
    """Return what the outputs (N, C) are, an `answer`; probabilities or values; and what their columns stand for."""
    model, columns = predictor.model, np.arange(outputs.shape[1])
    loss = model.config.loss_function
    if loss.has_classes:
        return "class", outputs, model.classes
    if not loss.has_probabilities:
        outputs = loss.decide(outputs, model.classes).reshape(outputs.shape)  # in the units of the training
    if predictor.data is not None and predictor.data.classes is not None:
        labels, _ = check_labels(predictor.data.classes, predictor.data.outputs, "classes")
        # Numbers that were trained to be 0 or 1 stand for probabilities, as in an evaluation.
        return "class", outputs.clip(0, 1), labels
    if not loss.has_probabilities:
        return "value", outputs, columns
    if len(columns) == 1:  # of y that is 0 or 1
        return "class", np.concatenate([1 - outputs, outputs], axis=1), np.arange(2)
    return "labels", outputs, columns
