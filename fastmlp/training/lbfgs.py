"""L-BFGS on the whole training set, by scipy: its line search and memory, the kernels' loss and gradient."""

import time

import numpy as np

from fastmlp.errors import InputError
from fastmlp.kernels.update_rule import penalty


def minimise(trainer, source, iterations, memory, watch):
    """Run scipy's L-BFGS-B for so many iterations (Liu and Nocedal 1989); after each, `watch` records an epoch.

    memory: pairs of steps and gradients that are kept. InputError when scipy is not installed.
    The arithmetic between two gradients is scipy's: unlike all other optimisers it has no promise of equal bits.
    """
    try:
        from scipy.optimize import minimize
    except ImportError:
        raise InputError("optimizer is 'lbfgs', which needs scipy; install it (pip install scipy)") from None
    X, y, weights = next(source.parts())
    buffer, rows, loss = trainer.parameters.buffer, X.shape[0], trainer.loss._replace(weights=weights)
    order, started, iteration, seen = np.arange(rows), time.perf_counter(), 0, np.zeros(2)

    def objective(values):
        nonlocal seen
        buffer[...] = values
        p, totals = trainer.parameters, np.zeros(2)
        trainer.kernels.train(
            p.layers, p.buffer, p.states, X, y, order, rows, 0.0, totals, trainer.threads, trainer.rule, loss,
        )  # fmt: skip
        seen = totals
        trainer.pause()
        return totals[0] / source.total_weight + penalty(trainer.rule, p.weights), p.states[0].astype(np.float64)

    def after_iteration(values):
        nonlocal started, iteration
        buffer[...] = values
        iteration += 1
        if watch(iteration, 1.0, seen, time.perf_counter() - started):
            raise StopIteration
        started = time.perf_counter()

    result = minimize(
        objective, buffer.astype(np.float64), jac=True, method="L-BFGS-B", callback=after_iteration,
        options={"maxiter": iterations, "maxcor": memory, "maxfun": 20 * iterations, "ftol": 0, "gtol": 1e-10},
    )  # fmt: skip
    buffer[...] = result.x
    if not iteration:  # there was nowhere to go, and there is an epoch to tell of all the same
        watch(1, 1.0, seen, time.perf_counter() - started)
