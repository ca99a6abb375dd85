"""Losses and optimisers as a user meets them: several labels per sample, regression, weights, L-BFGS."""

import h5py
import numpy as np
import pytest

from fastmlp import MLP
from fastmlp.data import Stream
from fastmlp.errors import InputError

RANDOM = np.random.RandomState(0)
X = RANDOM.standard_normal((300, 5))


def test_squared_error_fits_numbers_and_scores_r_squared():
    y = np.sin(X[:, 0]) + X[:, 1] * 0.5
    mlp = MLP(loss="squared_error", hidden=(32,), activation="tanh", optimizer="adam", learning_rate=0.01, epochs=80)
    mlp.fit(X[:200], y[:200], validation=(X[200:], y[200:]))
    predicted = mlp.predict(X[200:])
    assert predicted.shape == (100,)
    error = ((predicted - y[200:]) ** 2).sum()
    expected = 1 - error / ((y[200:] - y[200:].mean()) ** 2).sum()
    assert mlp.score(X[200:], y[200:]) == pytest.approx(expected, abs=1e-5)
    assert expected > 0.9
    assert mlp.history["validation_accuracy"][-1] == pytest.approx(expected, abs=1e-5)
    assert mlp.evaluate(X[200:], y[200:])[0] == pytest.approx(error / 200, rel=1e-5)
    with pytest.raises(InputError, match="no probabilities"):
        mlp.predict_proba(X)


def test_regression_without_hidden_layers_is_least_squares():
    y = X @ RANDOM.standard_normal((5, 2)) + [1.0, -2.0]
    settings = {"loss": "squared_error", "hidden": (), "epochs": 200, "dtype": "float64", "scaling": "none"}
    mlp = MLP(batch_size=300, learning_rate=0.3, **settings).fit(X, y)
    expected, *_ = np.linalg.lstsq(np.c_[X, np.ones(300)], y, rcond=None)
    np.testing.assert_allclose(mlp.weights[0], expected[:5], atol=1e-6)
    np.testing.assert_allclose(mlp.biases[0], expected[5], atol=1e-6)
    assert mlp.predict(X).shape == (300, 2)


COUNTS = np.random.RandomState(5).poisson(np.exp(1 + X[:, :2] / 2))
POISSON = {"loss": "poisson", "optimizer": "lbfgs", "dtype": "float64", "scaling": "none", "epochs": 200}


def test_poisson_without_hidden_layers_is_the_generalised_linear_model():
    linear_model = pytest.importorskip("sklearn.linear_model")
    mlp = MLP(hidden=(), **POISSON).fit(X, COUNTS[:, 0])
    expected = linear_model.PoissonRegressor(alpha=0, tol=1e-9).fit(X, COUNTS[:, 0])
    np.testing.assert_allclose(mlp.weights[0][:, 0], expected.coef_, atol=1e-4)
    np.testing.assert_allclose(mlp.biases[0], expected.intercept_, atol=1e-4)
    np.testing.assert_allclose(mlp.predict(X), expected.predict(X), rtol=1e-4)
    assert mlp.score(X, COUNTS[:, 0]) == pytest.approx(expected.score(X, COUNTS[:, 0]), abs=1e-6)


@pytest.mark.parametrize("engine", ["numba", "numpy"])
@pytest.mark.parametrize("weight", [None, np.arange(300) % 3 + 0.5])
def test_poisson_learns_means_and_measures_the_deviance(engine, weight):
    metrics = pytest.importorskip("sklearn.metrics")
    settings = {"loss": "poisson", "hidden": (16,), "learning_rate": 0.02, "epochs": 20, "batch_size": 20}
    mlp = MLP(engine=engine, **settings).fit(X, COUNTS, sample_weight=weight)
    means = mlp.predict(X)
    assert means.shape == (300, 2)
    assert means.min() > 0
    deviance = [metrics.mean_poisson_deviance(COUNTS[:, c], means[:, c]) / 2 for c in (0, 1)]
    constant = [metrics.mean_poisson_deviance(COUNTS[:, c], np.full(300, COUNTS[:, c].mean())) / 2 for c in (0, 1)]
    loss, explained = mlp.evaluate(X, COUNTS)
    assert loss == pytest.approx(sum(deviance), rel=1e-5)
    assert explained == pytest.approx(1 - sum(deviance) / sum(constant), abs=1e-5)
    assert 0.3 < explained < 0.9
    weighted = [metrics.d2_tweedie_score(COUNTS[:, c], means[:, c], sample_weight=weight, power=1) for c in (0, 1)]
    assert min(weighted) - 1e-6 <= mlp.history["train_accuracy"][-1] <= max(weighted) + 1e-6
    with pytest.raises(InputError, match="a network for the Poisson deviance has no probabilities"):
        mlp.predict_proba(X)


def test_poisson_takes_numbers_as_they_are_also_large_ones_next_to_0_and_none_but_0():
    large = 1e4 * (1 + COUNTS[:, 0])
    mlp = MLP(hidden=(), **POISSON).fit(X, large)
    assert mlp.target_scale is None
    assert mlp.predict(X).mean() == pytest.approx(large.mean(), rel=1e-5)
    loss, explained = MLP(hidden=(), **POISSON).fit(X, np.full(300, 1e-320)).evaluate(X, np.full(300, 1e-320))
    assert 0 <= loss < 1e-3
    assert np.isnan(explained)
    nothing = MLP(hidden=(), **POISSON).fit(X, np.zeros(300))
    assert 0 <= nothing.evaluate(X, np.zeros(300))[0] < 1e-3
    with pytest.raises(InputError, match="learns the logarithm of the numbers as they are; leave target_scaling out"):
        MLP(loss="poisson", target_scaling="standard")


def test_poisson_that_diverges_says_so():
    mlp = MLP(loss="poisson", hidden=(8,), learning_rate=10, epochs=3).fit(X, 1000 * COUNTS[:, 0])
    assert mlp.failure_reason


def test_several_labels_per_sample_are_judged_together():
    y = np.c_[X[:, 0] > 0, X[:, 1] + X[:, 2] > 0, X[:, 3] > 1].astype(int)
    mlp = MLP(loss="binary_cross_entropy", hidden=(16,), epochs=60, learning_rate=0.3, momentum=0.5).fit(X, y)
    proba, predicted = mlp.predict_proba(X), mlp.predict(X)
    assert proba.shape == predicted.shape == (300, 3)
    np.testing.assert_array_equal(predicted, proba > 0.5)
    assert mlp.score(X, y) == (predicted == y).all(axis=1).mean() > 0.85
    p = np.clip(proba.astype(float), 1e-12, 1 - 1e-7)
    expected = -(y * np.log(p) + (1 - y) * np.log(1 - p)).sum(axis=1).mean()
    assert mlp.evaluate(X, y)[0] == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize(
    ("loss", "y", "expected"),
    [
        ("binary_cross_entropy", np.full(300, 0.5), "expected 0 or 1"),
        ("binary_cross_entropy", np.ones((299, 2)), "for 300 samples"),
        ("squared_error", np.full(300, np.nan), "finite"),
        ("squared_error", np.array(["a"] * 300), "expected numbers"),
        ("squared_error", np.zeros((300, 2, 2)), "shape"),
        (
            "poisson",
            np.r_[np.ones(299), -0.5],
            "y has -0.5 at row 299, column 0; expected numbers from 0",
        ),
        ("poisson", np.full(300, np.inf), "finite"),
    ],
)
def test_targets_that_a_loss_cannot_compare_with_are_refused(loss, y, expected):
    with pytest.raises((InputError, TypeError), match=expected):
        MLP(loss=loss, epochs=1).fit(X, y)


def test_a_network_of_any_loss_is_saved_and_loaded(tmp_path):
    mlp = MLP(loss="squared_error", hidden=(4,), optimizer="rmsprop", learning_rate=0.01, epochs=2).fit(X, X[:, :2])
    mlp.save(tmp_path / "model.safetensors")
    again = MLP.load(tmp_path / "model.safetensors")
    np.testing.assert_array_equal(again.predict(X), mlp.predict(X))
    assert again.settings() == mlp.settings()


@pytest.mark.parametrize("engine", ["numba", "numpy"])
def test_lbfgs_reaches_the_minimum_that_scikit_learn_reaches(engine):
    pytest.importorskip("scipy")
    linear = pytest.importorskip("sklearn.linear_model")
    y = (X[:, 0] + 0.5 * RANDOM.standard_normal(300) > 0).astype(int) + (X[:, 1] > 1)
    l2 = 0.01
    settings = {"hidden": (), "epochs": 200, "dtype": "float64", "scaling": "none"}
    mlp = MLP(optimizer="lbfgs", l2=l2, engine=engine, **settings).fit(X, y)
    theirs = linear.LogisticRegression(C=1 / (300 * l2), tol=1e-10, max_iter=1000).fit(X, y)
    np.testing.assert_allclose(mlp.predict_proba(X), theirs.predict_proba(X), atol=1e-4)
    assert mlp.history["train_objective"][-1] <= mlp.history["train_objective"][0]


@pytest.mark.parametrize("metrics", ["full", "running"])
def test_every_iteration_of_lbfgs_has_a_record_that_a_file_keeps(tmp_path, metrics):
    pytest.importorskip("scipy")
    y = (X[:, 0] * X[:, 1] > 0).astype(int)
    settings = {"hidden": (6,), "optimizer": "lbfgs", "l2": 1e-3, "dtype": "float64", "train_metrics": metrics}
    mlp = MLP(**settings, epochs=6).fit(X, y)
    history = mlp.history
    assert history["epoch"] == [1, 2, 3, 4, 5, 6]
    assert history["learning_rate"] == [1.0] * 6
    assert all(seconds > 0 for seconds in history["seconds"])
    assert history["train_objective"] == sorted(history["train_objective"], reverse=True)
    assert (history["train_loss"][-1], history["train_accuracy"][-1]) == pytest.approx(mlp.evaluate(X, y), rel=1e-12)
    half = MLP(**settings, epochs=3).fit(X, y)
    assert half.history["train_loss"] == pytest.approx(history["train_loss"][:3], rel=1e-12)
    assert half.evaluate(X, y)[0] == pytest.approx(history["train_loss"][2], rel=1e-12)
    mlp.save(tmp_path / "model.safetensors")
    assert list(MLP.load(tmp_path / "model.safetensors").history)[-1] == pytest.approx(list(history)[-1], nan_ok=True)


def test_lbfgs_with_nowhere_to_go_records_an_epoch_all_the_same():
    pytest.importorskip("scipy")
    settings = {"init": "normal", "init_scale": 1e-9, "train_metrics": "running"}
    mlp = MLP(hidden=(), optimizer="lbfgs", first_layer="dense", **settings).fit(np.zeros((4, 2)), [0, 1, 0, 1])
    assert len(mlp.history) == 1
    assert mlp.history["train_loss"] == pytest.approx([np.log(2)])
    assert mlp.history["seconds"][0] > 0


def test_the_objective_is_the_loss_and_its_penalties():
    y = (X[:, 0] > 0).astype(int)
    mlp = MLP(hidden=(6,), l1=1e-3, l2=1e-2, epochs=3, dtype="float64").fit(X, y)
    penalty = sum(0.5e-2 * (W**2).sum() + 1e-3 * np.abs(W).sum() for W in mlp.weights)
    record = list(mlp.history)[-1]
    assert record["train_objective"] == pytest.approx(record["train_loss"] + penalty, rel=1e-12)
    assert record["train_loss"] == pytest.approx(mlp.evaluate(X, y)[0], rel=1e-12)


def test_sample_weights_decide_what_is_learnt():
    y = (X[:, 0] > 0).astype(int)
    doubled = np.r_[X, X], np.r_[y, 1 - y]
    weights = np.r_[np.ones(300), np.full(300, 1e-3)]
    mlp = MLP(hidden=(8,), epochs=40, learning_rate=0.3).fit(*doubled, sample_weight=weights)
    assert mlp.score(X, y) > 0.9


def test_input_dropout_reads_dense_rows_and_trains():
    lit = (X * (RANDOM.random_sample(X.shape) < 0.1)).astype("f4")
    y = (X[:, 0] > 0).astype(int)
    mlp = MLP(hidden=(8,), dropout=(0.2, 0.5), epochs=2, scaling="none").fit(lit, y)
    assert mlp.fit_info["first_layer"] == "dense"
    hidden_alone = MLP(hidden=(8,), dropout=0.5, epochs=2, scaling="none").fit(lit, y)
    assert hidden_alone.fit_info["first_layer"] == "sparse"


def test_classes_can_weigh_differently_in_memory_and_in_a_stream(tmp_path):
    import h5py

    from fastmlp.data import Stream

    y = (X[:, 0] > 0.8).astype(int)
    settings = {"hidden": (6,), "epochs": 3, "seed": 2, "class_weight": "balanced"}
    mlp = MLP(**settings).fit(X, y)
    weights = 300 / (2 * np.bincount(y))[y]
    by_sample = MLP(**{**settings, "class_weight": None}).fit(X, y, sample_weight=weights)
    np.testing.assert_array_equal(mlp.predict_proba(X), by_sample.predict_proba(X))
    with h5py.File(tmp_path / "rows.h5", "w") as file:
        file["xdata"], file["ydata"] = X, y
    with Stream(tmp_path / "rows.h5") as stream:
        streamed = MLP(**settings).fit(stream)
    np.testing.assert_allclose(streamed.predict_proba(X), mlp.predict_proba(X), atol=1e-6)


def test_the_rate_of_every_step_is_the_schedules():
    """One weight with the gradient 1 of y - z at z = 0: each step moves it by its own rate."""
    inputs, y = np.zeros((8, 1)), np.full(8, 1.0)
    seen = []

    def rate(t):
        seen.append(t)
        return 1 / (1 + 4 * t)

    mlp = MLP(loss="squared_error", hidden=(), learning_rate=1e-9, schedule=rate, epochs=2, batch_size=2)
    mlp.fit(inputs, y)
    assert sorted(set(seen)) == [0, 0.25, 0.5, 0.75, 1, 1.25, 1.5, 1.75]
    expected = 1e-9 * sum(1 / (1 + 4 * t) for t in sorted(set(seen)))
    assert mlp.biases[0][0] == pytest.approx(expected, rel=1e-5)
    assert mlp.history["learning_rate"] == [1e-9, pytest.approx(0.2e-9)]


def test_stopping_early_keeps_the_weights_of_the_best_epoch():
    random = np.random.RandomState(1)
    y, noise = (X[:, 0] > 0).astype(int), random.randint(0, 2, 300)
    y = np.where(random.random_sample(300) < 0.3, noise, y)
    settings = {"hidden": (64,), "learning_rate": 0.5, "momentum": 0.5, "epochs": 200, "seed": 1}
    mlp = MLP(early_stopping=8, **settings).fit(X[:150], y[:150], validation=(X[150:], y[150:]))
    losses = mlp.history["validation_loss"]
    best = int(np.argmin(losses)) + 1
    assert len(losses) == best + 8 < 200
    assert mlp.evaluate(X[150:], y[150:])[0] == pytest.approx(losses[best - 1], rel=1e-6)
    until_then = MLP(**{**settings, "epochs": best}).fit(X[:150], y[:150])
    np.testing.assert_array_equal(mlp.predict_proba(X), until_then.predict_proba(X))
    with pytest.raises(InputError, match="validation is None"):
        MLP(early_stopping=3).fit(X, y)


def test_a_network_fitted_twice_starts_its_schedule_anew():
    y = (X[:, 0] > 0).astype(int)
    settings = {"schedule": {"name": "plateau", "patience": 1, "threshold": 0.99}, "epochs": 6, "hidden": (4,)}
    mlp = MLP(**settings).fit(X, y)
    rates = mlp.history["learning_rate"]
    assert rates[-1] < rates[0]
    assert mlp.fit(X, y).history["learning_rate"] == rates


def test_augmented_training_reads_images_and_refuses_what_is_none():
    pixels = RANDOM.randint(0, 256, (120, 36)).astype(np.uint8)
    y = np.arange(120) % 3
    settings = {"hidden": (8,), "epochs": 2, "seed": 4, "scaling": "pixels"}
    mlp = MLP(augment={"shift": 1, "rotation": 10}, **settings).fit(pixels, y)
    again = MLP(**mlp.settings()).fit(pixels, y)
    assert mlp.predict_proba(pixels).tobytes() == again.predict_proba(pixels).tobytes()
    plain = MLP(**settings).fit(pixels, y)
    assert not np.array_equal(mlp.predict_proba(pixels), plain.predict_proba(pixels))
    with pytest.raises(InputError, match="not a square image"):
        MLP(augment="affine", epochs=1, scaling="none").fit(X, np.arange(300) % 2)


def test_a_fit_that_is_refused_leaves_the_network_as_it_was():
    y = (X[:, 0] > 0).astype(int)
    mlp = MLP(hidden=(4,), early_stopping=3, epochs=5).fit(X, y, validation=(X, y))
    before, epochs = mlp.predict_proba(X), len(mlp.history)
    with pytest.raises(InputError, match="validation is None"):
        mlp.fit(X, np.arange(300))
    np.testing.assert_array_equal(mlp.predict_proba(X), before)
    assert len(mlp.history) == epochs
    assert mlp.classes.tolist() == [0, 1]


def test_a_schedule_that_is_a_function_goes_with_the_settings_and_not_into_a_file(tmp_path):
    y = (X[:, 0] > 0).astype(int)
    mlp = MLP(hidden=(4,), schedule=lambda t: 1 / (1 + t), epochs=2).fit(X, y)
    assert MLP(**mlp.settings()).fit(X, y).history["learning_rate"] == mlp.history["learning_rate"]
    mlp.save(tmp_path / "model.safetensors")
    loaded = MLP.load(tmp_path / "model.safetensors")
    np.testing.assert_array_equal(loaded.predict(X), mlp.predict(X))
    with pytest.raises(InputError, match="function"):
        loaded.fit(X, y)


def test_r_squared_of_weighted_samples_does_not_depend_on_a_common_factor():
    y = np.sin(X[:, 0])
    settings = {"loss": "squared_error", "hidden": (8,), "epochs": 5, "dtype": "float64"}
    plain = MLP(**settings).fit(X, y)
    weighted = MLP(**settings).fit(X, y, sample_weight=np.full(300, 10.0))
    expected = plain.history["train_accuracy"]
    np.testing.assert_allclose(weighted.history["train_accuracy"], expected, rtol=1e-9)
    assert expected[-1] == pytest.approx(plain.score(X, y), rel=1e-9)


@pytest.mark.parametrize("factor", [2.0**-700, 2.0**-140, 2.0**140, 2.0**700])
def test_a_common_factor_of_the_weights_changes_no_bit_however_large_or_small(factor):
    y, weights = (X[:, 0] > 0).astype(int), 1 + np.arange(300) % 7
    settings = {"hidden": (8,), "epochs": 2, "batch_size": 30, "clip_norm": 0.1, "momentum": 0.5}
    plain = MLP(**settings).fit(X, y, sample_weight=weights)
    scaled = MLP(**settings).fit(X, y, sample_weight=factor * weights)
    np.testing.assert_array_equal(scaled.weights[0], plain.weights[0])
    assert scaled.history["train_loss"] == plain.history["train_loss"]


def test_a_common_factor_of_the_classes_weights_cancels_in_a_stream_too(tmp_path):
    y = (X[:, 0] > 0).astype(int)
    with h5py.File(tmp_path / "rows.h5", "w") as file:
        file["xdata"], file["ydata"] = X.astype(np.float32), y
    losses = []
    for factor in (1.0, 2.0**-300):
        with Stream(tmp_path / "rows.h5") as stream:
            mlp = MLP(hidden=(8,), epochs=2, class_weight={0: factor, 1: 3 * factor}).fit(stream)
        losses.append(mlp.history["train_loss"])
    assert losses[0] == losses[1]


@pytest.mark.parametrize("engine", ["numba", "numpy"])
def test_adam_hat_adds_epsilon_to_the_root_before_its_bias_is_taken_out(engine):
    y = X @ np.arange(5.0)
    settings = {"loss": "squared_error", "hidden": (), "dtype": "float64", "scaling": "none", "shuffle": False}
    W, b, rate, beta1, beta2, epsilon = np.zeros((5, 1)), np.zeros(1), 0.1, 0.8, 0.9, 0.05
    mlp = MLP(optimizer={"name": "adam_hat", "beta1": beta1, "beta2": beta2, "epsilon": epsilon}, engine=engine,
              learning_rate=rate, batch_size=50, epochs=70, **settings).set_weights([W], [b])  # fmt: skip
    mlp.fit(X, y, warm_start=True)  # 420 steps: by the last hundred there is no bias left
    values = np.zeros(6)
    m, v, ones = np.zeros(6), np.zeros(6), np.c_[X, np.ones(300)]
    for t in range(1, 421):
        rows = np.arange(50) + 50 * ((t - 1) % 6)
        g = ones[rows].T @ (ones[rows] @ values - y[rows]) / 50
        m, v = beta1 * m + (1 - beta1) * g, beta2 * v + (1 - beta2) * g**2
        values -= rate * np.sqrt(1 - beta2**t) / (1 - beta1**t) * m / (np.sqrt(v) + epsilon)
    np.testing.assert_allclose(np.append(mlp.weights[0], mlp.biases[0]), values, atol=1e-11)


def test_lbfgs_ends_where_it_is_told_to():
    y = (X[:, 0] * X[:, 1] > 0).astype(int)
    settings = {"hidden": (8,), "epochs": 100, "l2": 1e-3, "dtype": "float64", "train_metrics": "running"}

    def iterations(**numbers):
        return len(MLP(optimizer={"name": "lbfgs", **numbers}, **settings).fit(X, y).history)

    assert iterations() == 100
    assert iterations(evaluations=7) <= 7
    assert iterations(gradient_tolerance=1e-1) < iterations(gradient_tolerance=1e-2) < 100
    assert iterations(loss_tolerance=1e-3) < 50
