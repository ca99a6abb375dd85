"""A trained network without its training, as plain values: what every format but the model file is made of."""

import json
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from fastmlp.config.target_scaling import folded, scale_of
from fastmlp.errors import InputError
from fastmlp.export.classes import plain_classes
from fastmlp.export.model_file import ModelRecord
from fastmlp.inputs.columns import Column
from fastmlp.training.memory_need import check_network

FORMAT, FORMAT_VERSION = "fastmlp-network", 1
# A column whose offset is so many times its scale is scaled in float64: float32 would keep less than five digits.
_FAR = 100


@dataclass(frozen=True)
class Layer:
    """A layer: f(x W + b).

    Attributes
    ----------
    weights : ndarray of shape (fan_in, fan_out)
        W, in the network's dtype.
    biases : ndarray of shape (fan_out,)
        b.
    activation : str
        f; of the last layer "softmax", "sigmoid", "identity" or "exp".
    """

    weights: NDArray[Any]
    biases: NDArray[Any]
    activation: str


@dataclass(frozen=True)
class PortableNetwork:
    """What is needed to predict.

    The features of the first layer are the columns of numbers, then an indicator of each column that has one, of
    numbers first, then a feature for each category.

    Attributes
    ----------
    columns : tuple of Column
        Of the inputs, in order.
    offset, scale : ndarray of shape (D,), float64
        Of the D columns of numbers: (x - offset) / scale.
    missing : str
        "refuse", or "median": missing values are allowed.
    layers : tuple of Layer
        In order.
    classes : list or None
        What the outputs stand for; None where they are numbers or bits.
    dtype : str
        Of the layers.
    version : str
        Of the fastmlp that wrote the network.
    """

    columns: tuple[Column, ...]
    offset: NDArray[np.float64]
    scale: NDArray[np.float64]
    missing: str
    layers: tuple[Layer, ...]
    classes: list[Any] | None
    dtype: str
    version: str

    @classmethod
    def of(cls, record: ModelRecord) -> Self:
        """Return what is portable of a network.

        Parameters
        ----------
        record : ModelRecord
            The network.

        Raises
        ------
        InputError
            For weights that are not finite, and for classes that are no numbers, text or booleans.
        """
        config, encoder, loss = record.config, record.encoder, record.config.loss_function
        W, b = [*record.parameters.weights], [*record.parameters.biases]
        W[-1], b[-1] = folded(W[-1], b[-1], scale_of(record.classes))
        if not all(np.isfinite(array).all() for array in (*W, *b)):
            raise InputError("the network has weights that are not finite; expected a training that has not failed")
        if loss.has_classes:
            plain_classes(record.classes)  # raises for those that no file has
        functions = (*config.layer_activations, loss.output)
        D = encoder.scaling.columns
        return cls(
            columns=encoder.columns or (Column(name=None),) * D,
            offset=np.array(np.broadcast_to(encoder.scaling.offset, D)),
            scale=np.array(np.broadcast_to(encoder.scaling.scale, D)),
            missing=encoder.missing,
            layers=tuple(map(Layer, W, b, functions)),
            classes=record.classes.tolist() if loss.has_classes else None,
            dtype=config.dtype,
            version=record.fastmlp_version,
        )

    @property
    def numbers(self) -> list[Column]:
        """The columns of numbers."""
        return [column for column in self.columns if column.categories is None]

    @property
    def texts(self) -> list[Column]:
        """The columns of text."""
        return [column for column in self.columns if column.categories is not None]

    @property
    def output(self) -> str:
        """Activation of the last layer."""
        return self.layers[-1].activation

    @property
    def is_regression(self) -> bool:
        """Whether outputs are numbers, not probabilities."""
        return self.output in ("identity", "exp")

    @property
    def outputs(self) -> int:
        """Number of outputs."""
        return len(self.layers[-1].biases)

    @property
    def input_dtype(self) -> str:
        """In which type numbers have to be scaled: the network's, or float64 where that would lose digits."""
        far = (np.abs(self.offset) > _FAR * self.scale).any()
        return "float64" if far else self.dtype

    @property
    def is_scaled(self) -> bool:
        """Whether any number becomes another one."""
        return bool(self.offset.any() or (self.scale != 1).any())

    def check_memory(self, each: int) -> None:
        """Raise OutOfMemoryError if so many bytes for each weight are more than is free.

        Parameters
        ----------
        each : int
            Bytes.
        """
        check_network(
            [len(self.layers[0].weights), *(len(layer.biases) for layer in self.layers)],
            each * sum(layer.weights.size for layer in self.layers),
        )

    def check_numeric(self, target: str) -> None:
        """Raise InputError where a column is text.

        Parameters
        ----------
        target : str
            What takes numbers alone.
        """
        if self.texts:
            raise InputError(
                f"column `{self.texts[0].name}` is text, and {target} takes numbers alone; expected onnx, c, python or "
                "json for such a network"
            )

    def check_activations(self, known: Any, target: str) -> None:
        """Raise InputError for the activation of a hidden layer that a format has not.

        Parameters
        ----------
        known : collection of str
            Those that it has.
        target : str
            Name of the format.
        """
        for layer in self.layers[:-1]:
            if layer.activation not in known:
                raise InputError(
                    f"activation {layer.activation!r} cannot be exported to {target}; expected one of "
                    f"{', '.join(known)}"
                )

    def to_dict(self) -> dict[str, Any]:
        """Return it as dicts, lists, text, numbers and booleans; docs/export.md has the keys."""
        self.check_memory(75)  # objects of Python, and their text: 58 in float32, 74 in float64
        scales = zip(self.offset.tolist(), self.scale.tolist(), strict=True)
        return {
            "format": FORMAT,
            "format_version": FORMAT_VERSION,
            "fastmlp_version": self.version,
            "dtype": self.dtype,
            "input_dtype": self.input_dtype,
            "missing": self.missing,
            "columns": [_column(column, scales) for column in self.columns],
            "classes": self.classes,
            "layers": [
                {"activation": one.activation, "weights": _shortest(one.weights), "biases": _shortest(one.biases)}
                for one in self.layers
            ],
        }

    def to_json(self) -> str:
        """Return `to_dict` as JSON in ASCII, with a line for each column and each row of weights."""
        return _json_lines(self.to_dict()) + "\n"


def _column(column: Column, scales: Any) -> dict[str, Any]:
    values: dict[str, Any] = {"name": column.name}
    if column.categories is not None:
        values["categories"] = list(column.categories)
    else:
        values["offset"], values["scale"] = next(scales)
        values["fill"] = column.fill
    return {**values, "indicator": column.indicator}


def _shortest(array: NDArray[Any]) -> list[Any]:
    """Return an array as nested lists of floats, with the fewest digits that round-trip in its dtype."""
    if array.ndim > 1:
        return [_shortest(row) for row in array]
    return array.tolist() if array.dtype == np.float64 else [float(str(value)) for value in array]


def _json_lines(value: Any, deeper: int = 3) -> str:
    """JSON, with the items of lists and dicts on separate lines, where they are lists or dicts themselves."""
    if not isinstance(value, list | dict) or not deeper or not any(isinstance(v, list | dict) for v in _items(value)):
        return json.dumps(value, allow_nan=False)
    if isinstance(value, list):
        return "[" + ",\n".join(_json_lines(item, deeper - 1) for item in value) + "]"
    return "{" + ",\n".join(f"{json.dumps(key)}: {_json_lines(item, deeper)}" for key, item in value.items()) + "}"


def _items(value: Any) -> Any:
    return value.values() if isinstance(value, dict) else value
