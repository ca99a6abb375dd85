"""The setting `early_stopping`: when a training whose validation results no longer improve is to end."""

import numbers
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from fastmlp.errors import InputError, InputTypeError
from fastmlp.utils import validation as check
from fastmlp.utils.options import build, nearest
from fastmlp.utils.showing import shown

MONITORS = ("validation_loss", "validation_accuracy")
EXPECTED = "the patience in epochs, such as 5, or a table {patience = 5, monitor = 'validation_accuracy'}"


@dataclass(frozen=True)
class EarlyStoppingConfig:
    """When to stop early: after `patience` epochs in a row that were not better than the best by over `min_delta`.

    Attributes
    ----------
    patience : int
        Epochs, from 1.
    min_delta : float
        Least improvement that counts, from 0: in nats for the loss, a share for the accuracy.
    monitor : str
        "validation_loss", which is to fall, or "validation_accuracy", which is to rise.

    Raises
    ------
    InputError, InputTypeError
        For other values.
    """

    patience: int = field(metadata={"hint": "give the epochs to go on without improvement, such as 5"})
    min_delta: float = 0.0
    monitor: str = "validation_loss"

    def __post_init__(self) -> None:
        of = "of early_stopping"
        patience = check.whole(f"patience {of}", self.patience, 1, "epochs without improvement, such as 5")
        min_delta = check.real(f"min_delta {of}", self.min_delta, "0 counts every improvement", least=0)
        check_monitor(f"monitor {of}", self.monitor)
        object.__setattr__(self, "patience", patience)
        object.__setattr__(self, "min_delta", min_delta)

    def check_validation(self, validation: object) -> None:
        """Raise InputError when `validation`, the argument of `MLP.fit`, is None.

        Parameters
        ----------
        validation : object
            The argument.
        """
        if validation is None:
            raise InputError(
                f"early_stopping watches {self.monitor} and validation is None; pass fit(..., validation=(X, y)) or "
                "fit(..., validation_split=0.1), or leave early_stopping out"
            )


def from_setting(value: object) -> EarlyStoppingConfig | None:
    """Return what a setting of `MLP` stands for.

    Parameters
    ----------
    value : None, int or mapping
        None for none, the patience in epochs, or a dict of patience, min_delta and monitor.

    Raises
    ------
    InputError, InputTypeError
        For anything else.
    """
    if value is None or isinstance(value, EarlyStoppingConfig):
        return value
    if isinstance(value, Mapping):
        return build(EarlyStoppingConfig, value, "early_stopping")
    if isinstance(value, bool) or not isinstance(value, numbers.Integral):
        raise InputTypeError(f"early_stopping is {shown(value)}; expected {EXPECTED}")
    return EarlyStoppingConfig(int(value))


def check_setting(_name: str, value: object) -> int | dict[str, Any] | None:
    """Return the setting `early_stopping` as plain checked values: the patience, or a dict of the keys given.

    Parameters
    ----------
    value : object
        As for `from_setting`.
    """
    config = from_setting(value)
    if config is None:
        return None
    if isinstance(value, Mapping):
        return {key: getattr(config, key) for key in value}
    return config.patience


def check_monitor(name: str, monitor: object) -> None:
    """Raise InputError unless something is one of `MONITORS`.

    Parameters
    ----------
    name : str
        What messages call it.
    monitor : object
        What was given.
    """
    if monitor in ("train_loss", "train_accuracy"):
        raise InputError(
            f"{name} is {shown(monitor)}; expected validation_loss or validation_accuracy: training results improve "
            "while a network overfits; pass a validation set"
        )
    if monitor not in MONITORS:
        raise InputError(f"{name} is {shown(monitor)}; {nearest(monitor, MONITORS)}")
