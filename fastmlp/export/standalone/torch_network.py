"""A trained network of PyTorch, which is all it needs: build(MODEL) returns an `nn.Sequential`."""

import json
from collections import OrderedDict
from typing import Any

import torch
from torch import nn


class Exp(nn.Module):
    """The means of a Poisson regression."""

    def forward(self, z: Any) -> Any:
        """Return exp(z).

        Parameters
        ----------
        z : torch.Tensor
            Of any shape.
        """
        return torch.exp(z)


ACTIVATIONS: dict[str, Any] = {
    "relu": nn.ReLU,
    "tanh": nn.Tanh,
    "sigmoid": nn.Sigmoid,
    "identity": nn.Identity,
    "leaky_relu": nn.LeakyReLU,
    "elu": nn.ELU,
    "softplus": nn.Softplus,
    "exp": Exp,
}


class Inputs(nn.Module):
    """From columns to the features of the first layer: (x - offset) / scale, medians and indicators of missing values.

    Its numbers are buffers, so that they move to another device with the network; a state dict has the layers alone.

    Parameters
    ----------
    model : dict
        What is in a JSON file that fastmlp exported.
    """

    def __init__(self, model: dict[str, Any]):
        super().__init__()
        columns, self.dtype = model["columns"], getattr(torch, model["dtype"])
        precise = getattr(torch, model["input_dtype"])
        for name in ("offset", "scale"):
            values = torch.tensor([column[name] for column in columns], dtype=precise)
            self.register_buffer(name, values, persistent=False)
        fills = [float("nan") if column["fill"] is None else column["fill"] for column in columns]
        self.register_buffer("fill", torch.tensor(fills, dtype=precise), persistent=False)
        with_indicator = [number for number, column in enumerate(columns) if column["indicator"]]
        self.register_buffer("with_indicator", torch.tensor(with_indicator, dtype=torch.long), persistent=False)

    def forward(self, X: Any) -> Any:
        """Return the features of rows.

        Parameters
        ----------
        X : Tensor of shape (N, D)
            Numbers of any type; nan where a value is missing.

        Returns
        -------
        Tensor of shape (N, features)
            In the dtype of the network; nan where a missing value was not allowed in the training.
        """
        X = X.to(self.offset.dtype)
        missing = torch.isnan(X)
        features = ((torch.where(missing, self.fill, X) - self.offset) / self.scale).to(self.dtype)
        return torch.cat([features, missing[:, self.with_indicator].to(self.dtype)], dim=1)


def build(model: dict[str, Any]) -> Any:
    """Return the network: its `inputs`, layers, and last the function that makes probabilities of them.

    Parameters
    ----------
    model : dict
        What is in a JSON file that fastmlp exported.

    Returns
    -------
    torch.nn.Sequential
        From (N, D) to the outputs (N, C). Without its last module, network[:-1], it returns logits. `classes` is a list
        of what the outputs stand for, or None.
    """
    modules: OrderedDict[str, Any] = OrderedDict(inputs=Inputs(model))
    for number, layer in enumerate(model["layers"], 1):
        W = torch.tensor(layer["weights"], dtype=getattr(torch, model["dtype"]))
        linear = nn.Linear(*W.shape, dtype=W.dtype)
        with torch.no_grad():
            linear.weight.copy_(W.T)
            linear.bias.copy_(torch.tensor(layer["biases"], dtype=W.dtype))
        name = layer["activation"]
        modules[f"layer{number}"] = linear
        modules[f"activation{number}"] = nn.Softmax(dim=1) if name == "softmax" else ACTIVATIONS[name]()
    network = nn.Sequential(modules)
    network.classes = model["classes"]
    return network


def load(path: str) -> Any:
    """Return the network in a JSON file that fastmlp exported.

    Parameters
    ----------
    path : str
        Of the file.
    """
    with open(path, encoding="utf-8") as file:
        return build(json.load(file))
