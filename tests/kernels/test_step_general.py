"""Losses, weighted samples, dropout: against the reference, finite differences, PyTorch, and worked out by hand."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fastmlp.kernels import epoch, reference, step_general
from fastmlp.kernels.compress import compress
from fastmlp.kernels.layout import ACTIVATIONS, GRAIN
from fastmlp.kernels.task_types import CROSS_ENTROPY, LOGISTIC, POISSON, SOFTMAX, SQUARED, Clock, Distortion, Loss
from fastmlp.kernels.update_rule import ADAM, GRADIENT, MOMENTUM, PLAIN_SGD, Rule

ENGINES = pytest.mark.parametrize("kernels", [reference, epoch], ids=["numpy", "numba"])
ROWS = 9


def targets_of(kind, random, rows, outputs):
    """Labels, bits, counts or numbers, as the loss compares with."""
    if kind == SOFTMAX:
        return random.randint(0, outputs, rows)
    shape = rows, outputs
    if kind == POISSON:
        return random.poisson(1.5, shape) * random.choice([1.0, 0.3], shape)
    return random.randint(0, 2, shape).astype(float) if kind == LOGISTIC else random.normal(size=shape)


@settings(max_examples=25)
@given(
    kind=st.sampled_from([SOFTMAX, LOGISTIC, SQUARED, POISSON]), smoothing=st.sampled_from([0.0, 0.1]),
    weighted=st.booleans(), outputs=st.integers(2, 20), batch_size=st.integers(1, 80), threads=st.integers(1, 3),
    keep_prob=st.sampled_from([(), (1.0, 0.5, 0.75), (0.8, 0.5, 1.0)]), stored=st.sampled_from(["dense", "sparse"]),
    momentum=st.booleans(), seed=st.integers(0, 1000),
)  # fmt: skip
def test_an_epoch_in_float64_is_the_references_for_any_loss_weights_and_dropout(
    network, shared_steps, kind, smoothing, weighted, outputs, batch_size, threads, keep_prob, stored, momentum, seed
):
    random = np.random.RandomState(seed)
    X = random.normal(size=(70, 15)) * (random.random_sample((70, 15)) < 0.5)
    if stored == "sparse" and not keep_prob:  # inputs that are dropped are dense
        X = compress(X, "float64")
    y, order = targets_of(kind, random, 70, outputs), random.permutation(70)
    weights = random.randint(0, 3, 70) / 2 if weighted else np.empty(0)
    loss = Loss(kind, smoothing if kind == SOFTMAX else 0.0, weights)
    rule = Rule(MOMENTUM, 0.5) if momentum else PLAIN_SGD
    clock = Clock(seed=seed, epoch=3, position=5)
    results = []
    for kernels in (reference, epoch):
        p, totals = network((15, 19, 8, outputs), ("tanh", "relu"), "float64", seed), np.zeros(2)
        with shared_steps() as sizes:
            kernels.train(  # at a rate at which no loss diverges: that would magnify each rounding
                p.layers, p.buffer, p.states, X, y, order, batch_size, 0.001, totals, threads, rule, loss, keep_prob,
                None, clock,
            )  # fmt: skip
        kernels.evaluate(p.layers, p.buffer, X, y, totals, threads, loss)
        results.append((p.buffer, totals, kernels.predict(p.layers, p.buffer, X, np.empty((70, outputs)), 1, kind)))
    assert sizes == [min(threads, -(-batch_size // GRAIN))]
    (buffer, totals, predicted), (got_buffer, got_totals, got_predicted) = results
    np.testing.assert_allclose(got_buffer, buffer, rtol=0, atol=1e-10)
    np.testing.assert_allclose(got_totals, totals, rtol=1e-9)
    np.testing.assert_allclose(got_predicted, predicted, rtol=0, atol=1e-10)


def gradient(kernels, p, X, y, loss, keep_prob=()):
    """The averaged gradient of one batch, in the layout of the parameters."""
    states, order = np.zeros((1, len(p.buffer))), np.arange(len(X))
    kernels.train(
        p.layers, p.buffer.copy(), states, X, y, order, len(X), 0.0, np.zeros(2), 1, Rule(GRADIENT), loss, keep_prob
    )
    return states[0]


@ENGINES
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize(
    ("kind", "smoothing"), [(SOFTMAX, 0.0), (SOFTMAX, 0.2), (LOGISTIC, 0.0), (SQUARED, 0.0), (POISSON, 0.0)]
)
def test_the_gradient_is_that_of_the_loss_by_central_differences(kernels, network, kind, smoothing, weighted):
    random = np.random.RandomState(1)
    X, y = random.normal(size=(ROWS, 4)), targets_of(kind, random, ROWS, 3)
    weights = np.arange(ROWS) / 3 if weighted else np.empty(0)
    loss, p, step = Loss(kind, smoothing, weights), network((4, 5, 3), ("tanh",), "float64", 2), 1e-5
    expected = np.zeros_like(p.buffer)
    for at in np.flatnonzero(p.buffer):
        sides = []
        for offset in (step, -step):
            moved, totals = p.buffer.copy(), np.zeros(2)
            moved[at] += offset
            kernels.evaluate(p.layers, moved, X, y, totals, 1, loss)
            sides.append(totals[0] / (weights.sum() if weighted else ROWS))
        expected[at] = (sides[0] - sides[1]) / (2 * step)
    np.testing.assert_allclose(gradient(kernels, p, X, y, loss), expected, rtol=0, atol=1e-8)
    assert np.abs(expected).max() > 0.01


@pytest.mark.oracle
@ENGINES
@pytest.mark.parametrize("kind", [SOFTMAX, LOGISTIC, SQUARED, POISSON])
def test_losses_are_pytorchs(kernels, network, kind):
    torch = pytest.importorskip("torch")
    from torch.nn import functional

    random = np.random.RandomState(4)
    X, y = random.normal(size=(ROWS, 6)), targets_of(kind, random, ROWS, 5)
    p = network((6, 5), (), "float64", 0)
    Z, T, weights = torch.tensor(X @ p.weights[0] + p.biases[0]), torch.tensor(y), np.arange(1.0, ROWS + 1)
    if kind == SOFTMAX:
        losses = functional.cross_entropy(Z, T, reduction="none", label_smoothing=0.1)
    elif kind == LOGISTIC:
        losses = functional.binary_cross_entropy_with_logits(Z, T, reduction="none").sum(1)
    elif kind == POISSON:
        constant = torch.special.xlogy(T, T) - T
        losses = (functional.poisson_nll_loss(Z, T, reduction="none") + constant).sum(1)
    else:
        losses = functional.mse_loss(Z, T, reduction="none").sum(1) / 2
    totals = np.zeros(2)
    loss = Loss(kind, 0.1 if kind == SOFTMAX else 0.0, weights)
    kernels.evaluate(p.layers, p.buffer, X, y, totals, 1, loss)
    assert totals[0] == pytest.approx((losses * torch.tensor(weights)).sum().item(), rel=1e-12)


@ENGINES
def test_a_weight_of_two_is_the_sample_twice_and_of_zero_not_at_all(kernels, network):
    random = np.random.RandomState(6)
    X, y = random.normal(size=(4, 5)), np.array([0, 1, 2, 0])
    p = network((5, 7, 3), ("relu",), "float64", 1)
    weighted = gradient(kernels, p, X, y, Loss(weights=np.array([1.0, 2.0, 0.0, 1.0])))
    again = [0, 1, 1, 3]
    np.testing.assert_allclose(weighted, gradient(kernels, p, X[again], y[again], Loss()), rtol=0, atol=1e-14)


@ENGINES
def test_a_batch_that_weighs_nothing_moves_nothing(kernels, network):
    p = network((5, 3), (), "float64", 1)
    X, y = np.ones((4, 5)), np.array([0, 1, 2, 0])
    before, loss = p.buffer.copy(), Loss(weights=np.zeros(4))
    kernels.train(p.layers, p.buffer, p.states, X, y, np.arange(4), 2, 0.5, np.zeros(2), 1, PLAIN_SGD, loss)
    np.testing.assert_array_equal(p.buffer, before)


@ENGINES
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_dropping_hidden_units_is_training_the_network_without_them(kernels, network, activation):
    """With one sample, the gradient is that of the thinned network whose kept outputs are scaled up."""
    random = np.random.RandomState(2)
    X, y, keep_prob = random.normal(size=(1, 6)), np.array([1]), (1.0, 0.5)
    p = network((6, 40, 3), (activation,), "float64", 3)
    q = type(p)((6, 40, 3), (activation,), "float64")
    q.buffer[...] = gradient(kernels, p, X, y, Loss(), keep_prob)
    kept = np.flatnonzero(q.weights[1].any(axis=1))
    assert 5 < len(kept) < 30
    assert not q.biases[0][np.setdiff1d(np.arange(40), kept)].any()
    thin = network((6, len(kept), 3), (activation,), "float64", 3)
    thin.weights[0][...], thin.biases[0][...] = p.weights[0][:, kept], p.biases[0][kept]
    thin.weights[1][...], thin.biases[1][...] = p.weights[1][kept] / keep_prob[1], p.biases[1]
    expected = type(p)((6, len(kept), 3), (activation,), "float64")
    expected.buffer[...] = gradient(kernels, thin, X, y, Loss())
    np.testing.assert_allclose(q.weights[0][:, kept], expected.weights[0], rtol=1e-10, atol=1e-15)
    np.testing.assert_allclose(q.weights[1][kept], expected.weights[1] / keep_prob[1], rtol=1e-10, atol=1e-15)
    np.testing.assert_allclose(q.biases[1], expected.biases[1], rtol=1e-10)


@pytest.mark.parametrize("keep_prob", [(), (0.7, 0.5, 0.9)])
def test_what_is_dropped_does_not_depend_on_how_the_epoch_is_cut(network, keep_prob):
    random = np.random.RandomState(2)
    X, y, order = random.normal(size=(60, 20)), random.randint(0, 3, 60), random.permutation(60)
    whole, cut = (network((20, 33, 18, 3), ("relu", "tanh"), "float32", 3) for _ in range(2))

    def train(p, start, stop, threads):
        epoch.train(
            p.layers, p.buffer, p.states, X, y, order[start:stop], 10, 0.05, np.zeros(2), threads,
            Rule(MOMENTUM, 0.9), Loss(), keep_prob, None, Clock(9, 2, start, start // 10),
        )  # fmt: skip

    train(whole, 0, 60, 1)
    for start, stop in ((0, 20), (20, 30), (30, 60)):
        train(cut, start, stop, 2)
    np.testing.assert_array_equal(cut.buffer, whole.buffer)


@ENGINES
def test_a_gradient_longer_than_its_limit_gets_the_limits_length(kernels, network):
    random = np.random.RandomState(8)
    X, y = 30 * random.normal(size=(ROWS, 4)), random.randint(0, 3, ROWS)
    p = network((4, 5, 3), ("relu",), "float64", 2)
    full = gradient(kernels, p, X, y, Loss())
    states, clip = np.zeros((1, len(p.buffer))), np.linalg.norm(full) / 4
    for limit, expected in ((clip, full / 4), (8 * clip, full)):
        rule = Rule(GRADIENT, clip_norm=limit)
        kernels.train(p.layers, p.buffer, states, X, y, np.arange(ROWS), ROWS, 0.0, np.zeros(2), 1, rule)
        np.testing.assert_allclose(states[0], expected, rtol=1e-5, atol=1e-12)


ELASTIC = Distortion(
    height=5, width=6, shift=1.0, rotation=20.0, scale=0.1, shear=0.1, alpha=8.0, sigma=2.0, reach=6, seed=3, epoch=4
)


def test_distorted_images_train_the_references_network(network):
    random = np.random.RandomState(3)
    X, y, order = random.randint(0, 256, (40, 30)).astype(np.uint8), random.randint(0, 3, 40), random.permutation(40)
    results = []
    for kernels in (reference, epoch):
        p, totals = network((30, 17, 3), ("tanh",), "float64", 1), np.zeros(2)
        kernels.train(
            p.layers, p.buffer, p.states, X, y, order, 12, 0.1, totals, 2, PLAIN_SGD, CROSS_ENTROPY, (0.75, 1.0),
            ELASTIC, Clock(3, 4, 7),
        )  # fmt: skip
        results.append((p.buffer, totals))
    # The compiled Gaussian has weights rounded to float32, as both dtypes are to smooth alike.
    np.testing.assert_allclose(results[1][0], results[0][0], rtol=0, atol=1e-7)
    np.testing.assert_allclose(results[1][1], results[0][1], rtol=1e-7)


def test_distorted_images_are_the_same_on_any_team_and_however_the_epoch_is_cut(network, monkeypatch):
    monkeypatch.setattr(epoch, "STEP_WORTH_SHARING", 0)
    random = np.random.RandomState(3)
    X, y, order = random.randint(0, 256, (60, 30)).astype(np.uint8), random.randint(0, 3, 60), random.permutation(60)

    def trained(cuts, threads):
        p = network((30, 17, 3), ("relu",), "float32", 1)
        for start, stop in itertools.pairwise(cuts):
            epoch.train(
                p.layers, p.buffer, p.states, X, y, order[start:stop], 20, 0.1, np.zeros(2), threads, PLAIN_SGD,
                CROSS_ENTROPY, (), ELASTIC, Clock(3, 4, start, start // 20),
            )  # fmt: skip
        return p.buffer.tobytes()

    assert trained((0, 60), 1) == trained((0, 60), 2) == trained((0, 20, 60), 3)


SAMPLES, FEATURES, CLASSES, BATCH, RATE = 70, 12, 3, 10, 0.125
ADAM_RULE = Rule(ADAM, 0.9, beta2=0.999, epsilon=1e-8)
# Of three epochs of 70 rows: where each is cut into calls.
CUTS = ((0, 70), (0, 20, 30, 70), (0, 60, 70))


@pytest.fixture(scope="module")
def samples():
    random = np.random.RandomState(0)
    X = random.standard_normal((SAMPLES, FEATURES)) * (random.random_sample((SAMPLES, FEATURES)) < 0.4)
    return X, random.randint(0, CLASSES, SAMPLES), [random.permutation(SAMPLES) for _ in CUTS]


def train_in_calls(kernels, p, X, y, orders):
    steps = 0
    for number, (order, cuts) in enumerate(zip(orders, CUTS, strict=True), 1):
        for start, stop in itertools.pairwise(cuts):
            rows, clock = order[start:stop], Clock(0, number, start, steps)
            kernels.train(
                p.layers, p.buffer, p.states, X, y, rows, BATCH, RATE, np.zeros(2), 2, ADAM_RULE, clock=clock
            )  # fmt: skip
            steps += -(-len(rows) // BATCH)


def adams_softmax_regression(X, y, weights, batches):
    """Weights, the biases as their last row, after Algorithm 1 of Kingma and Ba, arXiv:1412.6980."""
    X, theta, m, v = np.column_stack([X, np.ones(len(X))]), weights, 0.0, 0.0
    for t, rows in enumerate(batches, 1):
        exponentials = np.exp(X[rows] @ theta)
        g = X[rows].T @ (exponentials / exponentials.sum(axis=1, keepdims=True) - np.eye(CLASSES)[y[rows]]) / len(rows)
        m = 0.9 * m + (1 - 0.9) * g
        v = 0.999 * v + (1 - 0.999) * g**2
        theta = theta - RATE * (m / (1 - 0.9**t)) / (np.sqrt(v / (1 - 0.999**t)) + 1e-8)
    return theta


@pytest.mark.parametrize("most_bytes", [0, 40_000])
def test_how_much_of_a_gradient_is_summed_at_a_time_changes_no_bit(network, monkeypatch, most_bytes):
    random = np.random.RandomState(5)
    X, y, trained = random.normal(size=(120, 150)), random.randint(0, 7, 120), []
    for some_bytes in (most_bytes, step_general.GRADIENT_BYTES):
        monkeypatch.setattr(step_general, "GRADIENT_BYTES", some_bytes)
        p = network((150, 90, 7), ("relu",), "float32", 3)
        epoch.train(p.layers, p.buffer, p.states, X, y, np.arange(120), 60, 0.01, np.zeros(2), 2, ADAM_RULE)
        trained.append(p.buffer)
    np.testing.assert_array_equal(*trained)


@ENGINES
@pytest.mark.parametrize("stored", ["dense", "sparse"])
def test_adam_counts_its_steps_over_calls_and_epochs(kernels, stored, network, samples):
    X, y, orders = samples
    p = network((FEATURES, CLASSES), (), "float64", 4)
    batches = [order[at : at + BATCH] for order in orders for at in range(0, SAMPLES, BATCH)]
    expected = adams_softmax_regression(X, y, np.vstack([p.weights[0], p.biases[0]]), batches)
    train_in_calls(kernels, p, compress(X, "float64") if stored == "sparse" else X, y, orders)
    np.testing.assert_allclose(np.vstack([p.weights[0], p.biases[0]]), expected, rtol=0, atol=1e-9)


@pytest.mark.oracle
@ENGINES
def test_adam_over_calls_and_epochs_is_pytorchs(kernels, network, samples):
    torch = pytest.importorskip("torch")
    X, y, orders = samples
    p = network((FEATURES, 9, CLASSES), ("tanh",), "float64", 4)
    W, b = ([torch.tensor(array.copy(), requires_grad=True) for array in arrays] for arrays in (p.weights, p.biases))
    taken = torch.optim.Adam([*W, *b], lr=RATE)
    for order in orders:
        for at in range(0, SAMPLES, BATCH):
            rows = order[at : at + BATCH]
            taken.zero_grad()
            logits = torch.tanh(torch.tensor(X[rows]) @ W[0] + b[0]) @ W[1] + b[1]
            torch.nn.functional.cross_entropy(logits, torch.tensor(y[rows])).backward()
            taken.step()
    train_in_calls(kernels, p, X, y, orders)
    for ours, theirs in zip((*p.weights, *p.biases), (*W, *b), strict=True):
        np.testing.assert_allclose(ours, theirs.detach().numpy(), rtol=0, atol=1e-9)
