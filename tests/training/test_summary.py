"""The summary of a network: what it says of the layers, and that it agrees with the network."""

import numpy as np
import pytest

from fastmlp import MLP

X = np.random.RandomState(2).standard_normal((60, 13))
Y = np.arange(60) % 3


@pytest.mark.parametrize("optimizer", ["sgd", "adam", "rmsprop"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_numbers_are_those_of_the_trained_network(optimizer, dtype):
    mlp = MLP(hidden=(40, 7), optimizer=optimizer, dtype=dtype, epochs=1)
    planned, trained = mlp.summary(features=13, outputs=3), mlp.fit(X, Y).summary()
    assert planned.layers == trained.layers
    assert planned.parameters == trained.parameters == sum(array.size for array in (*mlp.weights, *mlp.biases))
    assert [layer.shape for layer in trained.layers] == [W.shape for W in mlp.weights]
    # The weights are views into one block of bytes, with 64 more to begin at a cache line.
    size = mlp.weights[0].base.nbytes - 64
    assert trained.weight_bytes == size
    assert trained.optimizer_bytes == {"sgd": 0, "adam": 2, "rmsprop": 2}[optimizer] * size


def test_the_table_names_layers_shapes_activations_and_parameters_within_80_columns():
    mlp = MLP(hidden=(40, 7), activation=("relu", "tanh"), dropout=(0.2, 0, 0.5), loss="binary_cross_entropy")
    text = str(mlp.summary(features=13, outputs=2))
    assert repr(mlp.summary(features=13, outputs=2)) == text
    assert max(map(len, text.splitlines())) < 80
    rows = [line.split() for line in text.splitlines()]
    assert ["hidden", "1", "13", "x", "40", "relu", "0.2", "560"] in rows
    assert ["hidden", "2", "40", "x", "7", "tanh", "287"] in rows
    assert ["output", "7", "x", "2", "sigmoid", "0.5", "16"] in rows
    assert ["total", "863"] in rows


def test_a_network_before_its_fit_says_what_it_does_not_know():
    text = str(MLP(hidden=(40,)).summary())
    assert "? x 40" in text
    assert "40 x ?" in text
    assert text.splitlines()[-1] == "parameters: known once the numbers of inputs and outputs are, with the first fit"


def test_what_the_inputs_mean_is_told_after_a_fit():
    assert "13 columns" in str(MLP(hidden=(4,), epochs=1).fit(X, Y).summary())
