"""JAX: all steps of a run as one compiled scan."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np

from .baselines import BETA1, BETA2, EPSILON

ACTIVATIONS = {"relu": jax.nn.relu, "tanh": jnp.tanh}


def _outputs(parameters, X, activation):
    for W, b in parameters[:-1]:
        X = ACTIVATIONS[activation](X @ W + b)
    W, b = parameters[-1]
    return X @ W + b


def _loss(parameters, X, y, activation):
    """Mean cross entropy of labels (n,), or half the squared error of numbers (n, C)."""
    outputs = _outputs(parameters, X, activation)
    if y.ndim == 2:
        return jnp.square(outputs - y).sum(axis=1).mean() / 2
    return -jnp.take_along_axis(jax.nn.log_softmax(outputs), y[:, None], axis=1).mean()


def _sgd(parameters, gradients, state, rate):
    return jax.tree.map(lambda p, g: p - rate * g, parameters, gradients), state


def _adam(parameters, gradients, state, rate):
    m, v, steps = state
    steps += 1
    m = jax.tree.map(lambda m, g: BETA1 * m + (1 - BETA1) * g, m, gradients)
    v = jax.tree.map(lambda v, g: BETA2 * v + (1 - BETA2) * g * g, v, gradients)
    first, second = 1 - BETA1**steps, 1 - BETA2**steps
    moved = jax.tree.map(lambda p, m, v: p - rate * (m / first) / (jnp.sqrt(v / second) + EPSILON), parameters, m, v)
    return moved, (m, v, steps)


UPDATES = {"sgd": _sgd, "adam": _adam}


@partial(jax.jit, static_argnames=("rate", "activation", "optimizer"), donate_argnums=(0, 1))
def _run(parameters, state, X, y, batches, rate, activation, optimizer):
    """Steps over batches (steps, batch size) of row numbers, or (steps, 0) for all rows; parameters and state."""

    def step(carried, rows):
        parameters, state = carried
        taken = (X[rows], y[rows]) if len(rows) else (X, y)
        gradients = jax.grad(_loss)(parameters, *taken, activation)
        return UPDATES[optimizer](parameters, gradients, state, rate), None

    return jax.lax.scan(step, (parameters, state), batches)[0]


@partial(jax.jit, static_argnames="activation")
def _probabilities(parameters, X, activation):
    return jax.nn.softmax(_outputs(parameters, X, activation))


class Jax:
    """Its pool has a thread per core of the process: with one thread the process is bound to one core."""

    title = "JAX, jit of a scan over all steps"

    def __init__(self, task, threads):
        self.task, self.floats = task, task.floats
        if task.kind == "train":
            self.X = jnp.asarray(self.floats)
            self.y = jnp.asarray(task.y if task.is_regression else task.y.astype(np.int32))
        self.start()

    def start(self):
        task = self.task
        self.parameters = [(jnp.array(W), jnp.array(b)) for W, b in zip(task.weights, task.biases, strict=True)]
        self.state = ()
        if task.optimizer == "adam":
            means = [jax.tree.map(jnp.zeros_like, self.parameters) for _ in range(2)]
            self.state = (*means, jnp.zeros((), jnp.int32))
        jax.block_until_ready((self.parameters, self.state))

    def begin(self, order):
        batches = order.reshape(-1, self.task.batch).astype(np.int32)
        self.batches = jnp.asarray(batches[:, :0] if self.task.is_full_batch else batches)

    def train(self):
        task = self.task
        self.parameters, self.state = _run(
            self.parameters, self.state, self.X, self.y, self.batches, task.rate, task.activation, task.optimizer
        )
        jax.block_until_ready(self.parameters)

    def arrays(self):
        return [np.asarray(W) for W, _ in self.parameters], [np.asarray(b) for _, b in self.parameters]

    def probabilities(self):
        return np.asarray(_probabilities(self.parameters, self.floats, self.task.activation))
