"""Optimisers: their settings, and the rule that the kernels get."""

import difflib
from dataclasses import dataclass, field

from fastmlp.errors import InputError, InputTypeError
from fastmlp.kernels import update_rule as rule
from fastmlp.kernels.update_rule import Rule
from fastmlp.utils import validation as check

# By name: the kernels' code (None: not a step of theirs), and the numbers it takes with their defaults, which are
# those of PyTorch; the memory of L-BFGS is scipy's.
OPTIMIZERS: dict[str, tuple[int | None, dict]] = {
    "sgd": (rule.PLAIN, {"dampening": 0.0, "nesterov": False, "weight_decay": 0.0}),
    "adam": (rule.ADAM, {"beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8}),
    "adamw": (rule.ADAM, {"beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8, "weight_decay": 0.01}),
    "rmsprop": (rule.RMSPROP, {"beta2": 0.99, "epsilon": 1e-8}),
    "lbfgs": (None, {"memory": 10}),
}
WITH_MOMENTUM = ("sgd", "rmsprop")


@dataclass(frozen=True)
class Optimizer:
    """name: of OPTIMIZERS;  momentum: for those that have one;  numbers: the others, by name."""

    name: str
    momentum: float = 0.0
    numbers: dict = field(default_factory=dict)

    def setting(self) -> str | dict:
        """What `from_setting` reads: the name, with the numbers that are not the defaults."""
        defaults = OPTIMIZERS[self.name][1]
        changed = {name: value for name, value in self.numbers.items() if value != defaults[name]}
        return {"name": self.name, **changed} if changed else self.name

    def rule(self, l1: float, l2: float, clip_norm: float | None, max_norm: float | None) -> Rule:
        """The kernels' rule of a step."""
        code, numbers = OPTIMIZERS[self.name][0], self.numbers
        if self.name == "lbfgs":
            code = rule.GRADIENT
        elif self.name == "sgd" and self.momentum:
            code = rule.MOMENTUM
        return Rule(
            optimizer=rule.PLAIN if code is None else code,
            momentum=numbers.get("beta1", self.momentum),
            dampening=numbers.get("dampening", 0.0),
            nesterov=float(numbers.get("nesterov", False)),
            beta2=numbers.get("beta2", 0.0),
            epsilon=numbers.get("epsilon", 0.0),
            l1=l1,
            l2=l2,
            decay=numbers.get("weight_decay", 0.0),
            clip_norm=clip_norm or 0.0,
            max_norm=max_norm or 0.0,
        )


def from_setting(value: object, momentum: object = 0.0) -> Optimizer:
    """The optimiser of a name, such as "adam", or of a dict with its numbers: {"name": "adam", "beta2": 0.99}.

    Raises InputError, InputTypeError for an unknown name or number, one out of range, or numbers that do not go
    together.
    """
    number = check.real("momentum", momentum, "0 switches it off, 0.9 is common", least=0, below=1)
    given = dict(value) if isinstance(value, dict) else {"name": value}
    name = given.pop("name", None)
    if not isinstance(name, str):
        raise InputTypeError(f'optimizer is {value!r}; expected a name, or a dict such as {{"name": "adam"}}')
    if name not in OPTIMIZERS:
        near = difflib.get_close_matches(name, OPTIMIZERS, n=1)
        guess = f"did you mean {near[0]!r}? " if near else ""
        raise InputError(f"optimizer is {name!r}; {guess}expected one of {', '.join(OPTIMIZERS)}")
    numbers = dict(OPTIMIZERS[name][1])
    for key, setting in given.items():
        if key not in numbers:
            raise InputError(f"optimizer {name} has no {key!r}; expected one of {', '.join(numbers)}: {_mend(key)}")
        numbers[key] = _checked(name, key, setting)
    if number and name not in WITH_MOMENTUM:
        own = "beta1 is its own" if "beta1" in numbers else "leave it out"
        raise InputError(f"momentum is {number:g} and optimizer {name!r}, which has none; {own}")
    if numbers.get("nesterov") and not number:
        raise InputError("nesterov is on and momentum is 0; expected a momentum: 0.9 is common")
    if numbers.get("dampening") and not number:
        raise InputError(f"dampening is {numbers['dampening']:g} and momentum is 0; expected a momentum to dampen")
    if numbers.get("nesterov") and numbers["dampening"]:
        raise InputError(f"nesterov is on and dampening is {numbers['dampening']:g}; expected one of the two")
    return Optimizer(name, number, numbers)


def _mend(key):
    homes = [name for name, (_, numbers) in OPTIMIZERS.items() if key in numbers]
    if key == "momentum":
        return "momentum is a setting beside it"
    return f"{key} belongs to {', '.join(homes)}" if homes else "leave it out"


def _checked(name, key, value):
    """One number of an optimiser."""
    where = f"{key} of optimizer {name}"
    if key == "nesterov":
        return check.flag(where, value)
    if key == "memory":
        return check.whole(where, value, 1, "10 is common")
    if key == "epsilon":
        return check.positive(where, value, "1e-8 is common")
    if key == "weight_decay":
        return check.real(where, value, "0.01 is common", least=0)
    return check.real(where, value, "0.9 is common", least=0, below=1)
