"""The kinds of schedules: each is a factor on the learning rate over time.

Time is t, the number of epochs done: 0 at the first step, 1.5 in the middle of the second epoch. docs/schedules.md
shows them all. A subclass of `Shape` with a name is registered under it when it is defined; its fields are the keys
that its setting may have.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fastmlp.errors import InputError
from fastmlp.utils import validation as check
from fastmlp.utils.exact_math import half_cosine, power
from fastmlp.utils.records import Count, Known, Record, converted
from fastmlp.utils.showing import shown

Factors = float | NDArray[np.float64]  # one for the epoch, or (steps,)

SHAPES: dict[str, "type[Shape]"] = {}


class Clock(NamedTuple):
    """An epoch of a training.

    Attributes
    ----------
    epoch : int
        From 1.
    steps : int
        In this epoch and in every other.
    epochs : int
        Of the whole training.
    warm_up : float
        Epochs, not necessarily whole, that the warm-up takes.
    """

    epoch: int
    steps: int
    epochs: int
    warm_up: float

    def done(self) -> int:
        """Return the number of epochs done when this one begins."""
        return self.epoch - 1

    def step(self) -> NDArray[np.int64]:
        """Return the number of each step of this epoch, from 0 at the start of the training, (steps,)."""
        return self.done() * self.steps + np.arange(self.steps)


class Shape:
    """Base class of all kinds of schedules: a factor of 1 unless `factors` is overridden.

    Attributes
    ----------
    has_warm_up : bool
        Whether it has its own warm-up, which cannot be combined with another one.
    depends_on_epochs : bool
        Whether it is spread over the epochs of the training, so that more of them change the rates of the first ones.
    """

    has_warm_up: ClassVar[bool] = False
    depends_on_epochs: ClassVar[bool] = False

    def __init_subclass__(cls, *, name: str | None = None, **options: Any):
        super().__init_subclass__(**options)
        if name is not None:
            SHAPES[name] = cls

    def factors(self, clock: Clock) -> Factors:
        """Return the factor of each step of an epoch, (steps,) float64, or one for all of them.

        Parameters
        ----------
        clock : Clock
            The epoch.
        """
        return 1.0

    def after_epoch(self, record: Mapping[str, float]) -> None:
        """Take note of an epoch.

        Parameters
        ----------
        record : mapping
            As in `History`.
        """

    def state(self) -> dict[str, float]:
        """Return what `after_epoch` has gathered, as plain numbers."""
        return {}

    def restore(self, state: Mapping[str, float]) -> None:
        """Continue from an earlier state.

        Parameters
        ----------
        state : mapping
            What `state` returned.
        """


@dataclass
class Constant(Shape, name="constant"):
    """1."""


@dataclass
class Decay(Shape, name="decay"):
    """factor^m, with m the number of `decay_epochs` that are over; torch.optim.lr_scheduler.MultiStepLR.

    Attributes
    ----------
    decay_epochs : sequence of int
        The setting of the network.
    factor : float
        Its setting `decay_factor`.
    """

    decay_epochs: Sequence[int]
    factor: float

    def factors(self, clock: Clock) -> Factors:
        return power(self.factor, sum(clock.epoch > decay for decay in self.decay_epochs))


@dataclass
class Step(Shape, name="step"):
    """factor^floor(n / every), with n the whole epochs done; torch.optim.lr_scheduler.StepLR.

    Attributes
    ----------
    every : int
        Epochs between two decays.
    factor : float
        Above 0, below 1.
    """

    every: int = field(metadata={"hint": "give the epochs between two decays, such as 10"})
    factor: float = 0.5

    def __post_init__(self) -> None:
        self.every = check.whole("every in schedule 'step'", self.every, 1, "epochs between two decays, such as 10")
        self.factor = _factor("step", self.factor)

    def factors(self, clock: Clock) -> Factors:
        return power(self.factor, clock.done() // self.every)


@dataclass
class Exponential(Shape, name="exponential"):
    """factor^n, with n the whole epochs done; torch.optim.lr_scheduler.ExponentialLR.

    Attributes
    ----------
    factor : float
        Above 0, below 1.
    """

    factor: float = 0.95

    def __post_init__(self) -> None:
        self.factor = _factor("exponential", self.factor)

    def factors(self, clock: Clock) -> Factors:
        return power(self.factor, clock.done())


@dataclass
class Cosine(Shape, name="cosine"):
    """floor + (1 - floor) (1 + cos(pi t / T)) / 2 at every step, with T the epochs of the training.

    After a warm-up, t and T count from its end. torch.optim.lr_scheduler.CosineAnnealingLR, stepped every batch.

    Attributes
    ----------
    floor : float
        Last factor; from 0, below 1.

    References
    ----------
    I. Loshchilov and F. Hutter, SGDR, ICLR 2017, arXiv:1608.03983, eq. 5 without restarts.
    """

    depends_on_epochs: ClassVar[bool] = True
    floor: float = 0.0

    def __post_init__(self) -> None:
        self.floor = _floor("cosine", self.floor)

    def factors(self, clock: Clock) -> Factors:
        done = (clock.step() / clock.steps - clock.warm_up) / (clock.epochs - clock.warm_up)
        return self.floor + (1 - self.floor) * half_cosine(np.clip(done, 0, 1))


@dataclass
class OneCycle(Shape, name="one-cycle"):
    """From `start` up to 1 at the step peak_at S - 1, then down to `final` at the last of all S steps.

    Steps, shapes and defaults are those of torch.optim.lr_scheduler.OneCycleLR with max_lr the learning rate; the
    paper's own is shape="linear".

    Attributes
    ----------
    peak_at : float
        Share of the training before the peak; above 0, below 1.
    start, final : float
        First and last factor: start above 0, below 1; final from 0 to start.
    shape : str
        Of both ways: "cosine" or "linear".

    References
    ----------
    L. N. Smith and N. Topin, Super-convergence, 2017, arXiv:1708.07120.
    """

    has_warm_up: ClassVar[bool] = True
    depends_on_epochs: ClassVar[bool] = True
    peak_at: float = 0.3
    start: float = 0.04
    final: float = 4e-6
    shape: str = "cosine"

    def __post_init__(self) -> None:
        of = "in schedule 'one-cycle'"
        self.peak_at = inside(f"peak_at {of}", self.peak_at, "the share of the training before the peak, such as 0.3")
        self.start = inside(f"start {of}", self.start, "a share of the learning rate, such as 0.04")
        self.final = check.real(f"final {of}", self.final, "a share of the learning rate, such as 0.001", least=0)
        if self.final > self.start:
            raise InputError(
                f"final {of} is {self.final:g}, above the first rate, {self.start:g}; expected less: lower final "
                "or raise start"
            )
        self.shape = check.one_of(f"shape {of}", self.shape, ("cosine", "linear"))

    def factors(self, clock: Clock) -> Factors:
        last = clock.epochs * clock.steps - 1
        peak = max(self.peak_at * (last + 1) - 1, 0.0)  # so few steps that none goes up: the first is the peak
        step = clock.step()
        # A length of 0 is never divided by where the quotient counts.
        rising = np.clip(step / (peak or 1.0), 0, 1)
        falling = np.clip((step - peak) / ((last - peak) or 1.0), 0, 1)
        up = 1 + (self.start - 1) * self._left(rising)
        down = self.final + (1 - self.final) * self._left(falling)
        return np.where(step < peak, up, down)

    def _left(self, done: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the remaining share of a ramp, from 1 to 0, after the share `done` of its time."""
        return half_cosine(done) if self.shape == "cosine" else 1 - done


@dataclass
class Inverse(Shape, name="inverse"):
    """1 / (1 + decay n)^power, with n the whole epochs done.

    power=1 is the 1/t law of stochastic approximation. power=0.5 with `decay` the number of training samples is
    learning_rate="invscaling" of sklearn.neural_network.MLPClassifier, whose time counts samples.

    Attributes
    ----------
    decay, power : float
        Above 0.

    References
    ----------
    H. Robbins and S. Monro, A stochastic approximation method, Annals of Mathematical Statistics 22(3), 1951.
    """

    decay: float = 1.0
    power: float = 1.0

    def __post_init__(self) -> None:
        self.decay = check.positive("decay in schedule 'inverse'", self.decay, "1 halves the rate after one epoch")
        self.power = check.positive("power in schedule 'inverse'", self.power, "1 or 0.5 are common")

    def factors(self, clock: Clock) -> Factors:
        return power(1 + self.decay * clock.done(), -self.power)


class _PlateauState(Record, frozen=True, kw_only=True):
    """What a plateau remembers of the epochs so far."""

    best: Known
    waited: Count
    reductions: Count


@dataclass
class Plateau(Shape, name="plateau"):
    """max(factor^m, floor), with m growing by 1 after more than `patience` epochs in a row without a better loss.

    The loss is the validation loss where there is one, else the training loss. It is better when it is below
    (1 - threshold) times the best so far; nan never is. torch.optim.lr_scheduler.ReduceLROnPlateau with its
    threshold_mode="rel" and no cooldown.

    Attributes
    ----------
    factor : float
        Above 0, below 1.
    patience : int
        Epochs without a better loss that change nothing, from 0.
    threshold : float
        Least improvement as a share of the best loss; from 0, below 1.
    floor : float
        Least factor; from 0, below 1.
    """

    factor: float = 0.5
    patience: int = 5
    threshold: float = 1e-4
    floor: float = 0.0

    def __post_init__(self) -> None:
        self.factor = _factor("plateau", self.factor)
        self.patience = check.whole("patience in schedule 'plateau'", self.patience, 0, "epochs, such as 5")
        self.threshold = check.real(
            "threshold in schedule 'plateau'", self.threshold, "a share of the best loss, such as 1e-4", 0, 1
        )
        self.floor = _floor("plateau", self.floor)
        self._best, self._waited, self._reductions = math.inf, 0, 0

    def factors(self, clock: Clock) -> Factors:
        return max(power(self.factor, self._reductions), self.floor)

    def after_epoch(self, record: Mapping[str, float]) -> None:
        loss = record["train_loss"] if math.isnan(record["validation_loss"]) else record["validation_loss"]
        if loss < self._best * (1 - self.threshold):
            self._best, self._waited = float(loss), 0
            return
        self._waited += 1
        if self._waited > self.patience:
            self._reductions, self._waited = self._reductions + 1, 0

    def state(self) -> dict[str, float]:
        return {"best": self._best, "waited": self._waited, "reductions": self._reductions}

    def restore(self, state: Mapping[str, float]) -> None:
        checked = converted(dict(state), _PlateauState)
        self._best, self._waited, self._reductions = checked.best, checked.waited, checked.reductions


def inside(name: str, value: object, hint: str) -> float:
    """Return `value` as a float above 0 and below 1.

    Parameters
    ----------
    name : str
        What messages call it.
    value : object
        What was given.
    hint : str
        The end of messages: how to correct it.
    """
    number = check.real(name, value, hint)
    if not 0 < number < 1:
        raise InputError(f"{name} is {shown(value)}; expected a number above 0 and below 1: {hint}")
    return number


def _factor(name: str, value: object) -> float:
    return inside(f"factor in schedule {name!r}", value, "0.5 halves the rate")


def _floor(name: str, value: object) -> float:
    return check.real(f"floor in schedule {name!r}", value, "the last share of the learning rate, 0.01", 0, 1)
