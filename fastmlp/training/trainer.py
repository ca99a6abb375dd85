"""Passes over the data: what is between an epoch and the kernels."""

import functools
import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

import numpy as np

from fastmlp.config.augmentation import SEED_BITS, Augmentation
from fastmlp.kernels.layout import BLOCK_ROWS, FAN_IN, FAN_OUT
from fastmlp.kernels.sparse_rows import part
from fastmlp.kernels.task_types import CROSS_ENTROPY, Clock, Loss
from fastmlp.kernels.update_rule import PLAIN_SGD, Rule, penalty
from fastmlp.training.batches import ALL_ALIKE
from fastmlp.training.checkpoints import Moment
from fastmlp.training.diagnostics import Observer
from fastmlp.training.first_layer import TeamSize
from fastmlp.training.parameters import Parameters

# Python is entered again after about this long inside the kernels, so that Ctrl-C is felt.
SECONDS_AT_A_TIME = 0.1
# The same for a pass without training: so many multiply-adds take some hundredths of a second.
WORK_AT_A_TIME, ROWS_AT_A_TIME = 1 << 30, 1 << 16


@functools.cache
def kernels_of(engine):
    """The module whose functions do the work. Numba is imported when it is first needed."""
    return import_module("fastmlp.kernels.epoch" if engine == "numba" else "fastmlp.kernels.reference")


@dataclass
class Trainer:
    """What stays the same from batch to batch.

    kernels   the module of an engine;  threads: cores that may be used
    rule      what a step does;  loss: what is made small, with the weights of the samples
    keep_prob probability that an input of each layer is kept, or empty
    augment   how images are distorted, or None
    seed      of all that is random in a step
    pause     called wherever the training may be interrupted, with `moment` and `steps` up to date

    moment    how far it has come;  steps: taken so far
    """

    parameters: Parameters
    kernels: Any
    threads: int
    batch_size: int
    rule: Rule = PLAIN_SGD
    loss: Loss = CROSS_ENTROPY
    keep_prob: tuple[float, ...] = ()
    augment: Augmentation | None = None
    seed: int = 0
    pause: Callable[[], None] = lambda: None
    moment: Moment = field(default_factory=Moment)
    steps: int = 0
    _span: float = field(default=1.0, init=False)

    def __post_init__(self):
        self._team = TeamSize(self.threads)

    def steps_of(self, rows):
        """Steps in an epoch of so many rows."""
        return -(-rows // self.batch_size)

    def epoch(self, source, shuffle, rates):
        """The rest of a pass over a source's rows, from `moment` on. rates: (steps,) float64, of the whole epoch."""
        position = 0
        for X, y, weights, order in source.spans(self.seed, self.moment.epoch, self.batch_size, shuffle):
            done = self.moment.done - position
            if done < len(order):
                self.part(X, y, order[done:], self.loss._replace(weights=weights), rates)
            position += len(order)

    def part(self, X, y, order, loss, rates):
        """The rows in `order`, of which the first comes next in the epoch, a tenth of a second at a time."""
        start, p, moment = 0, self.parameters, self.moment
        while start < len(order):
            rows = max(1, int(self._span / self.batch_size)) * self.batch_size
            if len(order) - start < 2 * rows:  # a short rest would be all overhead
                rows = len(order) - start
            span, threads = order[start : start + rows], self._team.next()
            first, steps = moment.done // self.batch_size, self.steps_of(len(span))
            distortion = None
            if self.augment is not None:
                distortion = self.augment.distortion(X.shape[1], self.seed, moment.epoch)
            clock = Clock(self.seed % 2**SEED_BITS, moment.epoch, moment.done, self.steps)
            begun = time.perf_counter()
            self.kernels.train(
                p.layers, p.buffer, p.states, X, y, span, self.batch_size, rates[first : first + steps], moment.totals,
                threads, self.rule, loss, self.keep_prob, distortion, clock,
            )  # fmt: skip
            seconds = max(time.perf_counter() - begun, 1e-6)
            if len(span) == len(order) or seconds > SECONDS_AT_A_TIME / 3:  # shorter ones are mostly overhead
                self._team.tell(threads, seconds, len(span))
            start += len(span)
            moment.done += len(span)
            self.steps += steps
            # The steps do not depend on how the epoch is cut into spans, so the clock may decide it.
            self._span = len(span) * min(SECONDS_AT_A_TIME / seconds, 16)
            self.pause()


def totals_of(kernels, parameters, X, y, loss, threads, pause=lambda: None):
    """(2,) float64: loss summed over the rows of X, right answers. `pause` is called wherever Ctrl-C is felt."""
    totals, p = np.zeros(2), parameters
    for start, stop in _ranges(p.layers, X.shape[0]):
        some = loss._replace(weights=loss.weights[start:stop])
        kernels.evaluate(p.layers, p.buffer, part(X, start, stop), y[start:stop], totals, threads, some)
        pause()
    return totals


def outputs_of(kernels, parameters, X, out, kind, threads):
    """What the network hands out for the rows of X, into out (N, columns). Returns out."""
    p = parameters
    if X.shape[0] == 1:
        return kernels.predict(p.layers, p.buffer, X, out, threads, kind)
    for start, stop in _ranges(p.layers, X.shape[0]):
        kernels.predict(p.layers, p.buffer, part(X, start, stop), out[start:stop], threads, kind)
    return out


def _ranges(layers, rows):
    """(first, last) of the rows of each call of a pass without training."""
    multiply_adds = int((layers[:, FAN_IN] * layers[:, FAN_OUT]).sum())
    step = min(max(WORK_AT_A_TIME // multiply_adds, BLOCK_ROWS), ROWS_AT_A_TIME)
    return ((start, min(start + step, rows)) for start in range(0, rows, step))


class Watch:
    """What is done between epochs: measure, record, report, and say when it is enough.

    mlp       whose history is written;  trainer: what it trains with
    source    of the training set;  held_out: (X, targets) of the validation set, or None
    report    a function of an epoch's record
    schedule, stopping  are told how an epoch went;  stopping: None where a training never stops early
    """

    def __init__(self, mlp, trainer, source, held_out, report, schedule, stopping):
        self.mlp, self.trainer, self.source, self.held_out = mlp, trainer, source, held_out
        self.report, self.schedule = report, schedule
        self.objective = mlp.config.loss_function
        self.stopping = stopping
        self.observer = Observer(mlp, trainer, source)

    def __call__(self, epoch, rate, totals, seconds):
        """Record an epoch; whether to stop. totals: its summed loss and right answers, judged during the epoch."""
        if self.mlp.train_metrics == "full":
            totals = sum(self._totals(X, y, weights) for X, y, weights in self.source.parts())
        train_loss = float(totals[0] / self.source.total_weight)
        loss, accuracy = math.nan, math.nan
        if self.held_out is not None:
            X, y = self.held_out
            held_out = self._totals(X, y, ALL_ALIKE)
            loss = float(held_out[0] / len(self.held_out[1]))
            accuracy = float(self.objective.accuracy(held_out, y, ALL_ALIKE))
        record = {
            "epoch": epoch,
            "learning_rate": rate,
            "train_loss": train_loss,
            "train_objective": train_loss + penalty(self.trainer.rule, self.trainer.parameters.weights),
            "train_accuracy": float(self.objective.accuracy(totals, self.source.y, self.source.weights)),
            "validation_loss": loss,
            "validation_accuracy": accuracy,
            "seconds": seconds,
        }
        self.mlp.history.append(record)
        self.observer(record)
        self.schedule.after_epoch(record)
        self.report(record)
        if not math.isfinite(train_loss):
            return True  # nan in the weights never leaves them: further epochs would only take time
        return self.stopping is not None and self.stopping.tell(record, lambda: self.trainer.parameters.buffer)

    def keep_the_best(self):
        """Put back the best weights, where stopping early was asked for; the epoch whose weights are kept."""
        if self.stopping is None or self.stopping.best is None:
            return len(self.mlp.history)
        self.trainer.parameters.buffer[...] = self.stopping.best
        return self.stopping.best_epoch

    def _totals(self, X, y, weights):
        t = self.trainer
        return totals_of(t.kernels, t.parameters, X, y, Loss(self.objective.kind, 0.0, weights), t.threads, t.pause)
