"""Whether a training failed: its loss is lost, or its network gives every sample the same answer."""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastmlp.config.network import NetworkConfig
from fastmlp.training.failure import FailureReason
from fastmlp.training.session import Session

# A trained network may be surer of its mistakes than a constant prediction; one whose loss is this many times that of
# the constant prediction is lost.
FAR_ABOVE_PRIOR = 10
# A dead network's loss is that of the constant prediction, to about this.
NEAR_PRIOR = 0.01
_HEAD_ROWS = 1000


def find_failure(session: Session, epoch: int) -> FailureReason | None:
    """Return why a training failed, if it did.

    Parameters
    ----------
    session : Session
        The training, after its last epoch.
    epoch : int
        Number of the epoch whose weights the network has: the last, or the one that early stopping went back to.
    """
    config, batches = session.config, session.data.batches
    loss, prior = session.state.history["train_loss"][epoch - 1], batches.prior_loss(config.loss_function)
    if lost := describe_divergence(session, loss, epoch, prior):
        return FailureReason(lost)
    if prior == 0:
        return None  # all targets are the same, and so are the right answers
    if abs(loss - prior) < NEAR_PRIOR * max(prior, 1) and _are_alike(session.predict_inputs(batches.head(_HEAD_ROWS))):
        smaller = f"{smaller_rate(config)} or " if config.optimizer_config.has_learning_rate else ""
        return FailureReason(
            f"died: it gives every sample the same answer, its loss {loss:.3f} that of "
            f"{config.loss_function.baseline}; {smaller}init='auto' may help"
        )
    return None


def describe_divergence(session: Session, loss: float, epoch: int, prior_loss: float) -> str | None:
    """Return what is wrong with a loss that no network should have, or None.

    Parameters
    ----------
    session : Session
        The training.
    loss : float
        On the training set.
    epoch : int
        Number of the epoch after which it was measured.
    prior_loss : float
        Loss of the constant prediction.
    """
    measure, hint = session.config.loss_function, divergence_hint(session.config)
    if not math.isfinite(loss):
        return f"diverged: the loss is {loss} after epoch {epoch}; {hint}"
    # Of rare classes a constant prediction is right so often that a network may be slow to do as well.
    uniform = measure.uniform_loss(session.data.batches.y, len(session.data.classes))
    if loss > max(FAR_ABOVE_PRIOR * prior_loss, uniform):
        return f"diverged: the loss is {loss:.3g}, and {measure.baseline} has {prior_loss:.3g}; {hint}"
    return None


def divergence_hint(config: NetworkConfig) -> str:
    """Return what may help a training that diverged.

    Parameters
    ----------
    config : NetworkConfig
        Its settings.
    """
    rated = config.optimizer_config.has_learning_rate
    return f"{smaller_rate(config)} may help" if rated else "init='auto' may help"


def smaller_rate(config: NetworkConfig) -> str:
    """Return the advice to lower the learning rate.

    Parameters
    ----------
    config : NetworkConfig
        The settings.
    """
    return f"a smaller learning rate than {config.learning_rate:g}"


def _are_alike(answers: NDArray[Any]) -> bool:
    """Whether all rows of predictions are the same; of numbers, about the same."""
    allowed = 1e-3 * np.abs(answers).max() if answers.dtype.kind == "f" else 0
    return bool((np.ptp(answers, axis=0) <= allowed).all())
