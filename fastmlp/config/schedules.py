"""Learning rates: how they change from epoch to epoch and from step to step.

A schedule is a factor on `MLP(learning_rate=)`, so one schedule serves a whole grid of rates. The kinds there are, with
formulas and sources, are in `schedule_shapes`.
"""

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from fastmlp.config.schedule_shapes import SHAPES, Clock, Constant, Decay, Factors, Shape, inside
from fastmlp.errors import InputError, InputTypeError
from fastmlp.utils import validation as check
from fastmlp.utils.options import build, check_keys, nearest
from fastmlp.utils.showing import shown

CUSTOM = "custom"  # what a function is called in a model file
EXPECTED = "a name such as 'cosine', a table {name = 'cosine', ...}, or a function of the epochs done"
Setting = str | dict[str, Any] | None


@dataclass
class WarmUp:
    """A straight line from `warm_up_from` to 1, multiplied with the schedule behind it.

    warm_up_from + (1 - warm_up_from) s / w at step s, with w the steps that it takes; 1 from then on.
    torch.optim.lr_scheduler.LinearLR.

    Attributes
    ----------
    warm_up : float
        Epochs, not necessarily whole; 0 for none.
    warm_up_steps : int
        Steps, instead of epochs.
    warm_up_from : float
        Factor of the first step; above 0, below 1.

    References
    ----------
    P. Goyal et al., Accurate, large minibatch SGD, 2017, arXiv:1706.02677, section 2.2.
    """

    KEYS: ClassVar = ("warm_up", "warm_up_steps", "warm_up_from")
    warm_up: float = 0.0
    warm_up_steps: int = 0
    warm_up_from: float = 0.1

    def __post_init__(self) -> None:
        self.warm_up = check.real("warm_up in schedule", self.warm_up, "epochs, such as 0.5 or 5", least=0)
        self.warm_up_steps = check.whole("warm_up_steps in schedule", self.warm_up_steps, 0, "steps, such as 500")
        self.warm_up_from = inside("warm_up_from in schedule", self.warm_up_from, "the first share, such as 0.1")
        if self.warm_up and self.warm_up_steps:
            raise InputError(
                f"schedule has warm_up {self.warm_up:g} and warm_up_steps {self.warm_up_steps}; expected one of the "
                "two: epochs or steps"
            )

    def length(self, epochs: int, steps: int) -> float:
        """Return the epochs that it takes.

        Parameters
        ----------
        epochs : int
            Of the training.
        steps : int
            Of each epoch.

        Returns
        -------
        float
            Epochs, not necessarily whole.

        Raises
        ------
        InputError
            When it is as long as the training.
        """
        if self.warm_up_steps >= epochs * steps:
            raise InputError(
                f"warm_up_steps in schedule is {self.warm_up_steps}; expected fewer than the {epochs * steps} steps "
                "of the training: warm up for a shorter time or train for longer"
            )
        return self.warm_up or self.warm_up_steps / steps

    def factors(self, clock: Clock) -> Factors:
        """Return the factor of each step of an epoch, (steps,) float64, or one for all of them.

        Parameters
        ----------
        clock : Clock
            The epoch.
        """
        if not clock.warm_up:
            return 1.0
        step, last = clock.step(), self.warm_up_steps or clock.warm_up * clock.steps
        return np.where(step < last, self.warm_up_from + (1 - self.warm_up_from) * (step / last), 1.0)


@dataclass
class Custom(Shape):
    """function(t) at every step.

    Attributes
    ----------
    function : callable or None
        Function of t, a float: the epochs done, fractional within an epoch. None when it was lost in a model file:
        whatever needs no rates still works.
    """

    function: Callable[[float], float] | None

    def factors(self, clock: Clock) -> Factors:
        if self.function is None:
            raise InputError(
                f"schedule is {CUSTOM!r}, a function that is not kept in a model file; pass it again: MLP(schedule=...)"
            )
        times = (clock.step() / clock.steps).tolist()
        given = [self.function(t) for t in times]
        try:
            factors = np.array(given)
        except ValueError:  # sequences of several lengths
            factors = np.array(given, object)
        if factors.shape != (clock.steps,) or factors.dtype.kind not in "iuf":
            raise InputTypeError(
                f"schedule returned {shown(given[0])} for t = {times[0]:g}; expected a number: the factor on the "
                "learning rate after t epochs"
            )
        good = np.isfinite(factors) & (factors >= 0)
        if not good.all():
            at = int(np.argmin(good))
            raise InputError(
                f"schedule returned {shown(given[at])} for t = {times[at]:g}; expected a finite number, from 0: the "
                "factor on the learning rate after t epochs"
            )
        return factors.astype(np.float64)


class Schedule:
    """The learning rate of every step of a training; made by `from_setting`.

    Parameters
    ----------
    setting : None, str or dict
        What it was made of, as plain values.
    shape : Shape
        Its factor over time.
    warm_up : WarmUp
        The factor of its start.
    learning_rate : float
        What the factors are multiplied with.
    epochs : int
        Of the training.

    Attributes
    ----------
    learning_rate : float
        What the factors are multiplied with; may be changed between epochs.
    """

    def __init__(self, setting: Setting, shape: Shape, warm_up: WarmUp, learning_rate: float, epochs: int):
        self._setting, self._shape, self._warm_up = setting, shape, warm_up
        self.learning_rate, self._epochs = learning_rate, epochs

    def rates(self, epoch: int, steps: int) -> NDArray[np.float64]:
        """Return the learning rate of each step of an epoch; it depends on the arguments and on `state` alone.

        Parameters
        ----------
        epoch : int
            From 1; beyond the last one, a schedule that is spread over the training keeps its last rate.
        steps : int
            In this epoch and in every other.

        Returns
        -------
        ndarray of float64, (steps,)
            The rates.

        Raises
        ------
        InputError, InputTypeError
            When a warm-up in steps is longer than the training, a function returns no factor, or is lost: call it for
            epoch 1 before anything is trained.
        """
        epoch = check.whole("epoch", epoch, 1, "epochs count from 1")
        steps = check.whole("steps", steps, 1, "an epoch has one step or more")
        clock = Clock(epoch, steps, self._epochs, self._warm_up.length(self._epochs, steps))
        rates = np.full(steps, self.learning_rate)
        rates *= self._shape.factors(clock)
        rates *= self._warm_up.factors(clock)
        return rates

    def rates_of(self, epoch: int, epochs: int, steps: int) -> NDArray[np.float64]:
        """Return the learning rates of some epochs, where none depends on the records of those before it.

        Parameters
        ----------
        epoch, steps : int
            As for `rates`, of the first one.
        epochs : int
            How many.

        Returns
        -------
        ndarray of float64, (epochs, steps)
            The rates.
        """
        if isinstance(self._shape, Constant) and not (self._warm_up.warm_up or self._warm_up.warm_up_steps):
            return np.full((epochs, steps), self.learning_rate)
        return np.stack([self.rates(epoch + later, steps) for later in range(epochs)])

    def after_epoch(self, record: Mapping[str, float]) -> None:
        """Take note of an epoch.

        Parameters
        ----------
        record : mapping
            Has train_loss and validation_loss, nan without a validation set.
        """
        self._shape.after_epoch(record)

    def state(self) -> dict[str, float]:
        """Return what the records so far have changed, as plain numbers, for a checkpoint; empty but for "plateau"."""
        return self._shape.state()

    def restore(self, state: Mapping[str, float]) -> None:
        """Continue from what `state` returned.

        Parameters
        ----------
        state : mapping
            What `state` of a schedule with the same setting returned.

        Raises
        ------
        InputError
            When it comes from another kind of schedule.
        """
        if set(state) != set(self.state()):
            raise InputError(
                f"the state of schedule {self._setting!r} has {sorted(state)}; expected {sorted(self.state())}: "
                "restore it with the setting that it was saved with"
            )
        self._shape.restore(state)

    @property
    def depends_on_epochs(self) -> bool:
        """Whether another number of epochs changes the rates of the first ones."""
        return self._shape.depends_on_epochs

    def setting(self) -> Setting:
        """Return the setting as plain values, as a model file keeps it; "custom" for a function."""
        return self._setting


def from_setting(
    value: object,
    learning_rate: float,
    epochs: int,
    decay_epochs: Sequence[int] = (),
    decay_factor: float = 0.5,
) -> Schedule:
    """Return the schedule of a setting of `MLP`.

    Parameters
    ----------
    value : None, str, mapping or callable
        None: constant, or "decay" if there are decay_epochs. A name in `SHAPES`, for its defaults. A dict: `name`, and
        keys of that shape and of `WarmUp`. A function f(t) of the epochs done, a float that is fractional within an
        epoch: the factor on the learning rate, called at every step; it must depend on t alone. "custom": a function
        that a model file could not keep, which `rates` asks for.
    learning_rate, epochs, decay_epochs, decay_factor
        Settings of `MLP`, checked.

    Returns
    -------
    Schedule
        A new one.

    Raises
    ------
    InputError, InputTypeError
        For anything else, and for settings that contradict one another.
    """
    if callable(value):
        _check_decays(CUSTOM, False, decay_epochs)
        return Schedule(CUSTOM, Custom(value), WarmUp(), learning_rate, epochs)
    if isinstance(value, str) and value == CUSTOM:
        return Schedule(CUSTOM, Custom(None), WarmUp(), learning_rate, epochs)
    default = "decay" if decay_epochs else "constant"
    name, options = _name_and_options(default if value is None else value)
    _check_decays(name, issubclass(SHAPES[name], Decay), decay_epochs)
    shape, warm_up = _shape(name, options, decay_epochs, decay_factor), _warm_up(name, options, epochs)
    if isinstance(value, Mapping):
        checked = {key: getattr(warm_up if key in WarmUp.KEYS else shape, key) for key in options}
        return Schedule({"name": name, **checked}, shape, warm_up, learning_rate, epochs)
    return Schedule(None if value is None else name, shape, warm_up, learning_rate, epochs)


def check_setting(name: str, value: object) -> object:
    """Return the setting `schedule` as plain checked values.

    Parameters
    ----------
    name : str
        Not used: messages have the setting's name.
    value : object
        What was given.

    Returns
    -------
    object
        The same value; `from_setting` checks it with other settings.

    Raises
    ------
    InputError, InputTypeError
        As `from_setting` does.
    """
    if callable(value):
        _check_function(value)
    elif value is not None and not (isinstance(value, str) and value == CUSTOM):
        _name_and_options(value)
    return value


def _check_function(function: Callable[..., Any]) -> None:
    """Refuse a function that cannot be called with one number, such as one of Keras that gets the rate as well."""
    try:
        inspect.signature(function).bind(0.0)
    except TypeError:
        raise InputTypeError(
            "schedule is a function that does not take one argument; expected f(t) that returns the factor on the "
            "learning rate after t epochs, a float"
        ) from None
    except ValueError:  # of some built-in functions nobody knows
        pass


def _name_and_options(value: object) -> tuple[str, dict[str, Any]]:
    """The checked name and all other keys of a setting that is a name or a table."""
    options = dict(value) if isinstance(value, Mapping) else {"name": value}
    if "name" not in options:
        raise InputError(f"schedule is {shown(options)}, without a name; expected {EXPECTED}")
    name = options.pop("name")
    if not isinstance(name, str):
        raise InputTypeError(f"schedule is {shown(name)}; expected {EXPECTED}")
    if name not in SHAPES:
        raise InputError(f"schedule is {shown(name)}; {nearest(name, SHAPES)}, or a function of the epochs done")
    return name, options


def _check_decays(name: str, uses_them: bool, decay_epochs: Sequence[int]) -> None:
    """Refuse decay_epochs with a schedule that does not use them, and one that does without any."""
    if uses_them and not decay_epochs:
        raise InputError(
            f"schedule is {name!r} without decay_epochs; expected epochs after which the rate decays: (20,)"
        )
    if not uses_them and decay_epochs:
        raise InputError(
            f"decay_epochs is {tuple(decay_epochs)} and schedule is {name!r}; expected one of the two: remove one, or "
            "choose the schedule 'decay'"
        )


def _shape(name: str, options: Mapping[str, Any], decay_epochs: Sequence[int], decay_factor: float) -> Shape:
    what, kind = f"schedule {name!r}", SHAPES[name]
    if kind.has_warm_up and any(key in options for key in WarmUp.KEYS):
        raise InputError(f"{what} has its own warm-up; remove warm_up and set peak_at and start")
    own = {key: value for key, value in options.items() if key not in WarmUp.KEYS}
    if issubclass(kind, Decay):  # its numbers are settings of the network
        check_keys(own, WarmUp.KEYS, what)
        return kind(tuple(decay_epochs), decay_factor)
    return build(kind, own, what, () if kind.has_warm_up else WarmUp.KEYS)


def _warm_up(name: str, options: Mapping[str, Any], epochs: int) -> WarmUp:
    warm_up = WarmUp(**{key: options[key] for key in WarmUp.KEYS if key in options})
    if warm_up.warm_up >= epochs:
        raise InputError(
            f"warm_up in schedule {name!r} is {warm_up.warm_up:g}; expected less than the {epochs} epochs of the "
            "training: warm up for a shorter time or train for longer"
        )
    if "warm_up_from" in options and not (warm_up.warm_up or warm_up.warm_up_steps):
        raise InputError(f"schedule {name!r} has warm_up_from without a warm-up; give warm_up, the epochs it takes")
    return warm_up
