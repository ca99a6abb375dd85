"""A trained network as an ONNX model: columns in, label and probabilities out."""

import json
from collections.abc import Sequence
from typing import Any

import numpy as np

from fastmlp._version import __version__
from fastmlp.errors import InputError
from fastmlp.export.portable import PortableNetwork

# Equal compares text from operator set 19 on, of 2023; 9 is the version of the file format that came with it.
OPERATORS, IR_VERSION = 19, 9
_FUNCTIONS = {
    "relu": "Relu",
    "tanh": "Tanh",
    "sigmoid": "Sigmoid",
    "identity": "Identity",
    "leaky_relu": "LeakyRelu",
    "elu": "Elu",
    "softplus": "Softplus",
    "softmax": "Softmax",
    "exp": "Exp",
}
# onnxruntime has these for float32 alone: those of float64 are put together from others.
_SINGLE = ("leaky_relu", "elu", "softplus")


def to_onnx(network: PortableNetwork) -> bytes:
    """Return an ONNX model.

    Columns of numbers alone are one input "X" (N, D), with text among them each column is an input (N, 1) of its name.
    Numbers are float32 or float64, see `PortableNetwork.input_dtype`; missing ones are nan, a missing text is empty.
    A row that the network would refuse, such as one with an unknown category, has outputs of nan.

    Parameters
    ----------
    network : PortableNetwork
        What is exported.

    Returns
    -------
    bytes
        Outputs are "label" (N,) of int64, bool or text, and "probabilities" (N, C); of binary cross entropy both are
        (N, C); of a regression there is "prediction" (N, C) alone.

    Raises
    ------
    InputError
        If onnx is not installed, or the network has what ONNX has not.
    """
    try:
        import onnx
    except ImportError:
        raise InputError("an export to ONNX needs onnx, which is not installed: pip install 'fastmlp[onnx]'") from None
    network.check_activations([name for name in _FUNCTIONS if name != "softmax"], "onnx")
    graph = _Graph(network)
    graph.add_outputs(graph.add_layers(graph.add_features()))
    model = onnx.helper.make_model(
        onnx.helper.make_graph(graph.nodes, "fastmlp", graph.inputs, graph.outputs, graph.constants),
        ir_version=IR_VERSION,
        opset_imports=[onnx.helper.make_opsetid("", OPERATORS)],
        producer_name="fastmlp",
        producer_version=__version__,
    )
    facts = {"columns": [column.name for column in network.columns], "classes": network.classes}
    onnx.helper.set_model_props(model, {name: json.dumps(value) for name, value in facts.items()})
    onnx.checker.check_model(model, full_check=True)
    return bytes(model.SerializeToString(deterministic=True))


class _Graph:
    """The graph of a network as it grows: each method adds nodes and returns the name of what the last one puts out."""

    def __init__(self, network: PortableNetwork):
        from onnx import TensorProto

        self.network = network
        self.nodes: list[Any] = []
        self.inputs: list[Any] = []
        self.outputs: list[Any] = []
        self.constants: list[Any] = []
        self.refused: list[str] = []  # (N, k) of bool: where a row has what the network would refuse
        self.types = {"float32": TensorProto.FLOAT, "float64": TensorProto.DOUBLE}
        self.taken = {column.name for column in network.columns}

    def add_features(self) -> str:
        """Add the inputs, and what makes features of them."""
        network = self.network
        parts: list[str] = []
        if network.texts:
            names = self._name_columns()
            numbers = [name for name, column in zip(names, network.columns, strict=True) if column.categories is None]
            X = self._node("Concat", numbers, axis=1) if numbers else ""
        else:
            names, X = [], self._input("X", self.types[network.input_dtype], len(network.columns))
        indicators: list[str] = []
        if X:
            scaled, gaps = self._scale(X)
            parts.append(scaled)
            if with_indicator := [number for number, column in enumerate(network.numbers) if column.indicator]:
                indicators.append(self._node("Gather", [gaps, self._constant(np.array(with_indicator))], axis=1))
        categories: list[str] = []
        for name, column in zip(names, network.columns, strict=False):
            if column.categories is not None:
                hot, gap = self._categories(name, column.categories)
                categories.append(hot)
                indicators += [gap] if column.indicator else []
        parts += [self._cast(part) for part in (*indicators, *categories)]
        return parts[0] if len(parts) == 1 else self._node("Concat", parts, axis=1)

    def add_layers(self, values: str) -> str:
        """Add all layers, and return the outputs of the last."""
        for layer in self.network.layers:
            W, b = self._constant(layer.weights), self._constant(layer.biases)
            # No Gemm: onnxruntime before 1.18 has none that is fused with an activation for float64.
            values = self._node("Add", [self._node("MatMul", [values, W]), b])
            if layer.activation in _SINGLE and self.network.dtype == "float64":
                values = self._in_double(layer.activation, values)
                continue
            options = {"axis": 1} if layer.activation == "softmax" else {}
            values = self._node(_FUNCTIONS[layer.activation], [values], **options)
        bad = self._node("Or", self.refused) if len(self.refused) == 2 else self.refused[0]
        return self._node("Where", [bad, self._constant(np.array(np.nan, self.network.dtype)), values])

    def add_outputs(self, values: str) -> None:
        """Add what the model puts out.

        Parameters
        ----------
        values : str
            Outputs of the last layer.
        """
        from onnx import TensorProto

        network, C = self.network, self.network.outputs
        if network.is_regression:
            self._output(values, "prediction", self.types[network.dtype], C)
            return
        if network.output == "softmax":
            labels = _labels(network.classes or [])
            best = self._node("ArgMax", [values], axis=1, keepdims=0)
            label, columns = self._node("Gather", [self._constant(labels), best]), None
            kind = {"i": TensorProto.INT64, "b": TensorProto.BOOL, "U": TensorProto.STRING}[labels.dtype.kind]
        else:
            half = self._constant(np.array(0.5, network.dtype))
            label, columns = self._node("Cast", [self._node("Greater", [values, half])], to=TensorProto.INT64), C
            kind = TensorProto.INT64
        self._output(label, "label", kind, columns)
        self._output(values, "probabilities", self.types[network.dtype], C)

    def _in_double(self, name: str, z: str) -> str:
        """One of _SINGLE for float64."""
        if name == "leaky_relu":
            return self._node("Max", [z, self._node("Mul", [z, self._constant(np.array(0.01))])])
        above, zero, one = self._node("Relu", [z]), self._constant(np.array(0.0)), self._constant(np.array(1.0))
        if name == "elu":
            below = self._node("Sub", [self._node("Exp", [self._node("Min", [z, zero])]), one])
        else:
            small = self._node("Exp", [self._node("Neg", [self._node("Abs", [z])])])
            below = self._node("Log", [self._node("Add", [small, one])])
        return self._node("Add", [above, below])

    def _scale(self, X: str) -> tuple[str, str]:
        """Scaled columns of numbers, and where they are missing; what is refused is noted."""
        network = self.network
        gaps, bad = self._node("IsNaN", [X]), self._node("IsInf", [X])
        if network.missing == "median":
            fills = np.array([column.fill for column in network.numbers], network.input_dtype)
            X = self._node("Where", [gaps, self._constant(fills), X])
        else:
            bad = self._node("Or", [gaps, bad])
        self.refused.append(self._any(bad))
        if network.is_scaled:
            offset, scale = (self._constant(a.astype(network.input_dtype)) for a in (network.offset, network.scale))
            X = self._node("Div", [self._node("Sub", [X, offset]), scale])
        return (X if network.input_dtype == network.dtype else self._cast(X)), gaps

    def _categories(self, text: str, known: Sequence[str]) -> tuple[str, str]:
        """A feature for each category (N, k), and where the text is missing (N, 1), both of bool."""
        hot = self._node("Equal", [text, self._constant(np.array([known]))])
        gap = self._node("Equal", [text, self._constant(np.array([[""]]))])
        found = self._any(hot)
        if self.network.missing == "median":
            found = self._node("Or", [found, gap])
        bad = self._node("Not", [found])
        self.refused = [self._node("Or", [*self.refused, bad])] if self.refused else [bad]
        return hot, gap

    def _any(self, flags: str) -> str:
        """Where a row (N, k) has a flag, (N, 1)."""
        most = self._node("ReduceMax", [self._cast(flags), self._constant(np.array([1]))], keepdims=1)
        return self._node("Greater", [most, self._constant(np.array(0, self.network.dtype))])

    def _name_columns(self) -> list[str]:
        """Add an input for each column."""
        from onnx import TensorProto

        number = self.types[self.network.input_dtype]
        return [
            self._input(
                column.name or self._new_name("column"), number if column.categories is None else TensorProto.STRING, 1
            )
            for column in self.network.columns
        ]

    def _cast(self, values: str) -> str:
        return self._node("Cast", [values], to=self.types[self.network.dtype])

    def _input(self, name: str, kind: int, columns: int) -> str:
        from onnx import helper

        self.inputs.append(helper.make_tensor_value_info(name, kind, ["N", columns]))
        return name

    def _output(self, values: str, name: str, kind: int, columns: int | None) -> None:
        from onnx import helper

        while name in self.taken:  # by a column
            name += "_"
        self.nodes.append(helper.make_node("Identity", [values], [name]))
        shape: list[str | int] = ["N"] if columns is None else ["N", columns]
        self.outputs.append(helper.make_tensor_value_info(name, kind, shape))

    def _node(self, operator: str, inputs: Sequence[str], **options: Any) -> str:
        from onnx import helper

        name = self._new_name(operator)
        self.nodes.append(helper.make_node(operator, inputs, [name], **options))
        return name

    def _constant(self, values: Any) -> str:
        from onnx import helper, numpy_helper

        name = self._new_name("constant")
        if values.dtype.kind == "U":
            texts = [text.encode() for text in values.ravel().tolist()]
            tensor = helper.make_tensor(name, helper.np_dtype_to_tensor_dtype(np.dtype(object)), values.shape, texts)
        else:
            tensor = numpy_helper.from_array(np.ascontiguousarray(values), name)
        self.constants.append(tensor)
        return name

    def _new_name(self, what: str) -> str:
        name = f"{what}_{len(self.nodes) + len(self.constants)}"
        while name in self.taken:
            name += "_"
        self.taken.add(name)
        return name


def _labels(classes: list[Any]) -> Any:
    """Labels as a tensor has them: whole numbers or booleans if all are, else text."""
    kinds = set(map(type, classes))
    return np.array(classes if len(kinds) == 1 and kinds <= {int, bool} else list(map(str, classes)))
