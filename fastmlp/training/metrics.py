"""Metrics of an epoch: losses and accuracies on the training and the validation set."""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastmlp.kernels.task_types import Loss
from fastmlp.kernels.update_rule import penalty
from fastmlp.training.callbacks import InternalCallback, TrainingView
from fastmlp.training.first_layer import Inputs
from fastmlp.training.inference import EQUAL_WEIGHTS, totals_of
from fastmlp.training.session import Session


class MetricsCallback(InternalCallback):
    """Measure every epoch and write its record into the history; end a training whose loss is not finite."""

    def attach(self, session: Session) -> None:
        super().attach(session)
        measure, batches, validation = session.config.loss_function, session.data.batches, session.data.validation
        self._unit, self._spread = session.loss_unit, measure.spread(batches.y, batches.weights)
        self._validation_spread = math.nan if validation is None else measure.spread(validation[1], EQUAL_WEIGHTS)

    def next_epoch(self) -> int:
        rule, epoch = self.session.trainer.rule, self.session.state.epoch
        is_measured = self.session.config.train_metrics == "full" or self.session.data.validation is not None
        return epoch if is_measured or rule.l1 or rule.l2 else self.session.last_epoch

    def on_epoch_end(self, view: TrainingView) -> bool:
        session, config = self.session, self.session.config
        state, batches, measure, unit = session.state, session.data.batches, config.loss_function, self._unit
        measured = [*state.passed, (state.learning_rate, state.totals)]
        seconds = state.stopwatch.seconds / len(measured)
        if config.train_metrics == "full":
            totals = sum((self._totals(*chunk) for chunk in batches.evaluation_chunks()), start=np.zeros(2))
            measured = [(state.learning_rate, totals)]
        penalties = penalty(session.trainer.rule, state.parameters.weights)
        loss, accuracy = math.nan, math.nan
        if session.data.validation is not None:
            X, y = session.data.validation
            held_out = self._totals(X, y, EQUAL_WEIGHTS)
            loss = float(held_out[0] / len(y)) * unit
            accuracy = float(measure.accuracy(held_out, self._validation_spread))
        records = []
        for epoch, (rate, totals) in enumerate(measured, start=state.epoch):
            train_loss = float(totals[0] / batches.total_weight)
            records.append(
                {
                    "epoch": epoch,
                    "learning_rate": rate,
                    "train_loss": train_loss * unit,
                    "train_objective": (train_loss + penalties) * unit,
                    "train_accuracy": float(measure.accuracy(totals, self._spread)),
                    "validation_loss": loss,
                    "validation_accuracy": accuracy,
                    "seconds": seconds,
                }
            )
        state.end_epochs(records)
        return not math.isfinite(train_loss)  # nan in the weights never leaves them

    def _totals(self, X: Inputs, y: NDArray[Any], weights: NDArray[np.float64]) -> NDArray[np.float64]:
        trainer = self.session.trainer
        loss = Loss(self.session.config.loss_function.kind, 0.0, weights)
        return totals_of(trainer.kernels, trainer.state.parameters, X, y, loss, trainer.threads, trainer.after_chunk)
