"""Optimisers' steps: worked out by hand, against PyTorch, and their limits to norms."""

import numpy as np
import pytest

from fastmlp.kernels import optimizer, reference
from fastmlp.kernels.update_rule import ADAM, GRADIENT, MOMENTUM, PLAIN, RMSPROP, Rule, powers, step_schedule

ENGINES = pytest.mark.parametrize("kernels", [reference, optimizer], ids=["numpy", "numba"])
RATE = 0.125


def steps(kernels, rule, W, gradients, penalised=True, dtype="float64", rate=RATE):
    """(W, first, second) after a step for each of the gradients, as one thread takes them."""
    W = np.array(W, dtype)
    first, second = np.zeros_like(W), np.zeros_like(W)
    table = step_schedule(rule, rate, len(gradients), 0)
    for G, coefs in zip(gradients, table, strict=True):
        kernels.step(W, np.array(G, dtype), first, second, rule, coefs, 1.0, penalised)
    return W, first, second


@ENGINES
def test_momentum_and_l2_over_two_steps_worked_out_by_hand(kernels):
    # g = 2 + 1/2 * 2 = 3,  m = 3,  w = 2 - 3/4 = 5/4;   g = 2 + 1/2 * 5/4 = 21/8,  m = 3/2 + 21/8 = 33/8,  w = 7/32
    W, m, _ = steps(kernels, Rule(MOMENTUM, 0.5, l2=0.5), [[2.0]], [[[2.0]], [[2.0]]], rate=0.25)
    assert (W.item(), m.item()) == (7 / 32, 33 / 8)


@ENGINES
def test_dampening_is_the_average_of_the_course(kernels):
    # v = 3/4 v + 1/4 g from v = 0: v = 1, then 3/4 + 2 = 11/4;  w = 0 - 1/8 - 11/32 = -15/32
    W, v, _ = steps(kernels, Rule(MOMENTUM, 0.75, dampening=0.75), [[0.0]], [[[4.0]], [[8.0]]])
    assert (W.item(), v.item()) == (-15 / 32, 11 / 4)


@ENGINES
def test_nesterov_looks_a_step_ahead(kernels):
    # m = 4, step g + m / 2 = 6;  m = 2 + 8 = 10, step 8 + 5 = 13;  w = -19/8
    W, m, _ = steps(kernels, Rule(MOMENTUM, 0.5, nesterov=1.0), [[0.0]], [[[4.0]], [[8.0]]])
    assert (W.item(), m.item()) == (-19 / 8, 10)


@ENGINES
@pytest.mark.parametrize("penalised", [True, False])
def test_penalties_move_weights_and_leave_biases(kernels, penalised):
    W, _, _ = steps(kernels, Rule(PLAIN, l2=0.5), [[2.0]], [[[0.0]]], penalised)
    assert W.item() == (2 - 0.125 if penalised else 2)
    W, _, _ = steps(kernels, Rule(PLAIN, l1=0.5), [[2.0, -2.0, 0.0]], [[[0.0] * 3]], penalised)
    np.testing.assert_array_equal(W, [[2 - 0.0625, -2 + 0.0625, 0]] if penalised else [[2, -2, 0]])
    W, _, _ = steps(kernels, Rule(PLAIN, decay=0.5), [[2.0]], [[[0.0]]], penalised)
    assert W.item() == (2 * (1 - 0.0625) if penalised else 2)


@ENGINES
def test_the_gradient_is_left_in_the_state_and_the_weights_stay(kernels):
    W, m, _ = steps(kernels, Rule(GRADIENT, l2=0.5), [[2.0]], [[[3.0]]])
    assert (W.item(), m.item()) == (2, 4)


@ENGINES
@pytest.mark.parametrize("code", [MOMENTUM, ADAM, RMSPROP])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_states_without_gradients_decay_to_zero_and_are_never_denormal(kernels, code, dtype):
    rule, smallest = Rule(code, 0.5, beta2=0.5, epsilon=1e-8), np.finfo(dtype).tiny
    coefs = step_schedule(rule, RATE, 1, 0)[0]
    # Whole registers and single lanes; some elements begin far above the smallest normal number, some next to it.
    W, first = np.ones((1, 19), dtype), np.geomspace(1, 2 * smallest, 19, dtype=dtype)[None]
    first, second = np.where(np.arange(19) % 2, first, -first), first.copy()
    for _ in range(1100):
        kernels.step(W, np.zeros_like(W), first, second, rule, coefs, 1.0, True)
        for state in (first, second if code != MOMENTUM else first):
            assert not ((state != 0) & (np.abs(state) < smallest)).any()
    assert not first.any()
    assert code == MOMENTUM or not second.any()
    assert np.isfinite(W).all()


TORCH = {
    "sgd": (Rule(PLAIN, l2=0.01), "SGD", {"weight_decay": 0.01}),
    "momentum": (Rule(MOMENTUM, 0.9, l2=0.01), "SGD", {"momentum": 0.9, "weight_decay": 0.01}),
    "nesterov": (Rule(MOMENTUM, 0.9, nesterov=1.0), "SGD", {"momentum": 0.9, "nesterov": True}),
    "adam": (Rule(ADAM, 0.9, beta2=0.999, epsilon=1e-8), "Adam", {}),
    "adam, l2": (
        Rule(ADAM, 0.8, beta2=0.95, epsilon=1e-6, l2=0.01),
        "Adam",
        {"betas": (0.8, 0.95), "eps": 1e-6, "weight_decay": 0.01},
    ),
    "adamw": (Rule(ADAM, 0.9, beta2=0.999, epsilon=1e-8, decay=0.1), "AdamW", {"weight_decay": 0.1}),
    "rmsprop": (Rule(RMSPROP, beta2=0.99, epsilon=1e-8), "RMSprop", {}),
    "rmsprop, momentum": (Rule(RMSPROP, 0.9, beta2=0.9, epsilon=1e-8), "RMSprop", {"momentum": 0.9, "alpha": 0.9}),
}


@pytest.mark.oracle
@ENGINES
@pytest.mark.parametrize("name", TORCH)
def test_the_steps_are_pytorchs(kernels, name):
    torch = pytest.importorskip("torch")
    rule, kind, settings = TORCH[name]
    random = np.random.RandomState(3)
    start, gradients = random.standard_normal((5, 19)), random.standard_normal((20, 5, 19))
    theirs = torch.nn.Parameter(torch.tensor(start))
    taken = getattr(torch.optim, kind)([theirs], lr=RATE, **settings)
    for G in gradients:
        theirs.grad = torch.tensor(G)
        taken.step()
    W, _, _ = steps(kernels, rule, start, gradients)
    np.testing.assert_allclose(W, theirs.detach().numpy(), rtol=0, atol=1e-10)


@pytest.mark.oracle
def test_with_dampening_the_steps_are_pytorchs_once_its_first_gradient_is_in_its_state():
    torch = pytest.importorskip("torch")
    rule = Rule(MOMENTUM, 0.9, dampening=0.9)
    G = np.random.RandomState(5).standard_normal((6, 3, 4))
    theirs = torch.nn.Parameter(torch.zeros(3, 4, dtype=torch.float64))
    taken = torch.optim.SGD([theirs], lr=RATE, momentum=0.9, dampening=0.9)
    # PyTorch starts its state with the whole first gradient, this project with nothing, as the course has it.
    for g in (np.zeros((3, 4)), *G):
        theirs.grad = torch.tensor(g)
        taken.step()
    W, _, _ = steps(optimizer, rule, np.zeros((3, 4)), G)
    np.testing.assert_allclose(W, theirs.detach().numpy(), rtol=0, atol=1e-12)


@pytest.mark.parametrize("optimizer_code", [PLAIN, MOMENTUM, ADAM, RMSPROP, GRADIENT])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_an_elements_bits_do_not_depend_on_its_place_in_a_row(optimizer_code, dtype):
    rule = Rule(optimizer_code, 0.9, beta2=0.99, epsilon=1e-8, l1=1e-3, l2=1e-3, decay=1e-3)
    random = np.random.RandomState(0)
    start, gradients = random.standard_normal((2, 71)), random.standard_normal((3, 2, 71))
    whole = steps(optimizer, rule, start, gradients, dtype=dtype)
    for columns in (1, 7, 16, 35):
        part = steps(optimizer, rule, start[:, -columns:], gradients[:, :, -columns:], dtype=dtype)
        for expected, got in zip(whole, part, strict=True):
            assert got.tobytes() == np.ascontiguousarray(expected[:, -columns:]).tobytes()


@ENGINES
def test_norms_above_the_limit_become_the_limit_and_others_stay(kernels):
    W = np.random.RandomState(1).standard_normal((30, 16)) * np.linspace(0.01, 1, 16)
    norms, limited = np.linalg.norm(W, axis=0), W.copy()
    kernels.limit_norms(limited, 2.0)
    np.testing.assert_allclose(np.linalg.norm(limited, axis=0), np.minimum(norms, 2), rtol=1e-14)
    np.testing.assert_array_equal(limited[:, norms <= 2], W[:, norms <= 2])
    assert (norms > 2).any()
    assert (norms <= 2).any()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("rows", [2049, 10_000, 100_003])
def test_norms_of_any_number_of_weights_are_nearly_as_exact_as_of_2048(dtype, rows):
    """The bound of docs/mathematics.md for the sum of the squares; a root halves an error."""
    W = np.random.RandomState(rows).rand(rows, 16).astype(dtype)
    W[:, 0] = 0.3  # nearly every addition rounds in the same direction
    optimizer.limit_norms(W, 1.0)
    norms = np.sqrt((W.astype(np.longdouble) ** 2).sum(axis=0))
    bound = (2048 + np.ceil((rows - 2048) / 64)) / 2 + 4  # four for the root, the quotient, the product and the limit
    assert np.abs(norms - 1).max() < bound * np.finfo(dtype).eps / 2


def test_powers_are_those_of_python_to_a_rounding_per_factor():
    for base in (0.9, 0.999, 0.0):
        numbers = np.array([0, 1, 2, 3, 10, 1000, 123_456])
        error = np.abs(powers(base, numbers) - base ** numbers.astype(float))
        assert (error <= (numbers + 1) * np.finfo(float).eps * base ** numbers.astype(float)).all()


def test_a_step_has_the_same_number_however_training_is_cut_into_calls():
    rule = Rule(ADAM, 0.9, beta2=0.999)
    whole = step_schedule(rule, 0.1, 10, 0)
    np.testing.assert_array_equal(
        np.concatenate([step_schedule(rule, 0.1, 4, 0), step_schedule(rule, 0.1, 6, 4)]), whole
    )
