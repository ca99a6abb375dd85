"""A whole epoch and whole passes: against the reference, against numbers worked out by hand, against a golden run."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fastmlp.kernels import epoch, reference
from fastmlp.kernels.layout import (
    ACTIVATIONS,
    GRAIN,
    STRIDE,
    aligned_zeros,
    bias_views,
    buffer_size,
    layer_table,
    weight_views,
)
from fastmlp.kernels.update_rule import ADAM, GRADIENT, MOMENTUM, PLAIN, PLAIN_SGD, RMSPROP, Rule

ENGINES = pytest.mark.parametrize("kernels", [reference, epoch], ids=["numpy", "numba"])
WIDTHS = st.integers(1, 40)
# Some whose rows would share sets of a cache, and are set apart; and some of more terms than are summed in one piece.
WIDE = WIDTHS | st.sampled_from([64, 128, 150, 200])
HIDDEN = st.lists(st.tuples(WIDE, st.sampled_from(list(ACTIVATIONS))), max_size=3)

RULES = st.builds(
    Rule,
    optimizer=st.sampled_from([PLAIN, MOMENTUM, ADAM, RMSPROP, GRADIENT]),
    momentum=st.sampled_from([0.0, 0.5]),
    dampening=st.sampled_from([0.0, 0.25]),
    nesterov=st.sampled_from([0.0, 1.0]),
    beta2=st.just(0.75),
    epsilon=st.just(0.125),  # large, for sqrt(v) of a gradient that is rounding alone is far from the reference's
    l1=st.sampled_from([0.0, 0.01]),
    l2=st.sampled_from([0.0, 0.01]),
    decay=st.sampled_from([0.0, 0.1]),
    clip_norm=st.sampled_from([0.0, 0.5]),
    max_norm=st.sampled_from([0.0, 1.0]),
) | st.just(PLAIN_SGD)


def samples(random, rows, features, classes, dtype):
    """Made-up inputs of one of the three stored types, and labels."""
    X = random.randint(0, 256, (rows, features)).astype(np.uint8)
    return X if dtype == "uint8" else (X / 255 - 0.4).astype(dtype), random.randint(0, classes, rows)


@settings(max_examples=25)
@given(
    inputs=WIDTHS, hidden=HIDDEN, classes=st.integers(2, 20),
    rows=st.integers(1, 70), batch_size=st.integers(1, 80), threads=st.integers(1, 3),
    stored=st.sampled_from(["uint8", "float32", "float64"]), rule=RULES, seed=st.integers(0, 1000),
)  # fmt: skip
def test_an_epoch_in_float64_is_the_references_for_any_network_and_batch(
    network, shared_steps, inputs, hidden, classes, rows, batch_size, threads, stored, rule, seed
):
    random = np.random.RandomState(seed)
    X, y = samples(random, rows, inputs, classes, stored)
    order = random.permutation(rows)[: rows - rows // 3]
    results = []
    for kernels in (reference, epoch):
        p = network((inputs, *(width for width, _ in hidden), classes), [name for _, name in hidden], "float64", seed)
        totals = np.array([1000.0, 10.0])  # a kernel adds to what is there
        with shared_steps() as sizes:
            kernels.train(p.layers, p.buffer, p.states, X, y, order, batch_size, 0.05, totals, threads, rule)
            kernels.evaluate(p.layers, p.buffer, X, y, totals, threads)
            results.append((p, totals, kernels.predict(p.layers, p.buffer, X, np.empty((rows, classes)), threads)))
    assert sizes[0] == min(threads, -(-batch_size // GRAIN))
    (p, totals, proba), (q, got_totals, got_proba) = results
    np.testing.assert_allclose(q.buffer, p.buffer, rtol=0, atol=1e-10)
    np.testing.assert_allclose(got_totals, totals, rtol=1e-10)
    np.testing.assert_allclose(got_proba, proba, rtol=0, atol=1e-10)
    np.testing.assert_allclose(q.states, p.states, rtol=0, atol=1e-10)


@ENGINES
@pytest.mark.parametrize("features", [5, 70])  # which `small.py` trains, and which it does not
@pytest.mark.parametrize("rule", [PLAIN_SGD, Rule(MOMENTUM, 0.5), Rule(ADAM, 0.5, beta2=0.75, epsilon=0.125)])
def test_a_network_is_copied_as_it_is_after_each_marked_epoch(network, shared_steps, kernels, features, rule):
    random, marks = np.random.RandomState(5), (1, 3)
    X, y = samples(random, 400, features, 3, "float32")
    order = np.array([random.permutation(400) for _ in range(5)])

    def trained(epochs, marks=(), copies=None):
        p = network((features, 20, 3), ("relu",), "float32", 1)
        rest = 0.05, np.zeros((epochs, 2)), 2, rule
        with shared_steps():
            kernels.train(
                p.layers, p.buffer, p.states, X, y, order[:epochs], 200, *rest, marks=marks, copies=copies
            )  # fmt: skip
        return np.array((p.buffer, *p.states))

    copies = np.empty((2, *trained(1).shape), np.float32)
    whole = trained(5, marks, copies)
    np.testing.assert_array_equal(whole, trained(5))
    for epoch_number, copied in zip(marks, copies, strict=True):
        np.testing.assert_array_equal(copied, trained(epoch_number + 1))


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("stored", ["uint8", "float32", "float64"])
def test_an_epoch_in_float32_is_the_float64_references_up_to_rounding(network, activation, stored):
    X, y = samples(np.random.RandomState(1), 150, 50, 7, stored)
    order = np.random.RandomState(2).permutation(150)
    outcomes = []
    for kernels, dtype in ((reference, "float64"), (epoch, "float32")):
        p = network((50, 33, 17, 7), (activation,) * 2, "float64", 3)
        q = network((50, 33, 17, 7), (activation,) * 2, dtype, 3)
        for W, V in zip(p.weights + p.biases, q.weights + q.biases, strict=True):
            V[...] = W
        totals = np.zeros(2)
        kernels.train(q.layers, q.buffer, q.states, X, y, order, 32, 0.1, totals, 2, Rule(MOMENTUM, 0.9, l2=1e-3))
        outcomes.append((q, totals))
    (p, totals), (q, got_totals) = outcomes
    assert got_totals[0] == pytest.approx(totals[0], rel=1e-5)
    for expected, got in zip(p.weights + p.biases, q.weights + q.biases, strict=True):
        np.testing.assert_allclose(got, expected, rtol=0, atol=2e-5)


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("hidden", [(9, 18), (128, 64)])
def test_padding_stays_zero(network, hidden, dtype, threads):
    X, y = samples(np.random.RandomState(4), 40, 5, 3, dtype)
    p = network((5, *hidden, 3), ("sigmoid", "tanh"), dtype)
    epoch.train(
        p.layers,
        p.buffer,
        p.states,
        X,
        y,
        np.arange(40),
        16,
        0.5,
        np.zeros(2),
        threads,
        Rule(MOMENTUM, momentum=0.9, l2=0.1),
    )
    for buffer in (p.buffer.copy(), p.states[0].copy()):
        for view in (*weight_views(buffer, p.layers), *bias_views(buffer, p.layers)):
            assert view.any()
            view[...] = 0
        assert not buffer.any()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("hidden", [(), (7,), (100,), (300,)])
def test_a_row_alone_has_the_outputs_that_it_has_among_others(network, hidden, dtype):
    random = np.random.RandomState(11)
    X = random.randint(0, 256, (9, 150)).astype(np.uint8) * (random.rand(9, 150) < [[share / 8] for share in range(9)])
    p = network((150, *hidden, 10), ("tanh",) * len(hidden), dtype)
    among_others = epoch.predict(p.layers, p.buffer, X, np.empty((9, 10), dtype), 1)
    alone = [epoch.predict(p.layers, p.buffer, X[row : row + 1], np.empty((1, 10), dtype), 1) for row in range(9)]
    assert np.concatenate(alone).tobytes() == among_others.tobytes()


@pytest.mark.parametrize("activation", ["sigmoid", "softplus", "elu"])
def test_padding_stays_zero_where_transposed_copies_take_the_step_themselves(network, activation):
    X, y = samples(np.random.RandomState(4), 40, 5, 3, "float32")
    p = network((5, 9, 18, 7, 3), (activation,) * 3, "float32")
    epoch.train(p.layers, p.buffer, p.states, X, y, np.arange(40), 1, 0.5, np.zeros(2), 1)
    buffer = p.buffer.copy()
    for view in (*weight_views(buffer, p.layers), *bias_views(buffer, p.layers)):
        view[...] = 0
    assert not buffer.any()


@pytest.mark.parametrize("width", [64, 128, 500, 512, 1000, 1024, 4096])
def test_rows_of_a_wide_layer_fall_into_all_sets_of_a_cache(width):
    layers = layer_table((10, width, 2), ("relu",), "float32")
    sets = np.arange(64) * (layers[0, STRIDE] * 4 // 64) % 64  # of a first cache with 64 sets, at a line of each row
    assert len({(s + line) % 64 for s in sets.tolist() for line in range(4)}) == 64


@ENGINES
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_one_step_worked_out_by_hand(kernels, dtype):
    """Inputs 1, 2; three relu units; two classes, label 0; rate 1/2. Every number is a binary fraction: exact.

    z1 = (1*1 + 2*1/2, 1*0 + 2*1/2, 1*-1 + 2*0) = (2, 1, -1)     a1 = (2, 1, 0)
    z2 = (2*1 + 1*0, 2*0 + 1*2) = (2, 2)                         p = (1/2, 1/2), loss ln 2
    delta2 = (-1/2, 1/2)
    delta1 = delta2 W2^T, where z1 > 0 = (-1/2*1 + 0, 0 + 1/2*2, 0) = (-1/2, 1, 0)
    gradients  W2: ((-1, 1), (-1/2, 1/2), (0, 0))   b2: delta2
               W1: ((-1/2, 1, 0), (-1, 2, 0))       b1: delta1
    """
    layers = layer_table((2, 3, 2), ("relu",), dtype)
    buffer, states = aligned_zeros(buffer_size(layers), dtype), np.zeros((1, buffer_size(layers)), dtype)
    (W1, W2), (b1, b2) = weight_views(buffer, layers), bias_views(buffer, layers)
    W1[...] = [[1, 0, -1], [1 / 2, 1 / 2, 0]]
    W2[...] = [[1, 0], [0, 2], [1, -1]]
    totals = np.zeros(2)
    X, y, order = np.array([[1, 2]], dtype), np.array([0]), np.array([0])
    kernels.train(layers, buffer, states, X, y, order, 1, 0.5, totals, 1)
    np.testing.assert_array_equal(W1, [[5 / 4, -1 / 2, -1], [1, -1 / 2, 0]])
    np.testing.assert_array_equal(b1, [1 / 4, -1 / 2, 0])
    np.testing.assert_array_equal(W2, [[3 / 2, -1 / 2], [1 / 4, 7 / 4], [1, -1]])
    np.testing.assert_array_equal(b2, [1 / 4, -1 / 4])
    assert totals[0] == pytest.approx(math.log(2), rel=1e-15)
    assert totals[1] == 1  # the first of two equal logits is the answer


def test_samples_are_judged_before_their_own_batchs_update(network):
    X, y = samples(np.random.RandomState(5), 20, 6, 3, "float64")
    p = network((6, 3), (), "float64")
    before, during = np.zeros(2), np.zeros(2)
    epoch.evaluate(p.layers, p.buffer, X, y, before, 1)
    epoch.train(p.layers, p.buffer, p.states, X, y, np.arange(20), 20, 0.1, during, 1)
    np.testing.assert_allclose(during, before, rtol=1e-14)


def test_only_the_rows_in_order_are_trained_on(network):
    X, y = samples(np.random.RandomState(6), 30, 6, 3, "float64")
    order = np.array([4, 4, 29, 0, 17])
    p, q = (network((6, 5, 3), ("tanh",), "float64") for _ in range(2))
    epoch.train(p.layers, p.buffer, p.states, X, y, order, 2, 0.1, np.zeros(2), 1)
    X2, y2 = X[order].copy(), y[order].copy()
    epoch.train(q.layers, q.buffer, q.states, X2, y2, np.arange(5), 2, 0.1, np.zeros(2), 1)
    assert p.buffer.tobytes() == q.buffer.tobytes()


# Mean loss of each of ten steps of the float64 reference on the made-up problem below.
GOLDEN_LOSSES = (
    1.35513072176466,
    1.32218993595468,
    1.37853289284478,
    1.34998854596533,
    1.28353244725845,
    1.34014722831197,
    1.32994784249504,
    1.25272832870085,
    1.31340415025761,
    1.31683965771508,
)


def golden_losses(kernels, dtype):
    """Ten steps of 16 samples with momentum 1/2, l2 2^-10 and rate 1/4, from weights that no random stream decides."""
    i, j = np.arange(48)[:, None], np.arange(12)
    X = (i * 7919 + j * 104729 + i * j * 613) % 1000 / 1000
    y = np.arange(48) * 7 % 11 % 4
    layers = layer_table((12, 20, 9, 4), ("relu", "tanh"), dtype)
    buffer, states = aligned_zeros(buffer_size(layers), dtype), np.zeros((1, buffer_size(layers)), dtype)
    for layer, W in enumerate(weight_views(buffer, layers)):
        row, column = np.arange(len(W))[:, None], np.arange(W.shape[1])
        W[...] = ((row * 31 + column * 17 + row * column * 7 + layer * 5) % 41 - 20) / 40
    losses = []
    for step in range(10):
        totals, order = np.zeros(2), (np.arange(16) * 5 + step * 16) % 48
        kernels.train(layers, buffer, states, X, y, order, 16, 0.25, totals, 1, Rule(MOMENTUM, momentum=0.5, l2=2**-10))
        losses.append(totals[0] / 16)
    return losses


@ENGINES
def test_ten_golden_steps_in_float64(kernels):
    assert golden_losses(kernels, "float64") == pytest.approx(GOLDEN_LOSSES, abs=1e-10)


@ENGINES
def test_ten_golden_steps_in_float32(kernels):
    assert golden_losses(kernels, "float32") == pytest.approx(GOLDEN_LOSSES, abs=1e-4)
