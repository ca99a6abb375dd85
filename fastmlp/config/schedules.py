"""Learning rates: how they change from epoch to epoch and from step to step.

A schedule is a factor on `MLP(learning_rate=)`, so one schedule serves a whole grid of rates. The kinds there are, with
formulas and sources, are in `schedule_shapes`.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from fastmlp.config.schedule_shapes import CUSTOM, SHAPES, Clock, Custom, Decay, Shape, WarmUp
from fastmlp.errors import InputError, InputTypeError
from fastmlp.utils import validation as check
from fastmlp.utils.options import build, check_keys, nearest


class Schedule:
    """The learning rate of every step of a training; made by `from_setting`."""

    def __init__(self, setting: str | dict | None, shape: Shape, warm_up: WarmUp, learning_rate: float, epochs: int):
        self._setting, self._shape, self._warm_up = setting, shape, warm_up
        self._learning_rate, self._epochs = learning_rate, epochs

    def rates(self, epoch: int, steps: int) -> np.ndarray:
        """The learning rate of each step of an epoch, (steps,) float64.

        epoch  from 1; beyond the last one, a schedule that is spread over the training keeps its last rate
        steps  in this epoch and in every other
        Depends on these and on `state` alone. Raises InputError, InputTypeError when a warm-up in steps is longer than
        the training, a function returns no factor, or is lost: call it for epoch 1 before anything is trained.
        """
        epoch = check.whole("epoch", epoch, 1, "epochs count from 1")
        steps = check.whole("steps", steps, 1, "an epoch has one step or more")
        clock = Clock(epoch, steps, self._epochs, self._warm_up.length(self._epochs, steps))
        rates = np.full(steps, self._learning_rate)
        rates *= self._shape.factors(clock)
        rates *= self._warm_up.factors(clock)
        return rates

    def after_epoch(self, record: Mapping[str, float]) -> None:
        """Tell how an epoch went. `record` has train_loss and validation_loss, nan without a validation set."""
        self._shape.after_epoch(record)

    def state(self) -> dict[str, float]:
        """What the records so far have changed, as plain numbers, for a checkpoint; empty but for "plateau"."""
        return self._shape.state()

    def restore(self, state: Mapping[str, float]) -> None:
        """Go on from what `state` returned. InputError when it comes from another kind of schedule."""
        if set(state) != set(self.state()):
            raise InputError(
                f"the state of schedule {self._setting!r} has {sorted(state)}; expected {sorted(self.state())}: "
                "restore it with the setting that it was saved with"
            )
        self._shape.restore(state)

    def setting(self) -> str | dict | None:
        """The setting as plain values, as a model file keeps it; "custom" for a function."""
        return self._setting


EXPECTED = "a name such as 'cosine', a table {name = 'cosine', ...}, or a function of the epochs done"


def from_setting(
    value: object,
    learning_rate: float,
    epochs: int,
    decay_epochs: Sequence[int] = (),
    decay_factor: float = 0.5,
) -> Schedule:
    """The schedule that a setting of `MLP` stands for; the other arguments are settings that `MLP` has checked.

    value  None: constant, or "decay" if there are decay_epochs
           a name in SHAPES, for its defaults
           a dict: `name`, and keys of that shape and of `WarmUp`
           a function f(t) of the epochs done, a float that is fractional within an epoch: the factor on the learning
           rate, called at every step. It must depend on t alone
           "custom": a function that a model file could not keep. Predicts and evaluates; `rates` asks for the function
    Raises InputError, InputTypeError for anything else, and for settings that contradict one another.
    """
    if callable(value):
        _check_decays(CUSTOM, decay_epochs)
        return Schedule(CUSTOM, Custom(value), WarmUp(), learning_rate, epochs)
    if value == CUSTOM:
        return Schedule(CUSTOM, Custom(None), WarmUp(), learning_rate, epochs)
    default = "decay" if decay_epochs else "constant"
    name, options = _name_and_options(default if value is None else value)
    _check_decays(name, decay_epochs)
    shape, warm_up = _shape(name, options, decay_epochs, decay_factor), _warm_up(name, options, epochs)
    if isinstance(value, Mapping):
        checked = {key: getattr(warm_up if key in WarmUp.KEYS else shape, key) for key in options}
        return Schedule({"name": name, **checked}, shape, warm_up, learning_rate, epochs)
    return Schedule(None if value is None else name, shape, warm_up, learning_rate, epochs)


def check_setting(name: str, value: object) -> object:
    """Return the setting `schedule` if its kind is known; `name` is not used. `from_setting` checks the rest."""
    if value is not None and value != CUSTOM and not callable(value):
        _name_and_options(value)
    return value


def _name_and_options(value) -> tuple[str, dict[str, Any]]:
    """The checked name and all other keys of a setting that is a name or a table."""
    if isinstance(value, Mapping):
        options = dict(value)
        if "name" not in options:
            raise InputError(f"schedule is {options!r}, without a name; expected {EXPECTED}")
        name = options.pop("name")
    else:
        name, options = value, {}
    if not isinstance(name, str):
        raise InputTypeError(f"schedule is {name!r}; expected {EXPECTED}")
    if name not in SHAPES:
        raise InputError(f"schedule is {name!r}; {nearest(name, SHAPES)}, or a function of the epochs done")
    return name, options


def _check_decays(name, decay_epochs):
    """Refuse decay_epochs beside a schedule that takes no notice of them, and "decay" without any."""
    if name == "decay" and not decay_epochs:
        raise InputError("schedule is 'decay' without decay_epochs; expected epochs after which the rate decays: (20,)")
    if name != "decay" and decay_epochs:
        raise InputError(
            f"decay_epochs is {tuple(decay_epochs)} and schedule is {name!r}; expected one of the two: remove one, or "
            "choose the schedule 'decay'"
        )


def _shape(name, options, decay_epochs, decay_factor):
    what = f"schedule {name!r}"
    if name == "one-cycle" and any(key in options for key in WarmUp.KEYS):
        raise InputError(f"{what} has a warm-up of its own; remove warm_up and set peak_at and start")
    own = {key: value for key, value in options.items() if key not in WarmUp.KEYS}
    if name == "decay":  # its values are settings of the network
        check_keys(own, WarmUp.KEYS, what)
        return Decay(tuple(decay_epochs), decay_factor)
    return build(SHAPES[name], own, what, () if name == "one-cycle" else WarmUp.KEYS)


def _warm_up(name, options, epochs):
    warm_up = WarmUp(**{key: options[key] for key in WarmUp.KEYS if key in options})
    if warm_up.warm_up >= epochs:
        raise InputError(
            f"warm_up in schedule {name!r} is {warm_up.warm_up:g}; expected less than the {epochs} epochs of the "
            "training: warm up for a shorter time or train for longer"
        )
    if "warm_up_from" in options and not (warm_up.warm_up or warm_up.warm_up_steps):
        raise InputError(f"schedule {name!r} has warm_up_from without a warm-up; give warm_up, the epochs it takes")
    return warm_up
