"""Numbers to predict are learnt on a scale of their own, and predicted and measured on that of y."""

import numpy as np
import pytest

from fastmlp import MLP
from fastmlp.config.target_scaling import measure
from fastmlp.errors import InputError

random = np.random.default_rng(0)
X = random.normal(size=(300, 4))
Y = 1000 * (X[:, 0] - X[:, 1]) + 5000
SMALL = {
    "loss": "squared_error",
    "hidden": (16,),
    "epochs": 30,
    "learning_rate": 0.05,
    "batch_size": 20,
    "dtype": "float64",
}


@pytest.fixture(scope="module", params=["numba", "numpy"])
def trained(request):
    return MLP(**SMALL, engine=request.param).fit(X, Y, validation=(X[:50], Y[:50]))


def test_prices_are_learnt_with_the_usual_rates(trained):
    assert trained.failure_reason is None
    assert trained.score(X, Y) > 0.9
    assert MLP(**SMALL, target_scaling="none").fit(X, Y).failure_reason.kind == "diverged"


def test_predictions_losses_and_scores_are_in_the_units_of_y(trained):
    predicted = trained.predict(X)
    squares = (predicted - Y) ** 2
    loss, score = trained.evaluate(X, Y)
    assert loss == pytest.approx(squares.mean() / 2)
    assert score == pytest.approx(1 - squares.sum() / ((Y - Y.mean()) ** 2).sum())
    assert trained.history["train_loss"][-1] == pytest.approx(loss)
    assert trained.history["train_accuracy"][-1] == pytest.approx(score)
    assert trained.history["validation_loss"][-1] == pytest.approx(squares[:50].mean() / 2)


def test_it_is_the_training_on_standardised_numbers(trained):
    mean, deviation = Y.mean(), Y.std()
    alone = MLP(**{**SMALL, "engine": trained.engine}, target_scaling="none").fit(X, (Y - mean) / deviation)
    for W, expected in zip(trained.weights, alone.weights, strict=True):
        np.testing.assert_allclose(W, expected, rtol=1e-9)
    np.testing.assert_allclose(trained.predict(X), alone.predict(X) * deviation + mean, rtol=1e-9)
    np.testing.assert_allclose(trained.history["train_loss"], np.array(alone.history["train_loss"]) * deviation**2)


def test_the_penalty_is_in_the_objective_in_the_same_units():
    mlp = MLP(**SMALL, l2=0.1).fit(X, Y)
    penalty = 0.05 * sum((W**2).sum() for W in mlp.weights) * Y.std() ** 2
    assert mlp.history["train_objective"][-1] - mlp.history["train_loss"][-1] == pytest.approx(penalty)


@pytest.mark.parametrize(("numbers", "expected"), [
    ([0, 10], False), ([0, 10.5], True), ([-10.5, 0], True), ([0.0, 0.3], False), ([0.0, 0.1], True),
    ([5000, 5000], False), ([3, 3], False),
])  # fmt: skip
def test_auto_scales_large_and_narrow_numbers(numbers, expected):
    y = np.array(numbers, float)[:, None]
    assert (measure("auto", y) is not None) is expected
    assert measure("none", y) is None
    scale = measure("standard", y)
    if y.std():
        np.testing.assert_allclose(scale, [[y.mean(), y.std()]])
    else:
        assert scale is None


def test_columns_have_means_of_their_own_and_one_deviation():
    Z = np.column_stack([Y, 3 * Y - 8000])
    mlp = MLP(**SMALL).fit(X, Z)
    assert mlp.predict(X).shape == (300, 2)
    assert mlp.classes.tolist() == [0, 1]
    scale = measure("auto", Z)
    np.testing.assert_allclose(scale[:, 0], Z.mean(axis=0))
    np.testing.assert_allclose(scale[:, 1], np.sqrt(Z.var(axis=0).mean()))
    squares = ((mlp.predict(X) - Z) ** 2).sum(axis=1)
    assert mlp.evaluate(X, Z)[0] == pytest.approx(squares.mean() / 2)


def test_the_scale_is_kept_in_a_model_file_and_by_further_passes(trained):
    again = MLP.from_bytes(trained.to_bytes())
    np.testing.assert_array_equal(again.predict(X), trained.predict(X))
    assert again.evaluate(X, Y) == trained.evaluate(X, Y)
    passes = MLP(**SMALL, engine=trained.engine)
    for _ in range(2):
        passes.partial_fit(X, Y)
    passes.partial_fit(X[:10], Y[:10] + 1e6)
    np.testing.assert_allclose(passes.target_scale, [[Y.mean(), Y.std()]])
    plain = MLP(**SMALL).partial_fit(X, Y / 1e4).partial_fit(X, Y)
    assert plain.target_scale is None


def test_weights_that_are_set_keep_the_scale(trained):
    other = MLP.from_bytes(trained.to_bytes())
    other.set_weights([0 * W for W in trained.weights], [0 * b for b in trained.biases])
    np.testing.assert_allclose(other.predict(X), Y.mean())


def test_integers_and_float32_are_scaled_to_the_last_digit():
    seconds = 1_700_000_000 + (X[:, 0] * 100).astype(int)
    mlp = MLP(**{**SMALL, "dtype": "float32"}).fit(X, seconds)
    assert mlp.score(X, seconds) > 0.9


def test_other_losses_scale_nothing():
    bits = (X[:, :2] > 0).astype(float)
    mlp = MLP(hidden=(4,), epochs=1, loss="binary_cross_entropy", target_scaling="standard").fit(X, bits)
    assert set(mlp.predict(X).ravel()) <= {0, 1}


def test_missing_numbers_are_named():
    pandas = pytest.importorskip("pandas")
    with pytest.raises(InputError, match="y has nan at row 1"):
        MLP(**SMALL).fit(X[:3], pandas.Series([1, None, 3], dtype="Int64"))
