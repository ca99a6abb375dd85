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


class MetricsCallback(InternalCallback):
    """Measure every epoch and write its record into the history; end a training whose loss is not finite."""

    def on_epoch_end(self, view: TrainingView) -> bool:
        session, config = self.session, self.session.config
        state, batches, measure = session.state, session.data.batches, config.loss_function
        seconds, totals = state.stopwatch.seconds, state.totals
        if config.train_metrics == "full":
            totals = sum((self._totals(*chunk) for chunk in batches.evaluation_chunks()), start=np.zeros(2))
        unit = session.loss_unit
        train_loss = float(totals[0] / batches.total_weight)
        penalties = penalty(session.trainer.rule, state.parameters.weights)
        loss, accuracy = math.nan, math.nan
        if session.data.validation is not None:
            X, y = session.data.validation
            held_out = self._totals(X, y, EQUAL_WEIGHTS)
            loss = float(held_out[0] / len(y)) * unit
            accuracy = float(measure.accuracy(held_out, y, EQUAL_WEIGHTS))
        state.end_epoch(
            {
                "epoch": state.epoch,
                "learning_rate": state.learning_rate,
                "train_loss": train_loss * unit,
                "train_objective": (train_loss + penalties) * unit,
                "train_accuracy": float(measure.accuracy(totals, batches.y, batches.weights)),
                "validation_loss": loss,
                "validation_accuracy": accuracy,
                "seconds": seconds,
            }
        )
        return not math.isfinite(train_loss)  # nan in the weights never leaves them

    def _totals(self, X: Inputs, y: NDArray[Any], weights: NDArray[np.float64]) -> NDArray[np.float64]:
        trainer = self.session.trainer
        loss = Loss(self.session.config.loss_function.kind, 0.0, weights)
        return totals_of(trainer.kernels, trainer.state.parameters, X, y, loss, trainer.threads, trainer.after_chunk)
