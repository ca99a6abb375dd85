"""The search for a learning rate: what it measures, and that it leaves the network alone."""

import numpy as np
import pytest

from fastmlp import MLP
from fastmlp.callbacks import find_learning_rate
from fastmlp.errors import InputError, InputTypeError

RANDOM = np.random.RandomState(7)
X = RANDOM.standard_normal((230, 8))
Y = (X[:, 0] > 0).astype(int) + (X[:, 1] > 0)
SETTINGS = {"hidden": (16,), "batch_size": 20, "dtype": "float64", "seed": 3}


@pytest.mark.parametrize("engine", ["numba", "numpy"])
@pytest.mark.parametrize("weights", [None, np.linspace(0.5, 2, 230)])
@pytest.mark.parametrize("warm_start", [False, True])
def test_the_losses_are_those_of_a_training_by_hand_whose_rate_grows(engine, weights, warm_start):
    """Softmax regression in numpy; 12 batches an epoch, the last of them smaller, over several epochs."""
    mlp = MLP(hidden=(), batch_size=20, dtype="float64", shuffle=False, scaling="none", engine=engine)
    if warm_start:
        mlp.fit(X, Y)
    search = find_learning_rate(
        mlp, X, Y, lowest=1e-3, highest=0.5, steps=30, sample_weight=weights, warm_start=warm_start
    )
    # The weights at the start.
    one = mlp if warm_start else MLP(**{**mlp.settings(), "learning_rate": 1e-300, "epochs": 1}).fit(X, Y)
    W, b = np.array(one.weights[0]), np.array(one.biases[0])
    w, losses = np.ones(230) if weights is None else weights, []
    rates = np.geomspace(1e-3, 0.5, 30)
    batches = [np.arange(start, min(start + 20, 230)) for start in range(0, 230, 20)] * 3
    for rate, rows in zip(rates, batches[:30], strict=True):
        p = np.exp(X[rows] @ W + b)
        p /= p.sum(axis=1, keepdims=True)
        share = w[rows] / w[rows].sum()
        losses.append(-(share * np.log(p[np.arange(len(rows)), Y[rows]])).sum())
        error = (p - np.eye(3)[Y[rows]]) * share[:, None]
        W, b = W - rate * X[rows].T @ error, b - rate * error.sum(axis=0)
    np.testing.assert_allclose(search.learning_rates, rates, rtol=1e-12)
    np.testing.assert_allclose(search.losses, losses, rtol=1e-9)


@pytest.mark.parametrize("optimizer", ["sgd", "adam", "rmsprop"])
def test_the_network_stays_as_it_is_and_the_search_repeats_to_the_bit(optimizer):
    mlp = MLP(**SETTINGS, optimizer=optimizer, epochs=2).fit(X, Y)
    before, state = [W.copy() for W in mlp.weights], mlp.history.to_dict()
    first, again = (find_learning_rate(mlp, X, Y) for _ in range(2))
    np.testing.assert_array_equal(first.losses, again.losses)
    assert mlp.history.to_dict() == state
    assert mlp.learning_rate == 0.1
    for one, other in zip(mlp.weights, before, strict=True):
        np.testing.assert_array_equal(one, other)
    unfitted = MLP(**SETTINGS, optimizer=optimizer)
    find_learning_rate(unfitted, X, Y)
    assert len(unfitted.history) == 0


@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_a_network_trained_at_the_suggested_rate_learns_and_one_at_the_highest_is_lost(optimizer):
    search = find_learning_rate(MLP(**SETTINGS, optimizer=optimizer), X, Y, highest=1000)
    losses = [
        MLP(**SETTINGS, optimizer=optimizer, epochs=10, learning_rate=rate).fit(X, Y).history["train_loss"][-1]
        for rate in (search.suggestion, 1e-5, search.learning_rates[-1])
    ]
    assert losses[0] < 0.5 * losses[1]
    assert not losses[2] < 4 * losses[0]


def test_the_search_ends_when_the_loss_is_lost():
    search = find_learning_rate(MLP(**SETTINGS), X, Y, highest=1e6)
    assert len(search.losses) < 100
    assert len(search.learning_rates) == len(search.losses) == len(search.smoothed)


def test_the_figure_shows_the_losses_and_the_suggestion():
    search = find_learning_rate(MLP(**SETTINGS), X, Y)
    ax = search.plot().axes[0]
    batches, average, suggestion = ax.lines
    np.testing.assert_array_equal(batches.get_xydata(), np.column_stack([search.learning_rates, search.losses]))
    np.testing.assert_array_equal(average.get_ydata(), search.smoothed)
    assert suggestion.get_xdata()[0] == search.suggestion
    assert ax.get_xscale() == "log"
    assert f"suggestion {search.suggestion:.2g}" in [text.get_text() for text in ax.get_legend().get_texts()]


@pytest.mark.parametrize(
    ("settings", "arguments", "error", "message"),
    [
        ({"optimizer": "lbfgs"}, {}, InputError, "optimizer is 'lbfgs', which has no learning rate"),
        ({}, {"lowest": 0}, InputError, "lowest is 0"),
        ({}, {"lowest": 1, "highest": 1}, InputError, "highest is 1; expected more than lowest, 1"),
        ({}, {"steps": 3}, InputError, "steps is 3"),
        ({}, {"steps": 30.5}, InputTypeError, "steps is 30.5"),
    ],
)
def test_what_cannot_be_searched_is_refused(settings, arguments, error, message):
    with pytest.raises(error, match=message):
        find_learning_rate(MLP(**SETTINGS, **settings), X, Y, **arguments)
