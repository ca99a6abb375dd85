"""A trained network of scikit-learn, which is all it needs: build(MODEL) returns a fitted estimator or pipeline."""

import json
import math
import warnings
from typing import Any

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.impute import SimpleImputer
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

ACTIVATIONS = {"relu": "relu", "tanh": "tanh", "sigmoid": "logistic", "identity": "identity"}


def build(model: dict[str, Any]) -> Any:
    """Return the network, behind what is done to its inputs.

    Parameters
    ----------
    model : dict
        What is in a JSON file that fastmlp exported.

    Returns
    -------
    MLPClassifier, MLPRegressor or Pipeline
        Fitted. Of two classes scikit-learn has one logistic output, which gives the same probabilities.
    """
    columns = model["columns"]
    steps = []
    if model["missing"] == "median":
        steps.append(_imputer(columns))
    offset, scale = (np.array([column[name] for column in columns]) for name in ("offset", "scale"))
    if offset.any() or (scale != 1).any():
        indicators = sum(column["indicator"] for column in columns)
        steps.append(_scaler(np.append(offset, np.zeros(indicators)), np.append(scale, np.ones(indicators))))
    steps.append(_network(model))
    names = [column["name"] for column in columns]
    if all(names):
        steps[0].feature_names_in_ = np.array(names, object)
    return make_pipeline(*steps) if len(steps) > 1 else steps[0]


def _imputer(columns: list[dict[str, Any]]) -> Any:
    """One fitted on two rows, which have the medians, and lack what rows of the training lacked."""
    fills = np.array([column["fill"] for column in columns])
    lacking = np.array([column["indicator"] for column in columns])
    return SimpleImputer(strategy="median", add_indicator=True).fit([fills, np.where(lacking, np.nan, fills)])


def _scaler(offset: Any, scale: Any) -> Any:
    scaler = StandardScaler().fit([offset - scale, offset + scale])
    scaler.mean_, scaler.scale_, scaler.var_ = offset, scale, scale**2
    return scaler


def _network(model: dict[str, Any]) -> Any:
    layers, classes, dtype = model["layers"], model["classes"], model["dtype"]
    coefs = [np.array(layer["weights"], dtype) for layer in layers]
    intercepts = [np.array(layer["biases"], dtype) for layer in layers]
    features, outputs = len(coefs[0]), len(intercepts[-1])
    hidden = {layer["activation"] for layer in layers[:-1]} or {"identity"}
    settings: dict[str, Any] = {
        "hidden_layer_sizes": tuple(map(len, intercepts[:-1])), "activation": ACTIVATIONS[hidden.pop()], "max_iter": 1,
        "random_state": 0,
    }  # fmt: skip
    if classes is not None:
        y: Any = classes
    elif outputs == 1:
        y = [0, 1]
    else:
        y = np.array([np.zeros(outputs, int), np.ones(outputs, int)])
    losses = {"identity": "squared_error", "exp": "poisson"}  # of a regression, by the function of its outputs
    loss = losses.get(layers[-1]["activation"])
    estimator = MLPRegressor(loss, **settings) if loss else MLPClassifier(**settings)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        estimator.fit(np.zeros((len(y), features), dtype), y)  # makes all else that a fitted estimator has
    if classes is not None and outputs == 2:  # softmax of two is the sigmoid of their difference
        coefs[-1], intercepts[-1] = (array[..., 1:] - array[..., :1] for array in (coefs[-1], intercepts[-1]))
    estimator.coefs_, estimator.intercepts_ = coefs, intercepts
    estimator.n_iter_, estimator.t_, estimator.loss_, estimator.best_loss_ = 0, 0, math.nan, math.inf
    estimator.loss_curve_ = []
    return estimator


def load(path: str) -> Any:
    """Return the network in a JSON file that fastmlp exported.

    Parameters
    ----------
    path : str
        Of the file.
    """
    with open(path, encoding="utf-8") as file:
        return build(json.load(file))
