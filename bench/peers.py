"""The competitors that are made of numpy: fastmlp itself, two networks in plain numpy, scikit-learn.

A competitor is a class with

    title
    __init__(task, threads)  takes the data in the form that it likes best, untimed
    start()                  goes back to the initial weights, untimed
    begin(order)             gets ready for an epoch over the rows in `order`, untimed
    train()                  that epoch
    arrays()                 (weights, biases), lists of (fan_in, fan_out) and (fan_out,)
    probabilities()          class probabilities (rows, C) of all inputs, from numpy to numpy, with the initial weights

PEERS lists those of all files. What one of them raises is the reason why it does not take part.
"""

import numpy as np

from .baselines import Careful, Course


class Fastmlp:
    title = "fastmlp"

    def __init__(self, task, threads):
        from fastmlp import MLP
        from fastmlp.kernels import epoch
        from fastmlp.training.parameters import Parameters
        from fastmlp.training.preparation import prepare_inputs

        self.task, self.threads, self.kernels = task, threads, epoch
        settings = {"hidden": task.hidden, "activation": task.activation, "batch_size": task.batch, "epochs": 1}
        scaling = "pixels" if task.X.dtype == np.uint8 else "none"  # as all competitors read them
        self.mlp = MLP(threads=threads, scaling=scaling, **settings)
        self.pixels = task.X
        self.inputs = prepare_inputs(self.mlp.config, self.pixels).X
        names = (task.activation,) * len(task.hidden)
        self.parameters = Parameters((self.pixels.shape[1], *task.hidden, task.class_count), names, "float32")
        if task.kind == "predict":
            self.mlp.fit(self.pixels[:1], task.y[:1], classes=range(task.class_count))
            _fill(self.mlp.weights, self.mlp.biases, task)

    def start(self):
        _fill(self.parameters.weights, self.parameters.biases, self.task)

    def begin(self, order):
        self.order = order

    def train(self):
        p, totals = self.parameters, np.zeros(2)
        self.kernels.train(
            p.layers, p.buffer, p.states, self.inputs, self.task.y, self.order, self.task.batch, self.task.rate,
            totals, self.threads,
        )  # fmt: skip

    def arrays(self):
        return self.parameters.weights, self.parameters.biases

    def probabilities(self):
        return self.mlp.predict_proba(self.pixels)


class CarefulNumpy:
    title = "numpy float32, written with care"

    def __init__(self, task, threads):
        self.task, self.X, self.y = task, task.floats, task.y
        self.start()

    def start(self):
        task = self.task
        self.network = Careful(task.weights, task.biases, task.batch, task.activation)

    def begin(self, order):
        self.order = order

    def train(self):
        self.network.train(self.X, self.y, self.order, self.task.batch, self.task.rate)

    def arrays(self):
        return self.network.weights, self.network.biases

    def probabilities(self):
        return self.network.probabilities(self.X)


class CourseNumpy(CarefulNumpy):
    """The yardstick of the answers, too."""

    title = "numpy float64, as a course writes it"

    def __init__(self, task, threads):
        self.task = task
        X = task.X
        self.X = X / 255 if X.dtype == np.uint8 else X.astype(np.float64)
        self.y = np.eye(task.class_count)[task.y]
        self.start()

    def start(self):
        task = self.task
        self.network = Course(task.weights, task.biases, task.batch, task.activation)


class ScikitLearn:
    title = "scikit-learn MLPClassifier"

    def __init__(self, task, threads):
        from sklearn.neural_network import MLPClassifier

        self.task, self.X, self.classes = task, task.floats, np.arange(task.class_count)
        self.labels = task.y
        if task.class_count == 2:
            # Of two classes it would make a single logistic output, another network than the others'.
            self.labels = np.eye(2, dtype=np.int64)[task.y]
        self.network = MLPClassifier(
            task.hidden, activation=task.activation, solver="sgd", alpha=0, batch_size=task.batch,
            learning_rate_init=task.rate, momentum=0, nesterovs_momentum=False, shuffle=False, max_iter=1,
        )  # fmt: skip
        self.network.partial_fit(self.X[: task.batch], self.labels[: task.batch], classes=self.classes)
        self.network.out_activation_ = "softmax"
        self.start()

    def start(self):
        _fill(self.network.coefs_, self.network.intercepts_, self.task)

    def begin(self, order):
        """It goes through its rows from first to last: they are brought into order beforehand."""
        self.rows, self.targets = self.X[order], self.labels[order]

    def train(self):
        self.network.partial_fit(self.rows, self.targets)

    def arrays(self):
        return self.network.coefs_, self.network.intercepts_

    def probabilities(self):
        return self.network.predict_proba(self.X)


def _fill(weights, biases, task):
    """Write the initial weights of a task into a competitor's arrays."""
    for mine, first in zip((*weights, *biases), (*task.weights, *task.biases), strict=True):
        mine[...] = first


# By name: what must be importable, the module of the class, the class.
PEERS = {
    "fastmlp": ("fastmlp", "bench.peers", "Fastmlp"),
    "numpy": ("numpy", "bench.peers", "CarefulNumpy"),
    "course": ("numpy", "bench.peers", "CourseNumpy"),
    "scikit-learn": ("sklearn", "bench.peers", "ScikitLearn"),
    "torch": ("torch", "bench.peers_torch", "Eager"),
    "torch-compiled": ("torch", "bench.peers_torch", "Compiled"),
    "jax": ("jax", "bench.peers_jax", "Jax"),
}
