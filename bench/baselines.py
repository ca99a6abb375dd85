"""Minibatch SGD of a ReLU network in numpy, written twice: with care, and the way a course hand-in does it.

Both leave out the running loss and accuracy that the Numba engine also computes, and both are handed floats that were
scaled beforehand, where the engine divides uint8 pixels by 255 on the way. What is unequal favours numpy.
"""

import numpy as np


class Careful:
    """float32, every buffer allocated once, every operation in place, contiguous matrices.

    The rate and the 1 / samples of the average are multiplied into the last delta, (rows, classes), so that A.T @ D is
    the step itself; all steps lie in one flat buffer and are subtracted by one call.
    """

    def __init__(self, weights, biases, batch_size):
        shapes = [array.shape for array in (*weights, *biases)]
        self.parameters, views = _flat(shapes)
        for view, array in zip(views, (*weights, *biases), strict=True):
            view[...] = array
        self.arrays, self.weights, self.biases = views, views[: len(weights)], views[len(weights) :]
        self.step, steps = _flat(shapes)
        self.weight_steps, self.bias_steps = steps[: len(weights)], steps[len(weights) :]
        widths = [weights[0].shape[0], *(W.shape[1] for W in weights)]
        self.activations = [np.empty((batch_size, width), np.float32) for width in widths]
        self.deltas = [np.empty((batch_size, width), np.float32) for width in widths[1:-1]]
        self.masks = [np.empty((batch_size, width), np.bool_) for width in widths[1:-1]]
        self.column = np.empty((batch_size, 1), np.float32)
        self.rows = np.arange(batch_size)

    def train(self, X, y, order, batch_size, rate):
        """One epoch over the rows of X (N, D) float32 in `order`."""
        for start in range(0, len(order), batch_size):
            batch = order[start : start + batch_size]
            self._step(X, y, batch, rate / len(batch))

    def _step(self, X, y, batch, scale):
        count, last = len(batch), len(self.weights) - 1
        A = [activations[:count] for activations in self.activations]
        # "clip" takes straight into `out`; the default mode goes through a buffer.
        X.take(batch, axis=0, out=A[0], mode="clip")
        for layer, (W, b) in enumerate(zip(self.weights, self.biases, strict=True)):
            Z = A[layer + 1]
            np.matmul(A[layer], W, out=Z)
            Z += b
            if layer < last:
                np.maximum(Z, 0, out=Z)
        D = A[-1]
        self._softmax_delta(D, y[batch], scale)
        for layer in range(last, -1, -1):
            np.matmul(A[layer].T, D, out=self.weight_steps[layer])
            np.add.reduce(D, axis=0, out=self.bias_steps[layer])
            if layer:
                below, mask = self.deltas[layer - 1][:count], self.masks[layer - 1][:count]
                np.matmul(D, self.weights[layer].T, out=below)
                np.greater(A[layer], 0, out=mask)
                below *= mask
                D = below
        self.parameters -= self.step

    def _softmax_delta(self, Z, labels, scale):
        """Z becomes (softmax(Z) - onehot(labels)) * scale."""
        column = self.column[: len(Z)]
        np.maximum.reduce(Z, axis=1, keepdims=True, out=column)
        Z -= column
        np.exp(Z, out=Z)
        np.add.reduce(Z, axis=1, keepdims=True, out=column)
        Z /= column
        Z[self.rows[: len(Z)], labels] -= 1
        Z *= scale


def _flat(shapes):
    """A float32 buffer and one contiguous view of it per shape."""
    ends = np.cumsum([int(np.prod(shape)) for shape in shapes])
    buffer = np.zeros(ends[-1], np.float32)
    views = [part.reshape(shape) for part, shape in zip(np.split(buffer, ends[:-1]), shapes, strict=True)]
    return buffer, views


class Course:
    """float64, one-hot labels, a new array for every intermediate result."""

    def __init__(self, weights, biases, batch_size):
        self.weights = [W.astype(np.float64) for W in weights]
        self.biases = [b.astype(np.float64) for b in biases]
        self.arrays = [*self.weights, *self.biases]

    def train(self, X, Y, order, batch_size, rate):
        """One epoch over the rows of X (N, D) and one-hot Y (N, C), both float64, in `order`."""
        for start in range(0, len(order), batch_size):
            batch = order[start : start + batch_size]
            self._step(X[batch], Y[batch], rate)

    def _step(self, x, y, rate):
        A = [x]
        for W, b in zip(self.weights[:-1], self.biases[:-1], strict=True):
            A.append(np.maximum(A[-1] @ W + b, 0))
        z = A[-1] @ self.weights[-1] + self.biases[-1]
        e = np.exp(z - z.max(axis=1, keepdims=True))
        D = e / e.sum(axis=1, keepdims=True) - y
        for layer in reversed(range(len(self.weights))):
            weight_gradient = A[layer].T @ D / len(x)
            bias_gradient = D.mean(axis=0)
            if layer:
                D = (D @ self.weights[layer].T) * (A[layer] > 0)
            self.weights[layer] -= rate * weight_gradient
            self.biases[layer] -= rate * bias_gradient
