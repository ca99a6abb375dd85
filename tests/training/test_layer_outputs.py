"""What the layers of a network compute: logits, decisions, hidden layers; and inputs that come in batches."""

import numpy as np
import pytest
from scipy.sparse import csr_matrix
from scipy.special import expit, softmax

from fastmlp import MLP
from fastmlp.errors import InputError, InputTypeError

RANDOM = np.random.RandomState(5)
X = RANDOM.standard_normal((300, 6)) * [1, 10, 1, 1, 1, 100]
LABELS = np.array(["low", "middle", "high"])[(X[:, 0] > 0).astype(int) + (X[:, 1] > 0)]
ENGINES = pytest.mark.parametrize("engine", ["numba", "numpy"])
SETTINGS = {
    "hidden": (9, 5), "activation": ("relu", "tanh"), "epochs": 2, "batch_size": 32, "dtype": "float64", "dropout": 0.3,
}  # fmt: skip


def by_hand(mlp, X):
    """What each layer of a network for standardised inputs computes, in numpy; dropout is for training alone."""
    A = (X - X.mean(axis=0)) / X.std(axis=0)
    for W, b, function in zip(mlp.weights, mlp.biases, (lambda Z: np.maximum(Z, 0), np.tanh, lambda Z: Z), strict=True):
        A = function(A @ W + b)
        yield A


@ENGINES
def test_hidden_layers_and_logits_are_those_of_a_pass_by_hand(engine):
    mlp = MLP(**SETTINGS, scaling="standard", engine=engine).fit(X, LABELS)
    *hidden, logits = by_hand(mlp, X)
    found = mlp.hidden_activations(X)
    assert [layer.shape for layer in found] == [(300, 9), (300, 5)]
    for layer, expected in zip(found, hidden, strict=True):
        np.testing.assert_allclose(layer, expected, rtol=0, atol=1e-12)
    np.testing.assert_allclose(mlp.logits(X), logits, rtol=0, atol=1e-12)
    np.testing.assert_array_equal(mlp.hidden_activations(X, layer=-1), found[1])
    np.testing.assert_array_equal(mlp.hidden_activations(X, layer=0), found[0])


def test_the_probabilities_are_the_softmax_of_the_logits():
    mlp = MLP(**SETTINGS).fit(X, LABELS)
    np.testing.assert_allclose(softmax(mlp.logits(X), axis=1), mlp.predict_proba(X), rtol=0, atol=1e-12)
    np.testing.assert_array_equal(mlp.decision_function(X), mlp.logits(X))


def test_the_decision_on_two_classes_is_above_zero_for_the_second_and_its_log_odds():
    mlp = MLP(**SETTINGS).fit(X, LABELS == "high")
    decision = mlp.decision_function(X)
    assert decision.shape == (300,)
    np.testing.assert_array_equal(decision > 0, mlp.predict(X))
    np.testing.assert_allclose(expit(decision), mlp.predict_proba(X)[:, 1], rtol=0, atol=1e-12)


def test_each_label_of_several_has_a_decision_of_its_own():
    mlp = MLP(**SETTINGS, loss="binary_cross_entropy").fit(X, (X[:, :2] > 0).astype(float))
    assert mlp.decision_function(X).shape == (300, 2)
    np.testing.assert_allclose(expit(mlp.decision_function(X)), mlp.predict_proba(X), rtol=0, atol=1e-12)


def test_a_network_for_numbers_has_hidden_layers_and_no_logits():
    mlp = MLP(**SETTINGS, loss="squared_error").fit(X, X[:, 0])
    assert mlp.hidden_activations(X, 1).shape == (300, 5)
    for method in (mlp.logits, mlp.decision_function):
        with pytest.raises(InputError, match="squared error has no logits; call predict"):
            method(X)


@pytest.mark.parametrize(
    ("layer", "error", "message"),
    [
        (2, InputError, "layer is 2; expected a number from 0 to 1"),
        (-3, InputError, "layer is -3; expected a number from 0 to 1"),
        ("last", InputTypeError, "layer is 'last'; expected the number of a hidden layer"),
    ],
)
def test_a_layer_that_there_is_not_is_refused(layer, error, message):
    with pytest.raises(error, match=message):
        MLP(**SETTINGS).fit(X, LABELS).hidden_activations(X, layer)


def test_a_network_without_hidden_layers_has_no_activations_of_them():
    mlp = MLP(hidden=(), epochs=1).fit(X, LABELS)
    assert mlp.hidden_activations(X) == []
    with pytest.raises(InputError, match="this network has none"):
        mlp.hidden_activations(X, 0)


@pytest.mark.parametrize("form", [np.asarray, csr_matrix, lambda X: X.tolist()])
@pytest.mark.parametrize("method", ["predict", "predict_proba", "logits", "decision_function", "hidden_activations"])
def test_batches_of_an_iterator_have_the_results_of_all_rows_at_once(method, form):
    mlp = MLP(**SETTINGS, scaling="minmax").fit(X, LABELS)
    answer, whole = getattr(mlp, method), getattr(mlp, method)(X)
    joined = answer(form(X[start : start + 77]) for start in range(0, 300, 77))
    if method == "hidden_activations":
        for one, other in zip(joined, whole, strict=True):
            np.testing.assert_array_equal(one, other)
    else:
        np.testing.assert_array_equal(joined, whole)


def test_one_batch_of_an_iterator_is_in_memory_at_a_time():
    import weakref

    alive, mlp = [], MLP(**SETTINGS).fit(X, LABELS)

    class Batch(np.ndarray):
        """An array that a weak reference can refer to."""

    def batches():
        for _ in range(5):
            assert sum(batch() is not None for batch in alive) <= 1
            batch = X.copy().view(Batch)
            alive.append(weakref.ref(batch))
            yield batch

    assert mlp.predict(batches()).shape == (1500,)


def test_an_iterator_that_is_empty_or_has_labels_too_is_refused():
    mlp = MLP(**SETTINGS).fit(X, LABELS)
    for method in (mlp.predict, mlp.predict_proba, mlp.logits, mlp.hidden_activations):
        with pytest.raises(InputError, match="X is an iterator without a batch; expected one at least"):
            method(iter([]))
    for pair in ((X, LABELS), [X, LABELS]):
        with pytest.raises(InputTypeError, match=r"batch 2 of X is a \w+ of arrays; expected the inputs alone"):
            mlp.predict(iter([X, pair]))
    with pytest.raises(InputError, match="batch 2 of X has 5 features; expected 6"):
        mlp.predict(iter([X, X[:, :5]]))
