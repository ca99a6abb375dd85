"""Passes over the data: what is between an epoch and the kernels."""

import functools
import math
import time
from dataclasses import dataclass, field
from importlib import import_module

import numpy as np

from .kernels.inputs import part
from .kernels.loss import CROSS_ENTROPY, Loss
from .kernels.rule import DESCENT, Clock, Rule, penalty
from .objective import from_setting as read_objective
from .parameters import Parameters
from .plan import TeamSize

# Python is entered again after about this long inside the kernels, so that Ctrl-C is felt.
SECONDS_AT_A_TIME = 0.1
ROWS_AT_A_TIME = 1 << 16  # the same for a pass without training, whose speed is known to be enough for this many


@functools.cache
def kernels_of(engine):
    """The module whose functions do the work. Numba is imported when it is first needed."""
    return import_module(".kernels.epoch" if engine == "numba" else ".kernels.reference", __package__)


@dataclass
class Trainer:
    """What stays the same from batch to batch.

    kernels   the module of an engine;  threads: cores that may be used
    rule      what a step does;  loss: what is made small, with the weights of the samples
    keep      share of each layer's inputs that is not dropped, or empty
    seed      of all that is random in a step
    """

    parameters: Parameters
    kernels: object
    threads: int
    batch_size: int
    rule: Rule = DESCENT
    loss: Loss = CROSS_ENTROPY
    keep: tuple[float, ...] = ()
    seed: int = 0
    steps: int = 0
    _span: float = field(default=1.0, init=False)

    def __post_init__(self):
        self._team = TeamSize(self.threads)

    def steps_of(self, rows):
        """Steps in an epoch of so many rows."""
        return -(-rows // self.batch_size)

    def epoch(self, number, X, y, order, rates):
        """One pass over the rows in `order`; (2,) float64: summed loss, right answers. rates: (steps,) float64."""
        totals, start, p = np.zeros(2), 0, self.parameters
        while start < len(order):
            rows = max(1, int(self._span / self.batch_size)) * self.batch_size
            if len(order) - start < 2 * rows:  # a short rest would be all overhead
                rows = len(order) - start
            span, threads = order[start : start + rows], self._team.next()
            first = start // self.batch_size
            steps = self.steps_of(len(span))
            clock = Clock(self.seed, number, start, self.steps)
            begun = time.perf_counter()
            self.kernels.train(
                p.layers, p.buffer, p.states, X, y, span, self.batch_size, rates[first : first + steps], totals,
                threads, self.rule, self.loss, self.keep, clock,
            )  # fmt: skip
            seconds = max(time.perf_counter() - begun, 1e-6)
            if len(span) == len(order) or seconds > SECONDS_AT_A_TIME / 3:  # shorter ones are mostly overhead
                self._team.tell(threads, seconds, len(span))
            start += len(span)
            self.steps += steps
            # The steps do not depend on how the epoch is cut into spans, so the clock may decide it.
            self._span = len(span) * min(SECONDS_AT_A_TIME / seconds, 16)
        return totals


def totals_of(kernels, parameters, X, y, loss, threads):
    """(2,) float64: loss summed over the rows of X, right answers."""
    totals, p = np.zeros(2), parameters
    for start in range(0, X.shape[0], ROWS_AT_A_TIME):
        stop = start + ROWS_AT_A_TIME
        some = loss._replace(weights=loss.weights[start:stop])
        kernels.evaluate(p.layers, p.buffer, part(X, start, stop), y[start:stop], totals, threads, some)
    return totals


def outputs_of(kernels, parameters, X, out, kind, threads):
    """What the network hands out for the rows of X, into out (N, columns). Returns out."""
    rows, p = X.shape[0], parameters
    if rows <= ROWS_AT_A_TIME:
        return kernels.predict(p.layers, p.buffer, X, out, threads, kind)
    for start in range(0, rows, ROWS_AT_A_TIME):
        stop = start + ROWS_AT_A_TIME
        kernels.predict(p.layers, p.buffer, part(X, start, stop), out[start:stop], threads, kind)
    return out


class Watch:
    """What is done between epochs: measure, record, report, and say when it is enough.

    mlp       whose history is written;  trainer: what it trains with
    train     (X, targets);  held_out: the same of the validation set, or None
    report    a function of an epoch's record
    """

    def __init__(self, mlp, trainer, train, held_out, report):
        self.mlp, self.trainer, self.train, self.held_out, self.report = mlp, trainer, train, held_out, report
        self.objective = read_objective(mlp.loss)
        self.stopping = None if mlp._stopping is None else mlp._stopping.start(held_out is not None)

    def __call__(self, epoch, rate, totals, seconds):
        """Record an epoch; whether to stop. totals: its summed loss and right answers, judged during the epoch."""
        X, y = self.train
        weights = self.trainer.loss.weights
        if self.mlp.train_metrics == "full":
            totals = self._totals(X, y, self.trainer.loss._replace(smoothing=0.0))
        train_loss = float(totals[0] / (weights.sum() if len(weights) else len(y)))
        loss, accuracy = math.nan, math.nan
        if self.held_out is not None:
            held_out = self._totals(*self.held_out, Loss(self.objective.kind))
            loss = float(held_out[0] / len(self.held_out[1]))
            accuracy = float(self.objective.accuracy(held_out, self.held_out[1]))
        record = {
            "epoch": epoch,
            "learning_rate": rate,
            "train_loss": train_loss,
            "train_objective": train_loss + penalty(self.trainer.rule, self.trainer.parameters.weights),
            "train_accuracy": float(self.objective.accuracy(totals, y)),
            "validation_loss": loss,
            "validation_accuracy": accuracy,
            "seconds": seconds,
        }
        self.mlp.history.append(record)
        self.mlp._schedule.after_epoch(record)
        self.report(record)
        if not math.isfinite(train_loss):
            return True  # nan in the weights never leaves them: further epochs would only take time
        return self.stopping is not None and self.stopping.tell(record, self.trainer.parameters.buffer.copy)

    def keep_the_best(self):
        """Put back the best weights, where stopping early was asked for."""
        if self.stopping is not None and self.stopping.best is not None:
            self.trainer.parameters.buffer[...] = self.stopping.best

    def _totals(self, X, y, loss):
        t = self.trainer
        return totals_of(t.kernels, t.parameters, X, y, loss, t.threads)
