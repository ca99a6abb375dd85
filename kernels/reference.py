"""Every kernel in plain numpy: the specification to read, the oracle of the tests, the baseline of the benchmarks.

The functions have the names and signatures of the compiled ones in `fastmlp.kernels`. A batch is a matrix whose rows
are samples. Shapes: A (rows, fan_in) a layer's inputs, W (fan_in, fan_out), b (fan_out,), D (rows, fan_out) a layer's
delta, that is the derivative of one sample's loss by the layer's affine output. The formulas are derived in
docs/mathematics.md.
"""

import numpy as np

from .inputs import to_network
from .layout import ACTIVATION, RELU, SIGMOID, TANH, bias_views, weight_views

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
    np.mean(D, axis=0, out=b_out)
    return W_out, b_out


def update(A, D, W, b, W_velocity, b_velocity, rate, momentum, l2):
    """One step of SGD on one layer, in place, from its inputs A and its delta D.

    g = A.T @ D / rows + l2 W        (biases: no l2)
    v = momentum v + g
    W = W - rate v

    as PyTorch's SGD does with weight_decay=l2.
    """
    W_gradient, b_gradient = gradient(A, D, np.empty_like(W), np.empty_like(b))
    if l2:
        W_gradient += l2 * W
    for values, velocity, step in ((W, W_velocity, W_gradient), (b, b_velocity, b_gradient)):
        if momentum:
            velocity *= momentum
            velocity += step
            step = velocity
        values -= rate * step


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


def train(layers, parameters, velocity, X, y, order, batch_size, rate, momentum, l2, totals, threads):
    """Minibatch SGD over the rows of X named by `order`, once each, in that order.

    layers      the network, (layers, 6) int64: see `layout`
    parameters  flat buffer, float32 or float64, changed in place; velocity: the same shape, used with momentum alone
    X           (N, D) uint8 (read as value / 255), float32 or float64;  y (N,) int64, 0 to classes - 1
    order       (n,) int64 row numbers; batch k is order[k * batch_size : (k + 1) * batch_size]
    rate, momentum, l2   see `update`
    totals      (2,) float64: the losses are added to totals[0] and the number of right answers to totals[1], each
                sample judged before its own batch's update
    threads     how many cores may be used; it never changes the result. The reference leaves it to numpy
    """
    W, b = weight_views(parameters, layers), bias_views(parameters, layers)
    VW, Vb = weight_views(velocity, layers), bias_views(velocity, layers)
    for start in range(0, len(order), batch_size):
        rows = order[start : start + batch_size]
        A = _forward(layers, W, b, to_network(X, rows, parameters.dtype))
        D = np.empty_like(A[-1])
        _judge(A[-1], y[rows], D, totals)
        for layer in reversed(range(len(W))):
            D_below = None
            if layer:
                D_below = delta(D, W[layer], A[layer], layers[layer - 1, ACTIVATION], np.empty_like(A[layer]))
            update(A[layer], D, W[layer], b[layer], VW[layer], Vb[layer], rate, momentum, l2)
            D = D_below


def evaluate(layers, parameters, X, y, totals, threads):
    """Add the cross entropy of every row of X to totals[0] and the number of right answers to totals[1]."""
    for start, logits in _logits(layers, parameters, X):
        _judge(logits, y[start : start + len(logits)], np.empty_like(logits), totals)


def predict(layers, parameters, X, out, threads):
    """Class probabilities of every row of X, into out (N, classes). Returns out."""
    for start, logits in _logits(layers, parameters, X):
        softmax(logits, out[start : start + len(logits)])
    return out


def _judge(logits, labels, out, totals):
    losses = np.empty(len(logits))
    totals[1] += cross_entropy(logits, labels, out, losses)
    totals[0] += losses.sum()


def _forward(layers, W, b, inputs):
    """Inputs of every layer, then the logits: a list of (rows, width) arrays."""
    A = [inputs]
    for layer, row in enumerate(layers):
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
    "predict",
    "softmax",
    "train",
    "update",
]
