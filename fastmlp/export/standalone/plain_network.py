"""A trained network in plain Python: the standard library is all it needs.

predict(rows) and predict_proba(rows) take rows as lists, in the order of the columns, or as dicts by their names.
"""

import json
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any


def _sigmoid(x: float) -> float:
    z = math.exp(-abs(x))
    return (1.0 if x >= 0 else z) / (1.0 + z)


ACTIVATIONS: dict[str, Callable[[float], float]] = {
    "relu": lambda x: max(x, 0.0),
    "tanh": math.tanh,
    "sigmoid": _sigmoid,
    "identity": lambda x: x,
    "leaky_relu": lambda x: x if x > 0 else 0.01 * x,
    "elu": lambda x: x if x > 0 else math.expm1(x),
    "exp": lambda x: math.exp(x) if x < 709 else math.inf,  # the mean of a Poisson regression
    "softplus": lambda x: max(x, 0.0) + math.log1p(math.exp(-abs(x))),
}


class PlainNetwork:
    """A network that computes in float64.

    Parameters
    ----------
    model : dict
        What is in a JSON file that fastmlp exported.
    """

    def __init__(self, model: dict[str, Any]):
        self.columns: list[dict[str, Any]] = model["columns"]
        self.layers: list[dict[str, Any]] = model["layers"]
        self.classes: list[Any] | None = model["classes"]
        self.may_lack: bool = model["missing"] == "median"

    def predict_proba(self, rows: Iterable[Any]) -> list[list[float]]:
        """Return the outputs of the last layer, a list for each row: probabilities, or the numbers of a regression.

        Parameters
        ----------
        rows : iterable
            Lists of values in the order of the columns, or dicts by their names. None, nan and an empty text are
            missing values.

        Raises
        ------
        ValueError
            For a value that the training did not have.
        """
        return [self._outputs(self._features(row)) for row in rows]

    def predict(self, rows: Iterable[Any]) -> list[Any]:
        """Return the class of each row; without classes zeros and ones, or numbers, a list where there are several.

        Parameters
        ----------
        rows : iterable
            As for `predict_proba`.
        """
        outputs = self.predict_proba(rows)
        if self.classes is not None:
            return [self.classes[row.index(max(row))] for row in outputs]
        decided: list[list[Any]] = outputs
        if self.layers[-1]["activation"] == "sigmoid":
            decided = [[int(value > 0.5) for value in row] for row in outputs]
        return [row[0] if len(row) == 1 else row for row in decided]

    def _features(self, row: Any) -> list[float]:
        """Scaled numbers, indicators and categories of a row."""
        values: Sequence[Any] = row
        if isinstance(row, Mapping):
            values = [row.get(column["name"]) for column in self.columns]
        if len(values) != len(self.columns):
            raise ValueError(f"a row has {len(values)} values; expected {len(self.columns)}")
        numbers: list[float] = []
        indicators: list[tuple[bool, float]] = []
        categories: list[float] = []
        for number, (column, value) in enumerate(zip(self.columns, values, strict=True)):
            name, known = column["name"] or number, column.get("categories")
            is_missing = value is None or value != value or (value == "" and "" not in (known or ()))
            if is_missing and not self.may_lack:
                raise ValueError(f"column {name} has no value; expected one")
            if column["indicator"]:
                indicators.append((known is not None, float(is_missing)))
            if known is None:
                x = float(column["fill"] if is_missing else value)
                if not math.isfinite(x):
                    raise ValueError(f"column {name} has {value!r}; expected a finite number")
                numbers.append((x - column["offset"]) / column["scale"])
                continue
            text = str(int(value) if isinstance(value, float) and value.is_integer() else value)
            if not is_missing and text not in known:
                raise ValueError(f"column {name} has {value!r}; expected one of {', '.join(known)}")
            categories += [float(not is_missing and text == one) for one in known]
        indicators.sort(key=lambda one: one[0])  # those of numbers first
        return [*numbers, *(value for _, value in indicators), *categories]

    def _outputs(self, values: list[float]) -> list[float]:
        for layer in self.layers:
            sums = list(layer["biases"])
            for value, weights in zip(values, layer["weights"], strict=True):
                if value:
                    sums = [total + value * weight for total, weight in zip(sums, weights, strict=True)]
            if layer["activation"] == "softmax":
                powers = [math.exp(total - max(sums)) for total in sums]
                return [power / sum(powers) for power in powers]
            values = [ACTIVATIONS[layer["activation"]](total) for total in sums]
        return values


def load(path: str) -> PlainNetwork:
    """Return the network in a JSON file that fastmlp exported.

    Parameters
    ----------
    path : str
        Of the file.
    """
    with open(path, encoding="utf-8") as file:
        return PlainNetwork(json.load(file))
