"""Every kernel in plain numpy: the specification to read, the oracle of the tests, the baseline of the benchmarks.

The functions have the names and signatures of the compiled ones in `fastmlp.kernels`. A batch is a matrix whose rows
are samples. Shapes: A (rows, fan_in) a layer's inputs, W (fan_in, fan_out), b (fan_out,), D (rows, fan_out) a layer's
delta, that is the derivative of one sample's loss by the layer's affine output. The formulas are derived in
docs/mathematics.md.
"""

import numpy as np

from .layout import (
    ACTIVATION,
    ELU,
    IDENTITY,
    LEAK,
    LEAKY_RELU,
    RELU,
    SIGMOID,
    SOFTPLUS,
    TANH,
    bias_views,
    weight_views,
)
from .reference_augment import distort, drop_row, sample_keys
from .sparse_rows import to_network
from .task_types import CROSS_ENTROPY, DROPOUT, LOGISTIC, POISSON, SOFTMAX, SQUARED, START
from .update_rule import ADAM, MOMENTUM, NORM_EPSILON, PLAIN, PLAIN_SGD, RMSPROP, step_schedule

EVALUATION_ROWS = 500  # rows of one block of a forward pass without training: its activations stay in cache


def activate(Z, activation, out):
    """out = f(Z), element by element; `out` may be Z itself. activation: a code of `layout`. Returns out."""
    if activation == RELU:
        return np.maximum(Z, 0, out=out)
    if activation == TANH:
        return np.tanh(Z, out=out)
    if activation == SIGMOID:
        # exp of -|z| cannot overflow; both branches are exact in their range.
        z = np.exp(-np.abs(Z))
        out[...] = np.where(Z >= 0, 1 / (1 + z), z / (1 + z))
        return out
    if activation == LEAKY_RELU:
        return np.multiply(Z, np.where(Z > 0, 1, LEAK).astype(Z.dtype), out=out)
    if activation == ELU:
        out[...] = np.where(Z > 0, Z, np.expm1(np.minimum(Z, 0)))
        return out
    if activation == SOFTPLUS:
        # exp of -|z| cannot overflow, and log1p keeps what is next to 0.
        np.add(np.maximum(Z, 0), np.log1p(np.exp(-np.abs(Z))), out=out)
        return out
    out[...] = Z
    return out


def derivative(A, activation):
    """f' expressed by the stored output A = f(Z), same shape as A."""
    if activation == RELU:
        return (A > 0).astype(A.dtype)
    if activation == TANH:
        return 1 - A * A
    if activation == SIGMOID:
        return A * (1 - A)
    if activation == LEAKY_RELU:
        return np.where(A > 0, 1, LEAK).astype(A.dtype)
    if activation == ELU:
        return np.where(A > 0, 1, A + 1)
    if activation == SOFTPLUS:
        return -np.expm1(-A)  # the sigmoid of z, 1 - exp(-a)
    return np.ones_like(A)


def affine(A, W, b, activation, out):
    """out = f(A @ W + b), (rows, fan_out). Returns out."""
    np.matmul(A, W, out=out)
    out += b
    return activate(out, activation, out)


def delta(D, W, A, activation, out):
    """out = (D @ W.T) * f'(A), (rows, fan_in): one step of the chain rule, back through a layer with outputs A."""
    np.matmul(D, W.T, out=out)
    out *= derivative(A, activation)
    return out


def gradient(A, D, W_out, b_out):
    """W_out = A.T @ D / rows and b_out = mean of D over the rows: the gradient averaged over the batch."""
    np.matmul(A.T, D, out=W_out)
    W_out /= len(A)
    b_out[...] = D.mean(axis=0, dtype=np.float64)  # NumPy adds rows of float32 one by one
    return W_out, b_out


def update(A, D, W, b, rate):
    """One step of plain SGD on one layer, in place, from its inputs A and its delta D: W -= rate * gradient."""
    W_gradient, b_gradient = gradient(A, D, np.empty_like(W), np.empty_like(b))
    W -= rate * W_gradient
    b -= rate * b_gradient


def step(W, G, first, second, rule, coefs, scale, penalised):
    """The step of an optimiser on a matrix W, in place, from the gradient summed over a batch; see `update_rule.Rule`.

    G               the sum, as W;  scale: what turns it into the average, 1 / samples
    first, second   the optimiser's states m and v, as W, changed in place
    coefs           (3,): a row of `update_rule.step_schedule`
    penalised       False for biases, which l1, l2 and decay leave alone
    """
    size, root_scale, rate = coefs
    g = scale * G
    if penalised:
        g += rule.l2 * W + rule.l1 * np.sign(W)
        W *= 1 - rate * rule.decay
    if rule.optimizer == PLAIN:
        W -= size * g
    elif rule.optimizer == MOMENTUM:
        _keep(rule.momentum * first + (1 - rule.dampening) * g, first)
        W -= size * (rule.momentum * first + g if rule.nesterov else first)
    elif rule.optimizer == ADAM:
        _keep(rule.momentum * first + (1 - rule.momentum) * g, first)
        _keep(rule.beta2 * second + (1 - rule.beta2) * g**2, second)
        W -= size * first / (np.sqrt(second) * root_scale + rule.epsilon)
    elif rule.optimizer == RMSPROP:
        _keep(rule.beta2 * second + (1 - rule.beta2) * g**2, second)
        _keep(rule.momentum * first + g / (np.sqrt(second) + rule.epsilon), first)
        W -= size * first
    else:
        first[...] = g


def _keep(values, state):
    """state = values, and zero where they are below the smallest normal number."""
    state[...] = np.where(np.abs(values) < np.finfo(state.dtype).tiny, 0, values)


def limit_norms(W, limit):
    """Scale each column of W, the weights into one unit, down to a Euclidean norm of at most `limit`, in place."""
    norms = np.sqrt((W * W).sum(axis=0))
    W *= np.where(norms > limit, limit / np.maximum(norms, limit), 1)


def softmax(Z, out):
    """Row-wise probabilities of the logits Z (rows, classes). The row's maximum is taken off first: no overflow."""
    with np.errstate(over="ignore"):  # a difference of two finite logits may be -inf, whose exp is the right 0
        np.exp(Z - Z.max(axis=1, keepdims=True), out=out)
    out /= out.sum(axis=1, keepdims=True)
    return out


def cross_entropy(Z, labels, out, losses):
    """Softmax and cross entropy of the logits Z (rows, classes) with integer labels (rows,), in one pass.

    out (rows, classes) gets the delta, softmax(Z) - onehot(labels); losses (rows,) float64 gets each row's
    log sum exp(z) - z[label]. Returns the number of rows whose first largest logit is the label's.
    """
    rows = np.arange(len(Z))
    top = Z.max(axis=1)
    with np.errstate(over="ignore"):
        np.exp(Z - top[:, None], out=out)
    total = out.sum(axis=1)
    losses[...] = np.log(total.astype(np.float64)) - (Z[rows, labels].astype(np.float64) - top)
    out /= total[:, None]
    out[rows, labels] -= 1
    return int((Z.argmax(axis=1) == labels).sum())


def _losses(loss, Z, y, out):
    """Losses and deltas of outputs Z (rows, columns), for samples that all weigh 1.

    loss  see `task_types.Loss`;  y (rows,) labels for SOFTMAX, (rows, columns) for the others
    out   gets the delta, the derivative of each row's loss by Z
    Returns (losses (rows,) float64, how many rows are right).
    """
    if loss.kind == SQUARED:
        np.subtract(Z, y, out=out)
        return 0.5 * (out.astype(np.float64) ** 2).sum(axis=1), 0
    if loss.kind == POISSON:
        z, counts = Z.astype(np.float64), y.astype(np.float64)
        with np.errstate(over="ignore"):  # a training that diverges has the loss inf
            losses = np.exp(z) - counts * z + counts * np.log(np.where(counts > 0, counts, 1)) - counts
            np.subtract(np.exp(Z), y, out=out)
        return losses.sum(axis=1), 0
    if loss.kind == LOGISTIC:
        z = Z.astype(np.float64)
        losses = (np.maximum(z, 0) + np.log1p(np.exp(-np.abs(z))) - z * y).sum(axis=1)
        activate(Z, SIGMOID, out)
        out -= y
        return losses, int(((Z > 0) == (y > 0.5)).all(axis=1).sum())
    losses = np.empty(len(Z))
    hits = cross_entropy(Z, y, out, losses)
    if loss.smoothing:
        # Minus the logarithm of a class's probability is the true class's, and as much more as its logit is less.
        z = Z.astype(np.float64)
        losses += loss.smoothing * (z[np.arange(len(z)), y] - z.mean(axis=1))
        out[np.arange(len(z)), y] += loss.smoothing
        out -= loss.smoothing / Z.shape[1]
    return losses, hits


def train(
    layers, parameters, states, X, y, order, batch_size, rates, totals, threads, rule=PLAIN_SGD, loss=CROSS_ENTROPY,
    keep_prob=(), distortion=None, clock=START, kept=None, marks=(), copies=None,
):  # fmt: skip
    """Minibatch training over the rows of X named by `order`, once each, in that order, epoch after epoch.

    It ends after an epoch whose loss is not finite.

    layers      the network, (layers, 7) int64: see `layout`
    parameters  flat buffer, float32 or float64, changed in place
    states      (`update_rule.STATES` of the optimiser, size of parameters): the optimiser's states, zero at the start
    X           (N, D) uint8 (read as value / 255), float32 or float64, or `Sparse` rows
    y           (N,) int64, 0 to classes - 1; for other losses than cross entropy (N, outputs) in the network's dtype
    order       (n,) int64 row numbers; batch k is order[k * batch_size : (k + 1) * batch_size]. (epochs, n) for several
                epochs, of dense inputs that are neither dropped nor distorted
    rates       learning rate, one for all or one per batch
    totals      (2,) float64, or (epochs, 2): the losses are added to totals[0] and the number of right answers to
                totals[1], each sample evaluated before its own batch's update
    threads     how many cores may be used; it never changes the result. The reference leaves it to numpy; the kernels
                return how many they have used
    rule        what a step does: see `update_rule.Rule`
    loss        see `task_types.Loss`; a batch's gradient is divided by the sum of its samples' weights, if any
    keep_prob   probability that an input of each layer is kept (Srivastava et al. 2014), one per layer, or empty. What
                is kept is divided by it, so that predictions need no correction
    distortion  `task_types.Distortion` of X as images, drawn anew for every sample, or None
    clock       `task_types.Clock`: when in the training this call begins
    kept        nothing to the reference
    marks       a tuple: numbers, from 0, of those of several epochs after which the network is copied
    copies      (marks, 1 + states, size of parameters): where to, the parameters first
    """
    if order.ndim == 2:
        steps = -(-order.shape[1] // batch_size)
        rates = np.broadcast_to(rates, len(order) * steps).reshape(-1, steps)
        for number, rows in enumerate(order):
            later = clock._replace(epoch=clock.epoch + number, steps=clock.steps + number * steps)
            train(
                layers, parameters, states, X, y, rows, batch_size, rates[number], totals[number], threads, rule, loss,
                keep_prob, distortion, later,
            )  # fmt: skip
            if number in marks:
                copies[marks.index(number)] = parameters, *states
            if not np.isfinite(totals[number, 0]):
                break
        return
    W, b = weight_views(parameters, layers), bias_views(parameters, layers)
    first, second = (states[0], states[-1]) if len(states) else (parameters, parameters)
    weight_states = weight_views(first, layers), weight_views(second, layers)
    bias_states = bias_views(first, layers), bias_views(second, layers)
    schedule = step_schedule(rule, rates, -(-len(order) // batch_size), clock.steps)
    masks = _Masks(keep_prob, clock, len(layers))
    for number, start in enumerate(range(0, len(order), batch_size)):
        rows = order[start : start + batch_size]
        inputs = to_network(X, rows, parameters.dtype)
        if distortion is not None:
            distort(X, rows, clock.position + start, distortion, inputs)
        A = _forward(layers, W, b, inputs, masks, start)
        D, weight = _evaluate_rows(loss, A[-1], y, rows, totals)
        gradients = []
        for layer in reversed(range(len(W))):
            gradients.append((A[layer].T @ D, D.sum(axis=0, keepdims=True, dtype=np.float64).astype(D.dtype)))
            if layer:
                # The outputs of the layer below, before what was kept of them was divided by its probability.
                outputs = (masks.keep_prob_of(layer) * A[layer]).astype(A[layer].dtype)
                D = delta(D, W[layer], outputs, layers[layer - 1, ACTIVATION], np.empty_like(outputs))
                masks.apply(D, layer, start)
        scale = _clipped(rule, gradients, 1 / weight if weight else 0.0)
        for layer, (gW, gb) in enumerate(reversed(gradients)):
            for values, G, (m, v), penalised in (
                (W[layer], gW, weight_states, True),
                (b[layer], gb[0], bias_states, False),
            ):
                step(values, G, m[layer], v[layer], rule, schedule[number], scale, penalised)
            if rule.max_norm and layer < len(W) - 1:
                limit_norms(W[layer], rule.max_norm)


class _Masks:
    """What dropout leaves of the inputs of each layer."""

    def __init__(self, keep_prob, clock, layers):
        self.keep_prob, self.clock = tuple(keep_prob) or (1.0,) * layers, clock

    def keep_prob_of(self, layer):
        return self.keep_prob[layer]

    def apply(self, A, layer, start):
        """Drop from the rows of A, the inputs of `layer` or their delta, for the samples from place `start` on."""
        if self.keep_prob[layer] < 1:
            for i, row in enumerate(A):
                place = self.clock.position + start + i
                k0, k1 = sample_keys(self.clock.seed, self.clock.epoch, DROPOUT + layer, place)
                drop_row(k0, k1, round(self.keep_prob[layer] * 2**32), 1 / self.keep_prob[layer], row, row, len(row))
        return A


def _clipped(rule, gradients, scale):
    """`scale`, and less where the norm of all gradients would be above what the rule allows."""
    if not rule.clip_norm:
        return scale
    squares = sum((g.astype(np.float64) ** 2).sum() for pair in gradients for g in pair)
    return scale * min(1.0, rule.clip_norm / (scale * np.sqrt(squares) + NORM_EPSILON))


def permutations(seed, epoch, epochs, rows):
    """(epochs, rows) int64: the rows in the random order of each epoch, which depends on it and the seed alone."""
    states = [np.random.RandomState(np.random.PCG64(np.random.SeedSequence((seed, epoch + i)))) for i in range(epochs)]
    return np.array([state.permutation(rows) for state in states], np.int64).reshape(epochs, rows)


def evaluate(layers, parameters, X, y, totals, threads, loss=CROSS_ENTROPY, kept=None):
    """Add the loss of every row of X to totals[0] and the number of right answers to totals[1]."""
    for start, logits in _logits(layers, parameters, X):
        _evaluate_rows(loss, logits, y, np.arange(start, start + len(logits)), totals)


def predict(layers, parameters, X, out, threads, kind=SOFTMAX, depth=None):
    """The outputs of the first `depth` layers for every row of X, into out (N, columns): probabilities or numbers."""
    for start, logits in _logits(layers[:depth], parameters, X):
        into = out[start : start + len(logits)]
        if kind == SOFTMAX:
            softmax(logits, into)
        elif kind == POISSON:
            with np.errstate(over="ignore"):
                np.exp(logits, out=into)
        else:
            activate(logits, SIGMOID if kind == LOGISTIC else IDENTITY, into)
    return out


def _evaluate_rows(loss, outputs, y, rows, totals):
    """(delta, weight of all rows) of the samples `rows`; their losses and hits are added to totals."""
    D = np.empty_like(outputs)
    losses, hits = _losses(loss, outputs, y[rows], D)
    weight = float(len(rows))
    if len(loss.weights):
        weights = loss.weights[rows]
        losses, weight = losses * weights, weights.sum()
        D *= weights[:, None]
    totals[0] += losses.sum()
    totals[1] += hits
    return D, weight


def _forward(layers, W, b, inputs, masks=None, start=0):
    """Inputs of every layer, then the logits: a list of (rows, width) arrays."""
    A = [inputs]
    for layer, row in enumerate(layers):
        if masks is not None:
            masks.apply(A[-1], layer, start)
        out = np.empty((len(inputs), W[layer].shape[1]), W[layer].dtype)
        A.append(affine(A[-1], W[layer], b[layer], row[ACTIVATION], out))
    return A


def _logits(layers, parameters, X):
    """Yield (first row, logits) for blocks of X."""
    W, b = weight_views(parameters, layers), bias_views(parameters, layers)
    for start in range(0, X.shape[0], EVALUATION_ROWS):
        rows = np.arange(start, min(start + EVALUATION_ROWS, X.shape[0]))
        yield start, _forward(layers, W, b, to_network(X, rows, parameters.dtype))[-1]


__all__ = [
    "activate",
    "affine",
    "cross_entropy",
    "delta",
    "derivative",
    "evaluate",
    "gradient",
    "limit_norms",
    "predict",
    "softmax",
    "step",
    "train",
    "update",
]
