"""What a training is told to suffer from, that a healthy one is told nothing, and that looking changes no weight."""

import contextlib
import json
import logging
import math
import re

import h5py
import numpy as np
import pytest
from model_files import texts, with_model

from fastmlp import MLP
from fastmlp.cli.main import main
from fastmlp.config.losses import CrossEntropy
from fastmlp.data import Stream, load, split
from fastmlp.errors import InputError
from fastmlp.training.batches import InMemory
from fastmlp.training.checkpoints import CheckpointStore, Paused
from fastmlp.training.diagnostics import CAUSES, PATIENCE, DiagnosticsCallback
from fastmlp.training.preparation import prepare
from fastmlp.training.session import Session
from fastmlp.training.state import TrainingState

CLASSES = 4


def blobs(rows=300, features=12, seed=0):
    """Clouds of points that hardly overlap, the same for every number of rows, and which cloud each is from."""
    random = np.random.RandomState(seed)
    centres = 1.5 * random.standard_normal((CLASSES, features))
    y = np.arange(rows) % CLASSES
    return (random.standard_normal((rows, features)) + centres[y]).astype(np.float32), y


X, Y = blobs()
# A third of the labels are of another class, so that there is something to learn by heart.
NOISY = np.where(np.arange(len(Y)) % 3 == 0, np.random.RandomState(1).randint(0, CLASSES, len(Y)), Y)
SMALL = {"hidden": (16, 8), "batch_size": 20, "epochs": 8, "scaling": "none"}

SICK = {
    "dead-units": (
        {"learning_rate": 5.0}, Y, r"^hidden layer 2: 5 of its 8 relu units gave 0 for all of 200 samples .* than 5$"
    ),
    "saturated-units": (
        {"activation": "tanh", "init": "normal", "init_scale": 5.0}, Y,
        r"^hidden layer 2: 9\d% of the outputs of its tanh units .* try init='xavier' or a smaller learning rate",
    ),
    "updates-too-large": (
        {"activation": "tanh", "learning_rate": 5.0}, NOISY, r"layer.*: a step changed its weights by \d+% .* than 5$"
    ),
    "updates-too-small": (
        {"learning_rate": 1e-6}, Y, r"all 80 steps .* by 0\.00\d% at most; try a larger learning rate than 1e-06$"
    ),
    "diverged": ({"learning_rate": 1e30}, Y, r"diverged: the loss is nan after epoch 1; try a smaller learning rate"),
    "overfitting": (
        {"hidden": (64, 32), "learning_rate": 0.2, "epochs": 40}, NOISY,
        r"the validation loss rose from \S+ after epoch \d+ to \S+ after .*; try early_stopping=5, l2=0.0001, dropout",
    ),
}  # fmt: skip


def causes(mlp):
    return [diagnosis["cause"] for diagnosis in mlp.history.diagnoses]


def sentences(mlp):
    return [diagnosis["sentence"] for diagnosis in mlp.history.diagnoses]


def fit(settings, y=Y, rows=200, engine="numba"):
    with np.errstate(all="ignore"):  # the reference overflows at the highest rates
        mlp = MLP(**{**SMALL, "engine": engine, **settings})
        return mlp.fit(X[:rows], y[:rows], validation=(X[rows:], y[rows:]))


# ------------------------------------------------------------------------------------------------------ the causes


@pytest.mark.parametrize("engine", ["numba", "numpy"])
@pytest.mark.parametrize("cause", SICK)
def test_each_cause_is_told_once_in_the_history_and_in_the_log(cause, engine, caplog):
    settings, y, expected = SICK[cause]
    mlp = fit(settings, y, engine=engine)
    assert causes(mlp).count(cause) == 1
    assert len(set(causes(mlp))) == len(causes(mlp))
    diagnosis = mlp.history.diagnoses[causes(mlp).index(cause)]
    assert list(diagnosis) == ["epoch", "cause", "sentence"]
    assert 1 <= diagnosis["epoch"] <= mlp.epochs
    assert re.search(expected, diagnosis["sentence"])
    logged = [(record.name, record.levelno, record.getMessage()) for record in caplog.records]
    assert logged == [("fastmlp", logging.WARNING, sentence) for sentence in sentences(mlp)]


def test_all_causes_are_tested():
    assert set(SICK) == set(CAUSES)


def test_what_made_a_training_fail_is_told_in_the_words_of_the_network():
    mlp = fit({"learning_rate": 1e30})
    assert mlp.failure_reason in sentences(mlp)
    stuck = fit({"hidden": (16,) * 7, "activation": "sigmoid"})
    assert stuck.failure_reason.startswith("stuck")
    assert (mlp.failure_reason.kind, stuck.failure_reason.kind) == ("diverged", "stuck")
    assert stuck.failure_reason in sentences(stuck)


@pytest.mark.parametrize("engine", ["numba", "numpy"])
def test_a_training_that_diverged_after_the_weights_it_kept_says_so_and_has_not_failed(engine, caplog):
    lost = {"decay_epochs": (3,), "decay_factor": 1e30}
    mlp = fit({**lost, "early_stopping": 2}, engine=engine)
    assert math.isnan(mlp.history["train_loss"][-1])
    assert mlp.failure_reason is None
    assert mlp.evaluate(X[200:], Y[200:])[0] == min(mlp.history["validation_loss"][:3])
    last, kept = len(mlp.history), 1 + int(np.nanargmin(mlp.history["validation_loss"]))
    expected = (
        f"diverged: the loss is nan after epoch {last}, and the weights of epoch {kept}, the best one, are kept; "
        "try a smaller learning rate than 0.1"
    )
    assert {"epoch": last, "cause": "diverged", "sentence": expected} in mlp.history.diagnoses
    assert [record.getMessage() for record in caplog.records].count(expected) == 1
    assert fit(lost, engine=engine).failure_reason.startswith("diverged: the loss is nan after epoch ")
    # Where no epoch was good there is nothing to keep.
    assert fit({"learning_rate": 1e30, "early_stopping": 2}, engine=engine).failure_reason is not None


def test_a_gradient_that_vanishes_is_told_from_a_rate_that_is_too_small():
    deep = sentences(fit({"hidden": (16,) * 7, "activation": "sigmoid"}))[0]
    assert "hidden layer 1: a step" in deep
    assert "vanishes before it gets there; try activation='relu' or fewer layers" in deep
    assert "learning rate" not in deep
    drawn = sentences(fit({"hidden": (16,) * 7, "activation": "sigmoid", "init": "xavier"}))[0]
    assert drawn.endswith("try activation='relu', init='auto' or fewer layers")


def test_steps_of_the_output_layer_are_told_as_its():
    diagnoses = fit({"hidden": (16,), "activation": "tanh", "learning_rate": 5.0}, NOISY).history.diagnoses
    (sentence,) = (one["sentence"] for one in diagnoses if one["cause"] == "updates-too-large")
    assert sentence.startswith("output layer: a step changed its weights by ")


def test_a_loss_that_stays_far_above_guessing_is_told_before_the_end():
    mlp = fit({"hidden": (), "learning_rate": 1e4, "epochs": 30, "init": "normal"}, NOISY)
    (diagnosis,) = (one for one in mlp.history.diagnoses if one["cause"] == "diverged")
    assert diagnosis["epoch"] < 30
    assert diagnosis["sentence"].startswith("diverged: the loss is ")


def test_a_network_with_weighted_classes_is_compared_with_a_guess_that_is_weighted_too():
    rare = (X[:, 0] > np.sort(X[:, 0])[-4]).astype(int)  # 3 of 300: unweighted, a guess has 0.056
    mlp = MLP(**{**SMALL, "epochs": 1}, class_weight="balanced", learning_rate=0.01).fit(X, rare)
    assert mlp.history["train_loss"][-1] > 10 * 0.056
    assert mlp.failure_reason is None
    assert InMemory(X, rare, np.where(rare, 99.0, 1.0)).prior_loss(CrossEntropy()) == pytest.approx(math.log(2))


@pytest.mark.parametrize(("loss", "y"), [
    ("squared_error", np.zeros(len(X))), ("squared_error", np.full(len(X), 0.1)),
    ("binary_cross_entropy", np.ones(len(X))), ("cross_entropy", np.zeros(len(X), int)),
])  # fmt: skip
def test_a_network_whose_targets_are_all_the_same_is_not_called_lost_for_doing_worse_than_a_guess(loss, y):
    for epochs in (1, 30):
        mlp = MLP(**{**SMALL, "epochs": epochs}, loss=loss, learning_rate=0.05).fit(X, y, classes=[0, 1])
        assert mlp.failure_reason is None, epochs


def test_inputs_that_were_not_scaled_are_named():
    mlp = MLP(**SMALL).fit(255 * X, Y)
    assert causes(mlp)[0] == "dead-units"
    hint = f"scaling='auto' (the inputs go up to {np.abs(255 * X).max():,.0f})"
    assert all(hint in sentence for sentence in sentences(mlp))


def test_mends_that_are_in_use_are_not_advised():
    (sentence,) = sentences(fit({**SICK["overfitting"][0], "early_stopping": 30, "l2": 1e-9}, NOISY))
    assert sentence.endswith("; try dropout=0.2 or more training samples")


def test_a_network_without_a_rate_is_not_told_to_lower_it():
    pytest.importorskip("scipy")
    settings = {"optimizer": "lbfgs", "activation": "tanh", "init": "normal", "init_scale": 8.0, "epochs": 3}
    sentence = sentences(fit(settings, NOISY))[0]
    assert sentence.endswith("try init='xavier'")


# ---------------------------------------------------------------------------------------------------- the healthy


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"hidden": ()},
        {"activation": "identity"},
        {"activation": "tanh", "dtype": "float64"},
        {"activation": "sigmoid", "learning_rate": 0.5, "epochs": 20},
        {"dropout": 0.3, "max_norm": 3.0, "train_metrics": "running"},
        {"optimizer": "adam", "learning_rate": 0.01, "l2": 1e-3, "label_smoothing": 0.1},
        {"momentum": 0.9, "learning_rate": 0.02, "schedule": {"name": "cosine", "warm_up": 3, "warm_up_from": 0.001}},
        {"batch_size": 1, "learning_rate": 0.005, "epochs": 5},
        {"batch_size": 10_000, "learning_rate": 0.5, "epochs": 100},
        {"class_weight": "balanced", "early_stopping": 3, "clip_norm": 1.0},
        {"learning_rate": 0.1, "schedule": lambda epochs_done: 0.8**epochs_done, "epochs": 40},
    ],
)
@pytest.mark.parametrize("engine", ["numba", "numpy"])
def test_a_healthy_training_is_told_nothing(settings, engine, caplog):
    mlp = fit(settings, engine=engine)
    assert mlp.history["validation_accuracy"][-1] > 0.9
    assert mlp.history.diagnoses == []
    assert not caplog.records


def test_healthy_trainings_with_other_losses_are_told_nothing():
    targets = np.stack([X[:, 0] + X[:, 1], X[:, 2]], axis=1)
    for loss, y in (("squared_error", targets), ("binary_cross_entropy", np.eye(CLASSES)[Y])):
        mlp = MLP(**SMALL, loss=loss, learning_rate=0.02).fit(X, y, validation=(X, y))
        assert mlp.history.diagnoses == []


def test_lbfgs_is_told_nothing_when_it_does_well():
    pytest.importorskip("scipy")
    assert fit({"optimizer": "lbfgs", "epochs": 20}).history.diagnoses == []


def test_the_default_recipe_on_synthetic_digits_is_told_nothing():
    train, validation = split(load("glyphs"), training=3000, validation=1000)
    for activation in ("relu", "tanh"):
        mlp = MLP(hidden=(128, 64), activation=activation, learning_rate=0.2, epochs=8)
        assert mlp.fit(train.X, train.y, (validation.X, validation.y)).history.diagnoses == []


@pytest.mark.parametrize(
    "settings",
    [
        {
            "hidden": (100, 50, 25), "activation": "tanh", "init": "normal", "init_scale": 0.1, "init_bias": "same",
            "batch_size": 500, "shuffle": False, "learning_rate": 0.5, "seed": 1, "epochs": 6,
        },
        {
            "hidden": (200,), "augment": "elastic", "dropout": 0.1, "momentum": 0.9, "learning_rate": 0.05,
            "schedule": "cosine", "epochs": 2, "train_metrics": "running",
        },
    ],
    ids=["ee541", "elastic"],
)  # fmt: skip
def test_real_digits_learned_well_are_told_nothing(settings):
    try:
        train, validation = split(load("mnist"), training=5000, validation=1000)
    except InputError as error:
        pytest.skip(f"no MNIST: {error}")
    mlp = MLP(**settings).fit(train.X, train.y, (validation.X, validation.y))
    assert mlp.history["validation_accuracy"][-1] > 0.8
    assert mlp.history.diagnoses == []


def test_a_stream_is_diagnosed_as_well(tmp_path):
    path = tmp_path / "rows.h5"
    with h5py.File(path, "w") as file:
        file["xdata"], file["ydata"] = X, Y
    with Stream(path) as stream:
        assert "dead-units" in causes(MLP(**SMALL, learning_rate=5.0).fit(stream))
        assert causes(MLP(**SMALL).fit(stream)) == []


# ---------------------------------------------------------------------------------------------------- overfitting


def session_of(mlp, rows=300):
    """A training of the first rows, before its first step."""
    data = prepare(mlp.config, X[:rows], Y[:rows], classes=range(CLASSES))
    return Session.of(mlp.config, data, TrainingState.fresh(mlp.config, X.shape[1], CLASSES))


def observed(validation_losses, train_losses):
    """The diagnoses of a network whose epochs had these losses, none of which touch its weights."""
    session, callback = session_of(MLP(**SMALL, learning_rate=0.001)), DiagnosticsCallback()
    callback.attach(session)
    for epoch, (validation, train) in enumerate(zip(validation_losses, train_losses, strict=True), start=1):
        callback.examine({"epoch": epoch, "learning_rate": 0.001, "train_loss": train, "validation_loss": validation})
        session.state.history.append(dict.fromkeys(("epoch", "train_accuracy", "validation_accuracy", "seconds"), 0) | {
            "learning_rate": 0.001, "train_loss": train, "validation_loss": validation, "train_objective": train,
        })  # fmt: skip
    return [(one["epoch"], one["cause"]) for one in session.state.history.diagnoses]


FALLING = [0.6, 0.4, 0.3, 0.2, 0.1, 0.09, 0.08, 0.07, 0.06, 0.05]


def test_overfitting_is_told_after_some_epochs_in_a_row():
    rising = [0.7, 0.5, 0.6, 0.6, 0.6, 0.6, 0.7, 0.8, 0.9, 0.9]
    assert observed(rising, FALLING) == [(2 + PATIENCE, "overfitting")]


@pytest.mark.parametrize(
    "validation",
    [
        [0.7, 0.5, 0.6, 0.6, 0.6, 0.6, 0.52, 0.6, 0.6, 0.6],  # it came back
        [0.7, 0.5, 0.54, 0.54, 0.54, 0.54, 0.54, 0.54, 0.54, 0.54],  # by less than a tenth
        [0.7, 0.1, 0.15, 0.15, 0.15, 0.15, 0.15, 0.15, 0.15, 0.15],  # close to the training loss all the same
        [math.nan] * 10,
    ],
)
def test_a_validation_loss_that_rises_a_little_or_for_a_while_is_no_overfitting(validation):
    assert observed(validation, FALLING) == []


def test_a_validation_loss_that_rises_with_the_training_loss_is_no_overfitting():
    assert observed([0.5] + 9 * [0.9], [0.3] + 9 * [0.4]) == []


# ------------------------------------------------------------------------------------- no weight, and once resumed


@pytest.mark.parametrize("settings", [{}, {"optimizer": "adam", "dropout": 0.2}, {"momentum": 0.9, "clip_norm": 0.5}])
@pytest.mark.parametrize("engine", ["numba", "numpy"])
def test_looking_changes_no_bit_of_a_training(settings, engine):
    settings = {**SMALL, "engine": engine, **settings}
    watched = MLP(**settings).fit(X, Y)
    mlp = MLP(**settings)
    trainer, batches = session_of(mlp).trainer, InMemory(X, Y)
    for epoch in range(1, mlp.epochs + 1):
        trainer.state.epoch, trainer.state.position = epoch, 0
        trainer.epoch(batches, mlp.shuffle, np.full(trainer.steps_of(len(X)), mlp.learning_rate))
    parameters = watched._fitted.parameters
    assert parameters.buffer.tobytes() == trainer.state.parameters.buffer.tobytes()
    assert parameters.states.tobytes() == trainer.state.parameters.states.tobytes()


def resumed(settings, y, folder, stop_at):
    """The diagnoses of a training that was stopped after an epoch and taken up again."""
    kept = CheckpointStore(folder, identity="sick")

    def stop_there(record):
        if record["epoch"] == stop_at:
            kept.stop.set()

    for _ in range(2):
        mlp = MLP(**{**SMALL, **settings})
        with contextlib.suppress(Paused):
            mlp.fit(X[:200], y[:200], (X[200:], y[200:]), progress=stop_there, checkpoint=kept)
        kept.stop.clear()
    return mlp.history.diagnoses


@pytest.mark.parametrize("cause", [cause for cause in SICK if cause != "diverged"])
def test_a_training_that_is_taken_up_again_is_told_what_an_uninterrupted_one_is(tmp_path, cause):
    settings, y, _ = SICK[cause]
    whole = fit(settings, y).history.diagnoses
    assert cause in [diagnosis["cause"] for diagnosis in whole]
    for stop_at in (1, 2, 4, 7):
        assert resumed(settings, y, tmp_path / str(stop_at), stop_at) == whole


# ------------------------------------------------------------------------------------------- what becomes of them


def test_a_saved_network_keeps_its_diagnoses_and_a_file_without_them_is_damaged(tmp_path):
    mlp = fit(SICK["updates-too-small"][0])
    mlp.save(tmp_path / "model.safetensors")
    assert MLP.load(tmp_path / "model.safetensors").history.diagnoses == mlp.history.diagnoses != []
    model = texts(mlp.to_bytes())[0]
    del model["diagnoses"]
    with pytest.raises(InputError, match=r"cannot be read .*`diagnoses`"):
        MLP.from_bytes(with_model(mlp.to_bytes(), model))


def test_a_second_fit_begins_with_no_diagnoses():
    mlp = fit(SICK["updates-too-small"][0])
    once = [dict(one) for one in mlp.history.diagnoses]
    mlp.fit(X, Y)
    assert len(mlp.history.diagnoses) == len(once) == 1


def test_a_sweep_names_the_network_in_the_log_the_record_and_the_summary(tmp_path, caplog):
    np.savez(tmp_path / "blobs.npz", X=X, y=Y)
    (tmp_path / "sick.toml").write_text(
        'title = "Sick"\n[network]\nhidden = [16]\n[training]\nepochs = 3\nbatch_size = 20\n'
        '[grid]\nactivation = ["relu"]\nlearning_rate = [0.1, 1e-6, 1e30]\n',
        encoding="utf-8",
    )
    folder = tmp_path / "run"
    arguments = ["--recipe", str(tmp_path / "sick.toml"), "--data", str(tmp_path / "blobs.npz"), "--out", str(folder)]
    assert main(["sweep", *arguments]) == 3
    well, slow, lost = json.loads((folder / "run.json").read_text(encoding="utf-8"))["cells"]
    assert well["diagnoses"] == []
    (sentence,) = (one["sentence"] for one in slow["diagnoses"])
    summary = (folder / "summary.md").read_text(encoding="utf-8")
    assert summary.count(sentence) == summary.count(f"- relu, learning rate 1e-06: {sentence}\n") == 1
    assert [one["cause"] for one in lost["diagnoses"]] == ["diverged"]
    assert summary.count(lost["failure_reason"]) == 1
    logged = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    expected = {f"relu, learning rate 1e-06: {sentence}", f"relu, learning rate 1e+30: {lost['failure_reason']}"}
    assert set(logged) == expected
    assert len(logged) == 2
