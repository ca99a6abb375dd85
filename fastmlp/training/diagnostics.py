"""What goes wrong in a training, in words: while it runs, and at its end. The thresholds are told in docs/diagnosis.md.

A diagnosis is {"epoch": int, "cause": str, "sentence": str}, its cause one of CAUSES. Each cause is told at most once
per training: in `History.diagnoses`, and as a warning of the logger "fastmlp".
"""

import math
from collections.abc import Mapping
from contextvars import ContextVar
from typing import Any

import numpy as np

from fastmlp.kernels.layout import ACTIVATION, FAN_OUT, RELU, TANH
from fastmlp.training.failure import FailureReason
from fastmlp.training.probes import is_look, largest_input, sample_of, step_ratios, unit_shares

CAUSES = ("dead-units", "saturated-units", "updates-too-large", "updates-too-small", "diverged", "overfitting")

# What to call the network in the log, where several train side by side, each in its own thread; None keeps it out.
NAME: ContextVar[str | None] = ContextVar("NAME", default="")

# A trained network may be surer of its mistakes than a guess; one whose loss is this many times a guess's is lost.
FAR_ABOVE_GUESSING = 10
# A dead network's loss is that of guessing, to about this.
NEAR_GUESSING = 0.01

# Share of a layer's relu units that give 0 for all of the sample. CS231n tells of 40% where the rate is too high;
# networks that learn well had up to 12% here, after one epoch or fifty.
DEAD = 0.5
# Share of a layer's outputs at which the derivative is less than 2% of its largest. Networks that learn well had up
# to 48% here; those that start with weights ten times as large 78% and more.
SATURATED = 0.7
# Norm of a step over that of the layer's weights. A. Karpathy's rule of thumb (CS231n, "Babysitting the learning
# process") is about 0.001. Networks that learn well had 0.0001 to 0.05 here, some 0.2 in their first epoch.
USUAL, LARGE, SMALL = 1e-3, 0.1, 1e-4
LOOKS = 3  # in a row are to see too large a step: the first steps of a training may be long
# All steps of a training together, were they all to go one way, are to change a layer by more than this share of it.
REACH = 0.05
VANISHED = 100  # times as small as the steps of another layer
# Below this share of the loss of guessing a network has learned too well for saturation and long steps to matter ...
LEARNED = 0.1
# ... and above this one it has hardly begun, so that it may be asked why.
HARDLY_LEARNED = 0.5
# L. Prechelt, "Early stopping - but when?", 1998, calls the rise of the validation loss above its least the
# generalisation loss; it is to be above RISE for PATIENCE epochs in a row. Where few samples are misjudged the loss
# rises by half while the accuracy still improves, so the loss is also to be as far as GAP, a share of the loss of
# guessing, above that of the training set.
RISE, PATIENCE, GAP = 0.1, 5, 0.1
LARGE_INPUT = 10  # inputs of variance 1 seldom are


def failure(mlp, source, epoch):
    """Why the training of `mlp` on a source failed, in words; or None.

    epoch  the one whose weights the network has: the last, or the one that early stopping went back to
    """
    objective, loss = mlp.config.loss_function, mlp.history["train_loss"][epoch - 1]
    guess = source.prior_loss(objective)
    if lost := _lost(mlp, loss, epoch, guess, source.y):
        return FailureReason(lost)
    if guess == 0:
        return None  # all targets are the same, and so are the right answers
    if abs(loss - guess) < NEAR_GUESSING * max(guess, 1) and _answers_alike(mlp.predict(source.head(1000))):
        smaller = f"{_smaller_rate(mlp)} or " if _has_rate(mlp) else ""
        return FailureReason(
            f"died: it gives every sample the same answer, its loss {loss:.3f} that of {objective.baseline}; "
            f"{smaller}init='auto' may help"
        )
    return None


def _lost(mlp, loss, epoch, guess, targets):
    """That the loss is nowhere near what a network may have, in words; or None. guess: the loss of guessing."""
    objective, mend = mlp.config.loss_function, _mend_of_divergence(mlp)
    if not math.isfinite(loss):
        return f"diverged: the loss is {loss} after epoch {epoch}; {mend}"
    # Of classes that are hardly ever met a guess is right so often that a network may be slow to do as well.
    if loss > max(FAR_ABOVE_GUESSING * guess, objective.uniform_loss(targets, len(mlp.classes))):
        return f"diverged: the loss is {loss:.3g}, and {objective.baseline} has {guess:.3g}; {mend}"
    return None


def _mend_of_divergence(mlp):
    return f"{_smaller_rate(mlp)} may help" if _has_rate(mlp) else "init='auto' may help"


def _answers_alike(answers):
    """Whether all rows of predictions are the same; of numbers, about the same."""
    allowed = 1e-3 * np.abs(answers).max() if answers.dtype.kind == "f" else 0
    return bool((np.ptp(answers, axis=0) <= allowed).all())


def _has_rate(mlp):
    return mlp.config.optimizer_config.has_learning_rate


def _smaller_rate(mlp):
    return f"a smaller learning rate than {mlp.learning_rate:g}"


class Observer:
    """Looks at a network between epochs, and tells each cause of trouble once; it changes no weight.

    mlp       whose history gets the diagnoses;  trainer: what it trains with;  source: of the training set

    The losses are compared after every epoch. Units and steps are looked at after epochs 1, 2, 3, 5, 8 and so on, each
    number the sum of the two before it, and after the last: what a look sees changes slowly, and no clock decides.
    """

    def __init__(self, mlp: Any, trainer: Any, source: Any):
        self._mlp, self._trainer, self._source = mlp, trainer, source
        self._sample: Any = None
        self._guess = math.nan
        # The loss at the last look if it was far above guessing; looks in a row that saw too large a step.
        self._lost_at, self._large = math.inf, 0
        self._best, self._best_epoch, self._best_train, self._worse = math.inf, 0, math.inf, 0

    def state(self) -> dict[str, Any]:
        """What the epochs so far have changed, as plain values, for a checkpoint; the diagnoses are among them."""
        return {
            "diagnoses": [dict(diagnosis) for diagnosis in self._mlp.history.diagnoses],
            "lost_at": self._lost_at,
            "large": self._large,
            "best": self._best,
            "best_epoch": self._best_epoch,
            "best_train": self._best_train,
            "worse": self._worse,
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from what `state` returned; the diagnoses are put into the history that the network has now."""
        self._mlp.history.diagnoses = [dict(diagnosis) for diagnosis in state["diagnoses"]]
        self._lost_at, self._large = float(state["lost_at"]), int(state["large"])
        self._best, self._best_epoch = float(state["best"]), int(state["best_epoch"])
        self._best_train, self._worse = float(state["best_train"]), int(state["worse"])

    def __call__(self, record: Mapping[str, Any]) -> None:
        """Look at the network after an epoch. record: as in `History`, to which it was appended."""
        if not math.isfinite(record["train_loss"]):
            return  # the training ends here, and `ended` says why
        if math.isnan(self._guess):
            self._guess = self._source.prior_loss(self._mlp.config.loss_function)
        self._compare_losses(record)
        if is_look(record["epoch"], self._mlp.epochs):
            with np.errstate(all="ignore"):  # a network that is lost may overflow
                self._look(record)

    def ended(self, kept: int) -> None:
        """Tell why the training failed, if it did: to be called when `MLP.failure_reason` is known.

        kept  the epoch whose weights the network has
        """
        mlp, last = self._mlp, len(self._mlp.history)
        loss = mlp.history["train_loss"][-1]
        if mlp.failure_reason:
            self._tell(last, "diverged", mlp.failure_reason)
        elif not math.isfinite(loss):
            what = f"the loss is {loss} after epoch {last}, and the weights of epoch {kept}, the best one, are kept"
            self._tell(last, "diverged", f"diverged: {what}; {_mend_of_divergence(mlp)}")

    def _tell(self, epoch, cause, sentence):
        if self._told(cause):
            return
        self._mlp.history.diagnoses.append({"epoch": epoch, "cause": cause, "sentence": sentence})
        import logging  # `import fastmlp` would take longer

        name = NAME.get()
        if name is None:
            return
        logging.getLogger("fastmlp").warning("%s%s", f"{name}: " if name else "", sentence)

    def _told(self, *causes):
        return any(diagnosis["cause"] in causes for diagnosis in self._mlp.history.diagnoses)

    def _compare_losses(self, record):
        """See whether the validation loss has risen for some epochs, and the training loss has fallen."""
        loss, train = record["validation_loss"], record["train_loss"]
        if loss < self._best:  # never so without a validation set: then it is nan
            self._best, self._best_epoch, self._best_train, self._worse = loss, record["epoch"], train, 0
            return
        rose = loss > (1 + RISE) * self._best and train < self._best_train
        self._worse = self._worse + 1 if rose and loss - train > GAP * self._guess else 0
        if self._worse >= PATIENCE:
            mlp = self._mlp
            mends = [] if mlp.early_stopping is not None else [f"early_stopping={PATIENCE}"]
            mends += [] if mlp.l2 else ["l2=0.0001"]
            mends += [] if mlp.dropout or not mlp.hidden or not _has_rate(mlp) else ["dropout=0.2"]
            self._tell(
                record["epoch"],
                "overfitting",
                f"overfitting: the validation loss rose from {self._best:.3g} after epoch {self._best_epoch} to "
                f"{loss:.3g} after epoch {record['epoch']}, while the training loss fell from {self._best_train:.3g} "
                f"to {train:.3g}; try {_listed([*mends, 'more training samples'])}",
            )

    def _look(self, record):
        epoch, loss = record["epoch"], record["train_loss"]
        if self._sample is None:
            self._sample = sample_of(self._source)
        lost = _lost(self._mlp, loss, epoch, self._guess, self._source.y)
        if lost and loss >= self._lost_at:  # one that falls may yet arrive
            self._tell(epoch, "diverged", lost)
        self._lost_at = loss if lost else math.inf
        self._look_at_units(epoch, loss)
        if _has_rate(self._mlp):
            self._look_at_steps(record)

    # ------------------------------------------------------------------------------------------------------- units

    def _look_at_units(self, epoch, loss):
        dead, saturated = (0.0, 0), (0.0, 0)  # of the worst layer, and which it is
        layers, rows = self._trainer.parameters.layers, self._sample[0].shape[0]
        for layer, share in enumerate(unit_shares(self._trainer, self._sample[0]), start=1):
            if layers[layer - 1, ACTIVATION] == RELU and share > dead[0]:
                dead = share, layer
            elif layers[layer - 1, ACTIVATION] != RELU and share > saturated[0]:
                saturated = share, layer
        (share, layer), seen = dead, f"{rows} samples after epoch {epoch}"
        if share > DEAD:
            units = int(layers[layer - 1, FAN_OUT])
            what = f"{round(share * units)} of its {units} relu units gave 0 for all of {seen}"
            mend = self._calmer(("auto", "he"), "he")
            self._tell(epoch, "dead-units", f"hidden layer {layer}: {what}; try {mend}")
        share, layer = saturated
        if share > SATURATED and loss > LEARNED * self._guess:
            is_tanh = layers[layer - 1, ACTIVATION] == TANH
            range_ = "tanh units were beyond -0.99 or 0.99" if is_tanh else "sigmoid units were beyond 0.005 or 0.995"
            what = f"{share:.0%} of the outputs of its {range_} for {seen}, where hardly any gradient passes"
            mend = self._calmer(("auto", "xavier"), "xavier")
            self._tell(epoch, "saturated-units", f"hidden layer {layer}: {what}; try {mend}")

    def _calmer(self, good, init):
        """What keeps units in their range. good: the laws of the first weights that do; init: the one to advise."""
        mlp, largest = self._mlp, largest_input(self._sample[0])
        inputs = [f"inputs scaled to about 1 (they go up to {largest:.3g})"] if largest > LARGE_INPUT else []
        rate = [_smaller_rate(mlp)] if _has_rate(mlp) else []
        law = [] if mlp.init in good else [f"init='{init}'"]
        if not law and mlp.init_scale is not None and mlp.init_scale > 1:
            law = [f"a smaller init_scale than {mlp.init_scale:g}"]
        # Relu units die of long steps; what saturates may have begun so.
        return _listed([*inputs, *(law + rate if init == "xavier" else rate + law)] or ["fewer layers"])

    # ------------------------------------------------------------------------------------------------------- steps

    def _look_at_steps(self, record):
        epoch, mlp = record["epoch"], self._mlp
        ratios = step_ratios(self._trainer, self._sample, epoch, mlp.learning_rate)
        if not np.isfinite(ratios).all():
            return
        # A step is proportional to its rate.
        now = ratios * (record["learning_rate"] / mlp.learning_rate)
        worst = int(now.argmax())
        is_large = now[worst] > LARGE and record["train_loss"] > LEARNED * self._guess
        self._large = self._large + 1 if is_large else 0
        if self._large >= LOOKS:
            what = f"a step changed its weights by {now[worst]:.0%} of their norm after epoch {epoch}"
            mend = self._calmer((mlp.init,), "")
            self._tell(
                epoch, "updates-too-large", f"{self._layer(worst)}: {what}, and {USUAL:.1%} is usual; try {mend}"
            )
        if record["train_loss"] > HARDLY_LEARNED * self._guess and not self._told("dead-units", "saturated-units"):
            highest = max(mlp.learning_rate, *mlp.history["learning_rate"])
            self._look_for_small(epoch, ratios * (highest / mlp.learning_rate))

    def _look_for_small(self, epoch, ratios):
        least, steps = int(ratios.argmin()), self._mlp.epochs * self._trainer.steps_of(self._source.shape[0])
        if ratios[least] >= SMALL or ratios[least] * steps >= REACH:
            return
        step = f"a step changes its weights by {ratios[least]:.1e} of their norm after epoch {epoch}"
        whole = f"all {steps} steps of the training by {100 * ratios[least] * steps:.1g}% at most"
        text = f"{self._layer(least)}: {step}, {whole}; "
        if ratios.max() < VANISHED * ratios[least]:
            text += f"try a larger learning rate than {self._mlp.learning_rate:g}"
        else:
            text += f"the gradient vanishes before it gets there; try {self._livelier()}"
        self._tell(epoch, "updates-too-small", text)

    def _livelier(self):
        mlp, codes = self._mlp, self._trainer.parameters.layers[:-1, ACTIVATION]
        mends = ["activation='relu'"] if (codes != RELU).any() else []
        if mlp.init != "auto" or mlp.init_scale is not None:
            mends.append("init='auto' without init_scale")
        return _listed([*mends, "fewer layers"])

    def _layer(self, number):
        hidden = len(self._trainer.parameters.layers) - 1
        return f"hidden layer {number + 1}" if number < hidden else "output layer"


def _listed(mends):
    """ "a", "a or b", "a, b or c"."""
    *first, last = mends
    return f"{', '.join(first)} or {last}" if first else last
