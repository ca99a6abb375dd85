"""What a training leaves behind."""

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from fastmlp.training.failure import FailureReason
from fastmlp.training.history import History
from fastmlp.training.parameters import Parameters


@dataclass(frozen=True)
class Fitted:
    """A trained network as one object, which `MLP.fit` replaces by one assignment.

    So a network that is fitted again in one thread answers in another as it was before, or as it is afterwards.
    """

    parameters: Parameters | None = None
    classes: np.ndarray | None = None
    history: History = field(default_factory=History)
    plan: dict | None = None
    failure_reason: FailureReason | None = None


def field_of_fitted(name: str, doc: str) -> Any:
    """Make a property that reads one field of an object's `_fitted`, and replaces it as a whole to write it."""
    return property(
        lambda owner: getattr(owner._fitted, name),
        lambda owner, value: setattr(owner, "_fitted", replace(owner._fitted, **{name: value})),
        doc=doc,
    )
