"""The competitors that are made of numpy: fastmlp itself, two networks in plain numpy, scikit-learn.

A competitor is a class with

    title
    __init__(task, threads)  takes the data in the form that it likes best, untimed
    start()                  goes back to the initial weights and a fresh optimizer, untimed
    begin(order)             gets ready to visit the rows in `order`, whole batches of one or more epochs, untimed
    train()                  visits them
    arrays()                 (weights, biases), lists of (fan_in, fan_out) and (fan_out,)
    probabilities()          class probabilities (rows, C) of all inputs, from numpy to numpy, with the initial weights

PEERS lists those of all files. What one of them raises is the reason why it does not take part.
"""

import numpy as np

from .baselines import Careful, Course


class Fastmlp:
    """What `MLP.fit` does between preparing the data and keeping the network, its history and diagnoses included."""

    title = "fastmlp"

    def __init__(self, task, threads):
        from fastmlp import MLP
        from fastmlp.training.preparation import prepare

        self.task = task
        self.mlp = MLP(
            hidden=task.hidden,
            activation=task.activation,
            loss="squared_error" if task.is_regression else "cross_entropy",
            optimizer=task.optimizer,
            learning_rate=task.rate,
            batch_size=task.batch,
            epochs=task.epochs,
            shuffle=not task.is_full_batch,
            scaling="pixels" if task.X.dtype == np.uint8 else "none",  # as all competitors read them
            target_scaling="none",
            train_metrics="running",
            threads=threads,
        )
        self.X = task.X
        self.classes = None if task.is_regression else range(task.class_count)
        self.data = prepare(self.mlp.config, self.X, task.y, classes=self.classes)
        if task.kind == "predict":
            self.mlp.fit(self.X[:1], task.y[:1], classes=self.classes)
            self.mlp.set_weights(task.weights, task.biases)

    def start(self):
        """In `begin`: what is trained depends on the order."""

    def begin(self, order):
        from dataclasses import replace

        from fastmlp.training.preparation import prepare
        from fastmlp.training.session import Session
        from fastmlp.training.start import all_callbacks
        from fastmlp.training.state import TrainingState

        config, data = self.mlp.config, self.data
        if len(order) < len(self.task.order):
            config = replace(config, shuffle=False, epochs=1)
            data = prepare(config, self.X[order], self.task.y[order], classes=self.classes)
        self.state = TrainingState.fresh(config, self.X.shape[1], self.task.class_count)
        _fill(self.state.parameters.weights, self.state.parameters.biases, self.task)
        self.session, self.callbacks = Session.of(config, data, self.state), all_callbacks(config, ())

    def train(self):
        from fastmlp.training.loop import train

        train(self.session, self.callbacks)

    def arrays(self):
        return self.state.parameters.weights, self.state.parameters.biases

    def probabilities(self):
        return self.mlp.predict_proba(self.X)


class CarefulNumpy:
    title = "numpy float32, written with care"

    def __init__(self, task, threads):
        self.task, self.X, self.y = task, task.floats, task.y
        self.start()

    def start(self):
        task = self.task
        self.network = Careful(task.weights, task.biases, task.batch, task.activation, _adam_rate(task))

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
        self.y = task.y.astype(np.float64) if task.is_regression else np.eye(task.class_count)[task.y]
        self.start()

    def start(self):
        task = self.task
        loss = "squared_error" if task.is_regression else "cross_entropy"
        self.network = Course(task.weights, task.biases, task.batch, task.activation, _adam_rate(task), loss)


class ScikitLearn:
    title = "scikit-learn MLP"

    def __init__(self, task, threads):
        from sklearn.neural_network import MLPClassifier, MLPRegressor

        self.task, self.X, self.labels = task, task.floats, task.y
        kind, known = MLPClassifier, {"classes": np.arange(task.class_count)}
        if task.is_regression:
            kind, known = MLPRegressor, {}
            self.labels = task.y.squeeze()
        elif task.class_count == 2:
            # Of two classes it would make a single logistic output, another network than the others'.
            self.labels = np.eye(2, dtype=np.int64)[task.y]
        self.network = kind(
            hidden_layer_sizes=task.hidden, activation=task.activation, solver=task.optimizer, alpha=0,
            batch_size=task.batch, learning_rate_init=task.rate, momentum=0, nesterovs_momentum=False, shuffle=False,
            max_iter=1,
        )  # fmt: skip
        self.network.partial_fit(self.X[: task.batch], self.labels[: task.batch], **known)
        if not task.is_regression:
            self.network.out_activation_ = "softmax"
        self.start()

    def start(self):
        _fill(self.network.coefs_, self.network.intercepts_, self.task)
        if hasattr(self.network, "_optimizer"):
            del self.network._optimizer  # it makes a fresh one

    def begin(self, order):
        """It goes through its rows from first to last: they are brought into order beforehand."""
        self.rows, self.targets = self.X[order], self.labels[order]

    def train(self):
        self.network.partial_fit(self.rows, self.targets)

    def arrays(self):
        return self.network.coefs_, self.network.intercepts_

    def probabilities(self):
        return self.network.predict_proba(self.X)


def _adam_rate(task):
    """The rate of a task with Adam, None for one with plain SGD."""
    return task.rate if task.optimizer == "adam" else None


def _fill(weights, biases, task):
    """Write the initial weights of a task into a competitor's arrays."""
    for mine, first in zip((*weights, *biases), (*task.weights, *task.biases), strict=True):
        mine[...] = first


# By name: what must be importable, the module of the class, the class.
PEERS = {
    "fastmlp": (("fastmlp",), "bench.peers", "Fastmlp"),
    "numpy": (("numpy",), "bench.peers", "CarefulNumpy"),
    "course": (("numpy",), "bench.peers", "CourseNumpy"),
    "scikit-learn": (("sklearn",), "bench.peers", "ScikitLearn"),
    "torch": (("torch",), "bench.peers_torch", "Eager"),
    "torch-compiled": (("torch",), "bench.peers_torch", "Compiled"),
    "jax": (("jax",), "bench.peers_jax", "Jax"),
    "keras-jax": (("keras", "jax"), "bench.peers_keras", "OnJax"),
    "keras-tensorflow": (("keras", "tensorflow"), "bench.peers_keras", "OnTensorflow"),
}
