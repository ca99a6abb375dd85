"""Early stopping: end a training whose validation results no longer improve, and keep the weights of its best epoch."""

import math
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastmlp.config.early_stopping import EarlyStoppingConfig
from fastmlp.training.callback_states import CallbackState
from fastmlp.training.callbacks import InternalCallback, TrainingView
from fastmlp.training.history import check_layout
from fastmlp.training.session import Session
from fastmlp.utils.records import Count, Record, converted


class _State(Record, frozen=True, kw_only=True):
    """What early stopping remembers of the epochs so far, but for the weights."""

    best_epoch: Count
    best_value: float
    waited: Count


class BestEpoch:
    """The best epoch so far, and how many epochs ago it was.

    The best epoch is the last that was better than the best before it by more than min_delta; the first one always is,
    and nan never.

    Parameters
    ----------
    config : EarlyStoppingConfig
        What is compared.

    Attributes
    ----------
    epoch : int
        Its number, from 1; 0 as long as there is none.
    value : float
        What was monitored; nan as long as there is none.
    waited : int
        Epochs since.
    """

    def __init__(self, config: EarlyStoppingConfig):
        self._config = config
        self.epoch, self.value, self.waited = 0, math.nan, 0

    def improves(self, epoch: int, value: float) -> bool:
        """Take note of an epoch; return whether it is the best so far.

        Parameters
        ----------
        epoch : int
            Its number, from 1.
        value : float
            What is monitored.
        """
        gain = self.value - value if self._config.monitor == "validation_loss" else value - self.value
        if gain > self._config.min_delta if self.epoch else not math.isnan(value):
            self.epoch, self.value, self.waited = epoch, value, 0
            return True
        self.waited += 1
        return False


class EarlyStoppingCallback(InternalCallback):
    """End a training after `patience` epochs in a row that were not better than the best one by over `min_delta`.

    The weights of the best epoch are put back in the end, whatever ends the training.

    Parameters
    ----------
    config : EarlyStoppingConfig
        The setting.

    Attributes
    ----------
    best_weights : ndarray or None
        Copy of the parameters after the best epoch; None as long as there is none.

    References
    ----------
    I. Goodfellow, Y. Bengio and A. Courville, Deep Learning, 2016, algorithm 7.1, measured after every epoch;
    keras.callbacks.EarlyStopping(restore_best_weights=True) counts likewise.
    """

    def __init__(self, config: EarlyStoppingConfig):
        self._config, self._best = config, BestEpoch(config)
        self.best_weights: NDArray[Any] | None = None

    @property
    def best_epoch(self) -> int:
        """Number of the best epoch, from 1; 0 before the first one."""
        return self._best.epoch

    def attach(self, session: Session) -> None:
        self._config.check_validation(session.data.validation)
        super().attach(session)

    def on_epoch_end(self, view: TrainingView) -> bool:
        record = view.record
        if record is None or not math.isfinite(record["train_loss"]):
            return False
        return self.update(record["epoch"], record[self._config.monitor], self.session.state.parameters.buffer)

    def update(self, epoch: int, value: float, weights: NDArray[Any]) -> bool:
        """Take note of an epoch; return whether the training is to end.

        Parameters
        ----------
        epoch : int
            Its number, from 1.
        value : float
            What is monitored.
        weights : ndarray
            The parameters after it, copied if it is the best so far.
        """
        if not self._best.improves(epoch, value):
            return self._best.waited >= self._config.patience
        if self.best_weights is None:
            self.best_weights = np.array(weights)
        else:
            np.copyto(self.best_weights, weights)
        return False

    def on_fit_end(self, view: TrainingView) -> None:
        if self.best_weights is not None:  # also after Ctrl-C: `kept_epoch` of the history says so, and so does a file
            self.session.state.parameters.buffer[...] = self.best_weights
            self.session.state.kept_epoch = self.best_epoch

    def state_dict(self) -> CallbackState:
        """Return the best epoch and its weights."""
        state: dict[str, Any] = {
            "best_epoch": self._best.epoch, "best_value": self._best.value, "waited": self._best.waited,
        }  # fmt: skip
        return state if self.best_weights is None else {**state, "best_weights": self.best_weights}

    def load_state_dict(self, state: CallbackState) -> None:
        weights, plain = state.get("best_weights"), {name: state[name] for name in state if name != "best_weights"}
        checked = converted(plain, _State)
        if (weights is None) != (checked.best_epoch == 0) or math.isnan(checked.best_value) != (weights is None):
            raise ValueError("best_epoch, best_value and best_weights contradict one another")
        if "session" in vars(self):
            training = self.session.state
            if checked.best_epoch + checked.waited > len(training.history):
                raise ValueError(f"best_epoch and waited are beyond the last of {len(training.history)} epochs")
            if weights is not None:
                check_layout(
                    "best_weights", weights, training.parameters.buffer.shape, training.parameters.buffer.dtype
                )
        self._best.epoch, self._best.value, self._best.waited = checked.best_epoch, checked.best_value, checked.waited
        self.best_weights = None if weights is None else np.array(weights)


def kept_epoch(history: Iterable[Mapping[str, Any]], config: EarlyStoppingConfig | None) -> int:
    """Return the epoch whose weights the network keeps.

    Parameters
    ----------
    history : iterable of mapping
        A `History`, or the records of its epochs in order. One whose training loss is not finite is never the best:
        a network of nan that names one class is right where that class is common.
    config : EarlyStoppingConfig or None
        The setting.

    Returns
    -------
    int
        Number of the epoch, from 1: the last, or the best where the training stops early; 0 if there is none.
    """
    records = list(history)
    if config is None:
        return len(records)
    best = BestEpoch(config)
    for record in records:
        if math.isfinite(record["train_loss"]):
            best.improves(record["epoch"], record[config.monitor])
    return best.epoch or len(records)
