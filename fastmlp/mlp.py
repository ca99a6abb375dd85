"""The network: settings, training, prediction."""

import copy
import os
import time
from inspect import signature
from typing import Any

import numpy as np

from fastmlp.config.network import NetworkConfig
from fastmlp.config.optimizers import LBFGS
from fastmlp.config.sample_weights import combine
from fastmlp.errors import InputError, InputTypeError
from fastmlp.kernels.layout import FAN_IN
from fastmlp.kernels.task_types import Loss
from fastmlp.training import lbfgs
from fastmlp.training.batches import ALL_ALIKE, InMemory, Streamed, check_streamed, is_stream
from fastmlp.training.checkpoints import Keeper, Moment, as_checkpoints
from fastmlp.training.diagnostics import failure
from fastmlp.training.early_stopping import from_setting as read_early_stopping
from fastmlp.training.first_layer import compact
from fastmlp.training.fitted import Fitted, field_of_fitted
from fastmlp.training.parameters import Parameters
from fastmlp.training.progress import reporter
from fastmlp.training.trainer import Trainer, Watch, kernels_of, outputs_of, totals_of
from fastmlp.utils.arrays import all_classes, check_inputs
from fastmlp.utils.memory import memory_held


class MLP:
    """A multilayer perceptron, trained on minibatches.

    hidden         widths of the hidden layers, () for none
    activation     "relu", "tanh", "sigmoid", "identity", or one of them per hidden layer
    loss           "cross_entropy": softmax, one label per sample; "binary_cross_entropy": a sigmoid per column, any
                   number of labels per sample; "squared_error": identity outputs, regression
    optimizer      "sgd", "adam", "adamw", "rmsprop", "lbfgs", or a dict with its numbers such as
                   {"name": "adam", "beta2": 0.99}: see `fastmlp.config.optimizers`. "lbfgs" takes all samples at
                   every step and finds its length itself: learning_rate, batch_size and shuffle mean nothing to it
    learning_rate  of the first epoch; above 0. Gradients are averaged over the minibatch
    momentum       of "sgd" and "rmsprop": v = momentum v + (1 - dampening) g, W = W - rate v; below 1
    schedule       how the rate goes on: a name, a dict, or a function; see `fastmlp.config.schedules`
    decay_epochs   epochs (from 1) after which the rate is multiplied by decay_factor, such as (20, 40)
    batch_size     samples per step; the last batch of an epoch may be smaller, more than N means all N
    epochs         passes over the training set
    shuffle        visit the samples in a new random order every epoch
    early_stopping None, epochs of patience, or a dict: see `fastmlp.training.early_stopping`; the best weights are kept
    init           "auto", "he", "xavier", "normal", "uniform": see `fastmlp.training.parameters.Parameters.initialise`
    init_scale     standard deviation of "normal", half-width of "uniform" (None: 0.1), a factor for the others
    init_bias      "zero", or "same" for the weights' own law
    l1, l2         add l1 |W|_1 and l2 / 2 |W|^2 to what is minimised, biases exempt; reported losses leave them out,
                   `train_objective` has them
    dropout        share of the hidden layers' outputs that is dropped in training; or one number for the inputs and
                   each hidden layer. What is kept is divided by its share
    augment        how images are distorted, anew for every sample of every epoch: None, a dict, or the name of a
                   preset; see `fastmlp.config.augmentation`
    max_norm       largest Euclidean norm of the weights into a hidden unit, or None
    clip_norm      largest Euclidean norm of a step's gradient, or None
    label_smoothing  share of each label that is spread evenly over all classes
    class_weight   None, "balanced", or a dict from label to weight: see `fastmlp.config.sample_weights`
    seed           whole number from 0: the same seed, settings and data give the same weights, bit for bit
    threads        cores to use; None: $FASTMLP_THREADS, or all this process may use. Never changes a result
    dtype          "float32" or "float64", of the weights and all arithmetic
    engine         "numba", or "numpy" for the plain reference (equal up to rounding)
    train_metrics  "full": train_loss and train_accuracy are measured on the whole training set after each epoch;
                   "running": during the epoch, which costs nothing
    first_layer    "auto": inputs that are mostly zero are turned once into compressed rows, whose zeros cost nothing;
                   "sparse" or "dense" force the choice. Never changes a result

    After `fit`: `history`, with `diagnoses` made on the way; `weights` (list of (fan_in, fan_out)), `biases` (list of
    (fan_out,)), `classes` (C,) int64, `plan` (dict: first_layer, density of the inputs, threads), `failure_reason`
    (None, or a `FailureReason`: text with `.kind`, "diverged", "died" or "error").
    Raises InputError (a ValueError) or InputTypeError (a TypeError) for a setting that cannot be used.
    """

    def __init__(self, **settings: Any):
        self.config = NetworkConfig.from_dict(settings)
        self._fitted = Fitted()

    def __setattr__(self, name, value):
        """Settings stay: what was made of one would go on as it was. `threads` alone, which changes no result, may."""
        if name == "threads":
            name, value = "config", self.config.replace(threads=value)
        elif name in NetworkConfig.FIELDS:
            raise InputError(
                f"{name} is {getattr(self, name)!r} since the network was made; expected it to stay: make another one, "
                f"MLP(**{{**mlp.settings(), {name!r}: {value!r}}})"
            )
        super().__setattr__(name, value)

    def __getattr__(self, name: str) -> Any:
        """The settings, as attributes."""
        if name not in NetworkConfig.FIELDS:
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        return self.config.plain(name)

    def __dir__(self):
        return [*super().__dir__(), *NetworkConfig.FIELDS]

    def settings(self) -> dict[str, Any]:
        """The constructor's arguments as plain values: MLP(**mlp.settings()) is the same network before training."""
        return self.config.to_dict()

    def __repr__(self):
        return f"MLP({self.config.changes_text()})"

    history = field_of_fitted("history", "A `History`: a record per epoch.")
    classes = field_of_fitted("classes", "(C,) the classes, in the order of the outputs; None before `fit`.")
    plan = field_of_fitted("plan", "dict: first_layer, density of the inputs, threads.")
    failure_reason = field_of_fitted("failure_reason", "None, or a `FailureReason`: why the training failed.")
    _parameters = field_of_fitted("parameters", "The weights and biases as one buffer.")

    # ------------------------------------------------------------------------------------------------- training

    def fit(self, X, y=None, validation=None, progress=None, classes=None, sample_weight=None, checkpoint=None):
        """Train from fresh weights; returns self.

        X           (N, D) uint8 pixels (read as value / 255) or floats; rows of any stride, never copied when their
                    dtype is uint8, float32 or float64. Or a `fastmlp.data.Stream`, which has its own labels
        y           for cross entropy (N,) integers of any values, or (N, C) one-hot; for binary cross entropy (N, C)
                    zeros and ones; for the squared error (N,) or (N, C) numbers
        validation  (Xv, yv), measured after every epoch
        progress    True for a progress bar, or a function that is called with every epoch's record (see `History`)
        classes     all labels there are, when y may lack some; None takes those in y
        sample_weight  (N,) numbers from 0: how much each sample counts; None: all the same
        checkpoint  a folder, or `fastmlp.training.checkpoints.Checkpoints`: the state is kept there, and a fit
                    with the same settings and data goes on from it to the weights it would have had. Not for "lbfgs"
        Raises InputError, InputTypeError for arrays that cannot be used: before anything is trained.
        """
        source, held_out, known = self._sources(X, y, validation, classes, sample_weight)
        with memory_held(X, y, validation, sample_weight):
            trained = copy.copy(self)  # nobody else sees it before it is trained
            trained._fitted = Fitted(classes=known)
            try:
                trained._train(source, held_out, progress, checkpoint)
            finally:
                if len(trained.history):
                    self._fitted = trained._fitted
        return self

    def _train(self, source, held_out, progress, checkpoint):
        """From fresh weights to the last epoch, or to the one at which it is enough."""
        schedule = self._check_training(source.shape, held_out)
        self.plan = {"first_layer": source.first_layer, "density": source.density, "threads": self._threads()}
        trainer = self._trainer(source.shape)
        self._parameters.initialise(self.init, self.init_scale, self.init_bias, self.seed)
        stopping = read_early_stopping(self.early_stopping)
        checkpoints = as_checkpoints(checkpoint, self, source, held_out)
        with reporter(progress, self.epochs) as report:
            watch = Watch(self, trainer, source, held_out, report, schedule, stopping)
            with Keeper(checkpoints, trainer, self.history, schedule, stopping, watch.observer) as keeper:
                if isinstance(optimizer := self.config.optimizer_config, LBFGS):
                    lbfgs.minimise(trainer, source, self.epochs, optimizer.memory, watch)
                else:
                    self._descend(trainer, source, schedule, watch, keeper)
        kept = watch.keep_the_best()
        self.failure_reason = failure(self, source, kept)
        watch.observer.ended(kept)

    def _descend(self, trainer, source, schedule, watch, keeper):
        """Epoch after epoch, until the last or until who watches has seen enough."""
        trainer.moment = keeper.restore()
        while trainer.moment.epoch <= self.epochs:
            epoch = trainer.moment.epoch
            rates = schedule.rates(epoch, trainer.steps_of(source.shape[0]))
            trainer.epoch(source, self.shuffle, rates)
            moment = trainer.moment
            enough = watch(epoch, float(rates[0]), moment.totals, time.perf_counter() - moment.started)
            trainer.moment = Moment(self.epochs + 1 if enough else epoch + 1)
            keeper.epoch_done(trainer.moment.epoch > self.epochs)

    def _check_training(self, shape, held_out):
        """A schedule for one training. Raises InputError for settings that do not go with inputs of this shape."""
        schedule = self.config.make_schedule()
        schedule.rates(1, -(-shape[0] // min(self.batch_size, shape[0])))
        if self.config.augmentation is not None:
            self.config.augmentation.distortion(shape[1], self.seed, 1)
        stopping = read_early_stopping(self.early_stopping)
        if stopping is not None:
            stopping.check_validation(held_out)
        return schedule

    def _trainer(self, shape):
        """A new network for inputs of this shape, and what trains it."""
        optimizer = self.config.optimizer_config
        self._build(shape[1], optimizer.states)
        return Trainer(
            self._parameters,
            self._kernels(),
            self._threads(),
            min(self.batch_size, shape[0]),
            optimizer.rule(self.l1, self.l2, self.clip_norm, self.max_norm),
            Loss(self.config.loss_function.kind, self.label_smoothing),
            tuple(1 - share for share in self.config.layer_dropout),
            self.config.augmentation,
            self.seed,
        )

    # ------------------------------------------------------------------------------------- evaluation, prediction

    def predict_proba(self, X):
        """Class probabilities (N, C) in the network's dtype, columns in the order of `classes`."""
        if not (loss := self.config.loss_function).has_probabilities:
            raise InputError(f"a network for the {loss.label} has no probabilities; call predict")
        return self._outputs(X)[0]

    def _outputs(self, X):
        """(N, C) what the last layer hands out, and the classes: both of one network, whatever `fit` does meanwhile."""
        fitted = self._check_fitted()
        X = self._check_rows(fitted, X)
        rows = X.shape[0]
        out = np.empty((rows, len(fitted.classes)), self.dtype)
        kind, threads = self.config.loss_function.kind, self._threads() if rows > 1 else 1
        with memory_held(X):
            return outputs_of(self._kernels(), fitted.parameters, X, out, kind, threads), fitted.classes

    def predict(self, X):
        """The most probable class of each row of X, (N,) of the values in `classes`.

        For binary cross entropy zeros and ones (N, C), for the squared error numbers (N, C); (N,) where C is 1.
        """
        return self.config.loss_function.decide(*self._outputs(X))

    def evaluate(self, X, y):
        """(mean loss, share of right answers) on X (N, D) and y as for `fit`; for the squared error R^2 is the second.

        Of cross entropies, in nats. A sample is right for binary cross entropy when all of its labels are.
        """
        fitted, loss = self._check_fitted(), self.config.loss_function
        X = self._check_rows(fitted, X)
        y = loss.compare(y, X.shape[0], fitted.classes, self.dtype)
        with memory_held(X, y):
            totals = totals_of(self._kernels(), fitted.parameters, X, y, Loss(loss.kind), self._threads())
        return float(totals[0] / len(y)), loss.accuracy(totals, y, ALL_ALIKE)

    def score(self, X, y):
        """Share of right answers, 0 to 1; R^2 for the squared error."""
        return self.evaluate(X, y)[1]

    # ------------------------------------------------------------------------------------------------- parameters

    @property
    def weights(self) -> list[np.ndarray]:
        """One view (fan_in, fan_out) per layer; writing to it changes the network."""
        return self._check_fitted().parameters.weights

    @property
    def biases(self) -> list[np.ndarray]:
        """One view (fan_out,) per layer; writing to it changes the network."""
        return self._check_fitted().parameters.biases

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the network to an HDF5 file, atomically: settings, weights, history, classes and version."""
        from fastmlp.export.model_file import save

        network = copy.copy(self)  # what is saved is of one network, whatever `fit` does meanwhile
        network._check_fitted()
        save(network, path)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> "MLP":
        """Read what `save` wrote. InputError when the file is missing, damaged or something else."""
        from fastmlp.export.model_file import load

        return load(cls, path)

    # ---------------------------------------------------------------------------------------------------- details

    def prepare_inputs(self, X):
        """Checked inputs in the form that this network trains on fastest, to be passed to several fits without a copy.

        X is what `fit` takes; the result is an array, or compressed rows. The result of training is the same.
        """
        return compact(check_inputs(X, self.dtype), self.dtype, self.form)[0]

    @property
    def form(self) -> str:
        """How the first layer is to read its inputs: `first_layer`, or "dense" where they differ in every epoch."""
        return self.config.form

    def _sources(self, X, y, validation, classes, sample_weight):
        """What to train on, the validation pair or None, and the classes: checked and in the form that is fastest."""
        form = self.form
        source: InMemory | Streamed
        if is_stream(X):
            check_streamed(self, X, y, sample_weight)
            known = all_classes(X.labels, X.one_hot_columns, classes)
            held_out = None if validation is None else self._check_held_out(validation, X.shape[1], known)
            source = Streamed(X, known, self.dtype, form, self._threads(), self.class_weight)
        else:
            X = check_inputs(X, self.dtype)
            y, known = self.config.loss_function.prepare(y, X.shape[0], classes, self.dtype)
            weights = combine(self.class_weight, sample_weight, y, known)
            held_out = None if validation is None else self._check_held_out(validation, X.shape[1], known)
            X, density = compact(X, self.dtype, form) if self.engine == "numba" else (X, 1.0)
            source = InMemory(X, y, weights, density, self.dtype)
        if held_out is not None and self.engine == "numba":
            held_out = compact(held_out[0], self.dtype, source.first_layer)[0], held_out[1]
        return source, held_out, known

    def _build(self, features, states=0):
        """The parameters of a network with `features` inputs, all zero."""
        widths = (features, *self.hidden, len(self.classes))
        self._parameters = Parameters(widths, self.config.layer_activations, self.dtype, states)

    def _check_held_out(self, validation, features, classes):
        """The validation pair, checked. `classes` are those of the training set."""
        if not isinstance(validation, tuple | list) or len(validation) != 2:
            raise InputTypeError("validation is no pair; expected (X, y)")
        X, y = validation
        X = self._check_width(check_inputs(X, self.dtype, "validation X"), features, "validation X")
        compare = self.config.loss_function.compare
        return X, compare(y, X.shape[0], classes, self.dtype, "validation y")

    def _check_rows(self, fitted, X):
        return self._check_width(check_inputs(X, self.dtype), fitted.parameters.layers[0, FAN_IN], "X")

    @staticmethod
    def _check_width(X, features, name):
        if X.shape[1] != features:
            raise InputError(f"{name} has {X.shape[1]} features; expected {features}, as in training")
        return X

    def _check_fitted(self):
        """The fitted network as it is at this moment."""
        fitted = self._fitted
        if fitted.parameters is None:
            raise InputError("this network has no weights yet; call fit first, or MLP.load a saved one")
        return fitted

    def _kernels(self):
        """The module whose functions do the work. Numba is imported when it is first needed."""
        return kernels_of(self.engine)

    def _threads(self):
        from fastmlp.kernels.thread_team import available_cores

        return self.threads or available_cores()


# What help() and editors show in the place of **settings.
MLP.__signature__ = signature(NetworkConfig)  # type: ignore[attr-defined]  # read by inspect
