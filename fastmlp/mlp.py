"""The network: settings, training loop, prediction."""

import functools
import math
import os
import time
from importlib import import_module
from inspect import signature

import numpy as np

from . import settings as check
from .errors import InputError, InputTypeError
from .fitprogress import reporter
from .history import History
from .inputs import all_classes, check_inputs, check_labels, class_numbers
from .kernels.inputs import Sparse, part
from .kernels.layout import FAN_IN
from .parameters import INITIALISERS, Parameters, epoch_order
from .plan import FIRST_LAYERS, TeamSize, compact

# Python is entered again after about this long inside the kernels, so that Ctrl-C is felt.
SECONDS_AT_A_TIME = 0.1
# A trained network may be surer of its mistakes than a guess; one whose loss is this many times a guess's is lost.
FAR_ABOVE_GUESSING = 10
# A dead network's loss is that of guessing, to about this.
NEAR_GUESSING = 0.01
ROWS_AT_A_TIME = 1 << 16  # the same for a pass without training, whose speed is known to be enough for this many


class MLP:
    """A multilayer perceptron with softmax output, trained by minibatch SGD on the cross entropy.

    hidden         widths of the hidden layers, () for none
    activation     "relu", "tanh", "sigmoid", "identity", or one of them per hidden layer
    learning_rate  of the first epoch; above 0. Gradients are averaged over the minibatch
    decay_epochs   epochs (from 1) after which the rate is multiplied by decay_factor, such as (20, 40)
    batch_size     samples per step; the last batch of an epoch may be smaller, more than N means all N
    epochs         passes over the training set
    shuffle        visit the samples in a new random order every epoch
    init           "auto", "he", "xavier", "normal", "uniform": see `fastmlp.parameters.Parameters.initialise`
    init_scale     standard deviation of "normal", half-width of "uniform" (None: 0.1), a factor for the others
    init_bias      "zero", or "same" for the weights' own law
    l2             adds l2 / 2 |W|^2 to what is minimised, biases exempt; reported losses leave it out
    momentum       v = momentum v + g, W = W - rate v; below 1
    seed           whole number from 0: the same seed, settings and data give the same weights, bit for bit
    threads        cores to use; None: $FASTMLP_THREADS, or all this process may use. Never changes a result
    dtype          "float32" or "float64", of the weights and all arithmetic
    engine         "numba", or "numpy" for the plain reference (equal up to rounding)
    train_metrics  "full": train_loss and train_accuracy are measured on the whole training set after each epoch;
                   "running": during the epoch, which costs nothing
    first_layer    "auto": inputs that are mostly zero are turned once into compressed rows, whose zeros cost nothing;
                   "sparse" or "dense" force the choice. Never changes a result

    After `fit`: `history`, `weights` (list of (fan_in, fan_out)), `biases` (list of (fan_out,)), `classes` (C,) int64,
    `plan` (dict: first_layer, density of the inputs, threads), `diverged` (None, or why the training failed, in words:
    the loss left the finite numbers or is far above guessing, or the network died).
    Raises InputError (a ValueError) or InputTypeError (a TypeError) for a setting that cannot be used.
    """

    def __init__(
        self,
        *,
        hidden=(100, 50, 25),
        activation="relu",
        learning_rate=0.1,
        decay_epochs=(),
        decay_factor=0.5,
        batch_size=100,
        epochs=50,
        shuffle=True,
        init="auto",
        init_scale=None,
        init_bias="zero",
        l2=0.0,
        momentum=0.0,
        seed=0,
        threads=None,
        dtype="float32",
        engine="numba",
        train_metrics="full",
        first_layer="auto",
    ):
        self.hidden = check.hidden_widths(hidden)
        self.activation = check.hidden_activations(activation, len(self.hidden))
        self.learning_rate = check.positive("learning_rate", learning_rate, "try 0.1")
        self.epochs = check.whole("epochs", epochs, 1, "train for one epoch or more")
        self.decay_epochs = check.decay_epochs(decay_epochs, self.epochs)
        self.decay_factor = check.positive("decay_factor", decay_factor, "0.5 halves the rate")
        self.batch_size = check.whole("batch_size", batch_size, 1, "100 is a common choice")
        self.shuffle = check.flag("shuffle", shuffle)
        self.init = check.one_of("init", init, INITIALISERS)
        self.init_scale = None if init_scale is None else check.positive("init_scale", init_scale, "try 0.1")
        self.init_bias = check.one_of("init_bias", init_bias, ("zero", "same"))
        self.l2 = check.real("l2", l2, "0 switches it off", least=0)
        self.momentum = check.real("momentum", momentum, "0 switches it off, 0.9 is common", least=0, below=1)
        self.seed = check.whole("seed", seed, 0, "any whole number from 0")
        self.threads = None if threads is None else check.whole("threads", threads, 1, "leave it out for all cores")
        self.dtype = check.one_of("dtype", dtype, check.DTYPES)
        self.engine = check.one_of("engine", engine, check.ENGINES)
        self.train_metrics = check.one_of("train_metrics", train_metrics, ("full", "running"))
        self.first_layer = check.one_of("first_layer", first_layer, FIRST_LAYERS)
        self.history = History()
        self.diverged: str | None = None

    def settings(self) -> dict:
        """The constructor's arguments as plain values: MLP(**mlp.settings()) is the same network before training."""
        return {name: getattr(self, name) for name in SETTINGS}

    def __repr__(self):
        changed = [f"{name}={value!r}" for name, value in self.settings().items() if value != DEFAULTS[name]]
        return f"MLP({', '.join(changed)})"

    # ------------------------------------------------------------------------------------------------- training

    def fit(self, X, y, validation=None, progress=None, classes=None):
        """Train from fresh weights; returns self.

        X           (N, D) uint8 pixels (read as value / 255) or floats; rows of any stride, never copied when their
                    dtype is uint8, float32 or float64
        y           (N,) integers of any values, or (N, C) one-hot
        validation  (Xv, yv), measured after every epoch
        progress    True for a progress bar, or a function that is called with every epoch's record (see `History`)
        classes     all labels there are, when y may lack some; None takes those in y
        Raises InputError, InputTypeError for arrays that cannot be used: before anything is trained.
        """
        X = check_inputs(X, self.dtype)
        labels, one_hot_columns = check_labels(y, X.shape[0])
        known = all_classes(labels, one_hot_columns, classes)
        y = class_numbers(labels, known)
        held_out = None if validation is None else self._check_held_out(validation, X.shape[1], known)
        self.classes = known
        X, held_out = self._plan_inputs(X, held_out)
        self._build(X.shape[1])
        self._parameters.initialise(self.init, self.init_scale, self.init_bias, self.seed)
        self.history, self.diverged = History(), None
        self._team, self._span = TeamSize(self._threads()), 1.0
        with reporter(progress, self.epochs) as report:
            for epoch in range(1, self.epochs + 1):
                record = self._epoch(epoch, X, y, held_out)
                self.history.append(record)
                report(record)
                if not math.isfinite(record["train_loss"]):
                    break  # nan in the weights never leaves them: further epochs would only take time
        self.diverged = self._failure(X, y)
        return self

    def _epoch(self, epoch, X, y, held_out):
        """Train for one epoch and return its record."""
        rate = self.rate_at(epoch)
        order = epoch_order(X.shape[0], self.seed, epoch, self.shuffle)
        started = time.perf_counter()
        totals = self._train(X, y, order, rate)
        seconds = time.perf_counter() - started
        if self.train_metrics == "full":
            totals = self._totals(X, y)
        train_loss, train_accuracy = totals / X.shape[0]
        loss, accuracy = (math.nan, math.nan) if held_out is None else self._totals(*held_out) / held_out[0].shape[0]
        return {
            "epoch": epoch,
            "learning_rate": rate,
            "train_loss": float(train_loss),
            "train_accuracy": float(train_accuracy),
            "validation_loss": float(loss),
            "validation_accuracy": float(accuracy),
            "seconds": seconds,
        }

    def rate_at(self, epoch: int) -> float:
        """The learning rate of an epoch, counted from 1."""
        return self.learning_rate * self.decay_factor ** sum(epoch > decay for decay in self.decay_epochs)

    def _train(self, X, y, order, rate):
        """One pass over the rows in `order`; (2,) float64: summed loss, right answers."""
        totals, start = np.zeros(2), 0
        batch_size = min(self.batch_size, X.shape[0])
        p, kernels = self._parameters, self._kernels()
        while start < len(order):
            rows = max(1, int(self._span / batch_size)) * batch_size
            if len(order) - start < 2 * rows:  # a short rest would be all overhead
                rows = len(order) - start
            span, threads = order[start : start + rows], self._team.next()
            begun = time.perf_counter()
            kernels.train(
                p.layers, p.buffer, p.velocity, X, y, span, batch_size, rate, self.momentum, self.l2, totals, threads
            )
            seconds = max(time.perf_counter() - begun, 1e-6)
            if len(span) == len(order) or seconds > SECONDS_AT_A_TIME / 3:  # shorter ones are mostly overhead
                self._team.tell(threads, seconds, len(span))
            start += len(span)
            # The steps do not depend on how the epoch is cut into spans, so the clock may decide it.
            self._span = len(span) * min(SECONDS_AT_A_TIME / seconds, 16)
        return totals

    # ------------------------------------------------------------------------------------- evaluation, prediction

    def predict_proba(self, X):
        """Class probabilities (N, C) in the network's dtype, columns in the order of `classes`."""
        return self._probabilities(self._check_rows(X))

    def _probabilities(self, X):
        rows = X.shape[0]
        out = np.empty((rows, len(self.classes)), self.dtype)
        p, kernels, threads = self._parameters, self._kernels(), self._threads() if rows > 1 else 1
        if rows <= ROWS_AT_A_TIME:
            return kernels.predict(p.layers, p.buffer, X, out, threads)
        for start in range(0, rows, ROWS_AT_A_TIME):
            stop = start + ROWS_AT_A_TIME
            kernels.predict(p.layers, p.buffer, part(X, start, stop), out[start:stop], threads)
        return out

    def predict(self, X):
        """The most probable class of each row of X, (N,) of the values in `classes`."""
        columns = self.predict_proba(X).argmax(axis=1)
        return self.classes[columns]

    def evaluate(self, X, y):
        """(mean cross entropy in nats, share of right answers) on X (N, D) and y (N,) or one-hot (N, C)."""
        X = self._check_rows(X)
        labels, _ = check_labels(y, X.shape[0])
        loss, hits = self._totals(X, class_numbers(labels, self.classes)) / X.shape[0]
        return float(loss), float(hits)

    def score(self, X, y):
        """Share of right answers, 0 to 1."""
        return self.evaluate(X, y)[1]

    def _totals(self, X, y):
        """(2,) float64: loss summed over the rows, right answers."""
        totals = np.zeros(2)
        p, kernels, threads = self._parameters, self._kernels(), self._threads()
        for start in range(0, X.shape[0], ROWS_AT_A_TIME):
            stop = start + ROWS_AT_A_TIME
            kernels.evaluate(p.layers, p.buffer, part(X, start, stop), y[start:stop], totals, threads)
        return totals

    # ------------------------------------------------------------------------------------------------- parameters

    @property
    def weights(self) -> list[np.ndarray]:
        """One view (fan_in, fan_out) per layer; writing to it changes the network."""
        self._check_fitted()
        return self._parameters.weights

    @property
    def biases(self) -> list[np.ndarray]:
        """One view (fan_out,) per layer; writing to it changes the network."""
        self._check_fitted()
        return self._parameters.biases

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the network to an HDF5 file, atomically: settings, weights, history, classes and version."""
        from .modelfile import save

        self._check_fitted()
        save(self, path)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> "MLP":
        """Read what `save` wrote. InputError when the file is missing, damaged or something else."""
        from .modelfile import load

        return load(cls, path)

    # ---------------------------------------------------------------------------------------------------- details

    def prepare_inputs(self, X):
        """Checked inputs in the form that this network trains on fastest, to be passed to several fits without a copy.

        X is what `fit` takes; the result is an array, or compressed rows. The result of training is the same.
        """
        return compact(check_inputs(X, self.dtype), self.dtype, self.first_layer)[0]

    def _plan_inputs(self, X, held_out):
        """The training and validation inputs in the form that is fastest; sets `plan`."""
        self.plan = {"first_layer": "dense", "density": 1.0, "threads": self._threads()}
        if self.engine == "numba":
            X, self.plan["density"] = compact(X, self.dtype, self.first_layer)
            self.plan["first_layer"] = "sparse" if isinstance(X, Sparse) else "dense"
            if held_out is not None:
                held_out = compact(held_out[0], self.dtype, self.plan["first_layer"])[0], held_out[1]
        return X, held_out

    def _build(self, features):
        """The parameters of a network with `features` inputs, all zero."""
        names = (self.activation,) * len(self.hidden) if isinstance(self.activation, str) else self.activation
        self._parameters = Parameters((features, *self.hidden, len(self.classes)), names, self.dtype)

    def _failure(self, X, y):
        """Why the training on X, y failed, in words; or None."""
        loss, epochs = self.history["train_loss"][-1], len(self.history)
        mend = f"a smaller learning rate than {self.learning_rate:g} may help"
        if not math.isfinite(loss):
            return f"diverged: the loss is {loss} after epoch {epochs}; {mend}"
        frequency = np.bincount(y) / len(y)
        guess = float(-(frequency * np.log(np.maximum(frequency, 1e-300))).sum())
        if loss > FAR_ABOVE_GUESSING * guess:
            return f"diverged: the loss is {loss:.3g}, and guessing by class frequency has {guess:.3g}; {mend}"
        if abs(loss - guess) < NEAR_GUESSING and len(np.unique(self._probabilities(part(X, 0, 1000)).argmax(1))) == 1:
            return (
                f"died: it gives every sample the same answer, its loss {loss:.3f} that of guessing by class "
                f"frequency; {mend[:-5]} or init='auto' may help"
            )
        return None

    def _check_held_out(self, validation, features, classes):
        """The validation pair, checked. `classes` are those of the training set."""
        if not isinstance(validation, tuple | list) or len(validation) != 2:
            raise InputTypeError("validation is no pair; expected (X, y)")
        X, y = validation
        X = self._check_width(check_inputs(X, self.dtype, "validation X"), features, "validation X")
        labels, _ = check_labels(y, X.shape[0], "validation y")
        return X, class_numbers(labels, classes, "validation y")

    def _check_rows(self, X):
        self._check_fitted()
        return self._check_width(check_inputs(X, self.dtype), self._parameters.layers[0, FAN_IN], "X")

    @staticmethod
    def _check_width(X, features, name):
        if X.shape[1] != features:
            raise InputError(f"{name} has {X.shape[1]} features; expected {features}, as in training")
        return X

    def _check_fitted(self):
        if not hasattr(self, "_parameters"):
            raise InputError("this network has no weights yet; call fit first, or MLP.load a saved one")

    def _kernels(self):
        """The module whose functions do the work. Numba is imported when it is first needed."""
        return _kernels_of(self.engine)

    def _threads(self):
        from .kernels.team import available_cores

        return self.threads or available_cores()


@functools.cache
def _kernels_of(engine):
    return import_module(".kernels.epoch" if engine == "numba" else ".kernels.reference", __package__)


DEFAULTS = {name: parameter.default for name, parameter in signature(MLP).parameters.items()}
SETTINGS = tuple(DEFAULTS)
