"""The network: `MLP`, a facade over its settings, its training and its prediction."""

import os
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Self

from numpy.typing import ArrayLike, NDArray

from fastmlp.config.configured import naming_what_was_meant
from fastmlp.errors import InputError
from fastmlp.export.stored_network import StoredNetwork
from fastmlp.training.background_compilation import others_compiled_beside
from fastmlp.training.batches import RowStream
from fastmlp.training.callbacks import Callback, callback_list
from fastmlp.training.checkpoints import CheckpointStore, checkpoint_callbacks
from fastmlp.training.compilation import compilation_told
from fastmlp.training.first_layer import Samples
from fastmlp.training.fitted import Fitted
from fastmlp.training.inference import evaluate, predict_outputs
from fastmlp.training.layer_outputs import LayerOutputs
from fastmlp.training.loop import train
from fastmlp.training.preparation import PreparedData
from fastmlp.training.progress import progress_callbacks
from fastmlp.training.session import Session
from fastmlp.training.start import all_callbacks, prepare_for, start_fit, start_pass
from fastmlp.utils.borrowed_memory import memory_held


class MLP(StoredNetwork, LayerOutputs):
    """A multilayer perceptron, trained on minibatches.

    Parameters
    ----------
    hidden : tuple of int
        Widths of the hidden layers, () for none.
    activation : str or tuple of str
        "relu", "tanh", "sigmoid", "identity", "leaky_relu" (slope 0.01), "elu" (alpha 1), "softplus", or one of them
        per hidden layer.
    loss : str
        "cross_entropy": softmax, one label per sample; "binary_cross_entropy": a sigmoid per column, any number of
        labels per sample; "squared_error": identity outputs, regression; "poisson": means exp(z), regression
        of counts and other numbers from 0.
    optimizer : str or dict
        "sgd", "adam", "adam_hat", "adamw", "rmsprop", "lbfgs", or a dict with its numbers such as
        {"name": "adam", "beta2": 0.99}; see `fastmlp.config.optimizers`. "lbfgs" takes all samples at every step and
        finds its length itself: learning_rate, batch_size and shuffle mean nothing to it.
    learning_rate : float
        Of the first epoch; above 0. Gradients are averaged over the minibatch.
    momentum : float
        Of "sgd" and "rmsprop": v = momentum v + (1 - dampening) g, W = W - rate v; below 1.
    schedule : str, dict, callable or None
        How the rate changes; see `fastmlp.config.schedules`. A function f(t) is called for every step with the
        epochs done, a float from 0 that is fractional within an epoch, and returns the factor on learning_rate.
    decay_epochs : tuple of int
        Epochs (from 1) after which the rate is multiplied by decay_factor, such as (20, 40).
    decay_factor : float
        Above 0.
    batch_size : int
        Samples per step; the last batch of an epoch may be smaller, more than N means all N.
    epochs : int
        Passes over the training set.
    shuffle : bool
        Visit the samples in a new random order every epoch.
    early_stopping : int, dict or None
        Epochs of patience, or a dict: see `fastmlp.config.early_stopping`; the best weights are kept.
    scaling : str
        What is done to the numbers of X, measured on the training rows: "none"; "pixels": over 255; "standard": less
        the mean of the column, over its deviation; "minmax": its range becomes 0 to 1. Sparse inputs are not centred.
        "auto": none for numbers from -1 to 1; pixels for at least 64 columns of whole numbers from 0 to 255, the
        largest above 127; else standard. The type of the numbers means nothing.
    missing : str
        "refuse" inputs that are not there (nan, None), or take the "median" of the training rows and an indicator.
    target_scaling : str
        What is done to the numbers that a network for the squared error predicts: "none"; "standard": less their mean,
        over their deviation, which predictions undo; "auto": standard where some are beyond 10 in size or the deviation
        is below 0.1. See `fastmlp.config.target_scaling`.
    init : str
        "auto", "he", "xavier", "normal", "uniform": see `fastmlp.training.parameters.Parameters.initialise`.
    init_scale : float or None
        Standard deviation of "normal", half-width of "uniform" (None: 0.1), a factor for the others.
    init_bias : str
        "zero", or "same" for the distribution of the weights.
    l1, l2 : float
        Add `l1 |W|_1` and `l2 / 2 |W|^2` to what is minimised, biases exempt; reported losses leave them out,
        `train_objective` has them.
    dropout : float or tuple of float
        Share of the hidden layers' outputs that is dropped in training; or one number for the inputs and each hidden
        layer. What is kept is divided by its share.
    augment : str, dict or None
        How images are distorted, anew for every sample of every epoch: a dict or the name of a preset; see
        `fastmlp.config.augmentation`.
    max_norm : float or None
        Largest Euclidean norm of the weights into a hidden unit.
    clip_norm : float or None
        Largest Euclidean norm of a step's gradient.
    label_smoothing : float
        Share of each label that is spread evenly over all classes.
    class_weight : str, dict or None
        "balanced", or a dict from label to weight: see `fastmlp.config.sample_weights`.
    seed : int
        From 0: the same seed, settings and data give the same weights, bit for bit.
    threads : int or None
        Cores to use; None: $FASTMLP_THREADS, or all this process may use. Never changes a result.
    dtype : str
        "float32" or "float64", of the weights and all arithmetic.
    engine : str
        "numba", or "numpy" for the plain reference (equal up to rounding).
    train_metrics : str
        "full": train_loss and train_accuracy are measured on the whole training set after each epoch; "running":
        during the epoch, which costs nothing.
    first_layer : str
        "auto": inputs that are mostly zero are turned once into compressed rows, whose zeros cost nothing; "sparse" or
        "dense" force the choice. Never changes a result.

    Attributes
    ----------
    config : NetworkConfig
        The settings; each is an attribute of the network too.
    history : History
        A record per epoch, and the diagnoses that were made on the way.
    weights, biases : tuple of ndarray
        (fan_in, fan_out) and (fan_out,) of each layer, views: writing to one changes the network; see `set_weights`.
    classes : ndarray of shape (C,)
        What the outputs stand for: the labels in the dtype of their kind (int64, bool, text, or objects), sorted where
        they can be; without labels, as of a regression, the numbers of the columns.
    encoder : InputEncoder
        What the inputs mean: their scaling, measured on the training rows.
    fit_info : dict
        first_layer, density of the inputs, threads; scaling, and inputs: such as "64 columns, 0 to 16, standardised".
    failure_reason : FailureReason or None
        Why the training failed: text with `.kind`, "diverged", "died", "stuck" or "error".

    Raises
    ------
    InputError, InputTypeError
        For a setting that cannot be used; they are a ValueError and a TypeError.
    """

    # ------------------------------------------------------------------------------------------------- training

    @naming_what_was_meant
    def fit(
        self,
        X: Samples | RowStream | PreparedData,
        y: ArrayLike | None = None,
        validation: tuple[Samples, ArrayLike] | None = None,
        *,
        validation_split: float | int | None = None,
        callbacks: Iterable[Callback] = (),
        progress: bool | Callable[[dict[str, Any]], object] | None = None,
        classes: Iterable[Any] | None = None,
        sample_weight: ArrayLike | None = None,
        checkpoint: str | os.PathLike[str] | CheckpointStore | None = None,
        warm_start: bool = False,
    ) -> Self:
        """Train the network.

        An exception in a callback, and Ctrl-C, leave the network as it was after the last whole epoch, or after the
        best one where it stops early.

        Parameters
        ----------
        X : array_like of shape (N, D), DataFrame, Table, sparse matrix, Stream or PreparedData
            Numbers, see `scaling`; rows of any stride. Pixels of uint8, and floats that are not scaled, are never
            copied. The columns of a DataFrame of pandas or polars, or of a `fastmlp.inputs.table.Table`, have names and
            may be text, which becomes a feature per value. A `fastmlp.data.Stream` has its own labels. What `prepare`
            returned is taken as it is.
        y : array_like, optional
            For cross entropy (N,) labels of any kind that has a hash, such as text, or (N, C) one-hot; for binary cross
            entropy (N, C) zeros and ones; for the squared error (N,) or (N, C) numbers.
        validation : tuple of two arrays, optional
            X and y of the validation set, which is measured after every epoch.
        validation_split : float or int, optional
            Share, or number, of the samples that are the validation set instead: drawn from each class in proportion,
            of numbers from small to large alike, with the network's seed; not the last rows, as in Keras. The others
            are copied to train on.
        callbacks : iterable of Callback, optional
            See `fastmlp.callbacks`.
        progress : bool or callable, optional
            True to show the progress on stderr: by a bar on a terminal and in a notebook, else by lines. Or a function
            that is called with every epoch's record, see `History`.
        classes : iterable, optional
            All labels there are, when y may lack some; None takes those in y.
        sample_weight : array_like of shape (N,), optional
            How much each sample counts, from 0; None: all the same.
        checkpoint : path or CheckpointStore, optional
            A folder that keeps the state; a fit with the same settings and data resumes from it to the weights it would
            have had. It may have more epochs, where the schedule is not spread over them. Not for "lbfgs".
        warm_start : bool, optional
            Whether to start from the weights that the network has, with a fresh schedule and optimizer state.

        Returns
        -------
        MLP
            The network itself.

        Raises
        ------
        InputError, InputTypeError
            For arguments that cannot be used: before anything is trained.
        """
        start = self._fitted if warm_start else Fitted()
        with compilation_told(progress is True):
            data = prepare_for(self.config, start, X, y, validation, classes, sample_weight, validation_split)
            session = start_fit(self.config, start, data)
            stored = checkpoint_callbacks(checkpoint, self.config, data)
            return self._train(session, [*callback_list(callbacks), *progress_callbacks(progress), *stored])

    @naming_what_was_meant
    def partial_fit(
        self,
        X: Samples | RowStream | PreparedData,
        y: ArrayLike | None = None,
        classes: Iterable[Any] | None = None,
        sample_weight: ArrayLike | None = None,
        *,
        callbacks: Iterable[Callback] = (),
    ) -> Self:
        """Make one pass over the data from the state that the last pass left.

        Weights, optimizer states, schedule, number of the epoch and random streams continue: as many passes as `fit`
        makes epochs give the same bits. A network that was read from a file has fresh optimizer states.

        Parameters
        ----------
        X, y, sample_weight, callbacks
            As for `fit`.
        classes : iterable, optional
            All labels there are, for the first pass; None takes those in y.

        Returns
        -------
        MLP
            The network itself.

        Raises
        ------
        InputError, InputTypeError
            For arguments that cannot be used, and for settings with which a training cannot continue.
        """
        start = self._fitted
        data = prepare_for(self.config, start, X, y, None, classes, sample_weight)
        return self._train(start_pass(self.config, start, data), callback_list(callbacks))

    def _train(self, session: Session, callbacks: Iterable[Callback]) -> Self:
        """Train, and take the place of the network that there was."""
        with memory_held(*session.data.arrays()), others_compiled_beside(session):
            try:
                train(session, all_callbacks(self.config, callbacks))
            finally:
                if session.state.is_whole:
                    self._fitted = Fitted.of(session)
        return self

    # ------------------------------------------------------------------------------------- prediction, evaluation

    @naming_what_was_meant
    def predict_proba(self, X: Samples | Iterator[Samples]) -> NDArray[Any]:
        """Return class probabilities.

        Parameters
        ----------
        X : array_like of shape (N, D), DataFrame, Table or sparse matrix, or iterator of such
            Inputs, as for `fit`; the columns of a table are found by their names, in any order. Of an iterator, such as
            a generator, one batch is in memory at a time; the results are joined.

        Returns
        -------
        ndarray of shape (N, C)
            In the network's dtype, columns in the order of `classes`.

        Raises
        ------
        InputError
            For the squared error and the Poisson deviance.
        """
        if not (loss := self.config.loss_function).has_probabilities:
            raise InputError(f"a network for the {loss.label} has no probabilities; call predict")
        parameters, _, encoder = self._fitted.network()
        return predict_outputs(self.config, parameters, encoder, X)

    @naming_what_was_meant
    def predict(self, X: Samples | Iterator[Samples]) -> NDArray[Any]:
        """Return predictions.

        Parameters
        ----------
        X : array_like, or iterator of such
            As for `predict_proba`.

        Returns
        -------
        ndarray
            The most probable class of each row, (N,) of the values in `classes`; for binary cross entropy zeros and
            ones (N, C), for the squared error and the Poisson deviance numbers (N, C), and (N,) where C is 1.
        """
        parameters, classes, encoder = self._fitted.network()
        return self.config.loss_function.decide(predict_outputs(self.config, parameters, encoder, X), classes)

    @naming_what_was_meant
    def evaluate(self, X: Samples, y: ArrayLike) -> tuple[float, float]:
        """Measure the network.

        Parameters
        ----------
        X, y : array_like
            As for `fit`.

        Returns
        -------
        loss : float
            Mean per sample; of cross entropies in nats.
        accuracy : float
            Share of right answers, 0 to 1; R^2 for the squared error, D^2 for the Poisson deviance. A sample is right
            for binary cross entropy when all of its labels are.
        """
        return evaluate(self.config, *self._fitted.network(), X, y)

    @naming_what_was_meant
    def score(self, X: Samples, y: ArrayLike) -> float:
        """Return the share of right answers, 0 to 1; R^2 for the squared error, D^2 for the Poisson deviance.

        Parameters
        ----------
        X, y : array_like
            As for `fit`.
        """
        return self.evaluate(X, y)[1]

    # --------------------------------------------------------------------------------------------------- notebooks

    def _repr_html_(self) -> str:
        """Return what a notebook shows: results and curves."""
        from fastmlp.plots.card import network_card  # matplotlib is loaded with the first card

        return network_card(self)
