"""Optimizers: one class each, with its numbers, its formula, its label and what it can do.

To add an optimizer, write a subclass of `Optimizer` that returns the kernels' `Rule` for its numbers; it is registered
under its name when the class is defined. Only an update that no kernel has yet needs code in `kernels/` too. One whose
steps scipy finds names its `scipy_method` instead, and has the kernels' gradient as its rule.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from fastmlp.config.optimizer_base import OPTIMIZERS, Optimizer, momentum_setting, number
from fastmlp.errors import InputError, InputTypeError
from fastmlp.kernels import update_rule
from fastmlp.kernels.update_rule import Rule
from fastmlp.utils import validation as check
from fastmlp.utils.options import nearest
from fastmlp.utils.showing import shown

_share = partial(check.real, hint="0.9 is common", least=0, below=1)
_epsilon = partial(check.positive, hint="1e-8 is common")
_weight_decay = partial(check.real, hint="0.01 is common", least=0)


@dataclass(frozen=True)
class SGD(Optimizer, name="sgd", label="SGD"):
    """Stochastic gradient descent: v = momentum v + (1 - dampening) g, w -= rate v, or rate (g + momentum v).

    The second form is that of `nesterov`. Defaults are those of torch.optim.SGD.

    Attributes
    ----------
    momentum : float
        From 0, below 1: the setting `momentum` of the network.
    dampening : float
        From 0, below 1.
    nesterov : bool
        Nesterov's momentum.
    weight_decay : float
        Decoupled: weights are multiplied by 1 - rate weight_decay at every step.
    """

    momentum: float = momentum_setting()
    dampening: float = number(0.0, _share)
    nesterov: bool = number(False, check.flag)
    weight_decay: float = number(0.0, _weight_decay)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.nesterov and not self.momentum:
            raise InputError("nesterov is on and momentum is 0; expected a momentum: 0.9 is common")
        if self.dampening and not self.momentum:
            raise InputError(f"dampening is {self.dampening:g} and momentum is 0; expected a momentum to dampen")
        if self.nesterov and self.dampening:
            raise InputError(f"nesterov is on and dampening is {self.dampening:g}; expected one of the two")

    def update(self) -> Rule:
        return Rule(
            update_rule.MOMENTUM if self.momentum else update_rule.PLAIN,
            momentum=self.momentum,
            dampening=self.dampening,
            nesterov=float(self.nesterov),
            decay=self.weight_decay,
        )


@dataclass(frozen=True)
class Adam(Optimizer, name="adam", label="Adam"):
    """Adam: m and v are running means of g and g^2, w -= rate m' / (sqrt(v') + epsilon), each without its bias.

    Defaults are those of torch.optim.Adam.

    Attributes
    ----------
    beta1, beta2 : float
        From 0, below 1: what remains of the means m and v at a step.
    epsilon : float
        Above 0.

    References
    ----------
    D. P. Kingma and J. Ba, Adam: a method for stochastic optimization, ICLR 2015, arXiv:1412.6980.
    """

    beta1: float = number(0.9, _share)
    beta2: float = number(0.999, _share)
    epsilon: float = number(1e-8, _epsilon)

    def update(self) -> Rule:
        return Rule(update_rule.ADAM, momentum=self.beta1, beta2=self.beta2, epsilon=self.epsilon)


@dataclass(frozen=True)
class AdamHat(Adam, name="adam_hat", label="Adam with epsilon hat"):
    """Adam as Keras, TensorFlow and scikit-learn have it: epsilon is added to the root before its bias is taken out.

    w -= rate sqrt(1 - beta2^t) / (1 - beta1^t) m / (sqrt(v) + epsilon), t being the number of the step. The first steps
    of weights whose gradients are tiny are shorter than with `Adam`; later there is no difference.

    Attributes
    ----------
    beta1, beta2, epsilon : float
        As for `Adam`.

    References
    ----------
    D. P. Kingma and J. Ba, 2015, the end of section 2.
    """

    def kernel_rates(self, rates: NDArray[np.float64], steps: int) -> tuple[NDArray[np.float64], int]:
        late = max(map(_steps_until_unbiased, (self.beta1, self.beta2)))
        if steps >= late:
            return rates, steps
        biases = [update_rule.unbiased(beta, steps, len(rates)) for beta in (self.beta1, self.beta2)]
        return rates * np.sqrt(biases[1]) / biases[0], late


def _steps_until_unbiased(beta: float) -> int:
    """Steps after which 1 - beta^t is 1 to the last bit, and the kernels correct nothing."""
    return math.ceil(54 * math.log(2) / -math.log(beta)) if beta else 1


@dataclass(frozen=True)
class AdamW(Adam, name="adamw", label="AdamW"):
    """Adam with decoupled weight decay: weights are multiplied by 1 - rate weight_decay at every step.

    Defaults are those of torch.optim.AdamW.

    Attributes
    ----------
    beta1, beta2, epsilon : float
        As for `Adam`.
    weight_decay : float
        From 0; biases are exempt.

    References
    ----------
    I. Loshchilov and F. Hutter, Decoupled weight decay regularization, ICLR 2019, arXiv:1711.05101.
    """

    weight_decay: float = number(0.01, _weight_decay)

    def update(self) -> Rule:
        return super().update()._replace(decay=self.weight_decay)


@dataclass(frozen=True)
class RMSprop(Optimizer, name="rmsprop", label="RMSprop"):
    """RMSprop: v is a running mean of g^2, m = momentum m + g / (sqrt(v) + epsilon), w -= rate m.

    Defaults are those of torch.optim.RMSprop.

    Attributes
    ----------
    momentum : float
        From 0, below 1: the setting `momentum` of the network.
    beta2 : float
        From 0, below 1: what remains of the mean v at a step.
    epsilon : float
        Above 0.

    References
    ----------
    T. Tieleman and G. Hinton, Lecture 6.5, Neural Networks for Machine Learning, 2012.
    """

    momentum: float = momentum_setting()
    beta2: float = number(0.99, _share)
    epsilon: float = number(1e-8, _epsilon)

    def update(self) -> Rule:
        return Rule(update_rule.RMSPROP, momentum=self.momentum, beta2=self.beta2, epsilon=self.epsilon)


@dataclass(frozen=True)
class LBFGS(Optimizer, name="lbfgs", label="L-BFGS"):
    """L-BFGS-B of scipy on the whole training set, which finds the length of its steps by a line search.

    The kernels leave the averaged gradient in the state; everything else is scipy's.

    Attributes
    ----------
    memory : int
        Pairs of steps and gradients that are kept, from 1; scipy's default.
    gradient_tolerance, loss_tolerance : float
        From 0: it ends where no element of the gradient is larger, or where an iteration makes the loss smaller by no
        more than this share of it. scipy's `gtol` and `ftol`.
    evaluations : int or None
        Most passes over the training set; None: 20 for each epoch. scipy's `maxfun`.

    References
    ----------
    D. C. Liu and J. Nocedal, On the limited memory BFGS method for large scale optimization, Mathematical Programming
    45, 1989.
    """

    is_full_batch: ClassVar[bool] = True
    can_resume: ClassVar[bool] = False
    has_learning_rate: ClassVar[bool] = False
    scipy_method: ClassVar[str | None] = "L-BFGS-B"
    memory: int = number(10, partial(check.whole, least=1, hint="10 is common"))
    gradient_tolerance: float = number(1e-10, partial(check.real, hint="1e-10 goes on for long", least=0))
    loss_tolerance: float = number(0.0, partial(check.real, hint="0 goes on for long", least=0))
    evaluations: int | None = number(
        None, partial(check.optional, checked_by=partial(check.whole, least=1, hint="leave it out for 20 an epoch"))
    )

    def update(self) -> Rule:
        return Rule(update_rule.GRADIENT)

    @property
    def scipy_vectors(self) -> int:
        # The pairs; 5 of the routine's own, bounds, and weights and gradients on their way to it and back.
        return 2 * self.memory + 16

    def scipy_options(self, iterations: int) -> dict[str, Any]:
        return super().scipy_options(iterations) | {
            "maxcor": self.memory,
            "maxfun": self.evaluations or 20 * iterations,
            "ftol": self.loss_tolerance,
            "gtol": self.gradient_tolerance,
        }


def parse(value: object) -> tuple[type[Optimizer], dict[str, Any]]:
    """Return the class and the checked numbers of a setting.

    Parameters
    ----------
    value : str or mapping
        A name, such as "adam", or a dict with its numbers: {"name": "adam", "beta2": 0.99}.

    Raises
    ------
    InputError, InputTypeError
        For an unknown name or number, or a number out of range.
    """
    given = dict(value) if isinstance(value, Mapping) else {"name": value}
    name = given.pop("name", None)
    if not isinstance(name, str):
        raise InputTypeError(f'optimizer is {shown(value)}; expected a name, or a dict such as {{"name": "adam"}}')
    if name not in OPTIMIZERS:
        raise InputError(f"optimizer is {shown(name)}; {nearest(name, OPTIMIZERS)}")
    kind = OPTIMIZERS[name]
    fields = kind.fields()
    for key, setting in given.items():
        if key not in fields:
            raise InputError(f"optimizer {name} has no {shown(key)}; {nearest(key, fields)}: {_hint(key)}")
        given[key] = fields[key].metadata["check"](f"{key} of optimizer {name}", setting)
    return kind, given


def check_setting(_name: str, value: object) -> str | dict[str, Any]:
    """Return the setting `optimizer` as plain checked values: the name, or a dict with the numbers given.

    Parameters
    ----------
    value : object
        As for `parse`.
    """
    kind, numbers = parse(value)
    return {"name": kind.name, **numbers} if numbers else kind.name


def from_setting(value: object, momentum: object = 0.0) -> Optimizer:
    """Return the optimizer of a setting.

    Parameters
    ----------
    value : str or mapping
        As for `parse`.
    momentum : float
        From 0, below 1; for optimizers that take one.

    Raises
    ------
    InputError, InputTypeError
        For an unknown name or number, a number out of range, or numbers that contradict one another.
    """
    share = check.momentum("momentum", momentum)
    kind, numbers = parse(value)
    if kind.takes_momentum():
        numbers["momentum"] = share
    elif share:
        own = "beta1 is its own" if "beta1" in kind.fields() else "leave it out"
        raise InputError(f"momentum is {share:g} and optimizer {kind.name!r}, which has none; {own}")
    return kind(**numbers)


def _hint(key: str) -> str:
    """What may have been meant by a number that an optimizer does not have."""
    if key == "momentum":
        return "momentum is a separate setting"
    homes = [name for name, kind in OPTIMIZERS.items() if key in kind.fields()]
    return f"{key} belongs to {', '.join(homes)}" if homes else "leave it out"
