"""Callbacks: what is done at certain points of a training, by the library and by its users."""

from collections.abc import Iterable, Mapping
from typing import Any

from numpy.typing import NDArray

from fastmlp.config.network import NetworkConfig
from fastmlp.errors import InputTypeError
from fastmlp.training.callback_states import CallbackState
from fastmlp.training.failure import FailureReason
from fastmlp.training.first_layer import Samples
from fastmlp.training.history import History
from fastmlp.training.session import Session
from fastmlp.utils.showing import shown


class StopTraining(Exception):
    """Raised by a callback to end the training at once; the network is as it was after the last whole epoch."""


class Paused(Exception):
    """Raised inside a training that was asked to stop; what it had done is in its newest checkpoint."""


class TrainingView:
    """A training as its callbacks see it; nothing can be changed through it.

    Parameters
    ----------
    session : Session
        The training.
    """

    __slots__ = ("_error", "_session")

    def __init__(self, session: Session):
        self._session = session
        self._error: BaseException | None = None

    @property
    def config(self) -> NetworkConfig:
        """Settings of the network."""
        return self._session.config

    @property
    def epoch(self) -> int:
        """Number of whole epochs so far: in `on_epoch_end`, the number of the epoch that ended, from 1."""
        return self._session.state.epoch - 1

    @property
    def last_epoch(self) -> int:
        """Number of the epoch after which the training ends if nothing stops it."""
        return self._session.last_epoch

    @property
    def position(self) -> int:
        """Rows of the current epoch that were trained on."""
        return self._session.state.position

    @property
    def rows(self) -> int:
        """Rows of the training set."""
        return self._session.data.batches.shape[0]

    @property
    def steps(self) -> int:
        """Steps that the optimizer has taken."""
        return self._session.state.steps

    @property
    def record(self) -> dict[str, Any] | None:
        """Record of the last whole epoch, as in `History`; None before there is one."""
        return self._session.state.history.last()

    @property
    def history(self) -> History:
        """Copy of the history so far."""
        return self._session.state.history.copy()

    @property
    def failure_reason(self) -> FailureReason | None:
        """Why the training failed; only set in `on_fit_end`."""
        return self._session.state.failure_reason

    @property
    def is_over(self) -> bool:
        """Whether no epoch is left."""
        return self._session.is_over

    @property
    def error(self) -> BaseException | None:
        """Exception that ended the training; only set in `on_fit_end`."""
        return self._error

    def predict(self, X: Samples) -> NDArray[Any]:
        """Return the predictions of the current network.

        Parameters
        ----------
        X : array_like of shape (N, D)
            Inputs.

        Returns
        -------
        ndarray
            As `MLP.predict` returns them.
        """
        return self._session.predict(X)


class Callback:
    """Base class of callbacks; every method may be left out.

    A callback is called in the thread that trains. An exception in one ends the training; the network is then as it was
    after the last whole epoch.

    Examples
    --------
    >>> class StopAtAccuracy(Callback):
    ...     def __init__(self, accuracy):
    ...         self.accuracy = accuracy
    ...     def on_epoch_end(self, view):
    ...         return view.record["validation_accuracy"] >= self.accuracy
    """

    def on_fit_start(self, view: TrainingView) -> None:
        """Do something before the first epoch, or before the epoch that a checkpoint was written in.

        Parameters
        ----------
        view : TrainingView
            The training.
        """

    def on_chunk_end(self, view: TrainingView) -> None:
        """Do something about every 0.1 s, between two steps or within an evaluation.

        Parameters
        ----------
        view : TrainingView
            The training.
        """

    def on_epoch_end(self, view: TrainingView) -> bool | None:
        """Do something after an epoch.

        Parameters
        ----------
        view : TrainingView
            The training.

        Returns
        -------
        bool or None
            True to end the training.
        """
        return None

    def on_fit_end(self, view: TrainingView) -> None:
        """Do something when the training is over, also when `view.error` ended it.

        Parameters
        ----------
        view : TrainingView
            The training.
        """

    def state_dict(self) -> CallbackState:
        """Return what is to survive in a checkpoint, by name: plain values that JSON can hold, and arrays."""
        return {}

    def load_state_dict(self, state: CallbackState) -> None:
        """Continue from what `state_dict` returned.

        Parameters
        ----------
        state : mapping
            Plain values and arrays by name.
        """


class InternalCallback(Callback):
    """A callback of the library, which may change what it sees."""

    session: Session

    def attach(self, session: Session) -> None:
        """Take the training whose callback this is, before anything is trained.

        Parameters
        ----------
        session : Session
            The training.
        """
        self.session = session

    def next_epoch(self) -> int:
        """Return the number of the next epoch after which `on_epoch_end` has something to do, if it is not over yet."""
        return self.session.state.epoch

    def detach(self) -> None:
        """Let go of the training; a callback that a user keeps would keep the data otherwise."""
        if "session" in vars(self):
            del self.session


class CallbackList:
    """The callbacks of one training.

    Parameters
    ----------
    callbacks : iterable of Callback
        In the order in which they are called.
    session : Session
        The training.

    Raises
    ------
    InputTypeError
        For one that is no `Callback`.
    """

    def __init__(self, callbacks: Iterable[Callback], session: Session):
        self._named = _named(callbacks)
        self._session, self._view = session, TrainingView(session)
        for callback in self._named.values():
            if isinstance(callback, InternalCallback):
                callback.attach(session)
        session.state.callbacks.add(self._named)
        self._of_chunks = [
            name for name, callback in self._named.items() if type(callback).on_chunk_end is not Callback.on_chunk_end
        ]
        if self._of_chunks:
            session.trainer.after_chunk = self.on_chunk_end
        self._of_epochs = [
            callback for callback in self._named.values() if type(callback).on_epoch_end is not Callback.on_epoch_end
        ]

    def next_epoch(self) -> int:
        """Return the number of the next epoch after which a callback has something to do."""
        session = self._session
        epochs = [
            callback.next_epoch() if isinstance(callback, InternalCallback) else session.state.epoch
            for callback in self._of_epochs
        ]
        return min(session.last_epoch, *epochs)

    def on_fit_start(self) -> None:
        """Call every callback's `on_fit_start`."""
        for name in self._named:
            self._call(name, "on_fit_start")

    def on_chunk_end(self) -> None:
        """Call the `on_chunk_end` of the callbacks that have one; the time is not the training's."""
        with self._session.state.stopwatch.paused():
            for name in self._of_chunks:
                self._call(name, "on_chunk_end")

    def on_epoch_end(self) -> None:
        """Call every callback's `on_epoch_end`; the training is stopped where one returns True."""
        for name in self._named:
            if self._call(name, "on_epoch_end"):
                self._session.state.is_stopped = True

    def on_fit_end(self, error: BaseException | None = None) -> None:
        """Call every callback's `on_fit_end`; the first exception among them is raised when all were called.

        Parameters
        ----------
        error : BaseException, optional
            What ended the training.
        """
        self._view._error = error
        first: BaseException | None = None
        for name in self._named:
            try:
                self._call(name, "on_fit_end")
            except BaseException as raised:
                first = first or raised
        self._session.trainer.after_chunk = lambda: None
        for callback in self._named.values():
            if isinstance(callback, InternalCallback):
                callback.detach()
        self._view._error = None  # its traceback leads here: the two would wait for the garbage collector
        try:
            if first is not None and error is None:
                raise first
        finally:
            del first

    def _call(self, name: str, method: str) -> Any:
        """Call a method of a callback; add to an exception which callback raised it, and when."""
        try:
            return getattr(self._named[name], method)(self._view)
        except (StopTraining, Paused):
            raise
        except BaseException as error:
            error.add_note(f"raised by {method} of callback {name}, after {self._view.epoch} whole epochs")
            raise


def callback_list(callbacks: object) -> list[Callback]:
    """Return the callbacks that `MLP.fit` was given.

    Parameters
    ----------
    callbacks : iterable of Callback
        The argument.

    Raises
    ------
    InputTypeError
        When it is no iterable.
    """
    if not isinstance(callbacks, Iterable):
        raise InputTypeError(
            f"callbacks is {shown(callbacks)}; expected a list of instances of fastmlp.callbacks.Callback"
        )
    return list(callbacks)


def _named(callbacks: Iterable[Callback]) -> Mapping[str, Callback]:
    """The callbacks by the names of their classes, with a number where there are several of one."""
    named: dict[str, Callback] = {}
    for callback in callbacks:
        if not isinstance(callback, Callback):
            raise InputTypeError(f"callbacks has {shown(callback)}; expected instances of fastmlp.callbacks.Callback")
        name, number = type(callback).__name__, 1
        while (unique := name if number == 1 else f"{name} {number}") in named:
            number += 1
        named[unique] = callback
    return named
