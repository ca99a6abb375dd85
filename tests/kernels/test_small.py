"""Small networks, whose samples stand in the lanes: against the reference, and the same bits for any team."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fastmlp.kernels import epoch, reference, small
from fastmlp.kernels.compress import compress
from fastmlp.kernels.layout import ACTIVATIONS
from fastmlp.kernels.task_types import LOGISTIC, POISSON, SOFTMAX, SQUARED, Loss
from fastmlp.kernels.update_rule import ADAM, GRADIENT, MOMENTUM, PLAIN_SGD, RMSPROP, Rule

ADAM_RULE = Rule(ADAM, 0.9, beta2=0.999, epsilon=1e-8, l2=1e-3)
RULES = {
    "sgd": PLAIN_SGD,
    "momentum": Rule(MOMENTUM, 0.9, nesterov=1.0, l1=1e-3),
    "adam": ADAM_RULE,
    "adamw": ADAM_RULE._replace(decay=0.1),
    "rmsprop": Rule(RMSPROP, 0.5, beta2=0.99, epsilon=1e-3),
}
SQUARED_LOSS = Loss(SQUARED)
# Widths whose layers have fewer and more weights than are summed by lanes, columns that fill registers and do not.
NETWORKS = ((4, 32, 16, 4), (3, 40, 40, 2), (32, 40, 1), (6, 20, 1), (1, 1), (5, 100, 7))


def samples(random, kind, rows, inputs, outputs, dtype):
    X = random.standard_normal((rows, inputs)).astype(dtype)
    if kind == SOFTMAX:
        return X, random.randint(0, outputs, rows)
    y = random.standard_normal((rows, outputs))
    return X, {LOGISTIC: y > 0, SQUARED: y, POISSON: np.floor(np.abs(y))}[kind].astype(dtype)


def trained(kernels, p, data, orders, batch_size, rule=ADAM_RULE, loss=SQUARED_LOSS, threads=1, rate=0.01):
    """Parameters, states and totals after some epochs."""
    X, y = data
    totals = np.zeros((len(orders), 2))
    kernels.train(
        p.layers, p.buffer, p.states, X, y, np.array(orders), batch_size, rate, totals, threads, rule, loss
    )  # fmt: skip
    return p.buffer, p.states, totals


def is_small(p, batch_size, rule=ADAM_RULE):
    return epoch._is_small(p.layers, batch_size, rule, (), None)


@settings(max_examples=40)
@given(
    widths=st.sampled_from(NETWORKS), activation=st.sampled_from(list(ACTIVATIONS)),
    kind=st.sampled_from([SOFTMAX, LOGISTIC, SQUARED, POISSON]), weighted=st.booleans(),
    rule=st.sampled_from(list(RULES)),
    rows=st.integers(16, 300), batch_size=st.integers(16, 191), seed=st.integers(0, 100),
)  # fmt: skip
def test_small_networks_train_as_the_reference_does(
    network, widths, activation, kind, weighted, rule, rows, batch_size, seed
):
    random = np.random.RandomState(seed)
    data = samples(random, kind, rows, widths[0], widths[-1], "float64")
    loss = Loss(
        kind, 0.1 if kind == SOFTMAX and seed % 2 else 0.0, random.random_sample(rows) if weighted else np.empty(0)
    )
    orders = [random.permutation(rows) for _ in range(2)]
    results = []
    for kernels in (reference, epoch):
        p = network(widths, (activation,) * (len(widths) - 2), "float64", seed)
        assert is_small(p, batch_size, RULES[rule])
        results.append(trained(kernels, p, data, orders, batch_size, RULES[rule], loss, rate=0.001))
    for expected, found in zip(*results, strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-10)


@pytest.mark.parametrize("widths", NETWORKS)
@pytest.mark.parametrize("rows", [1, 15, 16, 64, 65, 200, 1000])
def test_the_gradient_is_the_references_in_float32(network, widths, rows):
    random = np.random.RandomState(0)
    data = samples(random, SQUARED, rows, widths[0], widths[-1], "float32")
    results = []
    for kernels in (reference, epoch):
        p = network(widths, ("tanh",) * (len(widths) - 2), "float32", 1)
        results.append(trained(kernels, p, data, [np.arange(rows)], max(rows, 16), Rule(GRADIENT)))
    np.testing.assert_allclose(results[1][1], results[0][1], rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(results[1][2], results[0][2], rtol=1e-6)


@pytest.mark.parametrize("hidden", [(4,), (7,), (28,), (100,), (20, 7), (16, 20)])
@pytest.mark.parametrize("inputs", [3, 4, 8, 12])
def test_relu_units_below_a_single_one_have_the_references_gradient(network, inputs, hidden):
    # As many lines of units as there are, and a last one that is a whole tile's or not, from inputs that are or not.
    random, rows = np.random.RandomState(4), 100
    data, results = samples(random, SQUARED, rows, inputs, 1, "float64"), []
    for kernels in (reference, epoch):
        p = network((inputs, *hidden, 1), ("relu",) * len(hidden), "float64", 5)
        assert is_small(p, rows)
        results.append(trained(kernels, p, data, [np.arange(rows)], rows, Rule(GRADIENT)))
    np.testing.assert_allclose(results[1][1], results[0][1], rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("rows", [400, 2049, 3300])
@pytest.mark.parametrize("widths", NETWORKS[:2])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_small_networks_have_the_same_bits_on_any_team(network, shared_steps, widths, rows, dtype):
    random = np.random.RandomState(2)
    data = samples(random, SQUARED, rows + 100, widths[0], widths[-1], dtype)
    orders, results = [random.permutation(rows + 100) for _ in range(2)], set()
    with shared_steps() as sizes:
        for threads in (1, 2, 3, 40):
            p = network(widths, ("relu",) * (len(widths) - 2), dtype, 1)
            assert is_small(p, rows)
            arrays = trained(epoch, p, data, orders, rows, threads=threads)
            results.add(b"".join(array.tobytes() for array in arrays))
    assert len(results) == 1
    assert sizes[:3] == [1, 2, 3]


def test_every_sample_is_in_one_part():
    for count in (*range(1, 6000), *range(32_000, 34_000), 60_000, 1_000_000):
        parts, rows = small._parts(count)
        assert (parts - 1) * rows < count <= parts * rows
        assert rows <= 2048
        assert parts <= len(small.workspace(np.array([[3, 2, 16, 16, 0, 48, 0]]), "float32", 1, count)[-1]) // 2


def test_samples_of_an_earlier_batch_leave_nothing_behind(network):
    """Not even where their outputs overflow: their places in a register are multiplied by zero."""
    random = np.random.RandomState(0)
    X, y = samples(random, SQUARED, 64, 4, 4, "float32")
    X[36:] = 3e38
    fresh, p = (network((4, 8, 4), ("relu",), "float32", 1) for _ in range(2))
    kept = {}
    for rows in (64, 36):
        p.states[...] = 0
        order, rule = np.arange(rows), Rule(GRADIENT)
        epoch.train(p.layers, p.buffer, p.states, X, y, order, 64, 0.0, np.zeros(2), 1, rule, SQUARED_LOSS, kept=kept)
    trained(epoch, fresh, (X, y), [np.arange(36)], 64, Rule(GRADIENT), rate=0.0)
    assert np.isfinite(p.states).all()
    np.testing.assert_array_equal(p.states, fresh.states)


def test_large_and_limited_networks_and_tiny_batches_are_left_to_the_other_kernels(network):
    p = network((4, 32, 4), ("relu",))
    assert is_small(p, 32)
    assert not is_small(p, 15)
    assert not is_small(p, 32, Rule(ADAM, clip_norm=1.0))
    assert not is_small(p, 32, Rule(ADAM, max_norm=1.0))
    assert not epoch._is_small(p.layers, 32, ADAM_RULE, (1.0, 0.5), None)
    assert not is_small(network((4, 100, 100, 4), ("relu",) * 2), 32)
    many_inputs = network((33, 8, 4), ("relu",))
    assert is_small(many_inputs, 63)
    assert not is_small(many_inputs, 64)


@pytest.mark.parametrize("stored", ["uint8", "float32", "float64"])
@pytest.mark.parametrize("threads", [1, 2])
def test_compressed_rows_train_the_bits_of_dense_ones(network, shared_steps, stored, threads):
    random, dtype = np.random.RandomState(3), "float64" if stored == "float64" else "float32"
    X = np.where(random.random_sample((500, 30)) < 0.2, random.randint(1, 256, (500, 30)), 0).astype(stored)
    y, orders, results = random.randint(0, 5, 500), [random.permutation(500) for _ in range(2)], []
    with shared_steps():
        for data in (X, compress(X, dtype)):
            p = network((30, 20, 5), ("tanh",), dtype, 1)
            assert is_small(p, 400)
            results.append(trained(epoch, p, (data, y), orders, 400, loss=Loss(SOFTMAX), threads=threads))
    for dense, sparse in zip(*results, strict=True):
        np.testing.assert_array_equal(sparse, dense)
