"""The MLP class: what training does to the weights, the history, and the answers."""

import copy
import gc
import math
import pickle
import weakref
from contextlib import suppress

import numpy as np
import pytest

from fastmlp import MLP
from fastmlp.errors import InputError, InputTypeError
from fastmlp.kernels.layout import ACTIVATIONS
from fastmlp.training.parameters import Parameters, epoch_order

ENGINES = pytest.mark.parametrize("engine", ["numba", "numpy"])


def blobs(rows=120, features=6, classes=3, seed=0):
    """Overlapping clouds of points, and which cloud each is from."""
    random = np.random.RandomState(seed)
    y = np.arange(rows) % classes
    return random.standard_normal((rows, features)) + 2 * random.standard_normal((classes, features))[y], y


def parameters_of(mlp):
    return np.concatenate([array.ravel() for array in (*mlp.weights, *mlp.biases)])


@pytest.mark.parametrize("activation", [*ACTIVATIONS, ("relu", "tanh")])
@pytest.mark.parametrize(("dtype", "tolerance"), [("float64", 1e-10), ("float32", 2e-4)])
def test_both_engines_train_the_same_network(activation, dtype, tolerance):
    X, y = blobs()
    settings = {
        "hidden": (9, 5), "activation": activation, "epochs": 5, "batch_size": 16, "momentum": 0.5, "l2": 1e-3,
        "learning_rate": 0.05, "decay_epochs": (2,), "dtype": dtype,
    }  # fmt: skip
    fast, plain = (MLP(engine=engine, **settings).fit(X, y, validation=(X, y)) for engine in ("numba", "numpy"))
    np.testing.assert_allclose(parameters_of(fast), parameters_of(plain), rtol=0, atol=tolerance)
    np.testing.assert_allclose(fast.history["train_loss"], plain.history["train_loss"], rtol=0, atol=tolerance)
    np.testing.assert_allclose(fast.predict_proba(X), plain.predict_proba(X), rtol=0, atol=tolerance)


def softmax_regression(X, y, classes, W, b, rate, epochs, batch_size):
    """Minibatch gradient descent on the cross entropy, written out in float64."""
    for _ in range(epochs):
        for start in range(0, len(X), batch_size):
            A, labels = X[start : start + batch_size], y[start : start + batch_size]
            p = np.exp(A @ W + b)
            p /= p.sum(axis=1, keepdims=True)
            error = (p - np.eye(classes)[labels]) / len(A)
            W, b = W - rate * A.T @ error, b - rate * error.sum(axis=0)
    return W, b


# 120 rows: a smaller last batch, whole batches, single rows, more than there are.
@pytest.mark.parametrize("batch_size", [50, 40, 1, 1000])
@ENGINES
def test_without_hidden_layers_it_is_softmax_regression(engine, batch_size):
    X, y = blobs()
    settings = {"hidden": (), "epochs": 3, "shuffle": False, "dtype": "float64", "scaling": "none"}
    mlp = MLP(batch_size=batch_size, engine=engine, **settings).fit(X, y)
    start = Parameters((6, 3), (), "float64")
    start.initialise("auto", None, "zero", 0)
    W, b = softmax_regression(X, y, 3, start.weights[0], start.biases[0], 0.1, 3, batch_size)
    np.testing.assert_allclose(mlp.weights[0], W, rtol=0, atol=1e-12)
    np.testing.assert_allclose(mlp.biases[0], b, rtol=0, atol=1e-12)


@ENGINES
def test_predictions_are_softmax_of_the_layers_written_out(engine):
    X, y = blobs()
    settings = {"hidden": (7,), "activation": "tanh", "epochs": 2, "dtype": "float64", "scaling": "none"}
    mlp = MLP(engine=engine, **settings).fit(X, y)
    (W1, W2), (b1, b2) = mlp.weights, mlp.biases
    p = np.exp(np.tanh(X @ W1 + b1) @ W2 + b2)
    p /= p.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(mlp.predict_proba(X), p, rtol=1e-12)
    np.testing.assert_array_equal(mlp.predict(X), p.argmax(axis=1))
    loss, accuracy = mlp.evaluate(X, y)
    assert loss == pytest.approx(-np.log(p[np.arange(len(X)), y]).mean(), rel=1e-12)
    assert accuracy == mlp.score(X, y) == (p.argmax(axis=1) == y).mean()
    assert mlp.history["train_loss"][-1] == pytest.approx(loss, rel=1e-12)


@ENGINES
def test_it_learns_what_can_be_learnt(engine):
    random = np.random.RandomState(0)
    X = random.uniform(-1, 1, (400, 2))
    y = (X[:, 0] * X[:, 1] > 0).astype(int)  # no line parts them
    mlp = MLP(hidden=(16,), epochs=150, batch_size=20, learning_rate=0.3, momentum=0.5, engine=engine).fit(X, y)
    assert mlp.score(X, y) > 0.95
    assert mlp.failure_reason is None
    assert mlp.history["train_loss"][-1] < mlp.history["train_loss"][0] / 2


@pytest.mark.parametrize("labels", [(-1, 1), (5, 100, 7)])
def test_labels_may_be_any_integers(labels):
    X, y = blobs(classes=len(labels))
    named = np.array(labels)[y]
    mlp = MLP(hidden=(8,), epochs=20, learning_rate=0.2).fit(X, named, validation=(X, named))
    assert mlp.classes.tolist() == sorted(labels)
    assert set(mlp.predict(X)) <= set(labels)
    assert mlp.score(X, named) == mlp.history["validation_accuracy"][-1] > 0.8
    assert (mlp.predict(X) == named).mean() == pytest.approx(mlp.score(X, named))


def test_one_hot_labels_are_the_integers_they_stand_for():
    X, y = blobs()
    settings = {"hidden": (4,), "epochs": 2}
    by_number, one_hot = MLP(**settings).fit(X, y), MLP(**settings).fit(X, np.eye(3)[y])
    np.testing.assert_array_equal(parameters_of(by_number), parameters_of(one_hot))
    assert one_hot.evaluate(X, np.eye(3)[y]) == by_number.evaluate(X, y)


def test_classes_that_no_sample_has_still_get_a_column():
    X, y = blobs()
    assert MLP(hidden=(), epochs=1).fit(X, y, classes=range(5)).predict_proba(X).shape == (120, 5)
    assert MLP(hidden=(), epochs=1).fit(X, np.eye(4)[y]).classes.tolist() == [0, 1, 2, 3]


def test_fit_returns_the_network_and_starts_afresh_each_time():
    X, y = blobs()
    mlp = MLP(hidden=(4,), epochs=3, momentum=0.9)
    assert mlp.fit(X, y) is mlp
    first = parameters_of(mlp)
    mlp.fit(*blobs(seed=1)).fit(X, y)
    np.testing.assert_array_equal(parameters_of(mlp), first)
    assert len(mlp.history) == 3


def test_seeds_and_shuffling_make_a_difference():
    X, y = blobs()
    variants = [{}, {"seed": 1}, {"shuffle": False}]
    a, b, c = (parameters_of(MLP(hidden=(4,), epochs=1, batch_size=7, **more).fit(X, y)) for more in variants)
    assert not np.array_equal(a, b)
    assert not np.array_equal(a, c)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_form_of_the_first_layer_never_changes_a_bit(dtype):
    X, y = blobs()
    X[np.random.RandomState(3).random_sample(X.shape) < 0.7] = 0
    settings = {"hidden": (5,), "epochs": 2, "batch_size": 11, "dtype": dtype}
    results = {
        parameters_of(MLP(first_layer=form, **settings).fit(X, y)).tobytes() for form in ("auto", "dense", "sparse")
    }
    assert len(results) == 1


@ENGINES
def test_the_history_has_a_row_per_epoch_and_the_rate_of_each(engine):
    X, y = blobs()
    mlp = MLP(hidden=(4,), epochs=4, decay_epochs=(1, 3), learning_rate=0.4, decay_factor=0.1, engine=engine)
    history = mlp.fit(X, y).history
    assert history["epoch"] == [1, 2, 3, 4]
    assert history["learning_rate"] == pytest.approx([0.4, 0.04, 0.04, 0.004])
    assert all(math.isnan(loss) for loss in history["validation_loss"])
    assert all(seconds > 0 for seconds in history["seconds"])


@ENGINES
def test_running_metrics_judge_each_sample_before_its_step_and_full_ones_after_the_epoch(engine):
    X, y = blobs()
    settings = {"hidden": (), "epochs": 1, "dtype": "float64", "engine": engine, "batch_size": 120, "scaling": "none"}
    running = MLP(train_metrics="running", **settings).fit(X, y)
    full = MLP(train_metrics="full", **settings).fit(X, y)
    np.testing.assert_array_equal(parameters_of(running), parameters_of(full))
    untrained = Parameters((6, 3), (), "float64")
    untrained.initialise("auto", None, "zero", 0)
    Z = X @ untrained.weights[0]
    losses = np.log(np.exp(Z).sum(axis=1)) - Z[np.arange(120), y]
    assert running.history["train_loss"] == pytest.approx([losses.mean()], rel=1e-12)
    assert full.history["train_loss"] == [full.evaluate(X, y)[0]]


@ENGINES
@pytest.mark.parametrize("first_layer", ["dense", "sparse"])
def test_rows_that_are_measured_a_few_at_a_time_give_what_they_give_at_once(engine, first_layer, monkeypatch):
    X, y = blobs()
    settings = {"hidden": (5,), "epochs": 2, "dtype": "float64", "engine": engine, "first_layer": first_layer}

    def results():
        mlp = MLP(**settings).fit(X, y, (X[:50], y[:50]), sample_weight=np.arange(120))
        return mlp.history.to_numpy(), mlp.predict_proba(X), mlp.evaluate(X, y)

    history, probabilities, evaluated = results()
    monkeypatch.setattr("fastmlp.training.inference.ROWS_AT_A_TIME", 7)
    by_sevens = results()
    for name in ("train_loss", "train_accuracy", "validation_loss", "validation_accuracy"):
        np.testing.assert_allclose(by_sevens[0][name], history[name], rtol=1e-12)
    np.testing.assert_array_equal(by_sevens[1], probabilities)
    assert by_sevens[2] == pytest.approx(evaluated, rel=1e-12)


@ENGINES
def test_a_rate_far_too_large_is_told_in_words_and_stops_the_training(engine):
    X, y = blobs()
    settings = {"hidden": (8,), "activation": "identity", "learning_rate": 1e30, "epochs": 9, "engine": engine}
    with np.errstate(all="ignore"):
        mlp = MLP(**settings).fit(1000 * X, y)
    assert "diverged" in mlp.failure_reason
    assert mlp.failure_reason.kind == "diverged"
    assert "1e+30" in mlp.failure_reason
    assert "smaller learning rate" in mlp.failure_reason
    assert len(mlp.history) < 9


@ENGINES
def test_a_network_whose_units_are_all_dead_is_told_in_words(engine):
    X, y = np.abs(blobs()[0]), blobs()[1]
    # One huge step drives every unit below zero on all inputs: no gradient reaches it again.
    settings = {"hidden": (4,), "epochs": 40, "learning_rate": 1000, "batch_size": 120, "scaling": "none"}
    mlp = MLP(engine=engine, **settings).fit(X, y)
    assert not np.maximum(X @ mlp.weights[0] + mlp.biases[0], 0).any()
    assert mlp.failure_reason is not None
    assert "smaller learning rate than 1000" in mlp.failure_reason


@ENGINES
@pytest.mark.parametrize("classes", [2, 3])
def test_a_network_that_has_not_learnt_yet_but_tells_samples_apart_is_not_called_dead(engine, classes):
    X, y = blobs(classes=classes)
    mlp = MLP(hidden=(4,), epochs=1, learning_rate=1e-9, init="normal", init_scale=0.01, engine=engine).fit(X, y)
    assert mlp.history["train_loss"] == pytest.approx([math.log(classes)], rel=1e-3)  # as that of a dead one
    assert len(set(mlp.predict(X))) == classes
    assert mlp.failure_reason is None


@ENGINES
@pytest.mark.parametrize(
    ("loss", "targets"),
    [("squared_error", [[0, 5], [1, 7], [2, 9]]), ("binary_cross_entropy", [[0, 1], [0, 1], [1, 0]])],
)
def test_a_network_that_answers_all_samples_alike_is_dead_whatever_the_columns(engine, loss, targets):
    X, y = np.abs(blobs()[0]), np.array(targets)[blobs()[1]]
    mlp = MLP(hidden=(4,), loss=loss, batch_size=120, epochs=300, engine=engine, scaling="none").fit(X, y)
    mlp.weights[0][...], mlp.biases[0][...] = -1, -1
    mlp.fit(X, y, warm_start=True)
    assert len({tuple(row) for row in mlp.predict(X).tolist()}) == 1
    assert mlp.failure_reason.kind == "died"


@ENGINES
def test_ctrl_c_between_epochs_leaves_the_network_of_the_epochs_that_were_finished(engine):
    X, y = blobs()

    def interrupt(record):
        if record["epoch"] == 2:
            raise KeyboardInterrupt

    mlp = MLP(hidden=(4,), epochs=5, engine=engine)
    with pytest.raises(KeyboardInterrupt):
        mlp.fit(X, y, progress=interrupt)
    assert len(mlp.history) == 2
    shorter = MLP(hidden=(4,), epochs=2, engine=engine).fit(X, y)
    np.testing.assert_array_equal(parameters_of(mlp), parameters_of(shorter))
    assert mlp.score(X, y) == shorter.score(X, y)


def test_progress_is_called_with_every_epochs_record():
    X, y = blobs()
    records = []
    mlp = MLP(hidden=(), epochs=3).fit(X, y, validation=(X, y), progress=records.append)
    assert records == list(mlp.history)


def test_progress_may_be_switched_off_and_what_is_no_function_is_refused(capsys):
    X, y = blobs()
    mlp = MLP(hidden=(), epochs=1)
    for off in (None, False):
        mlp.fit(X, y, progress=off)
    assert capsys.readouterr() == ("", "")
    for odd in (0, 1, "bar", [print]):
        with pytest.raises(InputTypeError, match=r"progress is .*; expected True, False or a function"):
            mlp.fit(X, y, progress=odd)


def test_a_progress_bar_can_be_shown():
    X, y = blobs()
    assert len(MLP(hidden=(), epochs=2).fit(X, y, progress=True).history) == 2


def test_writing_to_the_weights_changes_the_network():
    X, y = blobs()
    mlp = MLP(hidden=(4,), epochs=1).fit(X, y)
    for array in (*mlp.weights, *mlp.biases):
        array[...] = 0
    np.testing.assert_allclose(mlp.predict_proba(X), 1 / 3, rtol=1e-6)


@pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy, lambda p: pickle.loads(pickle.dumps(p))])
def test_a_copy_of_the_parameters_is_a_whole_one_of_its_own(duplicate):
    parameters = Parameters((3, 4, 2), ("relu",), "float32", 1)
    parameters.initialise("auto", None, "same", 0)
    twin = duplicate(parameters)
    np.testing.assert_array_equal(twin.buffer, parameters.buffer)
    assert twin.buffer.ctypes.data % 64 == 0
    for array in (*twin.weights, *twin.biases):
        array[...] = 0
    assert not twin.buffer.any()
    assert all(array.any() for array in (*parameters.weights, *parameters.biases))


@ENGINES
@pytest.mark.parametrize("given_up", [False, True])
def test_the_data_go_with_the_training_and_wait_for_no_garbage_collector(engine, given_up):
    class GivenUp(Exception):
        pass

    def report(record):
        if given_up:
            raise GivenUp

    def train():
        X, y = blobs()
        held_out = X[::2].copy()
        mlp = MLP(hidden=(3,), epochs=2, dtype="float64", engine=engine, first_layer="dense")
        with suppress(GivenUp):
            mlp.fit(X, y, validation=(held_out, y[::2]), progress=report)
        return mlp, weakref.ref(X), weakref.ref(held_out)

    gc.disable()
    try:
        mlp, *data = train()
        assert [one() is None for one in data] == [True, True]
    finally:
        gc.enable()
    assert mlp.predict(np.zeros((1, 6))).shape == (1,)


@pytest.mark.parametrize("validation", [(1, 2, 3), [1], np.ones((2, 6)), "XY"], ids=["three", "one", "array", "text"])
def test_a_validation_set_that_is_no_pair_is_refused(validation):
    with pytest.raises(InputTypeError, match=r"validation is not a pair; expected \(X, y\)"):
        MLP().fit(*blobs(), validation=validation)


def test_a_single_class_is_refused_by_name():
    with pytest.raises(InputError, match="single class 4"):
        MLP().fit(np.ones((3, 2)), [4, 4, 4])


def test_an_order_visits_every_sample_once_and_depends_on_seed_and_epoch_alone():
    orders = [epoch_order(100, seed, epoch, True) for seed, epoch in ((0, 1), (0, 2), (1, 1))]
    for order in orders:
        assert sorted(order) == list(range(100))
    assert len({order.tobytes() for order in orders}) == 3
    np.testing.assert_array_equal(epoch_order(100, 0, 1, True), orders[0])
    np.testing.assert_array_equal(epoch_order(5, 0, 1, False), np.arange(5))


@pytest.mark.parametrize(
    ("init", "scale", "deviation"),
    [
        ("he", None, math.sqrt(2 / 400)),
        ("he", 0.5, 0.5 * math.sqrt(2 / 400)),
        ("xavier", None, math.sqrt(2 / (400 + 300))),
        ("normal", None, 0.1),
        ("normal", 0.02, 0.02),
        ("uniform", 0.3, 0.3 / math.sqrt(3)),
        ("auto", None, math.sqrt(2 / 400)),
    ],
)
@pytest.mark.parametrize("bias", ["zero", "same"])
def test_initial_weights_follow_their_law(init, scale, deviation, bias):
    p = Parameters((400, 300, 10), ("relu",), "float64")
    p.initialise(init, scale, bias, 3)
    W, b = p.weights[0], p.biases[0]
    # 120,000 draws: the mean is within 5 standard errors, the deviation within 2 %.
    assert abs(W.mean()) < 5 * deviation / math.sqrt(W.size)
    assert W.std() == pytest.approx(deviation, rel=0.02)
    if init in ("uniform", "xavier"):
        assert np.abs(W).max() <= deviation * math.sqrt(3)
    assert b.std() == (0 if bias == "zero" else pytest.approx(deviation, rel=0.2))


def test_auto_is_he_before_relu_and_xavier_elsewhere():
    auto, he, xavier = (Parameters((9, 8, 7, 3), ("relu", "tanh"), "float64") for _ in range(3))
    for p, init in ((auto, "auto"), (he, "he"), (xavier, "xavier")):
        p.initialise(init, None, "zero", 0)
    np.testing.assert_array_equal(auto.weights[0], he.weights[0])
    assert np.abs(auto.weights[1]).max() <= math.sqrt(6 / 15)
    assert np.abs(auto.weights[2]).max() <= math.sqrt(6 / 10)
