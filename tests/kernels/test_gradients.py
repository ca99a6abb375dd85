"""Derivatives against central differences of the loss, in float64."""

import numpy as np
import pytest

from fastmlp.kernels import epoch, reference
from fastmlp.kernels.layout import ACTIVATION, ACTIVATIONS, BIASES, STRIDE
from fastmlp.kernels.update_rule import Rule

STEP = 1e-5
# The difference quotient is off by STEP^2 / 6 times the third derivative, and by 1e-16 / STEP through rounding.
TOLERANCE = 1e-8
NETWORKS = [
    ((4, 3), ()),
    *(((4, 5, 3), (name,)) for name in ACTIVATIONS),
    ((4, 5, 6, 7, 3), ("relu", "tanh", "sigmoid")),
    ((4, 7, 6, 5, 3), ("sigmoid", "identity", "relu")),
    ((4, 5, 6, 7, 3), ("tanh", "tanh", "tanh")),
    ((4, 7, 6, 5, 3), ("softplus", "elu", "leaky_relu")),
]
ROWS = 7


@pytest.fixture(params=NETWORKS, ids=lambda case: "-".join(map(str, (*case[0], *case[1]))))
def case(request, network):
    """(parameters, X, y, the loss's gradient by central differences in the layout of the flat buffer)."""
    widths, activations = request.param
    random = np.random.RandomState(11)
    p, X, y = network(widths, activations, "float64", 5), random.standard_normal((ROWS, 4)), random.randint(0, 3, ROWS)
    quotient = np.zeros_like(p.buffer)
    for at in np.flatnonzero(p.buffer):
        sides = []
        for offset in (STEP, -STEP):
            moved, totals = p.buffer.copy(), np.zeros(2)
            moved[at] += offset
            reference.evaluate(p.layers, moved, X, y, totals, 1)
            sides.append(totals[0] / ROWS)
        quotient[at] = (sides[0] - sides[1]) / (2 * STEP)
    assert np.abs(quotient).max() > 0.1
    return p, X, y, quotient


@pytest.mark.parametrize("kernels", [reference, epoch], ids=["numpy", "numba"])
def test_what_a_step_takes_off_the_weights_is_the_gradient(kernels, case):
    p, X, y, quotient = case
    rate, after = 0.125, p.buffer.copy()
    kernels.train(p.layers, after, p.states, X, y, np.arange(ROWS), ROWS, rate, np.zeros(2), 1)
    np.testing.assert_allclose((p.buffer - after) / rate, quotient, rtol=0, atol=TOLERANCE)


@pytest.mark.parametrize("kernels", [reference, epoch], ids=["numpy", "numba"])
def test_the_penalty_of_a_step_is_l2_times_the_weights_and_not_the_biases(kernels, case):
    p, X, y, quotient = case
    rate, l2, after = 0.125, 0.25, p.buffer.copy()
    kernels.train(p.layers, after, p.states, X, y, np.arange(ROWS), ROWS, rate, np.zeros(2), 1, Rule(l2=l2))
    with_penalty = quotient + l2 * p.buffer
    for row in p.layers:
        biases = slice(row[BIASES], row[BIASES] + row[STRIDE])
        with_penalty[biases] = quotient[biases]
    np.testing.assert_allclose((p.buffer - after) / rate, with_penalty, rtol=0, atol=TOLERANCE)


@pytest.mark.parametrize("name", ["reference", "compiled"])
def test_delta_and_gradient_chained_by_hand_are_the_gradient(name, case, compiled):
    kernels = {"reference": reference, "compiled": compiled}[name]
    p, X, y, quotient = case
    A = [X]
    for row, W, b in zip(p.layers, p.weights, p.biases, strict=True):
        A.append(kernels.affine(A[-1], W, b, row[ACTIVATION], np.empty((ROWS, len(b)))))
    D = np.empty_like(A[-1])
    kernels.cross_entropy(A[-1], y, D, np.empty(ROWS))
    found = np.zeros_like(p.buffer)
    q = type(p)((4, *(len(b) for b in p.biases)), ["relu"] * (len(p.biases) - 1), "float64")
    for layer in reversed(range(len(p.weights))):
        kernels.gradient(A[layer], D, q.weights[layer], q.biases[layer])
        if layer:
            code = p.layers[layer - 1, ACTIVATION]
            D = kernels.delta(D, p.weights[layer], A[layer], code, np.empty_like(A[layer]))
    found = q.buffer
    np.testing.assert_allclose(found, quotient, rtol=0, atol=TOLERANCE)
