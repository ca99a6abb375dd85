"""Steps on the whole training set that scipy finds by a line search, from the kernels' loss and gradient."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from fastmlp.errors import InputError
from fastmlp.kernels.update_rule import penalty
from fastmlp.training.session import Session


def minimise(session: Session, on_epoch_end: Callable[[], None]) -> None:
    """Run the method of scipy that the optimizer names; each of its iterations counts as an epoch.

    The arithmetic between two gradients is scipy's: unlike all other optimizers it has no promise of equal bits.

    Parameters
    ----------
    session : Session
        The training.
    on_epoch_end : callable
        Called after each iteration.

    Raises
    ------
    InputError
        When scipy is not installed.
    """
    optimizer = session.config.optimizer_config
    try:
        from scipy.optimize import minimize
    except ImportError:
        message = f"optimizer is {optimizer.name!r}, which needs scipy; install it (pip install scipy)"
        raise InputError(message) from None
    state, trainer, batches = session.state, session.trainer, session.data.batches
    X, y, weights = next(batches.evaluation_chunks())
    p, rows, loss = state.parameters, X.shape[0], trainer.loss._replace(weights=weights)
    buffer, order, iterations = p.buffer, np.arange(rows), session.last_epoch - state.epoch + 1
    measured = np.zeros(2)
    state.learning_rate = 1.0

    def objective(values: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        nonlocal measured
        buffer[...] = values
        totals = np.zeros(2)
        trainer.kernels.train(
            p.layers, buffer, p.states, X, y, order, rows, 0.0, totals, trainer.threads, trainer.rule, loss,
        )  # fmt: skip
        measured = totals
        trainer.after_chunk()
        return totals[0] / batches.total_weight + penalty(trainer.rule, p.weights), p.states[0].astype(np.float64)

    def after_iteration(values: NDArray[np.float64]) -> None:
        buffer[...], state.totals = values, measured
        state.stopwatch.stop()
        on_epoch_end()
        if session.is_over:
            raise StopIteration
        state.begin_epoch()
        state.stopwatch.start()

    state.begin_epoch()
    state.stopwatch.start()
    session.line_search = result = minimize(
        objective, buffer.astype(np.float64), jac=True, method=optimizer.scipy_method, callback=after_iteration,
        options=optimizer.scipy_options(iterations),
    )  # fmt: skip
    buffer[...] = result.x
    if not len(state.history):  # there was nowhere to go, and an epoch is recorded all the same
        state.totals = measured
        state.stopwatch.stop()
        on_epoch_end()
