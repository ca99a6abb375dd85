"""What a step of training does with a gradient: the settings of every optimiser, as plain numbers."""

import functools
import math
from typing import NamedTuple

import numpy as np

# PLAIN needs no state; GRADIENT takes no step and leaves the averaged gradient, penalties included, in the state.
PLAIN, MOMENTUM, ADAM, RMSPROP, GRADIENT = range(5)
STATES = {PLAIN: 0, MOMENTUM: 1, ADAM: 2, RMSPROP: 2, GRADIENT: 1}

# Added to a norm before it divides, as PyTorch's clip_grad_norm_ does.
NORM_EPSILON = 1e-6


class Rule(NamedTuple):
    """One step, for a weight w with the batch's averaged gradient g and the learning rate r.

    g    is first scaled by min(1, clip_norm / |all gradients|) where clip_norm > 0
    w    is multiplied by 1 - r decay                   (AdamW's decoupled decay; biases exempt)
    g    gets l2 w + l1 sign(w) added                   (biases exempt)
    then, the states m and v being zero at the start, and t the number of this step from 1:

    PLAIN      w -= r g
    MOMENTUM   m = momentum m + (1 - dampening) g;  w -= r m, or with nesterov = 1: w -= r (g + momentum m)
    ADAM       m = momentum m + (1 - momentum) g;  v = beta2 v + (1 - beta2) g^2
               w -= r / (1 - momentum^t) m / (sqrt(v / (1 - beta2^t)) + epsilon)        Kingma and Ba, arXiv:1412.6980
    RMSPROP    v = beta2 v + (1 - beta2) g^2;  m = momentum m + g / (sqrt(v) + epsilon);  w -= r m
    GRADIENT   m = g

    An optimiser's m or v of less than the smallest normal number of its dtype (1.2e-38, 2.2e-308) is stored as zero;
    and where max_norm > 0 the weights into each hidden unit are scaled down to a Euclidean norm of at most that.
    """

    optimizer: int = PLAIN
    momentum: float = 0.0
    dampening: float = 0.0
    nesterov: float = 0.0
    beta2: float = 0.0
    epsilon: float = 0.0
    l1: float = 0.0
    l2: float = 0.0
    decay: float = 0.0
    clip_norm: float = 0.0
    max_norm: float = 0.0


PLAIN_SGD = Rule()

# Steps whose bias corrections are computed together, and kept.
STEPS_AT_A_TIME = 1024

# Columns of `step_schedule`: factor of the step, factor of sqrt(v), learning rate.
STEP_SIZE, ROOT_SCALE, RATE = range(3)


def step_schedule(rule, rates, steps, steps_before):
    """(steps, 3) float64, a row per step: step size, factor of sqrt(v), learning rate.

    rates: one for all or (steps,);  steps_before: how many steps the network has taken, for Adam's bias correction.
    """
    table = np.empty((steps, 3))
    table[:, RATE] = table[:, STEP_SIZE] = rates
    table[:, ROOT_SCALE] = 1
    if rule.optimizer == ADAM:
        table[:, STEP_SIZE] /= unbiased(rule.momentum, steps_before, steps)
        table[:, ROOT_SCALE] = 1 / np.sqrt(unbiased(rule.beta2, steps_before, steps))
    return table


def unbiased(beta, steps_before, steps):
    """1 - beta^t for the steps t from `steps_before` + 1 on, (steps,) float64: what a running mean is divided by."""
    first, last = steps_before // STEPS_AT_A_TIME, (steps_before + steps - 1) // STEPS_AT_A_TIME
    blocks = [_unbiased_block(beta, block) for block in range(first, last + 1)]
    start = steps_before - first * STEPS_AT_A_TIME
    return (blocks[0] if first == last else np.concatenate(blocks))[start : start + steps]


@functools.lru_cache(maxsize=16)
def _unbiased_block(beta, block):
    first = block * STEPS_AT_A_TIME + 1
    return 1 - powers(beta, np.arange(first, first + STEPS_AT_A_TIME))


def penalty(rule, weights):
    """What `rule` adds to the loss that is minimised: l2 / 2 |W|^2 + l1 |W|_1 over all weights, biases exempt."""
    total = 0.0
    if rule.l2:
        total += 0.5 * rule.l2 * math.fsum(folded_sum(np.square(W, dtype=np.float64)) for W in weights)
    if rule.l1:
        total += rule.l1 * math.fsum(folded_sum(np.abs(W, dtype=np.float64)) for W in weights)
    return total


def folded_sum(values):
    """Sum of an array of float64, which is overwritten: its second half is added to its first until one is left.

    The order in which numpy's own sum adds differs between CPUs.
    """
    values = values.reshape(-1)
    while (size := len(values)) > 1:
        half = (size + 1) // 2
        values[: size - half] += values[half:]
        values = values[:half]
    return float(values[0])


def powers(base, exponents):
    """base ** exponents for whole exponents from 0, by products alone: the C library's pow differs in the last bit."""
    result, square, left = np.ones(len(exponents)), float(base), np.array(exponents)
    while left.any():
        result = np.where(left & 1, result * square, result)
        square, left = square * square, left >> 1
    return result
