"""Early stopping: end a training whose validation results no longer improve, and keep the weights of its best epoch."""

import math
import numbers
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np

from fastmlp.errors import InputError, InputTypeError
from fastmlp.utils import validation as check
from fastmlp.utils.options import build, nearest

MONITORS = ("validation_loss", "validation_accuracy")
EXPECTED = "the patience in epochs, such as 5, or a table {patience = 5, monitor = 'validation_accuracy'}"


@dataclass
class EarlyStopping:
    """Stops when `patience` epochs in a row were no better than the best one by more than `min_delta`.

    The best epoch is the last that was better than the best before it by more than min_delta; the first one always is,
    and nan never. Algorithm 7.1 of I. Goodfellow, Y. Bengio and A. Courville, Deep Learning, 2016, measured after every
    epoch; keras.callbacks.EarlyStopping(restore_best_weights=True) counts likewise.

    patience   epochs, from 1
    min_delta  in nats for the loss, a share for the accuracy; from 0
    monitor    "validation_loss", which is to fall, or "validation_accuracy", which is to rise
    Raises InputError, InputTypeError for other values.

    best_epoch  from 1; 0 as long as there is none
    best        copy of the parameters after the best epoch; None as long as there is none
    """

    patience: int = field(metadata={"hint": "give the epochs to go on without improvement, such as 5"})
    min_delta: float = 0.0
    monitor: str = "validation_loss"

    def __post_init__(self):
        of = "of early_stopping"
        self.patience = check.whole(f"patience {of}", self.patience, 1, "epochs without improvement, such as 5")
        self.min_delta = check.real(f"min_delta {of}", self.min_delta, "0 counts every improvement", least=0)
        if self.monitor not in MONITORS:
            raise InputError(f"monitor {of} is {self.monitor!r}; {_monitor_mend(self.monitor)}")
        self.best_epoch = 0
        self.best: np.ndarray | None = None
        self._best_value, self._waited = math.nan, 0

    def check_validation(self, validation: object) -> None:
        """Raise InputError when `validation`, the argument of `MLP.fit`, is None: before anything is trained."""
        if validation is None:
            raise InputError(
                f"early_stopping watches {self.monitor} and validation is None; pass fit(..., validation=(X, y)), or "
                "leave early_stopping out"
            )

    def tell(self, record: Mapping[str, float], snapshot: Callable[[], np.ndarray]) -> bool:
        """Take note of an epoch; whether the training is to end.

        record    as in `History`: `epoch` and what is monitored are read
        snapshot  returns the parameters, an array of the same shape every time; called if the epoch is the best so
                  far, and copied at once, so that it may be the buffer that the training goes on writing to
        """
        if self._improves(record[self.monitor]):
            self.best_epoch, self._best_value, self._waited = int(record["epoch"]), float(record[self.monitor]), 0
            if self.best is None:
                self.best = np.array(snapshot())
            else:
                np.copyto(self.best, snapshot())
            return False
        self._waited += 1
        return self._waited >= self.patience

    def _improves(self, value):
        if self.best_epoch == 0:
            return not math.isnan(value)
        gain = self._best_value - value if self.monitor == "validation_loss" else value - self._best_value
        return gain > self.min_delta

    def state(self) -> dict[str, float]:
        """What the epochs so far have changed, as plain numbers, for a checkpoint; `best` is to be kept beside it."""
        return {"best_epoch": self.best_epoch, "best_value": self._best_value, "waited": self._waited}

    def restore(self, state: Mapping[str, float], best: np.ndarray | None) -> None:
        """Go on from what `state` returned and from `best` as it was then, which is copied."""
        self.best_epoch, self._waited = int(state["best_epoch"]), int(state["waited"])
        self._best_value = float(state["best_value"])
        self.best = None if best is None else np.array(best)


def from_setting(value: object) -> EarlyStopping | None:
    """What a setting of `MLP` stands for; a new one for every training.

    value  None for none, a whole number for the patience, or a dict of patience, min_delta, monitor
    Raises InputError, InputTypeError for anything else.
    """
    if value is None:
        return None
    if isinstance(value, Mapping):
        return build(EarlyStopping, value, "early_stopping")
    if isinstance(value, bool) or not isinstance(value, numbers.Integral):
        raise InputTypeError(f"early_stopping is {value!r}; expected {EXPECTED}")
    return EarlyStopping(int(value))


def plain(value: object) -> int | dict | None:
    """A setting that `from_setting` takes, as plain values for a model file."""
    stopping = from_setting(value)
    if stopping is None:
        return None
    if isinstance(value, Mapping):
        return {key: getattr(stopping, key) for key in value}
    return stopping.patience


def _monitor_mend(monitor):
    if monitor in ("train_loss", "train_accuracy"):
        return (
            "expected validation_loss or validation_accuracy: training results improve while a network overfits; pass "
            "a validation set"
        )
    return nearest(monitor, MONITORS)
