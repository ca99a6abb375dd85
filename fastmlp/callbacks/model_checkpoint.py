"""A model file of the best epoch so far, written while a training goes on."""

import math
import os
from typing import Any

from fastmlp.config.early_stopping import EarlyStoppingConfig, check_monitor
from fastmlp.errors import InputError
from fastmlp.export.model_file import ModelRecord, save
from fastmlp.training.callback_states import CallbackState
from fastmlp.training.callbacks import InternalCallback, TrainingView
from fastmlp.training.early_stopping import BestEpoch, kept_epoch
from fastmlp.training.session import Session
from fastmlp.utils import validation as check
from fastmlp.utils.paths import user_path


class ModelCheckpoint(InternalCallback):
    """Write the network to a model file after every epoch that is better than all before it; `MLP.load` reads it.

    The file is whole at any time. The training goes on, and ends with the network of its last epoch: to end with that
    of the best one, and to stop when nothing improves, there is the setting `early_stopping`. To resume a training that
    was killed there is `fit(checkpoint=folder)`; the two go together.

    Parameters
    ----------
    path : path
        Of the file, which is replaced.
    monitor : str
        "validation_loss", which is to fall, or "validation_accuracy", which is to rise.
    min_delta : float
        Least improvement that counts, from 0.

    Attributes
    ----------
    best_epoch : int
        Number of the epoch in the file, from 1; 0 before the first save.
    best_value : float
        Value of the monitored quantity in that epoch; nan before the first save.

    Raises
    ------
    InputError, InputTypeError
        For other arguments, and when a training begins without a validation set.

    Examples
    --------
    >>> mlp.fit(X, y, validation_split=0.1, callbacks=[ModelCheckpoint("best.safetensors")])  # doctest: +SKIP
    """

    def __init__(self, path: str | os.PathLike[str], monitor: str = "validation_loss", min_delta: float = 0.0):
        of = "of ModelCheckpoint"
        check_monitor(f"monitor {of}", monitor)
        least = check.real(f"min_delta {of}", min_delta, "0 counts every improvement", least=0)
        self._path, self._config = user_path(path), EarlyStoppingConfig(1, least, monitor)
        self._best = BestEpoch(self._config)

    @property
    def best_epoch(self) -> int:
        """Number of the epoch in the file, from 1; 0 before the first save."""
        return self._best.epoch

    @property
    def best_value(self) -> float:
        """Value of the monitored quantity in that epoch; nan before the first save."""
        return self._best.value

    def attach(self, session: Session) -> None:
        if session.data.validation is None:
            raise InputError(
                f"ModelCheckpoint watches {self._config.monitor} and there is no validation set; pass "
                "fit(..., validation=(X, y)) or fit(..., validation_split=0.1)"
            )
        super().attach(session)

    def on_fit_start(self, view: TrainingView) -> None:
        if view.epoch == 0:  # another training, of which this file is not
            self._best = BestEpoch(self._config)

    def on_epoch_end(self, view: TrainingView) -> None:
        record = view.record
        if record is None or not math.isfinite(record["train_loss"]):
            return
        if self._best.improves(record["epoch"], record[self._config.monitor]):
            self._save(view)

    def _save(self, view: TrainingView) -> None:
        config, data, history = self.session.config, self.session.data, view.history
        if kept_epoch(history, config.early_stopping_config) != view.epoch:
            config = config.replace(early_stopping=None)  # which has another epoch for the best, and these weights
        save(ModelRecord(config, self.session.state.parameters, data.classes, data.encoder, history), self._path)

    def state_dict(self) -> CallbackState:
        """Return the best epoch and what was monitored in it."""
        return {"best_epoch": self._best.epoch, "best_value": self._best.value}

    def load_state_dict(self, state: CallbackState) -> None:
        values: dict[str, Any] = dict(state)
        if not isinstance(values["best_epoch"], int) or not isinstance(values["best_value"], float):
            raise ValueError("best_epoch and best_value are not numbers")
        self._best.epoch, self._best.value = values["best_epoch"], values["best_value"]
