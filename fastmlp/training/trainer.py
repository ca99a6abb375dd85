"""Training on the rows of an epoch: what is between the loop and the kernels."""

import copy
import math
import time
from collections.abc import Callable, Generator, Iterable
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fastmlp.config.augmentation import SEED_BITS, Augmentation
from fastmlp.config.network import NetworkConfig
from fastmlp.config.optimizer_base import Optimizer
from fastmlp.config.optimizers import SGD
from fastmlp.kernels.layout import aligned_zeros
from fastmlp.kernels.task_types import CROSS_ENTROPY, Clock, Loss
from fastmlp.kernels.update_rule import PLAIN_SGD, Rule
from fastmlp.training.batches import Batches, InMemory, TrainingChunk
from fastmlp.training.first_layer import Inputs
from fastmlp.training.inference import kernels_of, thread_count
from fastmlp.training.parameters import Parameters
from fastmlp.training.state import TrainingState
from fastmlp.training.team_size import team_size

# Python is entered again after about this long inside the kernels, so that Ctrl-C is felt.
SECONDS_AT_A_TIME = 0.1
# Epochs in a call that tries a number of threads take about as long.
SECONDS_OF_TRIAL = 1e-3
# Rows at most whose order is made for several epochs at once, 8 bytes each.
ROWS_AT_A_TIME = 1 << 20
# Elements of networks and their states at most that are copied at marks.
MARKED_ELEMENTS = 1 << 17


class Rows(NamedTuple):
    """Rows to train on.

    Attributes
    ----------
    X : ndarray of shape (N, D), or Sparse
        Inputs.
    y : ndarray
        Targets.
    order : ndarray of shape (n,) or (epochs, n), int64
        Numbers of the rows to train on, in this order.
    loss : Loss
        With the weights of the N rows.
    """

    X: Inputs
    y: NDArray[Any]
    order: NDArray[np.int64]
    loss: Loss


@dataclass
class Trainer:
    """What stays the same from batch to batch, and trains a state.

    Attributes
    ----------
    state : TrainingState
        What the training changes.
    kernels : module
        Of an engine.
    threads : int
        Threads that may be used.
    batch_size : int
        Rows of a step, at most those of the training set.
    rule : Rule
        What a step does.
    loss : Loss
        What is minimised.
    keep_prob : tuple of float
        Probability that an input of each layer is kept; empty where none is dropped.
    augment : Augmentation or None
        How images are distorted.
    seed : int
        Of all that is random in a step.
    optimizer : Optimizer
        What the rule belongs to.
    after_chunk : callable
        Called about every 0.1 s, between two steps, with the state up to date; of `epochs` that pass at once, by the
        loop.
    marks : list of int
        Numbers of epochs after which the network is to be looked at later on, where they pass at once; at most
        `most_marks`.
    """

    state: TrainingState
    kernels: ModuleType
    threads: int
    batch_size: int
    rule: Rule = PLAIN_SGD
    loss: Loss = CROSS_ENTROPY
    keep_prob: tuple[float, ...] = ()
    augment: Augmentation | None = None
    seed: int = 0
    optimizer: Optimizer = field(default_factory=SGD)
    after_chunk: Callable[[], None] = lambda: None
    marks: list[int] = field(default_factory=list, init=False)
    _marked: list[tuple[int, int, NDArray[Any]]] = field(default_factory=list, init=False, repr=False)
    _chunk_rows: float = field(default=1.0, init=False)
    _trial_rows: float = field(default=1.0, init=False)
    _kept: dict[str, Any] = field(default_factory=dict, init=False, repr=False)

    def __post_init__(self) -> None:
        layers, dtype = self.state.parameters.layers, self.state.parameters.buffer.dtype
        step = self.kernels, dtype, self.batch_size, self.rule.optimizer, self.keep_prob, self.augment is None
        self._team = team_size(self.threads, layers.tobytes(), *step)
        self._rows_at_once = self._team.rows_in(SECONDS_AT_A_TIME)

    @classmethod
    def of(cls, config: NetworkConfig, state: TrainingState, rows: int) -> "Trainer":
        """Return what trains a state.

        Parameters
        ----------
        config : NetworkConfig
            Settings.
        state : TrainingState
            What is trained.
        rows : int
            Of the training set.
        """
        return cls(
            state,
            kernels_of(config.engine),
            thread_count(config),
            min(config.batch_size, rows),
            config.optimizer_config.rule(config.l1, config.l2, config.clip_norm, config.max_norm),
            Loss(config.loss_function.kind, config.label_smoothing),
            tuple(1 - share for share in config.layer_dropout),
            config.augmentation,
            config.seed,
            config.optimizer_config,
        )

    def steps_of(self, rows: int) -> int:
        """Return the number of steps in an epoch.

        Parameters
        ----------
        rows : int
            Of the training set.
        """
        return -(-rows // self.batch_size)

    def epochs(self, batches: Batches, shuffle: bool, most: int) -> None:
        """Train on the rest of the current epoch or, if nothing has to be done between epochs, on several at once.

        Parameters
        ----------
        batches : Batches
            The training set.
        shuffle : bool
            Whether rows come in a random order.
        most : int
            Epochs after which a callback has something to do.
        """
        state = self.state
        if most > 1 and isinstance(batches, InMemory) and batches.is_repeatable and batches.first_layer == "dense":
            count = self._epochs_at_once(batches, most)
            if count > 1:
                self._train_epochs(batches, shuffle, count)
                return
        rates = state.schedule.rates_of(state.epoch, 1, self.steps_of(batches.shape[0]))[0]
        state.learning_rate = float(rates[0])
        self.epoch(batches, shuffle, rates)

    def epoch(self, batches: Batches, shuffle: bool, rates: NDArray[np.float64]) -> None:
        """Train on the rest of the current epoch, from the state's position on.

        Parameters
        ----------
        batches : Batches
            The training set.
        shuffle : bool
            Whether rows come in a random order.
        rates : ndarray of shape (steps,), float64
            Learning rates of the whole epoch.
        """
        start = 0
        for X, y, weights, order in self._chunks(batches, shuffle):
            done = self.state.position - start
            if done < len(order):
                self.train_rows(Rows(X, y, order[done:], self.loss._replace(weights=weights)), rates)
            start += len(order)

    def train_rows(self, rows: Rows, rates: NDArray[np.float64]) -> None:
        """Train on some rows, of which the first comes next in the epoch, about 0.1 s at a time.

        Parameters
        ----------
        rows : Rows
            Of one epoch.
        rates : ndarray of shape (steps,), float64
            Learning rates of the whole epoch.
        """
        start, state, order = 0, self.state, rows.order
        while start < len(order):
            count = max(1, int(self._chunk_rows / self.batch_size)) * self.batch_size
            if len(order) - start < 2 * count:  # a short rest would be all overhead
                count = len(order) - start
            chunk = order[start : start + count]
            first, steps = state.position // self.batch_size, self.steps_of(len(chunk))
            chunk_rates, is_whole = rates[first : first + steps], len(chunk) == len(order)
            self._call(rows._replace(order=chunk), chunk_rates, state.totals, is_whole)
            start += len(chunk)
            state.position += len(chunk)
            state.steps += steps
            self.after_chunk()

    def _chunks(self, batches: Batches, shuffle: bool) -> Iterable[TrainingChunk]:
        """What `training_chunks` yields; of rows in memory the engine draws the order."""
        if isinstance(batches, InMemory) and batches.is_repeatable:
            return [(batches.X, batches.y, batches.weights, self._orders(batches.shape[0], shuffle, 1)[0])]
        return batches.training_chunks(self.seed, self.state.epoch, self.batch_size, shuffle)

    def _orders(self, rows: int, shuffle: bool, epochs: int) -> NDArray[np.int64]:
        """(epochs, rows): the orders of the rows in the next epochs; those of `epoch_order`."""
        if not shuffle or self.batch_size >= rows:
            # A view that repeats a row, writeable as other orders are: Numba would compile again for read-only arrays.
            order = np.arange(rows)
            if epochs == 1:  # which needs nothing that takes as long as the rest of an epoch
                return order[None]
            return np.ndarray((epochs, rows), order.dtype, order, 0, (0, order.itemsize))
        orders: NDArray[np.int64] = self.kernels.permutations(self.seed, self.state.epoch, epochs, rows)
        return orders

    def _train_epochs(self, batches: InMemory, shuffle: bool, epochs: int) -> None:
        """Train on so many whole epochs, or fewer if a loss is not finite, in one call of the kernels."""
        state, rows = self.state, batches.shape[0]
        rates = state.schedule.rates_of(state.epoch, epochs, self.steps_of(rows))
        orders = self._orders(rows, shuffle, epochs)
        totals = np.zeros((epochs, 2))
        loss = self.loss._replace(weights=batches.weights)
        marks = tuple(mark - state.epoch for mark in self.marks if 0 <= mark - state.epoch < epochs - 1)
        copies = None
        if marks:
            p = state.parameters
            shape = len(marks), 1 + len(p.states), len(p.buffer)
            copies = aligned_zeros(math.prod(shape), p.buffer.dtype).reshape(shape)
        self._call(Rows(batches.X, batches.y, orders, loss), rates.reshape(-1), totals, True, marks, copies)
        lost = np.flatnonzero(~np.isfinite(totals[:, 0]))
        done = int(lost[0]) + 1 if len(lost) else epochs
        self._marked = [
            (state.epoch + mark, state.steps + (mark + 1) * rates.shape[1], network)
            for mark, network in zip(marks, () if copies is None else copies, strict=True)
            if mark < done - 1
        ]
        state.steps += done * rates.shape[1]
        state.passed = rates[: done - 1, 0], totals[: done - 1]
        state.learning_rate, state.totals, state.position = float(rates[done - 1, 0]), totals[done - 1], rows

    def _epochs_at_once(self, batches: Batches, most: int) -> int:
        """How many of the next `most` epochs one call of the kernels may train on."""
        is_random = self.augment is not None or any(probability < 1 for probability in self.keep_prob)
        if self.state.position or self.state.schedule.state() or is_random:
            return 1
        rows = min(self._rows_at_once, ROWS_AT_A_TIME)
        if self._team.is_trying:
            rows = min(rows, self._trial_rows)
        return max(1, min(most, int(rows) // batches.shape[0]))

    @property
    def most_marks(self) -> int:
        """How many epochs may be marked at once."""
        p = self.state.parameters
        return MARKED_ELEMENTS // ((1 + len(p.states)) * len(p.buffer))

    def at_marks(self) -> Generator[int, None, None]:
        """Give the state parameters and steps as they were after each marked epoch that has passed; yield its number.

        Afterwards, when it is closed, the state has its own again.
        """
        (marked, self._marked), state = (self._marked, []), self.state
        own, steps = state.parameters, state.steps
        try:
            for epoch, state.steps, network in marked:
                state.parameters = own.in_memory(network[0], network[1:])
                yield epoch
        finally:
            state.parameters, state.steps = own, steps

    def _call(
        self,
        rows: Rows,
        rates: NDArray[np.float64],
        totals: NDArray[np.float64],
        is_whole: bool,
        marks: tuple[int, ...] = (),
        copies: NDArray[Any] | None = None,
    ) -> None:
        """Let the kernels train on some rows, from the state's position on.

        rates: of their steps;  is_whole: whether there are no other rows in this epoch;  marks, copies: of `train`
        """
        state, count = self.state, rows.order.size
        threads, begun = self._team.choose(count), time.perf_counter()
        used = self._step(
            state.parameters, rows, self.batch_size, rates, totals, threads, state.epoch, state.position, marks, copies
        )
        seconds = max(time.perf_counter() - begun, 1e-6)
        if is_whole or seconds > SECONDS_AT_A_TIME / 3:  # shorter ones are mostly overhead
            self._team.record(used, seconds, count)
        # The steps do not depend on how the epochs are cut into calls, so the clock may decide it.
        self._chunk_rows = self._rows_at_once = count * min(SECONDS_AT_A_TIME / seconds, 16)
        self._trial_rows = count * SECONDS_OF_TRIAL / seconds

    def trial_step(self, rows: Rows, rate: float, epoch: int) -> NDArray[Any]:
        """Return the parameters that a step on some rows would give, in the layout of `Parameters.buffer`.

        Parameters
        ----------
        rows : Rows
            Of one batch.
        rate : float
            Learning rate.
        epoch : int
            From 1, whose masks and distortions are taken.
        """
        parameters, rates = copy.copy(self.state.parameters), np.full(1, rate)
        self._step(parameters, rows, len(rows.order), rates, np.zeros(2), 1, epoch, 0)
        return parameters.buffer

    def _step(
        self,
        p: Parameters,
        rows: Rows,
        batch_size: int,
        rates: NDArray[np.float64],
        totals: NDArray[np.float64],
        threads: int,
        epoch: int,
        position: int,
        marks: tuple[int, ...] = (),
        copies: NDArray[Any] | None = None,
    ) -> int:
        """Change parameters and optimizer states by the kernels' steps on some rows; return the number of threads."""
        X, y, order, loss = rows
        distortion = None
        if self.augment is not None:
            distortion = self.augment.distortion(X.shape[1], self.seed, epoch)
        now, before = self.optimizer.kernel_rates(rates, self.state.steps)
        clock = Clock(self.seed % 2**SEED_BITS, epoch, position, before)
        used = self.kernels.train(
            p.layers, p.buffer, p.states, X, y, order, batch_size, now,
            totals, threads, self.rule, loss, self.keep_prob, distortion, clock, self._kept, marks,
            copies,
        )  # fmt: skip
        return used or threads  # the reference leaves threads to numpy
