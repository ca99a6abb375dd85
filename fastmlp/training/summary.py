"""Summary of a network: its layers, their shapes and activations, how many numbers it learns, and their memory."""

from dataclasses import dataclass
from itertools import pairwise

from fastmlp.config.network import NetworkConfig
from fastmlp.training.memory_need import parameter_bytes


@dataclass(frozen=True)
class LayerSummary:
    """A layer.

    Attributes
    ----------
    name : str
        "hidden 1" and so on, "output".
    shape : tuple of int or None
        (fan_in, fan_out) of its weights; None for what is not known before the first fit.
    activation : str
        Of its units; of the output layer such as "softmax".
    dropout : float
        Share of its inputs that is dropped in training.
    parameters : int or None
        Numbers that it learns, biases included.
    """

    name: str
    shape: tuple[int | None, int | None]
    activation: str
    dropout: float
    parameters: int | None


@dataclass(frozen=True, repr=False)
class Summary:
    """Layers of a network; as text a table of less than 80 columns.

    Attributes
    ----------
    layers : tuple of LayerSummary
        In their order, the output layer last.
    parameters : int or None
        Numbers that the network learns; None where the inputs or outputs are not known yet.
    weight_bytes, optimizer_bytes : int or None
        Memory of the weights and biases, and of what the optimizer keeps for each of them, padded to cache lines as
        they are. A training holds both twice, to go back to the last whole epoch.
    inputs : str
        What the inputs are, such as "64 columns, 0 to 16, standardised".
    """

    layers: tuple[LayerSummary, ...]
    parameters: int | None
    weight_bytes: int | None
    optimizer_bytes: int | None
    inputs: str

    def __str__(self) -> str:
        rows: list[tuple[str, ...]] = [("layer", "weights", "activation", "inputs dropped", "parameters")]
        for layer in self.layers:
            fan_in, fan_out = ("?" if width is None else str(width) for width in layer.shape)
            dropped = f"{layer.dropout:g}" if layer.dropout else ""
            rows.append((layer.name, f"{fan_in} x {fan_out}", layer.activation, dropped, _counted(layer.parameters)))
        rows.append(("total", "", "", "", _counted(self.parameters)))
        if not any(layer.dropout for layer in self.layers):
            rows = [(*row[:3], row[4]) for row in rows]
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        lines = ["  ".join([*map(str.ljust, row[:-1], widths), row[-1].rjust(widths[-1])]) for row in rows]
        rule = "  ".join("-" * width for width in widths)
        table = [lines[0], rule, *lines[1:-1], rule, lines[-1]]
        if self.weight_bytes is None or self.optimizer_bytes is None:
            memory = "parameters: known once the numbers of inputs and outputs are, with the first fit"
        else:
            memory = f"memory: {_size(self.weight_bytes)} of weights, {_size(self.optimizer_bytes)} of optimizer state"
        return "\n".join([*table, *([f"inputs: {self.inputs}"] if self.inputs else []), memory])

    __repr__ = __str__


def summarise(config: NetworkConfig, features: int | None, outputs: int | None, inputs: str = "") -> Summary:
    """Return the summary of a network.

    Parameters
    ----------
    config : NetworkConfig
        Its settings.
    features, outputs : int or None
        Numbers of its inputs and outputs; None as long as they are not known.
    inputs : str
        What the inputs are.
    """
    widths = (features, *config.hidden, outputs)
    names = [*(f"hidden {number}" for number in range(1, len(config.hidden) + 1)), "output"]
    activations = (*config.layer_activations, config.loss_function.output)
    dropout = config.layer_dropout or (0.0,) * len(names)
    layers = tuple(
        LayerSummary(*layer, parameters=_learned(layer[1]))
        for layer in zip(names, pairwise(widths), activations, dropout, strict=True)
    )
    if features is None or outputs is None:
        return Summary(layers, None, None, None, inputs)
    size = parameter_bytes((features, *config.hidden, outputs), config.dtype)
    learned = sum(layer.parameters or 0 for layer in layers)
    return Summary(layers, learned, size, config.optimizer_config.states * size, inputs)


def _learned(shape: tuple[int | None, int | None]) -> int | None:
    fan_in, fan_out = shape
    return None if fan_in is None or fan_out is None else (fan_in + 1) * fan_out


def _counted(number: int | None) -> str:
    return "?" if number is None else f"{number:,}"


def _size(size: float) -> str:
    """Bytes as text with three digits."""
    unit = "bytes"
    for larger in ("kB", "MB", "GB"):
        if size >= 1000:
            size, unit = size / 1000, larger
    return f"{size:.3g} {unit}"
