"""Fitted network: what a training leaves behind, as one object."""

from dataclasses import dataclass, field, replace
from typing import Any

from numpy.typing import NDArray

from fastmlp.errors import InputError
from fastmlp.inputs.encoder import InputEncoder
from fastmlp.training.diagnostics import DiagnosticsCallback
from fastmlp.training.failure import FailureReason
from fastmlp.training.history import History
from fastmlp.training.parameters import Parameters
from fastmlp.training.session import Session
from fastmlp.training.state import TrainingState


@dataclass(frozen=True)
class Fitted:
    """A trained network, which `MLP.fit` replaces by one assignment.

    So a network that is fitted again in one thread answers in another as it was before, or as it is afterwards.

    Attributes
    ----------
    parameters : Parameters or None
        Weights and biases; None before `fit`.
    classes : ndarray of shape (C,), or None
        What the outputs stand for: labels, or the numbers of the columns. Of scaled numbers their scale (C, 2), see
        `fastmlp.config.target_scaling`.
    encoder : InputEncoder or None
        What the inputs mean.
    history : History
        Of its training.
    fit_info : dict or None
        first_layer ("sparse" or "dense"), density of the inputs, threads, scaling, inputs (in words).
    failure_reason : FailureReason or None
        Why the training failed.
    state : TrainingState or None
        Where `partial_fit` continues; None for a network that was read from a file.
    """

    parameters: Parameters | None = None
    classes: NDArray[Any] | None = None
    encoder: InputEncoder | None = None
    history: History = field(default_factory=History)
    fit_info: dict[str, Any] | None = None
    failure_reason: FailureReason | None = None
    state: TrainingState | None = None

    def network(self) -> tuple[Parameters, NDArray[Any], InputEncoder]:
        """Return parameters, classes and encoder. Raises InputError before `fit`."""
        if self.parameters is None or self.classes is None or self.encoder is None:
            raise InputError("this network has no weights yet; call fit first, or MLP.load a saved one")
        return self.parameters, self.classes, self.encoder

    @classmethod
    def of(cls, session: Session) -> "Fitted":
        """Return what a training has come to.

        Parameters
        ----------
        session : Session
            The training, between two epochs.
        """
        state, data, batches = session.state, session.data, session.data.batches
        state.settle(
            {
                name: dict(callback.state_dict())
                for name, callback in state.callbacks.active.items()
                if isinstance(callback, DiagnosticsCallback)
            }
        )
        info = {
            "first_layer": batches.first_layer, "density": batches.density, "threads": session.trainer.threads,
            "scaling": data.encoder.scaling.kind, "inputs": data.encoder.describe(),
        }  # fmt: skip
        return cls(state.parameters, data.classes, data.encoder, state.history, info, state.failure_reason, state)


def field_of_fitted(name: str, doc: str) -> Any:
    """Make a property that reads one field of an object's `_fitted`, and replaces it as a whole to write it.

    Parameters
    ----------
    name : str
        Of the field.
    doc : str
        What it is, in a sentence.
    """
    return property(
        lambda owner: getattr(owner._fitted, name),
        lambda owner, value: setattr(owner, "_fitted", replace(owner._fitted, **{name: value})),
        doc=doc,
    )
