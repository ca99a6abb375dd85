"""Weights that are given to a network, without a training or after one."""

import itertools

import numpy as np
import pytest

from fastmlp import MLP
from fastmlp.errors import InputError, InputTypeError

DEEP = {"hidden": (4, 3), "activation": "tanh", "dtype": "float64"}


def arrays(*widths, seed=0):
    """Weights and biases of a network with these numbers of inputs, units and outputs."""
    random = np.random.RandomState(seed)
    pairs = list(itertools.pairwise(widths))
    return [random.standard_normal(pair) for pair in pairs], [random.standard_normal(pair[1]) for pair in pairs]


def samples(rows=40, features=5, classes=3):
    random = np.random.RandomState(1)
    return random.standard_normal((rows, features)), np.arange(rows) % classes


def written_out(X, weights, biases):
    """The outputs of a network of tanh units, before the function of its last layer."""
    for W, b in zip(weights[:-1], biases[:-1], strict=True):
        X = np.tanh(X @ W + b)
    return X @ weights[-1] + biases[-1]


def test_a_network_of_given_weights_answers_as_they_say():
    X, (W, b) = samples()[0], arrays(5, 4, 3, 3)
    Z = written_out(X, W, b)
    mlp = MLP.from_weights(W, b, activation="tanh")
    p = np.exp(Z)
    np.testing.assert_allclose(mlp.predict_proba(X), p / p.sum(axis=1, keepdims=True), rtol=1e-12)
    assert mlp.hidden == (4, 3)
    assert mlp.dtype == "float64"
    assert mlp.classes.tolist() == [0, 1, 2]
    np.testing.assert_allclose(MLP.from_weights(W, b, activation="tanh", loss="squared_error").predict(X), Z)


def test_the_dtype_is_that_of_the_weights_unless_it_is_said():
    W, b = arrays(5, 2)
    assert MLP.from_weights([W[0].astype(np.float32)], b).dtype == "float32"
    assert MLP.from_weights([[[1, 2], [3, 4]]], [[0, 0]]).dtype == "float32"
    assert MLP.from_weights(W, b, dtype="float32").weights[0].dtype == np.float32


def test_columns_stand_for_the_classes_that_are_given():
    mlp = MLP.from_weights([np.eye(3)], [np.zeros(3)], classes=[-1, 5, 9])
    assert mlp.predict(np.eye(3)).tolist() == [-1, 5, 9]
    assert mlp.score(np.eye(3), [-1, 5, 9]) == 1


def test_given_weights_are_copied():
    W, b = arrays(5, 3)
    mlp = MLP.from_weights(W, b)
    W[0][...] = 0
    assert mlp.weights[0].all()


def test_a_network_of_given_weights_is_saved_and_read_again():
    X, (W, b) = samples()[0], arrays(5, 4, 3)
    mlp = MLP.from_weights(W, b)
    again = MLP.from_bytes(mlp.to_bytes())
    assert again.predict_proba(X).tobytes() == mlp.predict_proba(X).tobytes()


def test_training_goes_on_from_given_weights():
    X, y = samples()
    W, b = arrays(5, 4, 3, 3)
    still = MLP.from_weights(W, b, activation="tanh", learning_rate=1e-300, epochs=1).fit(X, y, warm_start=True)
    for given, kept in zip((*W, *b), (*still.weights, *still.biases), strict=True):
        np.testing.assert_array_equal(kept, given)
    mlp = MLP.from_weights(W, b, activation="tanh")
    before = mlp.evaluate(X, y)[0]
    assert mlp.partial_fit(X, y).evaluate(X, y)[0] < before


def test_inputs_of_a_network_without_a_training_are_read_as_they_are_or_as_pixels():
    W, b = arrays(64, 3)
    X = np.random.RandomState(0).randint(0, 256, (9, 64))
    as_they_are = MLP.from_weights(W, b, loss="squared_error").predict(X)
    np.testing.assert_allclose(as_they_are, X @ W[0] + b[0])
    pixels = MLP.from_weights(W, b, loss="squared_error", scaling="pixels").predict(X)
    np.testing.assert_allclose(pixels, X / 255 @ W[0] + b[0])
    with pytest.raises(InputError, match=r"'standard', which is measured on training rows.*scale the inputs before"):
        MLP.from_weights(W, b, scaling="standard")


def test_weights_that_are_set_take_the_place_of_those_of_a_training():
    X, y = samples()
    mlp = MLP(**DEEP).fit(X, y)
    views, epochs = mlp.weights, len(mlp.history)
    W, b = arrays(5, 4, 3, 3)
    assert mlp.set_weights(W, b) is mlp
    np.testing.assert_array_equal(views[1], W[1])
    assert len(mlp.history) == epochs
    biases = [array.copy() for array in mlp.biases]
    mlp.set_weights([2 * array for array in W])
    np.testing.assert_array_equal(mlp.weights[2], 2 * W[2])
    assert all(map(np.array_equal, mlp.biases, biases))


def test_weights_are_set_without_a_training():
    W, b = arrays(5, 4, 3, 3)
    mlp = MLP(**DEEP).set_weights(W)
    assert not any(array.any() for array in mlp.biases)
    np.testing.assert_array_equal(mlp.set_weights(W, b).biases[0], b[0])


@pytest.mark.parametrize("name", ["weights", "biases"])
def test_an_array_cannot_be_swapped_unnoticed_but_written_to(name):
    mlp = MLP(**DEEP).fit(*samples())
    with pytest.raises(TypeError, match="does not support item assignment"):
        getattr(mlp, name)[0] = np.zeros(1)
    with pytest.raises(AttributeError):
        setattr(mlp, name, [])
    getattr(mlp, name)[0][...] = 7
    assert (getattr(mlp, name)[0] == 7).all()
    assert (getattr(MLP.from_bytes(mlp.to_bytes()), name)[0] == 7).all()


@pytest.mark.parametrize(
    ("weights", "biases", "message"),
    [
        (arrays(5, 4, 3)[0], arrays(5, 4, 3)[1], "weights has 2 arrays for 3 layers; expected one per layer"),
        (arrays(5, 4, 9, 3)[0], arrays(5, 4, 9, 3)[1], r"weights\[1\] has shape \(4, 9\); expected \(4, 3\)"),
        (arrays(5, 4, 3, 3)[0], arrays(5, 4, 3, 9)[1], r"biases\[2\] has shape \(9,\); expected \(3,\)"),
        (
            [W.T for W in arrays(5, 4, 3, 3)[0]], arrays(5, 4, 3, 3)[1],
            r"weights\[0\] has shape \(4, 5\); expected \(4, 4\)",
        ),
        (arrays(5, 4, 3, 3)[0], arrays(5, 4, 3, 3)[0], r"biases\[0\] has shape \(5, 4\); expected \(fan_out,\)"),
        ([np.full((5, 4), np.nan), *arrays(5, 4, 3, 3)[0][1:]], None, r"weights\[0\] has nan; expected finite"),
        ([W for pair in zip(*arrays(5, 4, 3, 3), strict=True) for W in pair], None, r"give weights=arrays\[::2\]"),
    ],
    ids=["too few", "other width", "other bias", "transposed", "biases of two axes", "nan", "as Keras has them"],
)  # fmt: skip
def test_arrays_that_do_not_fit_are_refused_before_anything_is_changed(weights, biases, message):
    mlp = MLP(**DEEP)
    with pytest.raises(InputError, match=message):
        mlp.set_weights(weights, biases)
    with pytest.raises(InputError, match="no weights yet"):
        mlp.weights  # noqa: B018


def test_transposed_weights_of_a_trained_network_are_told():
    mlp = MLP(hidden=(4,)).fit(*samples())
    with pytest.raises(InputError, match=r"expected \(5, 4\): is it transposed, as PyTorch has it\?"):
        mlp.set_weights([W.T for W in arrays(5, 4, 3)[0]])


@pytest.mark.parametrize(
    ("classes", "settings", "error", "message"),
    [
        ([1, 2], {}, InputError, "classes has 2 labels for 3 outputs"),
        ([2, 1, 0], {}, InputError, "ascending order: sort them, and the columns of the last layer alike"),
        ([1, 2, 2], {}, InputError, "each once, in ascending order"),
        ([1, 2, 3], {"loss": "squared_error"}, InputError, "'squared_error' has none; leave it out"),
        (3, {}, InputTypeError, "classes is 3; expected"),
    ],
)
def test_classes_that_do_not_name_the_columns_are_refused(classes, settings, error, message):
    with pytest.raises(error, match=message):
        MLP.from_weights(*arrays(5, 3), classes=classes, **settings)


@pytest.mark.parametrize("weights", [None, "coefs", 3])
def test_what_is_no_list_of_arrays_is_refused(weights):
    with pytest.raises(InputTypeError, match="expected a list of arrays, one per layer"):
        MLP.from_weights(weights, [])
