"""What went wrong in a training, in words."""

import math

import numpy as np

from .objective import from_setting as read_objective

# A trained network may be surer of its mistakes than a guess; one whose loss is this many times a guess's is lost.
FAR_ABOVE_GUESSING = 10
# A dead network's loss is that of guessing, to about this.
NEAR_GUESSING = 0.01


def failure(mlp, source):
    """Why the training of `mlp` on a source failed, in words; or None."""
    loss, epochs = mlp.history["train_loss"][-1], len(mlp.history)
    has_rate = mlp._optimizer.name != "lbfgs"
    mend = f"a smaller learning rate than {mlp.learning_rate:g} may help" if has_rate else "init='auto' may help"
    if not math.isfinite(loss):
        return f"diverged: the loss is {loss} after epoch {epochs}; {mend}"
    objective = read_objective(mlp.loss)
    guess, guessing = objective.guess(source.y), objective.guessing
    if loss > FAR_ABOVE_GUESSING * guess:
        return f"diverged: the loss is {loss:.3g}, and {guessing} has {guess:.3g}; {mend}"
    if abs(loss - guess) < NEAR_GUESSING * max(guess, 1) and _answers_alike(mlp.predict(source.head(1000))):
        return f"died: it gives every sample the same answer, its loss {loss:.3f} that of {guessing}; " + (
            f"{mend.removesuffix(' may help')} or init='auto' may help" if has_rate else mend
        )
    return None


def _answers_alike(answers):
    """Whether all rows of predictions are the same; of numbers, about the same."""
    allowed = 1e-3 * np.abs(answers).max() if answers.dtype.kind == "f" else 0
    return bool((np.ptp(answers, axis=0) <= allowed).all())
