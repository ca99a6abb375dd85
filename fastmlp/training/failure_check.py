"""Whether a training failed: its loss is lost, or its network gives every sample the same answer."""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastmlp.config.network import NetworkConfig
from fastmlp.training.advice import advise, split_advice
from fastmlp.training.failure import FailureReason
from fastmlp.training.scale_hints import scale_hints
from fastmlp.training.session import Session

# A trained network may be surer of its mistakes than a constant prediction; one whose loss is this many times that of
# the constant prediction is lost.
FAR_ABOVE_PRIOR = 10
# A dead network's loss is that of the constant prediction, to about this.
NEAR_PRIOR = 0.01
_HEAD_ROWS = 1000
# Diagnoses that ask for a smaller rate; the others' names are in `fastmlp.training.diagnostics`.
CAUSES_TO_CALM = ("dead-units", "saturated-units", "updates-too-large")


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
    loss, prior = session.state.history["train_loss"][epoch - 1], session.prior_loss
    if lost := describe_divergence(session, loss, epoch, prior):
        return FailureReason(lost)
    if prior == 0:
        return None  # all targets are the same, and so are the right answers
    if abs(loss - prior) < NEAR_PRIOR * max(prior, 1) and _are_alike(session.predict_inputs(batches.head(_HEAD_ROWS))):
        what, hints = _explain_sameness(session, prior)
        seen = f"it gives every sample the same answer, its loss {loss:.3f} that of {config.loss_function.baseline}"
        return FailureReason(advise(f"{what}: {seen}", hints))
    return None


def _explain_sameness(session: Session, prior_loss: float) -> tuple[str, list[str]]:
    """Return what a network that gives every sample the same answer is, and what to try.

    The hints are those of the diagnoses that explain it. Without any it had either learned something, which too long a
    step undid, or it has not begun to learn.
    """
    config, history = session.config, session.state.history
    explained = [one for one in history.diagnoses if one["cause"] in ("updates-too-small", *CAUSES_TO_CALM)]
    hints = [hint for one in explained for hint in split_advice(one["sentence"])[1]]
    began = min(history["train_loss"]) < (1 - NEAR_PRIOR) * prior_loss
    died = began or any(one["cause"] in CAUSES_TO_CALM for one in explained)
    if not hints and died:
        hints = [*scale_hints(session), *smaller_rate(session), *usual_init(config)]
    elif not hints:
        larger = [larger_rate(config)] if config.optimizer_config.has_learning_rate else []
        hints = [*scale_hints(session), *larger, "more epochs", *usual_init(config)]
    return "died" if died else "stuck", list(dict.fromkeys(hints)) or ["fewer layers"]


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
    measure = session.config.loss_function
    if not math.isfinite(loss):
        return advise(f"diverged: the loss is {loss} after epoch {epoch}", divergence_hints(session))
    if loss <= FAR_ABOVE_PRIOR * prior_loss:
        return None
    # Of rare classes a constant prediction is right so often that a network may be slow to do as well.
    uniform = measure.uniform_loss(session.data.batches.y, len(session.data.classes)) * session.loss_unit
    if loss > uniform:
        seen = f"diverged: the loss is {loss:.3g}, and {measure.baseline} has {prior_loss:.3g}"
        return advise(seen, divergence_hints(session))
    return None


def divergence_hints(session: Session) -> list[str]:
    """Return what may help a training that diverged.

    Parameters
    ----------
    session : Session
        The training.
    """
    others = smaller_rate(session) or usual_init(session.config)
    return [*scale_hints(session), *others] or ["fewer layers"]


def smaller_rate(session: Session) -> list[str]:
    """Return the hint to lower the learning rate; none where there is no rate, or its steps were found too small.

    Parameters
    ----------
    session : Session
        The training.
    """
    config = session.config
    if not config.optimizer_config.has_learning_rate or session.state.history.has_diagnosis("updates-too-small"):
        return []
    return [f"a smaller learning rate than {config.learning_rate:g}"]


def larger_rate(config: NetworkConfig) -> str:
    """Return the hint to raise the learning rate.

    Parameters
    ----------
    config : NetworkConfig
        The settings.
    """
    return f"a larger learning rate than {config.learning_rate:g}"


def usual_init(config: NetworkConfig) -> list[str]:
    """Return the hint to begin with the usual weights; none where that is so.

    Parameters
    ----------
    config : NetworkConfig
        The settings.
    """
    if config.init == "auto" and config.init_scale is None:
        return []
    return ["init='auto'" if config.init_scale is None else "init='auto' without init_scale"]


def _are_alike(answers: NDArray[Any]) -> bool:
    """Whether all rows of predictions are the same; of numbers, about the same."""
    if answers.dtype.kind != "f":
        return bool((answers == answers[0]).all())
    return bool((np.ptp(answers, axis=0) <= 1e-3 * np.abs(answers).max()).all())
