"""The loop: the story of a training, from its state to its last epoch."""

from collections.abc import Iterable

from fastmlp.training.callbacks import Callback, CallbackList, StopTraining
from fastmlp.training.line_search import minimise
from fastmlp.training.session import Session


def train(session: Session, callbacks: Iterable[Callback]) -> None:
    """Train until no epoch is left, or until a callback has seen enough.

    Parameters
    ----------
    session : Session
        The training; its state is changed.
    callbacks : iterable of Callback
        In the order in which they are called; the first one measures the epochs.

    Raises
    ------
    Exception
        Whatever a callback raises but `StopTraining`; the state is then that after the last whole epoch, as far as
        `TrainingState.undo_epoch` can tell.
    """
    listeners = CallbackList(callbacks, session)
    try:
        listeners.on_fit_start()
        if session.config.optimizer_config.scipy_method is None:
            _descend(session, listeners)
        else:
            minimise(session, listeners.on_epoch_end)
    except StopTraining:
        session.state.undo_epoch()
    except BaseException as error:
        session.state.undo_epoch()
        listeners.on_fit_end(error)
        raise
    listeners.on_fit_end()


def _descend(session: Session, listeners: CallbackList) -> None:
    """Epoch after epoch of minibatches."""
    state, trainer = session.state, session.trainer
    while not session.is_over:
        state.begin_epoch()
        state.stopwatch.start()
        trainer.epochs(session.data.batches, session.config.shuffle, listeners.next_epoch() - state.epoch + 1)
        state.stopwatch.stop()
        have_passed = len(state.passed[0]) > 0
        listeners.on_epoch_end()
        if have_passed and not session.is_over:
            trainer.after_chunk()
