"""Minibatch SGD of an MLP in numpy, written twice: with care, and the way a course hand-in does it.

Both leave out the running loss and accuracy that the Numba engine also computes, and both are handed floats that were
scaled beforehand, where the engine divides uint8 pixels by 255 on the way. What is unequal favours numpy.
"""

import numpy as np

# Of Adam, as in its paper and in every library.
BETA1, BETA2, EPSILON = 0.9, 0.999, 1e-8
# By name: the activation, and the derivative from its output. The careful network passes buffers for the results.
ACTIVATIONS = {"relu": lambda Z, out=None: np.maximum(Z, 0, out=out), "tanh": np.tanh}
DERIVATIVES = {"relu": lambda A: A > 0, "tanh": lambda A: 1 - A * A}


def _relu_slope(A, out, mask):
    """The derivative of relu from its output, into `mask`."""
    return np.greater(A, 0, out=mask)


def _tanh_slope(A, out, mask):
    """1 - A * A, into `out`."""
    np.multiply(A, A, out=out)
    return np.subtract(1, out, out=out)


SLOPES = {"relu": _relu_slope, "tanh": _tanh_slope}


class Adam:
    """Adam with the usual numbers on one array, in place: m and v, the means of g and g^2, and the number of steps."""

    def __init__(self, like, rate):
        self.rate, self.steps = rate, 0
        self.m, self.v, self.room = np.zeros_like(like), np.zeros_like(like), np.empty_like(like)

    def step(self, parameters, gradient):
        """Change the parameters; the gradient is overwritten."""
        self.steps += 1
        m, v, room = self.m, self.v, self.room
        m *= BETA1
        m += np.multiply(gradient, 1 - BETA1, out=room)
        v *= BETA2
        np.multiply(gradient, gradient, out=room)
        room *= 1 - BETA2
        v += room
        np.sqrt(v, out=room)
        room /= np.sqrt(1 - BETA2**self.steps)
        room += EPSILON
        np.divide(m, room, out=gradient)
        gradient *= self.rate / (1 - BETA1**self.steps)
        parameters -= gradient


class Careful:
    """float32, every buffer allocated once, every operation in place, contiguous matrices.

    adam_rate: that of Adam; without one it is plain SGD at the rate that `train` gets. Targets of more than one
    dimension are numbers, whose squared error counts. The rate of SGD and the 1 / samples of the average are multiplied
    into the last delta, (rows, classes), so that A.T @ D is the step itself; all steps lie in one flat buffer and are
    subtracted by one call.
    """

    def __init__(self, weights, biases, batch_size, activation="relu", adam_rate=None):
        self.activate, self.slope = ACTIVATIONS[activation], SLOPES[activation]
        shapes = [array.shape for array in (*weights, *biases)]
        self.parameters, views = _flat(shapes)
        for view, array in zip(views, (*weights, *biases), strict=True):
            view[...] = array
        self.arrays, self.weights, self.biases = views, views[: len(weights)], views[len(weights) :]
        self.adam = Adam(self.parameters, adam_rate) if adam_rate else None
        self.step, steps = _flat(shapes)
        self.weight_steps, self.bias_steps = steps[: len(weights)], steps[len(weights) :]
        widths = [weights[0].shape[0], *(W.shape[1] for W in weights)]
        self.activations = [np.empty((batch_size, width), np.float32) for width in widths]
        self.deltas = [np.empty((batch_size, width), np.float32) for width in widths[1:-1]]
        self.slopes = [np.empty((batch_size, width), np.float32) for width in widths[1:-1]]
        self.masks = [np.empty((batch_size, width), np.bool_) for width in widths[1:-1]]
        self.column = np.empty((batch_size, 1), np.float32)
        self.rows = np.arange(batch_size)

    def train(self, X, y, order, batch_size, rate):
        """One epoch over the rows of X (N, D) float32 in `order`."""
        for start in range(0, len(order), batch_size):
            batch = order[start : start + batch_size]
            self._step(X, y, batch, (1 if self.adam else rate) / len(batch))

    def _step(self, X, y, batch, scale):
        count, last = len(batch), len(self.weights) - 1
        # "clip" takes straight into `out`; the default mode goes through a buffer.
        X.take(batch, axis=0, out=self.activations[0][:count], mode="clip")
        A = self._forward(count)
        D = A[-1]
        self._last_delta(D, y[batch], scale)
        for layer in range(last, -1, -1):
            np.matmul(A[layer].T, D, out=self.weight_steps[layer])
            np.add.reduce(D, axis=0, out=self.bias_steps[layer])
            if layer:
                below = self.deltas[layer - 1][:count]
                np.matmul(D, self.weights[layer].T, out=below)
                below *= self.slope(A[layer], self.slopes[layer - 1][:count], self.masks[layer - 1][:count])
                D = below
        if self.adam:
            self.adam.step(self.parameters, self.step)
        else:
            self.parameters -= self.step

    def _forward(self, count):
        """The first `count` rows of every layer's inputs, and of the logits, from the inputs of the first layer."""
        A = [activations[:count] for activations in self.activations]
        for layer, (W, b) in enumerate(zip(self.weights, self.biases, strict=True)):
            Z = A[layer + 1]
            np.matmul(A[layer], W, out=Z)
            Z += b
            if layer < len(self.weights) - 1:
                self.activate(Z, out=Z)
        return A

    def probabilities(self, X):
        """Class probabilities of X (rows, D), rows up to the batch size; a view that the next call overwrites."""
        count = len(X)
        self.activations[0][:count] = X
        Z, column = self._forward(count)[-1], self.column[:count]
        self._softmax(Z, column)
        return Z

    def _last_delta(self, Z, targets, scale):
        """Z becomes (softmax(Z) - onehot(targets)) * scale, or (Z - targets) * scale."""
        if targets.ndim == 1:
            self._softmax(Z, self.column[: len(Z)])
            Z[self.rows[: len(Z)], targets] -= 1
        else:
            Z -= targets
        Z *= scale

    @staticmethod
    def _softmax(Z, column):
        """Z becomes its softmax; column (rows, 1) is overwritten."""
        np.maximum.reduce(Z, axis=1, keepdims=True, out=column)
        Z -= column
        np.exp(Z, out=Z)
        np.add.reduce(Z, axis=1, keepdims=True, out=column)
        Z /= column


def _flat(shapes):
    """A float32 buffer and one contiguous view of it per shape."""
    ends = np.cumsum([int(np.prod(shape)) for shape in shapes])
    buffer = np.zeros(ends[-1], np.float32)
    views = [part.reshape(shape) for part, shape in zip(np.split(buffer, ends[:-1]), shapes, strict=True)]
    return buffer, views


class Course:
    """float64, one-hot labels, a new array for every intermediate result.

    loss: "cross_entropy" or "squared_error"; adam_rate: that of Adam, or None for plain SGD.
    """

    def __init__(self, weights, biases, batch_size, activation="relu", adam_rate=None, loss="cross_entropy"):
        self.loss, self.adam_rate, self.steps = loss, adam_rate, 0
        self.activate, self.derivative = ACTIVATIONS[activation], DERIVATIVES[activation]
        self.weights = [W.astype(np.float64) for W in weights]
        self.biases = [b.astype(np.float64) for b in biases]
        self.arrays = [*self.weights, *self.biases]
        self.m = [np.zeros_like(array) for array in self.arrays]
        self.v = [np.zeros_like(array) for array in self.arrays]

    def train(self, X, Y, order, batch_size, rate):
        """One epoch over the rows of X (N, D) and one-hot labels or numbers Y (N, C), both float64, in `order`."""
        for start in range(0, len(order), batch_size):
            batch = order[start : start + batch_size]
            self._step(X[batch], Y[batch], rate)

    def _step(self, x, y, rate):
        A, outputs = self._forward(x)
        D = outputs - y
        weight_gradients, bias_gradients = [], []
        for layer in reversed(range(len(self.weights))):
            weight_gradients.insert(0, A[layer].T @ D / len(x))
            bias_gradients.insert(0, D.mean(axis=0))
            if layer:
                D = (D @ self.weights[layer].T) * self.derivative(A[layer])
        self.steps += 1
        for i, gradient in enumerate([*weight_gradients, *bias_gradients]):
            if self.adam_rate:
                self.m[i] = BETA1 * self.m[i] + (1 - BETA1) * gradient
                self.v[i] = BETA2 * self.v[i] + (1 - BETA2) * gradient**2
                m, v = self.m[i] / (1 - BETA1**self.steps), self.v[i] / (1 - BETA2**self.steps)
                self.arrays[i] -= self.adam_rate * m / (np.sqrt(v) + EPSILON)
            else:
                self.arrays[i] -= rate * gradient

    def _forward(self, x):
        """The inputs of every layer, and the class probabilities or the numbers that are predicted."""
        A = [x]
        for W, b in zip(self.weights[:-1], self.biases[:-1], strict=True):
            A.append(self.activate(A[-1] @ W + b))
        z = A[-1] @ self.weights[-1] + self.biases[-1]
        if self.loss == "squared_error":
            return A, z
        e = np.exp(z - z.max(axis=1, keepdims=True))
        return A, e / e.sum(axis=1, keepdims=True)

    def probabilities(self, x):
        """Class probabilities of x (rows, D)."""
        return self._forward(x)[1]
