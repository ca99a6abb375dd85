"""Diagnostics: what goes wrong in a training, in words, while it runs and at its end; see docs/diagnosis.md.

A diagnosis is {"epoch": int, "cause": str, "sentence": str}, its cause one of CAUSES. Each cause is reported at most
once per training: in `History.diagnoses`, and as a warning of the logger "fastmlp".
"""

import math
from collections.abc import Mapping, Sequence
from contextlib import closing
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastmlp.kernels.layout import ACTIVATION, ELU, FAN_OUT, RECTIFIERS, RELU, SIGMOID, SOFTPLUS, TANH, multiply_adds
from fastmlp.training.advice import advise
from fastmlp.training.batches import EvaluationChunk
from fastmlp.training.callback_states import CallbackState
from fastmlp.training.callbacks import InternalCallback, TrainingView
from fastmlp.training.failure_check import (
    CAUSES_TO_CALM,
    describe_divergence,
    divergence_hints,
    find_failure,
    larger_rate,
    smaller_rate,
    usual_init,
)
from fastmlp.training.probes import (
    IDLE,
    PROBES,
    SAMPLE,
    idle_share,
    next_probe_epoch,
    probe_spacing,
    probes_left,
    step_ratios,
)
from fastmlp.training.scale_hints import scale_hints
from fastmlp.training.session import Session
from fastmlp.utils.records import Count, Known, Record, converted, to_plain

CAUSES = ("dead-units", "saturated-units", "updates-too-large", "updates-too-small", "diverged", "overfitting")

# Share of a layer's units that give 0, or let hardly any gradient through, for all of the sample. CS231n reports 40%
# where the rate is too high; networks of relu that learn well had up to 12% here, after one epoch or fifty.
DEAD = 0.5
# Share of a layer's outputs at which the derivative is less than 2% of its largest. Networks that learn well had up
# to 48% here; those that start with weights ten times as large 78% and more.
SATURATED = 0.7
# Norm of a step over that of the layer's weights. A. Karpathy's rule of thumb (CS231n, "Babysitting the learning
# process") is about 0.001. Networks that learn well had 0.0001 to 0.05 here, some 0.2 in their first epoch.
USUAL, LARGE, SMALL = 1e-3, 0.1, 1e-4
# All steps of a training together, were they all to go one way, are to change a layer by more than this share of it.
REACH = 0.05
SMALL_PROBES = 2  # in a row are to see it: relu units may rest for a while, and pass no gradient
VANISHED = 100  # times as small as the steps of another layer
# Below this share of the prior loss, that of a constant prediction, a network has learned too well for saturation and
# long steps to matter ...
LEARNED = 0.1
# ... and above this one it has hardly begun, so that it may be asked why.
HARDLY_LEARNED = 0.5
# L. Prechelt, "Early stopping - but when?", 1998, calls the rise of the validation loss above its least the
# generalisation loss; it is to be above RISE for PATIENCE epochs in a row. Where few samples are misjudged the loss
# rises by half while the accuracy still improves, so the loss is also to be as far as GAP, a share of the prior
# loss, above that of the training set.
RISE, PATIENCE, GAP = 0.1, 5, 0.1

_GAVE = {
    RELU: "relu units gave 0",
    ELU: "elu units gave less than -0.98, where hardly any gradient passes,",
    SOFTPLUS: "softplus units gave less than 0.02, where hardly any gradient passes,",
}


class _State(Record, frozen=True, kw_only=True):
    """What the diagnostics remember of the epochs so far."""

    lost_at: Known
    large: Count
    small: Count
    best: Known
    best_epoch: Count
    best_train: Known
    worse: Count


class DiagnosticsCallback(InternalCallback):
    """Watch a network between epochs and report each cause of trouble once; it changes no weight.

    Losses are compared after every epoch. Units and steps are probed after epochs 1, 2, 3, 5, 8 and so on, each number
    the sum of the two before it, and after the last: what a probe measures changes slowly, and no clock decides. Of
    epochs that are shorter than a probe, and that are not measured on a validation set either, more pass in between.

    Parameters
    ----------
    name : str
        What to call the network in the log, where several train side by side.
    log : bool
        Whether to log diagnoses; they are in the history in any case.
    """

    def __init__(self, name: str = "", *, log: bool = True):
        self._name, self._log = name, log
        self._reset()

    def _reset(self) -> None:
        self._drawn: EvaluationChunk | None = None
        # The loss at the last probe if it was far above the prior loss; probes in a row that saw too large a step, and
        # too small a one.
        self._lost_at, self._large, self._small = math.inf, 0, 0
        self._best, self._best_epoch, self._best_train, self._worse = math.inf, 0, math.inf, 0

    def state_dict(self) -> CallbackState:
        """Return what the epochs so far have changed; the diagnoses are in the history."""
        return {name: getattr(self, f"_{name}") for name in _State.__struct_fields__}

    def load_state_dict(self, state: CallbackState) -> None:
        for name, value in to_plain(converted(dict(state), _State)).items():
            setattr(self, f"_{name}", value)

    def attach(self, session: Session) -> None:
        self._reset()
        super().attach(session)
        work = session.data.batches.shape[0] * multiply_adds(session.state.parameters.layers)
        is_measured = session.data.validation is not None
        self._spacing = 1 if is_measured else probe_spacing(work, session.config.epochs)

    def detach(self) -> None:
        self._drawn = None
        super().detach()

    def next_epoch(self) -> int:
        session, probe = self.session, self.session.state.epoch
        if session.data.validation is not None:
            return probe
        session.trainer.marks, probe = [], self._next_probe(probe)
        while probe < session.last_epoch and len(session.trainer.marks) < session.trainer.most_marks:
            session.trainer.marks.append(probe)
            probe = self._next_probe(probe + 1)
        return probe

    def _next_probe(self, epoch: int) -> int:
        return next_probe_epoch(epoch, self.session.config.epochs, self._spacing)

    def on_epoch_end(self, view: TrainingView) -> None:
        history, trainer = self.session.state.history, self.session.trainer
        if trainer.marks:
            with closing(trainer.at_marks()) as marks:
                for epoch in marks:
                    if (record := history.first(epoch).last()) is not None:
                        self.examine(record)
        if (record := view.record) is not None:
            self.examine(record)

    def examine(self, record: Mapping[str, Any]) -> None:
        """Look at the network after an epoch.

        Parameters
        ----------
        record : mapping
            Of the epoch, as in `History`.
        """
        if not math.isfinite(record["train_loss"]):
            return  # the training ends here, and `on_fit_end` reports why
        self._compare_losses(record)
        if record["epoch"] == self._next_probe(record["epoch"]):
            with np.errstate(all="ignore"):  # a network that is lost may overflow
                self._probe(record)

    def on_fit_end(self, view: TrainingView) -> None:
        state = self.session.state
        if view.error is not None or not len(state.history):
            return
        last, kept = len(state.history), state.kept_epoch or len(state.history)
        state.failure_reason = find_failure(self.session, kept)
        loss = state.history["train_loss"][-1]
        if state.failure_reason:
            self._report(last, "diverged", str(state.failure_reason))
        elif not math.isfinite(loss):
            what = f"the loss is {loss} after epoch {last}, and the weights of epoch {kept}, the best one, are kept"
            self._report(last, "diverged", advise(f"diverged: {what}", divergence_hints(self.session)))

    def _report(self, epoch: int, cause: str, sentence: str) -> None:
        if self.session.state.history.has_diagnosis(cause):
            return
        self.session.state.history.diagnoses.append({"epoch": epoch, "cause": cause, "sentence": sentence})
        if self._log:
            import logging  # `import fastmlp` would take longer

            logging.getLogger("fastmlp").warning("%s%s", f"{self._name}: " if self._name else "", sentence)

    def _compare_losses(self, record: Mapping[str, Any]) -> None:
        """See whether the validation loss has risen for some epochs, and the training loss has fallen."""
        loss, train = record["validation_loss"], record["train_loss"]
        if loss < self._best:  # never so without a validation set: then it is nan
            self._best, self._best_epoch, self._best_train, self._worse = loss, record["epoch"], train, 0
            return
        rose = loss > (1 + RISE) * self._best and train < self._best_train
        self._worse = self._worse + 1 if rose and loss - train > GAP * self.session.prior_loss else 0
        if self._worse >= PATIENCE:
            config = self.session.config
            hints = [] if config.early_stopping is not None else [f"early_stopping={PATIENCE}"]
            hints += [] if config.l2 else ["l2=0.0001"]
            hints += (
                []
                if config.dropout or not config.hidden or not config.optimizer_config.has_learning_rate
                else ["dropout=0.2"]
            )
            seen = (
                f"overfitting: the validation loss rose from {self._best:.3g} after epoch {self._best_epoch} to "
                f"{loss:.3g} after epoch {record['epoch']}, while the training loss fell from {self._best_train:.3g} "
                f"to {train:.3g}"
            )
            self._report(record["epoch"], "overfitting", advise(seen, [*hints, "more training samples"]))

    @property
    def _sample(self) -> EvaluationChunk:
        """Some rows of the training set, the same at every probe."""
        if self._drawn is None:
            self._drawn = self.session.data.batches.sample(SAMPLE)
        return self._drawn

    def _probe(self, record: Mapping[str, Any]) -> None:
        epoch, loss = record["epoch"], record["train_loss"]
        lost = describe_divergence(self.session, loss, epoch, self.session.prior_loss)
        if lost and loss >= self._lost_at:  # one that falls may yet arrive
            self._report(epoch, "diverged", lost)
        self._lost_at = loss if lost else math.inf
        self._check_units(epoch, loss)
        if self.session.config.optimizer_config.has_learning_rate:
            self._check_steps(record)

    # ------------------------------------------------------------------------------------------------------- units

    def _check_units(self, epoch: int, loss: float) -> None:
        dead, saturated = (0.0, 0), (0.0, 0)  # of the worst layer, and which it is
        layers, rows = self.session.state.parameters.layers, self._sample[0].shape[0]
        for layer, code in enumerate(layers[:-1, ACTIVATION].tolist(), start=1):
            if not self._may_be_idle(code, loss):
                continue
            share = idle_share(self.session.trainer, self._sample[0], layer)
            if code in IDLE and share > dead[0]:
                dead = share, layer
            elif code not in IDLE and share > saturated[0]:
                saturated = share, layer
        (share, layer), seen = dead, f"{rows} samples after epoch {epoch}"
        if share > DEAD:
            units = int(layers[layer - 1, FAN_OUT])
            code = int(layers[layer - 1, ACTIVATION])
            init = "he" if code in RECTIFIERS else "xavier"
            what = f"{round(share * units)} of its {units} {_GAVE[code]} for all of {seen}"
            hints = self._hints_to_calm(("auto", init), init)
            self._report(epoch, "dead-units", advise(f"hidden layer {layer}: {what}", hints))
        share, layer = saturated
        if share > SATURATED:
            is_tanh = layers[layer - 1, ACTIVATION] == TANH
            range_ = "tanh units were beyond -0.99 or 0.99" if is_tanh else "sigmoid units were beyond 0.005 or 0.995"
            what = f"{share:.0%} of the outputs of its {range_} for {seen}, where hardly any gradient passes"
            hints = self._hints_to_calm(("auto", "xavier"), "xavier")
            self._report(epoch, "saturated-units", advise(f"hidden layer {layer}: {what}", hints))

    def _may_be_idle(self, code: int, loss: float) -> bool:
        """Whether there is something to report of units with this activation, if they are idle."""
        history = self.session.state.history
        if code in IDLE:
            return not history.has_diagnosis("dead-units")
        is_saturating = code in (TANH, SIGMOID) and loss > LEARNED * self.session.prior_loss
        return is_saturating and not history.has_diagnosis("saturated-units")

    def _hints_to_calm(self, good: Sequence[str], init: str) -> list[str]:
        """What keeps units in their range. good: values of `init` that do; init: the one to advise."""
        config, inputs, rate = self.session.config, scale_hints(self.session), smaller_rate(self.session)
        init_hint = [] if config.init in good else [f"init='{init}'"]
        if not init_hint and config.init_scale is not None and config.init_scale > 1:
            init_hint = [f"a smaller init_scale than {config.init_scale:g}"]
        # Relu units die of long steps; what saturates may have begun so.
        return [*inputs, *(init_hint + rate if init == "xavier" else rate + init_hint)] or ["fewer layers"]

    # ------------------------------------------------------------------------------------------------------- steps

    def _check_steps(self, record: Mapping[str, Any]) -> None:
        epoch, config, loss, prior = record["epoch"], self.session.config, record["train_loss"], self.session.prior_loss
        hardly_learns = loss > HARDLY_LEARNED * prior
        left, history = probes_left(epoch, config.epochs, self._spacing), self.session.state.history
        may_be_large = loss > LEARNED * prior and self._large + left >= PROBES
        may_be_small = hardly_learns and self._small + left >= SMALL_PROBES
        if not (may_be_large or may_be_small) or history.has_diagnosis("updates-too-large"):
            self._large = self._small = 0
            return  # nothing would be reported, now or by the probes that are left
        ratios = step_ratios(self.session.trainer, self._sample, epoch, config.learning_rate)
        longest = float(ratios.max())
        if not math.isfinite(longest):  # nor is it where any is nan
            return
        # A step is proportional to its rate.
        now = longest * (record["learning_rate"] / config.learning_rate)
        self._large = self._large + 1 if now > LARGE else 0
        if self._large >= PROBES:
            worst = int(ratios.argmax())
            what = f"a step changed its weights by {now:.0%} of their norm after epoch {epoch}"
            hints = self._hints_to_calm((config.init,), "")
            seen = f"{self._layer(worst)}: {what}, and {USUAL:.1%} is usual"
            self._report(epoch, "updates-too-large", advise(seen, hints))
        if not hardly_learns or self.session.state.history.has_diagnosis("diverged", *CAUSES_TO_CALM):
            self._small = 0
            return
        self._check_for_small_steps(epoch, ratios)

    def _check_for_small_steps(self, epoch: int, ratios: NDArray[np.float64]) -> None:
        config, before, self._small = self.session.config, self._small, 0
        if ratios.min() >= SMALL:  # and higher rates give longer steps
            return
        highest = max(config.learning_rate, *self.session.state.history["learning_rate"][:epoch])
        ratios = ratios * (highest / config.learning_rate)
        least, steps = (
            int(ratios.argmin()),
            config.epochs * self.session.trainer.steps_of(self.session.data.batches.shape[0]),
        )
        if ratios[least] >= SMALL or ratios[least] * steps >= REACH:
            return
        self._small = before + 1
        if self._small < SMALL_PROBES:
            return
        step = f"a step changes its weights by {ratios[least]:.1e} of their norm after epoch {epoch}"
        whole = f"all {steps} steps of the training by {100 * ratios[least] * steps:.1g}% at most"
        seen = f"{self._layer(least)}: {step}, {whole}"
        if ratios.max() < VANISHED * ratios[least]:
            sentence = advise(seen, [*scale_hints(self.session), larger_rate(self.session.config)])
        else:
            sentence = advise(f"{seen}; the gradient vanishes before it gets there", self._hints_to_enliven())
        self._report(epoch, "updates-too-small", sentence)

    def _hints_to_enliven(self) -> list[str]:
        config, codes = self.session.config, self.session.state.parameters.layers[:-1, ACTIVATION]
        hints = ["activation='relu'"] if (~np.isin(codes, RECTIFIERS)).any() else []
        return [*scale_hints(self.session), *hints, *usual_init(config), "fewer layers"]

    def _layer(self, number: int) -> str:
        hidden = len(self.session.state.parameters.layers) - 1
        return f"hidden layer {number + 1}" if number < hidden else "output layer"
