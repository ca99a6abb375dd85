"""Metrics of an epoch: losses and accuracies on the training and the validation set."""

import itertools
import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastmlp.kernels.task_types import Loss
from fastmlp.kernels.update_rule import penalty
from fastmlp.training.batches import InMemory
from fastmlp.training.callbacks import InternalCallback, TrainingView
from fastmlp.training.first_layer import Inputs
from fastmlp.training.inference import EQUAL_WEIGHTS, Part, parts_of, totals_of
from fastmlp.training.session import Session

_Rows = tuple[list[Part], dict[str, Any]]  # that are measured, and what is kept from one pass over them to the next


class MetricsCallback(InternalCallback):
    """Measure every epoch, append its record to the history, and end a training whose loss is not finite."""

    def attach(self, session: Session) -> None:
        super().attach(session)
        measure, batches, validation = session.config.loss_function, session.data.batches, session.data.validation
        self._unit, self._spread = session.loss_unit, measure.spread(batches.y, batches.weights)
        self._validation_spread = math.nan if validation is None else measure.spread(validation[1], EQUAL_WEIGHTS)
        self._held_out = None if validation is None else self._rows(*validation, EQUAL_WEIGHTS)
        # Of rows in memory, which are the same in every epoch.
        is_kept = session.config.train_metrics == "full" and isinstance(batches, InMemory)
        self._training = [self._rows(*chunk) for chunk in (batches.evaluation_chunks() if is_kept else ())]

    def next_epoch(self) -> int:
        rule, epoch = self.session.trainer.rule, self.session.state.epoch
        is_measured = self.session.config.train_metrics == "full" or self.session.data.validation is not None
        return epoch if is_measured or rule.l1 or rule.l2 else self.session.last_epoch

    def on_epoch_end(self, view: TrainingView) -> bool:
        session, config = self.session, self.session.config
        state, batches, measure, unit = session.state, session.data.batches, config.loss_function, self._unit
        (rates, passed), totals = state.passed, state.totals
        if config.train_metrics == "full":
            chunks = self._training or itertools.starmap(self._rows, batches.evaluation_chunks())
            totals = sum(map(self._totals, chunks), start=np.zeros(2))
        penalties = penalty(session.trainer.rule, state.parameters.weights)
        loss, accuracy = math.nan, math.nan
        if self._held_out is not None and session.data.validation is not None:
            held_out = self._totals(self._held_out)
            loss = float(held_out[0] / len(session.data.validation[1])) * unit
            accuracy = measure.accuracy(held_out.tolist(), self._validation_spread)
        # Columns of numbers: a record for each of thousands of epochs would set off the garbage collector.
        before, (summed, right) = passed.T.tolist(), totals.tolist()
        sums, hits = [*before[0], summed], [*before[1], right]
        losses, epochs = [total / batches.total_weight for total in sums], len(sums)
        columns = {
            "epoch": range(state.epoch, state.epoch + epochs),
            "learning_rate": [*rates.tolist(), state.learning_rate],
            "train_loss": [each * unit for each in losses],
            "train_objective": [(each + penalties) * unit for each in losses],
            "train_accuracy": [measure.accuracy(each, self._spread) for each in zip(sums, hits, strict=True)],
            "validation_loss": [loss] * epochs,
            "validation_accuracy": [accuracy] * epochs,
            "seconds": [state.stopwatch.seconds / epochs] * epochs,
        }
        state.end_epochs(columns)
        return not math.isfinite(losses[-1])  # nan in the weights never leaves them

    def _rows(self, X: Inputs, y: NDArray[Any], weights: NDArray[np.float64]) -> _Rows:
        loss = Loss(self.session.config.loss_function.kind, 0.0, weights)
        return parts_of(self.session.state.parameters.layers, X, y, loss), {}

    def _totals(self, rows: _Rows) -> NDArray[np.float64]:
        (parts, kept), trainer = rows, self.session.trainer
        p = trainer.state.parameters
        return totals_of(trainer.kernels, p, parts, trainer.threads, trainer.after_chunk, kept=kept)
