"""State of a training: everything that it changes, as one thing."""

import copy
import math
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from msgspec import MsgspecError
from numpy.typing import NDArray

from fastmlp.config.network import NetworkConfig
from fastmlp.config.schedules import Schedule
from fastmlp.training.callback_states import CallbackState, CallbackStates
from fastmlp.training.failure import FailureReason
from fastmlp.training.history import DiagnosisRecord, History, check_layout
from fastmlp.training.parameters import Parameters
from fastmlp.utils.records import Count, Finite, Position, Record, one_line


class StateRecord(Record, frozen=True, kw_only=True):
    """The plain values of a `TrainingState`, as a checkpoint has them.

    Attributes
    ----------
    epoch, position, steps, learning_rate, is_stopped
        See `TrainingState`.
    seconds : float
        Time that was spent on the epoch under way.
    diagnoses : tuple of DiagnosisRecord
        What was seen so far.
    schedule : dict
        What the schedule remembers of the epochs so far.
    callbacks : dict
        States of callbacks, by name, but for the arrays in them.
    """

    epoch: Position
    position: Count
    steps: Count
    learning_rate: Finite
    seconds: Finite
    is_stopped: bool
    diagnoses: tuple[DiagnosisRecord, ...]
    schedule: dict[str, Any]
    callbacks: dict[str, dict[str, Any]]


class Stopwatch:
    """Seconds that a training takes: evaluations, callbacks and checkpoints are left out.

    Parameters
    ----------
    seconds : float
        Time that it has taken before.
    """

    def __init__(self, seconds: float = 0.0):
        self._seconds, self._since = seconds, math.nan

    @property
    def seconds(self) -> float:
        """Seconds so far."""
        return self._seconds if math.isnan(self._since) else self._seconds + time.perf_counter() - self._since

    def start(self) -> None:
        """Start or continue."""
        self._since = time.perf_counter()

    def stop(self) -> None:
        """Pause."""
        self._seconds, self._since = self.seconds, math.nan

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Leave out the time that a block takes."""
        was_stopped = math.isnan(self._since)
        self.stop()
        try:
            yield
        finally:
            if not was_stopped:
                self.start()


_NONE_PASSED = np.empty(0), np.empty((0, 2))


@dataclass
class TrainingState:
    """Everything that a training changes; what a checkpoint holds.

    Attributes
    ----------
    parameters : Parameters
        Weights and biases, and the states that the optimizer has for each of them.
    schedule : Schedule
        Learning rates, with what the schedule remembers of the epochs so far.
    history : History
        A record per whole epoch.
    steps : int
        Steps that the optimizer has taken.
    epoch : int
        Number of the epoch under way or, between two epochs, of the next one, from 1.
    position : int
        Rows of that epoch that were trained on.
    totals : ndarray of shape (2,), float64
        Loss summed over those rows, number of right answers.
    learning_rate : float
        Of that epoch's first step.
    passed : tuple of ndarray of float64, (k,) and (k, 2)
        Learning rates of the first step and totals of the epochs that have gone by before the one under way is over and
        have no record yet. The state is that after all of them; `epoch` is the number of the first.
    stopwatch : Stopwatch
        Time that was spent on that epoch.
    is_stopped : bool
        Whether a callback, or a loss that is not finite, has ended the training before its last epoch.
    kept_epoch : int or None
        Epoch whose weights the network has; None: the last one.
    failure_reason : FailureReason or None
        Why the training failed, once it is over.
    callbacks : CallbackStates
        The states of the callbacks.
    """

    parameters: Parameters
    schedule: Schedule
    history: History = field(default_factory=History)
    steps: int = 0
    epoch: int = 1
    position: int = 0
    totals: NDArray[np.float64] = field(default_factory=lambda: np.zeros(2))
    learning_rate: float = math.nan
    passed: tuple[NDArray[np.float64], NDArray[np.float64]] = field(default=_NONE_PASSED, repr=False)
    stopwatch: Stopwatch = field(default_factory=Stopwatch)
    is_stopped: bool = False
    kept_epoch: int | None = None
    failure_reason: FailureReason | None = None
    callbacks: CallbackStates = field(default_factory=CallbackStates, repr=False)
    _whole: tuple[Any, ...] | None = field(default=None, repr=False)

    @classmethod
    def fresh(cls, config: NetworkConfig, features: int, outputs: int) -> "TrainingState":
        """Return the state before the first step: weights as the settings draw them.

        Parameters
        ----------
        config : NetworkConfig
            The settings.
        features, outputs : int
            Numbers of inputs and outputs of the network.
        """
        parameters = Parameters.of(config, features, outputs)
        parameters.initialise(config.init, config.init_scale, config.init_bias, config.seed)
        return cls(parameters, config.make_schedule())

    @classmethod
    def warm(cls, config: NetworkConfig, parameters: Parameters) -> "TrainingState":
        """Return the state before the first step from a copy of given weights; schedule and optimizer states are fresh.

        Parameters
        ----------
        config : NetworkConfig
            The settings.
        parameters : Parameters
            Of a network of the same shape.
        """
        own = Parameters.of(config, parameters.features, parameters.outputs)
        own.buffer[...] = parameters.buffer
        return cls(own, config.make_schedule())

    def copy(self) -> "TrainingState":
        """Return an independent copy from which a training can continue."""
        return TrainingState(
            copy.copy(self.parameters), copy.deepcopy(self.schedule), self.history.copy(), self.steps, self.epoch,
            self.position, self.totals.copy(), callbacks=CallbackStates(waiting=dict(self.callbacks.waiting)),
        )  # fmt: skip

    # -------------------------------------------------------------------------------------------------- whole epochs

    def begin_epoch(self) -> None:
        """Remember the network, unless an epoch has begun; `undo_epoch` goes back to it."""
        if self.position:
            self._whole = None
            return
        p = self.parameters
        if self._whole is None:
            self._whole = self.epoch, self.steps, p.buffer.copy(), p.states.copy()
        else:
            _, _, buffer, states = self._whole
            np.copyto(buffer, p.buffer)
            np.copyto(states, p.states)
            self._whole = self.epoch, self.steps, buffer, states

    def end_epochs(self, columns: Mapping[str, Sequence[Any]]) -> None:
        """Append epochs to the history, and begin the next one.

        Parameters
        ----------
        columns : mapping of str to sequence
            Those of `History`, of the epochs that have passed and of the one under way. Where the schedule takes note
            of epochs, none has passed.
        """
        self.history.extend(columns)
        self.schedule.after_epoch({name: column[-1] for name, column in columns.items()})
        self.epoch += len(columns["epoch"])
        self._begin_anew()

    def undo_epoch(self) -> None:
        """Go back to the end of the last epoch, if one has begun since and its beginning is known."""
        if self._whole is not None and self._whole[0] == self.epoch:
            _, self.steps, buffer, states = self._whole
            self.parameters.buffer[...], self.parameters.states[...] = buffer, states
            self._begin_anew()

    def _begin_anew(self) -> None:
        self.position, self.totals, self.passed, self.stopwatch = 0, np.zeros(2), _NONE_PASSED, Stopwatch()

    @property
    def is_whole(self) -> bool:
        """Whether this is the state after a whole epoch."""
        return self.position == 0 and len(self.history) > 0

    def settle(self, waiting: dict[str, CallbackState]) -> None:
        """Release what is only needed during a training.

        Parameters
        ----------
        waiting : dict
            States of callbacks, by name, to continue with.
        """
        self._whole, self.callbacks = None, CallbackStates(waiting=waiting)

    # --------------------------------------------------------------------------------------------------- checkpoints

    def to_arrays(self) -> tuple[StateRecord, dict[str, NDArray[Any]]]:
        """Return the state as a record of plain values, and arrays by name: what `load_arrays` reads."""
        arrays = {"parameters": self.parameters.buffer, "states": self.parameters.states, "totals": self.totals}
        arrays |= {f"history.{name}": column for name, column in self.history.to_numpy().items()}
        states, of_callbacks = self.callbacks.to_arrays()
        arrays |= {f"callback.{name}": array for name, array in of_callbacks.items()}
        return StateRecord(
            epoch=self.epoch,
            position=self.position,
            steps=self.steps,
            learning_rate=self.learning_rate,
            seconds=self.stopwatch.seconds,
            is_stopped=self.is_stopped,
            diagnoses=self.history.diagnosis_records(),
            schedule=self.schedule.state(),
            callbacks=states,
        ), arrays

    def load_arrays(self, record: StateRecord, arrays: Mapping[str, NDArray[Any]], source: str) -> None:
        """Continue from what `to_arrays` returned; callbacks get their states when they are added.

        Parameters
        ----------
        record : StateRecord
            Plain values.
        arrays : mapping
            Arrays by name.
        source : str
            Name of the file that they were read from.

        Raises
        ------
        ValueError, KeyError
            When they are of another training, or of none; the state is then of no use.
        """
        own = {"parameters": self.parameters.buffer, "states": self.parameters.states, "totals": self.totals}
        for name, array in own.items():
            check_layout(name, arrays[name], array.shape, array.dtype)
            array[...] = arrays[name]
        parts: dict[str, dict[str, NDArray[Any]]] = {"history": {}, "callback": {}}
        for key in arrays.keys() - own.keys():
            part, _, name = key.partition(".")
            if part not in parts:
                raise ValueError(f"unknown array {key}")
            parts[part][name] = arrays[key]
        self.callbacks = CallbackStates.from_arrays(record.callbacks, parts["callback"], source)
        self.history = History.from_file(parts["history"], record.epoch - 1, record.diagnoses)
        self.epoch, self.position, self.steps = record.epoch, record.position, record.steps
        self.learning_rate, self.is_stopped = record.learning_rate, record.is_stopped
        self.stopwatch = Stopwatch(record.seconds)
        try:
            self.schedule.restore(record.schedule)
        except (ValueError, MsgspecError) as error:
            raise ValueError(one_line(error, "state.schedule")) from None
