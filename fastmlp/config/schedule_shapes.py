"""The kinds of schedules: each is a factor on the learning rate as time goes by.

Time is t, the number of epochs done: 0 at the first step, 1.5 in the middle of the second epoch. docs/schedules.md
shows them all.
"""

import decimal
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar, NamedTuple

import numpy as np

from fastmlp.errors import InputError, InputTypeError
from fastmlp.utils import validation as check

CUSTOM = "custom"  # what a function is called in a model file
Factors = float | np.ndarray  # one for the epoch, or (steps,) float64


class Clock(NamedTuple):
    """An epoch of a training.

    epoch    from 1
    steps    in this epoch and in every other
    epochs   of the whole training
    warm_up  epochs, not necessarily whole, that the warm-up takes
    """

    epoch: int
    steps: int
    epochs: int
    warm_up: float

    def done(self) -> int:
        """Epochs done when this one begins."""
        return self.epoch - 1

    def step(self) -> np.ndarray:
        """The number of each step of this epoch, counted from 0 at the start of the training, (steps,) int64."""
        return self.done() * self.steps + np.arange(self.steps)


class Shape:
    """The factor on the learning rate as time goes by: what one kind of schedule is. 1, unless a kind says more."""

    def factors(self, clock: Clock) -> Factors:
        """The factor of each step of an epoch, or one for all of them."""
        return 1.0

    def after_epoch(self, record: Mapping[str, float]) -> None:
        """Take note of how an epoch went; most schedules do not care."""

    def state(self) -> dict[str, float]:
        """What `after_epoch` has gathered, as plain numbers."""
        return {}

    def restore(self, state: Mapping[str, float]) -> None:
        """Go on from what `state` returned."""


@dataclass
class Constant(Shape):
    """1."""


@dataclass
class Decay(Shape):
    """factor^m, with m the number of `decay_epochs` that are over. torch.optim.lr_scheduler.MultiStepLR."""

    decay_epochs: Sequence[int]
    factor: float

    def factors(self, clock: Clock) -> Factors:
        return power(self.factor, sum(clock.epoch > decay for decay in self.decay_epochs))


@dataclass
class Step(Shape):
    """factor^floor(n / every), with n the whole epochs done. torch.optim.lr_scheduler.StepLR.

    every   epochs between two decays
    factor  above 0, below 1
    """

    every: int = field(metadata={"hint": "give the epochs between two decays, such as 10"})
    factor: float = 0.5

    def __post_init__(self):
        self.every = check.whole("every in schedule 'step'", self.every, 1, "epochs between two decays, such as 10")
        self.factor = _factor("step", self.factor)

    def factors(self, clock: Clock) -> Factors:
        return power(self.factor, clock.done() // self.every)


@dataclass
class Exponential(Shape):
    """factor^n, with n the whole epochs done. torch.optim.lr_scheduler.ExponentialLR.

    factor  above 0, below 1
    """

    factor: float = 0.95

    def __post_init__(self):
        self.factor = _factor("exponential", self.factor)

    def factors(self, clock: Clock) -> Factors:
        return power(self.factor, clock.done())


@dataclass
class Cosine(Shape):
    """floor + (1 - floor) (1 + cos(pi t / T)) / 2 at every step, with T the epochs of the training.

    After a warm-up, t and T count from its end. This is eq. 5 of I. Loshchilov and F. Hutter, SGDR, ICLR 2017,
    arXiv:1608.03983, without restarts; torch.optim.lr_scheduler.CosineAnnealingLR when that is stepped every batch.

    floor  what it falls to as a share of the learning rate; from 0, below 1
    """

    floor: float = 0.0

    def __post_init__(self):
        self.floor = _floor("cosine", self.floor)

    def factors(self, clock: Clock) -> Factors:
        done = (clock.step() / clock.steps - clock.warm_up) / (clock.epochs - clock.warm_up)
        return self.floor + (1 - self.floor) * half_cosine(np.clip(done, 0, 1))


@dataclass
class OneCycle(Shape):
    """From `start` up to 1 at the step peak_at S - 1, then down to `final` at the last of all S steps.

    L. N. Smith and N. Topin, Super-convergence, 2017, arXiv:1708.07120. Steps, shapes and defaults are those of
    torch.optim.lr_scheduler.OneCycleLR with max_lr the learning rate; the paper's own is shape="linear".

    peak_at       share of the training before the peak; above 0, below 1
    start, final  shares of the learning rate: start above 0, below 1; final from 0 to start
    shape         of both ways: "cosine" or "linear"
    """

    peak_at: float = 0.3
    start: float = 0.04
    final: float = 4e-6
    shape: str = "cosine"

    def __post_init__(self):
        of = "in schedule 'one-cycle'"
        self.peak_at = _inside(f"peak_at {of}", self.peak_at, "the share of the training before the peak, such as 0.3")
        self.start = _inside(f"start {of}", self.start, "a share of the learning rate, such as 0.04")
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

    def _left(self, done):
        """How much of the way is left, from 1 to 0, when the share `done` of its time is over."""
        return half_cosine(done) if self.shape == "cosine" else 1 - done


@dataclass
class Inverse(Shape):
    """1 / (1 + decay n)^power, with n the whole epochs done.

    power=1 is the 1/t law of stochastic approximation: H. Robbins and S. Monro, Annals of Mathematical Statistics
    22(3), 1951. power=0.5 with `decay` the number of training samples is learning_rate="invscaling" of
    sklearn.neural_network.MLPClassifier, whose time counts samples.

    decay, power  above 0
    """

    decay: float = 1.0
    power: float = 1.0

    def __post_init__(self):
        self.decay = check.positive("decay in schedule 'inverse'", self.decay, "1 halves the rate after one epoch")
        self.power = check.positive("power in schedule 'inverse'", self.power, "1 or 0.5 are common")

    def factors(self, clock: Clock) -> Factors:
        return power(1 + self.decay * clock.done(), -self.power)


@dataclass
class Plateau(Shape):
    """max(factor^m, floor), with m growing by 1 after more than `patience` epochs in a row without a better loss.

    The loss is the validation loss where there is one, else the training loss. It is better when it is below
    (1 - threshold) times the best so far; nan never is. torch.optim.lr_scheduler.ReduceLROnPlateau with its
    threshold_mode="rel" and no cooldown.

    factor     above 0, below 1
    patience   epochs without a better loss that are put up with, from 0
    threshold  from 0, below 1
    floor      share of the learning rate; from 0, below 1
    """

    factor: float = 0.5
    patience: int = 5
    threshold: float = 1e-4
    floor: float = 0.0

    def __post_init__(self):
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
        self._best = float(state["best"])
        self._waited, self._reductions = int(state["waited"]), int(state["reductions"])


@dataclass
class Custom(Shape):
    """function(t) at every step, with t a float: the epochs done, fractional within an epoch.

    function  None when it was lost in a model file: whatever needs no rates still works
    """

    function: Callable[[float], float] | None

    def __deepcopy__(self, memo):
        """The function itself: it has no state to keep apart, and may hold what cannot be copied."""
        return Custom(self.function)

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
                f"schedule returned {given[0]!r} for t = {times[0]:g}; expected a number: the factor on the learning "
                "rate after t epochs"
            )
        good = np.isfinite(factors) & (factors >= 0)
        if not good.all():
            at = int(np.argmin(good))
            raise InputError(
                f"schedule returned {given[at]!r} for t = {times[at]:g}; expected a finite number, from 0: the factor "
                "on the learning rate after t epochs"
            )
        return factors.astype(np.float64)


@dataclass
class WarmUp:
    """A straight line from `warm_up_from` to 1, multiplied with the schedule behind it.

    warm_up_from + (1 - warm_up_from) s / w at step s, with w the steps that it takes; 1 from then on. P. Goyal et al.,
    Accurate, large minibatch SGD, 2017, arXiv:1706.02677, section 2.2; torch.optim.lr_scheduler.LinearLR.

    warm_up        epochs, not necessarily whole; 0 for none
    warm_up_steps  steps, in the place of epochs
    warm_up_from   share of the learning rate at the first step; above 0, below 1
    """

    KEYS: ClassVar = ("warm_up", "warm_up_steps", "warm_up_from")
    warm_up: float = 0.0
    warm_up_steps: int = 0
    warm_up_from: float = 0.1

    def __post_init__(self):
        self.warm_up = check.real("warm_up in schedule", self.warm_up, "epochs, such as 0.5 or 5", least=0)
        self.warm_up_steps = check.whole("warm_up_steps in schedule", self.warm_up_steps, 0, "steps, such as 500")
        self.warm_up_from = _inside("warm_up_from in schedule", self.warm_up_from, "the first share, such as 0.1")
        if self.warm_up and self.warm_up_steps:
            raise InputError(
                f"schedule has warm_up {self.warm_up:g} and warm_up_steps {self.warm_up_steps}; expected one of the "
                "two: epochs or steps"
            )

    def length(self, epochs: int, steps: int) -> float:
        """Epochs that it takes when each has so many steps. InputError when it is as long as the training."""
        if self.warm_up_steps >= epochs * steps:
            raise InputError(
                f"warm_up_steps in schedule is {self.warm_up_steps}; expected fewer than the {epochs * steps} steps "
                "of the training: warm up for a shorter time or train for longer"
            )
        return self.warm_up or self.warm_up_steps / steps

    def factors(self, clock: Clock) -> Factors:
        """The factor of each step of an epoch."""
        if not clock.warm_up:
            return 1.0
        step, last = clock.step(), self.warm_up_steps or clock.warm_up * clock.steps
        return np.where(step < last, self.warm_up_from + (1 - self.warm_up_from) * (step / last), 1.0)


SHAPES: dict[str, type[Shape]] = {
    "constant": Constant,
    "decay": Decay,
    "step": Step,
    "exponential": Exponential,
    "cosine": Cosine,
    "one-cycle": OneCycle,
    "inverse": Inverse,
    "plateau": Plateau,
}


def _inside(name: str, value: object, hint: str) -> float:
    """`value` as a float above 0 and below 1."""
    number = check.real(name, value, hint)
    if not 0 < number < 1:
        raise InputError(f"{name} is {value!r}; expected a number above 0 and below 1: {hint}")
    return number


def _factor(name, value):
    return _inside(f"factor in schedule {name!r}", value, "0.5 halves the rate")


def _floor(name, value):
    return check.real(f"floor in schedule {name!r}", value, "the last share of the learning rate, 0.01", 0, 1)


# The Taylor series of the sine, up to degree 15. Its remainder on [0, pi/4], (pi/4)^17 / 17!, is below half an ulp.
SINE = tuple((-1) ** k / math.factorial(2 * k + 1) for k in range(8))


def power(base: float, exponent: float) -> float:
    """base^exponent for a base above 0, rounded once: those of C libraries and of NumPy differ in the last bit."""
    with decimal.localcontext(prec=40):
        return float(decimal.Decimal(base) ** decimal.Decimal(exponent))


def half_cosine(x: np.ndarray) -> np.ndarray:
    """(1 + cos(pi x)) / 2 for x in [0, 1], (n,) float64; exactly 1 at 0 and 0 at 1, within 4e-16 elsewhere.

    It is cos^2(pi x / 2), here as 1 - sin^2 of at most pi/4. Additions and products alone, because the cosines of C
    libraries and of numpy's SIMD units differ in the last bit, and a seed is to give the same weights everywhere.
    """
    angle = np.pi / 2 * np.minimum(x, 1 - x)
    square, series = angle * angle, np.zeros_like(angle)
    for coefficient in reversed(SINE):
        series = series * square + coefficient
    sine = angle * series
    return np.where(x <= 0.5, 1 - sine * sine, sine * sine)
