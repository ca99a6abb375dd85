"""JAX: a whole epoch as one compiled scan."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np

ACTIVATIONS = {"relu": jax.nn.relu, "tanh": jnp.tanh}


def _logits(parameters, X, activation):
    for W, b in parameters[:-1]:
        X = ACTIVATIONS[activation](X @ W + b)
    W, b = parameters[-1]
    return X @ W + b


@partial(jax.jit, static_argnames=("rate", "activation"), donate_argnums=0)
def _epoch(parameters, X, y, batches, rate, activation):
    """SGD over batches (steps, batch size) of row numbers; returns the new parameters."""

    def loss(parameters, rows):
        scores = jax.nn.log_softmax(_logits(parameters, X[rows], activation))
        return -jnp.take_along_axis(scores, y[rows][:, None], axis=1).mean()

    def step(parameters, rows):
        gradients = jax.grad(loss)(parameters, rows)
        return jax.tree.map(lambda p, g: p - rate * g, parameters, gradients), None

    return jax.lax.scan(step, parameters, batches)[0]


@partial(jax.jit, static_argnames="activation")
def _probabilities(parameters, X, activation):
    return jax.nn.softmax(_logits(parameters, X, activation))


class Jax:
    """Its pool has a thread per core of the process: with one thread the process is bound to one core."""

    title = "JAX, jit of a scan over the epoch"

    def __init__(self, task, threads):
        self.task, self.floats = task, task.floats
        if task.kind == "train":
            self.X, self.y = jnp.asarray(self.floats), jnp.asarray(task.y.astype(np.int32))
        self.start()

    def start(self):
        task = self.task
        self.parameters = [(jnp.array(W), jnp.array(b)) for W, b in zip(task.weights, task.biases, strict=True)]
        jax.block_until_ready(self.parameters)

    def begin(self, order):
        self.batches = jnp.asarray(order.reshape(-1, self.task.batch).astype(np.int32))

    def train(self):
        self.parameters = _epoch(self.parameters, self.X, self.y, self.batches, self.task.rate, self.task.activation)
        jax.block_until_ready(self.parameters)

    def arrays(self):
        return [np.asarray(W) for W, _ in self.parameters], [np.asarray(b) for _, b in self.parameters]

    def probabilities(self):
        return np.asarray(_probabilities(self.parameters, self.floats, self.task.activation))
