"""Callbacks that tell an estimator what its training has come to, and stop it as scikit-learn does."""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import accuracy_score, r2_score

from fastmlp.kernels.update_rule import penalty
from fastmlp.sklearn.batches import DescentBatches
from fastmlp.training.callbacks import InternalCallback, TrainingView
from fastmlp.training.inference import outputs_of_inputs
from fastmlp.training.session import Session


class EstimatorCallback(InternalCallback):
    """Base class of the callbacks that write the attributes of an estimator.

    Parameters
    ----------
    estimator : MLPClassifier or MLPRegressor
        Whose attributes are written.
    held_out_weight : ndarray of shape (n,), or None
        Weights of the validation rows in their score.
    """

    def __init__(self, estimator: Any, held_out_weight: NDArray[np.float64] | None = None):
        self._estimator, self._held_out_weight = estimator, held_out_weight

    def _add_score(self, view: TrainingView) -> None:
        """Measure the network on the validation rows, if there are any."""
        one, session, record = self._estimator, self.session, view.record
        if session.data.validation is None or record is None:
            return
        (X, targets), loss = session.data.validation, session.config.loss_function
        outputs = outputs_of_inputs(session.config, session.state.parameters, X, session.trainer.threads)
        score = math.nan
        if np.isfinite(outputs).all():
            measure = accuracy_score if loss.has_probabilities else r2_score
            predicted = loss.decide(outputs, np.arange(outputs.shape[1]))
            score = float(measure(targets.reshape(predicted.shape), predicted, sample_weight=self._held_out_weight))
        one.validation_scores_.append(score)
        one.validation_loss_curve_.append(record["validation_loss"] / one._loss_columns)
        if one.verbose:
            print(f"Validation score: {score:f}")


class DescentCallback(EstimatorCallback):
    """Tell an estimator what an epoch has come to; change the rate; stop when nothing improves any more.

    Parameters
    ----------
    estimator, held_out_weight
        As for `EstimatorCallback`.

    Attributes
    ----------
    has_converged : bool
        Whether it stopped the training.
    """

    def __init__(self, estimator: Any, held_out_weight: NDArray[np.float64] | None = None):
        super().__init__(estimator, held_out_weight)
        self.has_converged = False

    def attach(self, session: Session) -> None:
        super().attach(session)
        self._batches.trainer = session.trainer
        one, buffer = self._estimator, session.state.parameters.buffer
        if one.early_stopping and (one._best_parameters is None or one._best_parameters.shape != buffer.shape):
            one._best_parameters = buffer.copy()

    def detach(self) -> None:
        del self._batches.trainer
        super().detach()

    @property
    def _batches(self) -> DescentBatches:
        batches: Any = self.session.data.batches
        return batches  # type: ignore[no-any-return]

    def on_epoch_end(self, view: TrainingView) -> bool:
        one = self._estimator
        one.n_iter_ += 1
        one.t_ += view.rows
        one.loss_ = self._batches.data_loss / one._loss_columns + self._batches.penalty
        one.loss_curve_.append(one.loss_)
        one._calls = self._batches.calls
        if one.verbose:
            print(f"Iteration {one.n_iter_}, loss = {one.loss_:.8f}")
        if self.session.data.validation is not None:
            self._add_score(view)
            self._keep_best(view)
        self._count()
        if one.solver == "sgd" and one.learning_rate == "invscaling":
            self._set_rate(one.learning_rate_init / (one.t_ + 1) ** one.power_t)
        if one._no_improvement_count > one.n_iter_no_change:
            self.has_converged = not self._slow_down()
        return self.has_converged

    def _keep_best(self, view: TrainingView) -> None:
        """Remember the best score, and the weights of its epoch where it stops early."""
        one, state, score = self._estimator, self.session.state, self._estimator.validation_scores_[-1]
        self._goal = one.best_validation_score_ + one.tol
        if score > one.best_validation_score_:
            one.best_validation_score_ = score
            if one.early_stopping:
                one._best_parameters = state.parameters.buffer.copy()
                state.kept_epoch = view.epoch

    def _count(self) -> None:
        """Count the epochs in a row that improved the loss, or the score, by less than `tol`."""
        one = self._estimator
        if one.early_stopping:
            is_no_better = one.validation_scores_[-1] < self._goal
        else:
            is_no_better = one.loss_ > one.best_loss_ - one.tol
            one.best_loss_ = min(one.best_loss_, one.loss_)
        one._no_improvement_count = one._no_improvement_count + 1 if is_no_better else 0

    def _slow_down(self) -> bool:
        """Whether there is a smaller rate to go on with."""
        one, schedule = self._estimator, self.session.state.schedule
        what = "Validation score" if one.early_stopping else "Training loss"
        said = f"{what} did not improve more than tol={one.tol:f} for {one.n_iter_no_change} consecutive epochs."
        goes_on = one.solver == "sgd" and one.learning_rate == "adaptive" and schedule.learning_rate > 1e-6
        if goes_on:
            self._set_rate(schedule.learning_rate / 5)
            one._no_improvement_count = 0
        if one.verbose:
            print(said, f"Setting learning rate to {schedule.learning_rate:f}" if goes_on else "Stopping.")
        return goes_on

    def _set_rate(self, rate: float) -> None:
        """Change the rate; scikit-learn's velocities have the old one in them, the momentum here has none."""
        state = self.session.state
        if rate > 0:
            state.parameters.states *= state.schedule.learning_rate / rate
        state.schedule.learning_rate = rate

    def on_fit_end(self, view: TrainingView) -> None:
        if self._estimator.early_stopping and (view.error is None or isinstance(view.error, KeyboardInterrupt)):
            self.session.state.parameters.buffer[...] = self._estimator._best_parameters


class LineSearchCallback(EstimatorCallback):
    """Tell an estimator what scipy's iterations have come to.

    Parameters
    ----------
    estimator, held_out_weight
        As for `EstimatorCallback`.

    Attributes
    ----------
    why_not : str or None
        Why it has not converged.
    """

    def __init__(self, estimator: Any, held_out_weight: NDArray[np.float64] | None = None):
        super().__init__(estimator, held_out_weight)
        self.why_not: str | None = None

    def on_epoch_end(self, view: TrainingView) -> None:
        one, record = self._estimator, view.record
        if record is not None and one.verbose:
            print(f"Iteration {record['epoch']}, loss = {record['train_objective']:.8f}")
        self._add_score(view)
        if self.session.data.validation is not None:
            one.best_validation_score_ = max(one.best_validation_score_, one.validation_scores_[-1])

    def on_fit_end(self, view: TrainingView) -> None:
        result = self.session.line_search
        if result is None:
            return
        one, penalised = self._estimator, penalty(self.session.trainer.rule, self.session.state.parameters.weights)
        one.n_iter_ = int(result.nit)
        one.loss_ = float((result.fun - penalised) / one._loss_columns + penalised)
        if result.status != 0:
            self.why_not = f"lbfgs failed to converge after {one.n_iter_} iteration(s): {result.message}"
