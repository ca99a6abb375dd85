"""What all optimizers have in common: their registry, their numbers, the rule of a step."""

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from fastmlp.errors import InputError
from fastmlp.kernels import update_rule
from fastmlp.kernels.update_rule import Rule
from fastmlp.utils import validation as check

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


def momentum_setting() -> Any:
    """Declare the field of an optimizer whose momentum is the setting `momentum` of the network."""
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
        """Return the numbers that the setting `optimizer` may give, by name; the momentum is a separate setting."""
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

    def kernel_rates(self, rates: NDArray[np.float64], steps: int) -> tuple[NDArray[np.float64], int]:
        """Return rates and steps taken before, as `fastmlp.kernels.update_rule.step_schedule` takes them.

        Parameters
        ----------
        rates : ndarray of shape (n,), float64
            Learning rates of the next steps.
        steps : int
            Steps that were taken before.
        """
        return rates, steps

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

    @property
    def scipy_vectors(self) -> int:
        """Number of float64 for each parameter that `scipy_method` takes memory for."""
        return 0

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
