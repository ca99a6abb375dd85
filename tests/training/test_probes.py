"""What a look at a network measures, against passes and steps by other means, and the rows that it takes."""

import h5py
import numpy as np
import pytest

from fastmlp import MLP
from fastmlp.data import Stream, load
from fastmlp.inputs.encoder import InputEncoder
from fastmlp.inputs.scaling import Scaling
from fastmlp.kernels import reference
from fastmlp.kernels.sparse_rows import Sparse, to_network
from fastmlp.training.batches import InMemory, Streamed
from fastmlp.training.diagnostics import DiagnosticsCallback
from fastmlp.training.first_layer import compact
from fastmlp.training.preparation import prepare
from fastmlp.training.probes import (
    PROBES,
    WORTH_PROBING,
    idle_share,
    largest_input,
    next_probe_epoch,
    probe_spacing,
    probes_left,
    step_ratios,
)
from fastmlp.training.session import Session
from fastmlp.training.state import TrainingState
from fastmlp.training.trainer import Trainer

CLASSES = 4
RANDOM = np.random.RandomState(0)
X = RANDOM.standard_normal((300, 12)).astype(np.float32)
UNSCALED = InputEncoder(Scaling.constant("none", 12))
Y = np.arange(300) % CLASSES


def trainer_of(mlp):
    return Trainer.of(mlp.config, TrainingState.fresh(mlp.config, X.shape[1], CLASSES), len(X))


@pytest.mark.parametrize("engine", ["numba", "numpy"])
@pytest.mark.parametrize("is_sparse", [False, True])
def test_the_shares_of_idle_units_are_those_of_an_independent_pass(engine, is_sparse):
    inputs = np.where(np.abs(X) > 1, X, 0)
    activations = ("relu", "tanh", "sigmoid", "identity", "relu", "elu", "softplus", "leaky_relu")
    mlp = MLP(hidden=(20, 9, 7, 6, 10, 8, 5, 4), activation=activations, init="normal", init_scale=2.0, engine=engine)
    trainer = trainer_of(mlp)
    trainer.state.parameters.biases[0][:5] = -1000
    trainer.state.parameters.biases[4][:8] = -1000
    for layer, units in ((5, 4), (6, 3), (7, 4)):
        trainer.state.parameters.biases[layer][:units] = -1000
    given = compact(inputs, first_layer="sparse")[0] if is_sparse else inputs
    assert isinstance(given, Sparse) == is_sparse
    A, expected = inputs, []
    for name, W, b in zip(activations, trainer.state.parameters.weights, trainer.state.parameters.biases, strict=False):
        A = A @ W + b
        if name == "relu":
            A = np.maximum(A, 0)
            expected.append((A == 0).all(axis=0).mean())
        elif name == "tanh":
            A = np.tanh(A)
            expected.append((1 - A**2 < 0.0199).mean())
        elif name == "sigmoid":
            A = 1 / (1 + np.exp(-A))
            expected.append((4 * A * (1 - A) < 0.0199).mean())
        elif name == "elu":
            expected.append((np.exp(np.minimum(A, 0)) < 0.02).all(axis=0).mean())
            A = np.where(A > 0, A, np.expm1(np.minimum(A, 0)))
        elif name == "softplus":
            expected.append((np.log(0.02 / 0.98) > A).all(axis=0).mean())
            A = np.logaddexp(A, 0)
        else:
            expected.append(0)
    assert expected[0] == 0.25
    assert 0.5 <= expected[5] < 1  # what else is idle is so by its random weights
    assert 0.6 <= expected[6] < 1
    assert min(expected[1:3]) > 0.1
    np.testing.assert_allclose([idle_share(trainer, given, layer) for layer in range(1, 9)], expected, atol=0.002)


@pytest.mark.parametrize("settings", [{}, {"momentum": 0.9}, {"optimizer": "adam"}, {"dtype": "float64"}])
def test_the_length_of_a_step_is_that_of_a_step_of_the_reference(settings):
    mlp = MLP(hidden=(9,), learning_rate=0.3, batch_size=len(X), **settings)
    trainer = trainer_of(mlp)
    p = trainer.state.parameters
    before, states = p.buffer.copy(), p.states.copy()
    inputs = X.astype(p.buffer.dtype)
    ratios = step_ratios(trainer, (inputs, Y, np.empty(0)), 1, 0.3)
    assert p.buffer.tobytes() == before.tobytes()
    assert p.states.tobytes() == states.tobytes()
    old = [W.copy() for W in p.weights]
    order, totals = np.arange(len(X)), np.zeros(2)
    reference.train(p.layers, p.buffer, p.states, inputs, Y, order, len(X), 0.3, totals, 1, trainer.rule)
    expected = [np.linalg.norm(W - V) / np.linalg.norm(V) for W, V in zip(p.weights, old, strict=True)]
    # A step takes the biases along, which are zero before it, and are not among the weights.
    np.testing.assert_allclose(ratios, expected, rtol=1e-3)


def test_rows_that_weigh_nothing_have_no_step():
    trainer = trainer_of(MLP(hidden=(9,)))
    assert np.isnan(step_ratios(trainer, (X, Y, np.zeros(len(X))), 1, 0.1)).all()


def test_the_largest_input_is_as_the_network_reads_it():
    assert largest_input(np.array([[1.0, -7.0], [3.0, 0.0]])) == 7
    assert largest_input(np.array([[0, 255]], np.uint8)) == 1
    pixels = np.array([[0, 51], [0, 0]], np.uint8)
    assert largest_input(compact(pixels, first_layer="sparse")[0]) == 0.2
    assert largest_input(compact(np.zeros((2, 3)), first_layer="sparse")[0]) == 0


def test_the_epochs_that_are_looked_at_are_the_first_ones_then_fewer_and_the_last():
    assert [epoch for epoch in range(1, 51) if next_probe_epoch(epoch, 50) == epoch] == [1, 2, 3, 5, 8, 13, 21, 34, 50]
    assert [epoch for epoch in range(1, 3) if next_probe_epoch(epoch, 2) == epoch] == [1, 2]
    assert [epoch for epoch in range(1, 51) if next_probe_epoch(epoch, 50, 9) == epoch] == [9, 18, 27, 45, 50]


def test_short_epochs_are_not_all_looked_at_and_long_ones_are():
    assert probe_spacing(work=2 * WORTH_PROBING, epochs=50) == 1
    assert probe_spacing(work=WORTH_PROBING // 4, epochs=50) == 4
    assert probe_spacing(work=1, epochs=50) == 17
    for epochs in (3, *range(5, 100)):
        spacing = probe_spacing(1, epochs)
        assert len({next_probe_epoch(epoch, epochs, spacing) for epoch in range(1, epochs + 1)}) == 3


def test_the_probes_that_are_left_are_counted_up_to_those_that_a_cause_takes():
    for epochs, spacing in ((1, 1), (3, 1), (20, 7), (50, 9), (50, 1)):
        probed = [epoch for epoch in range(1, epochs + 1) if next_probe_epoch(epoch, epochs, spacing) == epoch]
        for epoch in range(1, epochs + 2):
            assert probes_left(epoch, epochs, spacing) == min(sum(later >= epoch for later in probed), PROBES)


@pytest.mark.parametrize(("name", "range_"), [("tanh", "beyond -0.99 or 0.99"), ("sigmoid", "beyond 0.005 or 0.995")])
def test_the_layer_that_is_worst_is_named_among_those_of_its_kind(name, range_):
    config = MLP(hidden=(10, 8, 10), activation=("relu", name, "relu"), epochs=1).config
    state = TrainingState.fresh(config, X.shape[1], CLASSES)
    session, callback = Session.of(config, prepare(config, X, Y), state), DiagnosticsCallback()
    first, second, third = state.parameters.biases[:3]
    first[:9], second[:6], third[:8] = -1000, 1000, -1000
    callback.attach(session)
    callback.examine({"epoch": 1, "learning_rate": 0.1, "train_loss": 1.4, "validation_loss": np.nan})
    dead, saturated, *_ = [one["sentence"] for one in state.history.diagnoses]
    assert dead.startswith("hidden layer 1: 9 of its 10 relu units gave 0 for all of 256 samples after epoch 1")
    assert saturated.startswith(f"hidden layer 2: 75% of the outputs of its {name} units were {range_} for 256 samples")


@pytest.mark.parametrize(
    ("name", "gave"),
    [("elu", "elu units gave less than -0.98, where"), ("softplus", "softplus units gave less than 0.02, where")],
)
def test_units_that_let_no_gradient_through_are_named_and_those_of_leaky_relu_are_not(name, gave):
    config = MLP(hidden=(10, 10), activation=(name, "leaky_relu"), epochs=1).config
    state = TrainingState.fresh(config, X.shape[1], CLASSES)
    session, callback = Session.of(config, prepare(config, X, Y), state), DiagnosticsCallback()
    state.parameters.biases[0][:8], state.parameters.biases[1][:] = -1000, -1000
    callback.attach(session)
    callback.examine({"epoch": 1, "learning_rate": 0.1, "train_loss": 1.4, "validation_loss": np.nan})
    dead, *others = [one["sentence"] for one in state.history.diagnoses]
    assert dead.startswith(f"hidden layer 1: 8 of its 10 {gave} hardly any gradient passes, for all of 256 samples")
    assert not any(" units " in sentence for sentence in others)


# ------------------------------------------------------------------------------------------------------ the samples


@pytest.mark.parametrize("first_layer", ["dense", "sparse"])
def test_a_sample_of_what_is_sorted_by_class_has_all_classes(first_layer):
    order = np.argsort(Y, kind="stable")
    weights = np.arange(len(Y)) / 256  # near 1, as a source keeps them
    source = InMemory(compact(X[order], first_layer=first_layer)[0], Y[order], weights)
    inputs, y, w = source.sample(20)
    rows = np.rint(256 * w).astype(int)
    assert np.bincount(y).tolist() == [5, 5, 5, 5]
    np.testing.assert_array_equal(y, Y[order][rows])
    np.testing.assert_array_equal(to_network(inputs, np.arange(20), np.float32), X[order][rows])
    assert source.sample(10_000)[0].shape == X.shape


def test_a_sample_of_a_stream_has_the_labels_of_its_rows(tmp_path):
    path = tmp_path / "rows.h5"
    with h5py.File(path, "w") as file:
        file["xdata"], file["ydata"] = X, np.sort(Y)
    with Stream(path) as stream:
        inputs, y, weights = Streamed(stream, np.arange(CLASSES), UNSCALED, class_weight={0: 1.5}).sample(64)
    assert set(y) == set(range(CLASSES))
    for row, label, weight in zip(inputs, y, weights, strict=True):
        (at,) = np.flatnonzero((row == X).all(axis=1))
        assert np.sort(Y)[at] == label
        assert weight == (1.5 if label == 0 else 1)


def test_units_that_rest_for_an_epoch_are_no_steps_that_are_too_small():
    data = load("glyphs")
    mlp = MLP(hidden=(8,), learning_rate=0.5, batch_size=20, epochs=6, seed=3)
    mlp.fit(data.X[:400], data.y[:400], validation=(data.X[400:500], data.y[400:500]))
    assert mlp.history["train_accuracy"][0] < 0.12 < 0.24 < mlp.history["train_accuracy"][2]
    assert not mlp.history.diagnoses
