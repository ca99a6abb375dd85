"""Optimizers: one class each, with its numbers, its formula, its label and what it can do.

To add an optimizer, write a subclass of `Optimizer` that returns the kernels' `Rule` for its numbers; it is registered
under its name when the class is defined. Only an update that no kernel has yet needs code in `kernels/` too. One whose
steps scipy finds names its `scipy_method` instead, and has the kernels' gradient as its rule.
"""

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, ClassVar

from fastmlp.errors import InputError, InputTypeError
from fastmlp.kernels import update_rule
from fastmlp.kernels.update_rule import Rule
from fastmlp.utils import validation as check
from fastmlp.utils.options import nearest

OPTIMIZERS: dict[str, "type[Optimizer]"] = {}


def number(default: object, checked_by: Callable[[str, object], object]) -> Any:
    """Declare a field of an optimizer: its default, and the function (name, value) that checks a value.

    Parameters
    ----------
    default : object
        Value when the setting leaves the number out.
    checked_by : callable
        Function of a name for messages and a value; returns the checked value or raises InputError.
    """
    return field(default=default, metadata={"check": checked_by})


_share = partial(check.real, hint="0.9 is common", least=0, below=1)
_epsilon = partial(check.positive, hint="1e-8 is common")
_weight_decay = partial(check.real, hint="0.01 is common", least=0)


def _momentum() -> Any:
    """The field of an optimizer whose momentum is the setting `momentum` of the network."""
    return field(default=0.0, metadata={"is_setting": True})


@dataclass(frozen=True)
class Optimizer:
    """Base class of all optimizers; its fields are an optimizer's numbers.

    Attributes
    ----------
    name : str
        What the setting calls it.
    label : str
        What a person calls it.
    is_full_batch : bool
        Whether every step takes all samples; `batch_size` and `shuffle` mean nothing then.
    can_resume : bool
        Whether a training can be continued from a checkpoint.
    has_learning_rate : bool
        Whether `learning_rate` and `schedule` mean anything.
    scipy_method : str or None
        Method of `scipy.optimize.minimize` that finds the steps; None: the kernels take them.
    """

    name: ClassVar[str]
    label: ClassVar[str]
    is_full_batch: ClassVar[bool] = False
    can_resume: ClassVar[bool] = True
    has_learning_rate: ClassVar[bool] = True
    scipy_method: ClassVar[str | None] = None

    def __init_subclass__(cls, *, name: str, label: str, **options: Any):
        super().__init_subclass__(**options)
        cls.name, cls.label = name, label
        OPTIMIZERS[name] = cls

    def __post_init__(self) -> None:
        for key, info in self.fields().items():
            checked = info.metadata["check"](f"{key} of optimizer {self.name}", getattr(self, key))
            object.__setattr__(self, key, checked)

    @classmethod
    def fields(cls) -> dict[str, "dataclasses.Field[Any]"]:
        """Return the numbers that the setting `optimizer` may give, by name; the momentum is a setting of its own."""
        return {info.name: info for info in dataclasses.fields(cls) if "check" in info.metadata}

    @classmethod
    def takes_momentum(cls) -> bool:
        """Return whether the setting `momentum` means anything."""
        return any("is_setting" in info.metadata for info in dataclasses.fields(cls))

    def setting(self) -> str | dict[str, Any]:
        """Return what `from_setting` reads: the name, or a dict with the numbers that are not the defaults."""
        changed = {key: getattr(self, key) for key, info in self.fields().items() if getattr(self, key) != info.default}
        return {"name": self.name, **changed} if changed else self.name

    def update(self) -> Rule:
        """Return the kernels' rule of a step with this optimizer's numbers, without penalties and limits."""
        raise NotImplementedError

    def scipy_options(self, iterations: int) -> dict[str, Any]:
        """Return the options of `scipy_method`, by scipy's names for them.

        Parameters
        ----------
        iterations : int
            Largest number of iterations, each of which is an epoch.
        """
        return {"maxiter": iterations}

    def rule(self, l1: float, l2: float, clip_norm: float | None, max_norm: float | None) -> Rule:
        """Return the kernels' rule of a step.

        Parameters
        ----------
        l1, l2 : float
            Factors of the penalties.
        clip_norm, max_norm : float or None
            Largest norm of a gradient, and of the weights into a hidden unit.
        """
        return self.update()._replace(l1=l1, l2=l2, clip_norm=clip_norm or 0.0, max_norm=max_norm or 0.0)

    @property
    def states(self) -> int:
        """Number of state arrays, each of the size of the parameters."""
        return int(update_rule.STATES[self.update().optimizer])

    def check_dtype(self, dtype: str) -> None:
        """Raise InputError when the optimizer's `epsilon` is lost in the network's dtype.

        Parameters
        ----------
        dtype : str
            "float32" or "float64".
        """
        epsilon, least = getattr(self, "epsilon", 1.0), check.LEAST[dtype]
        if epsilon < least:
            raise InputError(
                f"epsilon of optimizer {self.name} is {epsilon:g}, which is lost in {dtype}; expected at least "
                f"{least:.2g}, to keep 0 out of a division: 1e-8 is common"
            )


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

    momentum: float = _momentum()
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

    momentum: float = _momentum()
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

    def update(self) -> Rule:
        return Rule(update_rule.GRADIENT)

    def scipy_options(self, iterations: int) -> dict[str, Any]:
        own = {"maxcor": self.memory, "maxfun": 20 * iterations, "ftol": 0, "gtol": 1e-10}
        return super().scipy_options(iterations) | own


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
        raise InputTypeError(f'optimizer is {value!r}; expected a name, or a dict such as {{"name": "adam"}}')
    if name not in OPTIMIZERS:
        raise InputError(f"optimizer is {name!r}; {nearest(name, OPTIMIZERS)}")
    kind = OPTIMIZERS[name]
    fields = kind.fields()
    for key, setting in given.items():
        if key not in fields:
            raise InputError(f"optimizer {name} has no {key!r}; {nearest(key, fields)}: {_hint(key)}")
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
        return "momentum is a setting beside it"
    homes = [name for name, kind in OPTIMIZERS.items() if key in kind.fields()]
    return f"{key} belongs to {', '.join(homes)}" if homes else "leave it out"
