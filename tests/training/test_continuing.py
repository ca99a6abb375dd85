"""Trainings that continue: partial_fit, warm starts, checkpoints with more epochs, and data that are prepared once."""

import numpy as np
import pytest

from fastmlp import MLP
from fastmlp.errors import InputError
from fastmlp.training import preparation
from fastmlp.training.preparation import prepare

SIDE = 6
RANDOM = np.random.RandomState(5)
X = (RANDOM.random_sample((150, SIDE * SIDE)) ** 3).astype(np.float32)
Y = X.reshape(150, 3, -1).sum(axis=2).argmax(axis=1)
SETTINGS = {"hidden": (12, 6), "batch_size": 32, "epochs": 5, "learning_rate": 0.05, "seed": 9}
KINDS = {
    "momentum": {"momentum": 0.9},
    "nesterov and decay": {"momentum": 0.9, "optimizer": {"name": "sgd", "nesterov": True}, "schedule": "exponential"},
    "adam": {"optimizer": "adam", "learning_rate": 0.002},
    "rmsprop": {"optimizer": "rmsprop", "learning_rate": 0.002, "schedule": {"name": "inverse"}},
    "dropout": {"dropout": (0.1, 0.3, 0.3), "optimizer": "adam", "learning_rate": 0.002},
    "augmentation": {"augment": {"image_shape": (SIDE, SIDE), "shift": 1.0, "rotation": 10.0}},
    "plateau": {"schedule": {"name": "plateau", "patience": 0, "threshold": 0.5}},
    "warm-up": {"schedule": {"name": "constant", "warm_up": 1.5}},
    "weights": {"class_weight": "balanced", "train_metrics": "running"},
}
kinds = pytest.mark.parametrize("kind", KINDS)


def same(one, other):
    columns, others = one.history.to_dict(), other.history.to_dict()
    del columns["seconds"], others["seconds"]
    np.testing.assert_equal(columns, others)
    return [W.tobytes() for W in one.weights + one.biases] == [W.tobytes() for W in other.weights + other.biases]


# ------------------------------------------------------------------------------------------------------ partial_fit


@kinds
@pytest.mark.parametrize("engine", ["numba", "numpy"])
def test_passes_one_by_one_give_the_bits_of_a_fit(kind, engine):
    settings = {**SETTINGS, **KINDS[kind], "engine": engine}
    mlp = MLP(**settings)
    for _ in range(5):
        mlp.partial_fit(X, Y)
    assert same(mlp, MLP(**settings).fit(X, Y))


@kinds
def test_a_fit_of_two_epochs_and_three_passes_give_the_bits_of_five(kind):
    settings = {**SETTINGS, **KINDS[kind]}
    mlp = MLP(**{**settings, "epochs": 2}).fit(X, Y)
    for _ in range(3):
        mlp.partial_fit(X, Y)
    assert same(mlp, MLP(**settings).fit(X, Y))


def test_a_pass_leaves_the_network_that_was_copied_alone():
    import copy

    mlp = MLP(**SETTINGS).fit(X, Y)
    kept = copy.copy(mlp)
    before = [W.tobytes() for W in kept.weights]
    mlp.partial_fit(X, Y)
    assert [W.tobytes() for W in kept.weights] == before
    assert len(kept.history) == 5
    assert len(mlp.history) == 6


def test_passes_are_told_what_a_fit_is():
    settings = {**SETTINGS, "activation": "tanh", "learning_rate": 2.0, "batch_size": 10}
    mlp = MLP(**settings)
    for _ in range(5):
        mlp.partial_fit(X, Y)
    told = MLP(**settings).fit(X, Y).history.diagnoses
    # The second is told when three epochs in a row have seen it.
    assert [diagnosis["cause"] for diagnosis in told] == ["saturated-units", "updates-too-large"]
    assert mlp.history.diagnoses == told


def test_the_first_pass_may_lack_classes():
    mlp = MLP(**SETTINGS).partial_fit(X[Y < 2], Y[Y < 2], classes=range(3))
    mlp.partial_fit(X, Y)
    assert mlp.classes.tolist() == [0, 1, 2]
    with pytest.raises(InputError, match="out of range; expected one of the 3 classes"):
        mlp.partial_fit(X, Y + 1)


def test_a_network_from_a_file_goes_on_from_its_weights(tmp_path):
    mlp = MLP(**SETTINGS).fit(X, Y)
    mlp.save(tmp_path / "model.safetensors")
    again = MLP.load(tmp_path / "model.safetensors").partial_fit(X, Y)
    assert same(again, mlp.partial_fit(X, Y))  # plain sgd has no state to lose
    assert again.history["epoch"] == [1, 2, 3, 4, 5, 6]


@pytest.mark.parametrize(
    ("settings", "data", "expected"),
    [
        ({}, (X[:, 1:], Y), "X has 35 features; expected 36"),
        ({}, (X, Y % 2, range(2)), "expected the 3 of the training"),
        ({"early_stopping": 2}, (X, Y), "early_stopping is set and partial_fit makes a single pass"),
        ({"schedule": "cosine"}, (X, Y), "is spread over 5 epochs, which are over"),
        ({"optimizer": "lbfgs"}, (X, Y), "optimizer is 'lbfgs', whose state"),
    ],
    ids=["shape", "classes", "early stopping", "schedule", "lbfgs"],
)
def test_what_cannot_go_on_is_refused_in_one_line(settings, data, expected):
    if "optimizer" in settings:
        pytest.importorskip("scipy")
    mlp = MLP(**{**SETTINGS, **settings}).fit(X, Y, validation=(X, Y))
    before = [W.tobytes() for W in mlp.weights]
    with pytest.raises(InputError, match=expected) as caught:
        mlp.partial_fit(*data)
    assert "\n" not in str(caught.value)
    assert [W.tobytes() for W in mlp.weights] == before


# ------------------------------------------------------------------------------------------------------- warm starts


def test_a_warm_start_goes_on_from_the_weights_with_all_else_fresh():
    settings = {**SETTINGS, "momentum": 0.9, "epochs": 2}
    mlp = MLP(**settings).fit(X, Y)
    start = [W.copy() for W in mlp.weights + mlp.biases]
    warm = mlp.fit(X, Y, warm_start=True)
    other = MLP(**settings).fit(X[::-1], Y[::-1])  # of the same shape, with states and a history of its own
    for mine, wanted in zip(other.weights + other.biases, start, strict=True):
        mine[...] = wanted
    assert same(warm, other.fit(X, Y, warm_start=True))
    assert warm.history["epoch"] == [1, 2]
    assert not same_weights(warm, MLP(**settings).fit(X, Y))


def same_weights(one, other):
    return all(np.array_equal(a, b) for a, b in zip(one.weights, other.weights, strict=True))


def test_a_warm_start_without_weights_is_a_fit():
    assert same(MLP(**SETTINGS).fit(X, Y, warm_start=True), MLP(**SETTINGS).fit(X, Y))


def test_lbfgs_can_start_warm():
    pytest.importorskip("scipy")
    mlp = MLP(**{**SETTINGS, "optimizer": "lbfgs"}).fit(X, Y)
    loss = mlp.history["train_loss"][-1]
    assert mlp.fit(X, Y, warm_start=True).history["train_loss"][0] <= loss


@pytest.mark.parametrize(
    ("data", "expected"),
    [((X[:, 1:], Y), "X has 35 features; expected 36"), ((X, Y + 1), "out of range; expected one of the 3 classes")],
    ids=["shape", "classes"],
)
def test_a_warm_start_on_other_data_is_refused(data, expected):
    mlp = MLP(**SETTINGS).fit(X, Y)
    with pytest.raises(InputError, match=expected):
        mlp.fit(*data, warm_start=True)


# ------------------------------------------------------------------------------------------------------- checkpoints


@kinds
def test_a_checkpoint_of_two_epochs_goes_on_to_the_bits_of_five(tmp_path, kind):
    settings = {**SETTINGS, **KINDS[kind]}
    MLP(**{**settings, "epochs": 2}).fit(X, Y, checkpoint=tmp_path)
    epochs = []
    mlp = MLP(**settings).fit(X, Y, progress=lambda record: epochs.append(record["epoch"]), checkpoint=tmp_path)
    assert epochs == [3, 4, 5]
    assert same(mlp, MLP(**settings).fit(X, Y))


@pytest.mark.parametrize("schedule", ["cosine", "one-cycle"])
def test_a_schedule_that_is_spread_over_the_epochs_is_not_continued(tmp_path, schedule):
    MLP(**{**SETTINGS, "epochs": 4}, schedule=schedule).fit(X, Y, checkpoint=tmp_path)
    with pytest.raises(InputError, match=r"a training of 4 epochs, over which its schedule .* is spread") as caught:
        MLP(**SETTINGS, schedule=schedule).fit(X, Y, checkpoint=tmp_path)
    assert "\n" not in str(caught.value)


def test_a_checkpoint_with_more_epochs_than_are_asked_for_is_refused(tmp_path):
    MLP(**SETTINGS).fit(X, Y, checkpoint=tmp_path)
    with pytest.raises(InputError, match="has gone through 5 epochs, and epochs is 3"):
        MLP(**{**SETTINGS, "epochs": 3}).fit(X, Y, checkpoint=tmp_path)


def test_a_training_that_stopped_early_stays_stopped_with_more_epochs(tmp_path):
    settings = {**SETTINGS, "early_stopping": 1, "learning_rate": 3.0, "epochs": 40}
    first = MLP(**settings).fit(X[:100], Y[:100], (X[100:], Y[100:]), checkpoint=tmp_path)
    assert len(first.history) < 40
    again = MLP(**{**settings, "epochs": 50}).fit(X[:100], Y[:100], (X[100:], Y[100:]), checkpoint=tmp_path)
    assert same(first, again)


# ---------------------------------------------------------------------------------------------------- prepared data


@pytest.mark.parametrize("settings", [{}, {"engine": "numpy"}, {"dtype": "float64"}, {"class_weight": "balanced"}])
def test_prepared_data_give_the_same_bits_and_are_checked_once(settings, monkeypatch):
    settings = {**SETTINGS, **settings}
    alone = MLP(**settings).fit(X[:100], Y[:100], (X[100:], Y[100:]))
    checks = []
    check = preparation.read_inputs
    monkeypatch.setattr(preparation, "read_inputs", lambda *arguments: checks.append(1) or check(*arguments))
    data = prepare(MLP(**settings).config, X[:100], Y[:100], (X[100:], Y[100:]))
    for _ in range(3):
        assert same(MLP(**settings).fit(data), alone)
    assert len(checks) == 2  # training and validation set


@pytest.mark.parametrize("argument", ["y", "validation", "classes", "sample_weight"])
def test_prepared_data_have_their_own_labels(argument):
    data = prepare(MLP(**SETTINGS).config, X, Y)
    with pytest.raises(InputError, match=f"{argument} was given with prepared data"):
        MLP(**SETTINGS).fit(data, **{argument: (X, Y) if argument == "validation" else Y})


@pytest.mark.parametrize(
    "other", [{"dtype": "float64"}, {"engine": "numpy"}, {"class_weight": {0: 2.0}}, {"first_layer": "dense"}]
)
def test_data_that_were_prepared_for_another_network_are_refused(other):
    data = prepare(MLP(**SETTINGS).config, X, Y)
    with pytest.raises(InputError, match=f"prepared for {next(iter(other))} .* prepare them with its own config"):
        MLP(**SETTINGS, **other).fit(data)
