"""Search for a learning rate: the loss while the rate grows from step to step."""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fastmlp.errors import InputError
from fastmlp.mlp import MLP
from fastmlp.training.batches import RowStream
from fastmlp.training.first_layer import Samples
from fastmlp.training.fitted import Fitted
from fastmlp.training.preparation import PreparedData
from fastmlp.training.session import Session
from fastmlp.training.start import prepare_for, start_fit
from fastmlp.training.trainer import Rows
from fastmlp.utils import validation as check

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# Half-width of the window over which losses are averaged, as a share of the steps: the noise is that of single batches.
WINDOW = 0.08
# The suggestion is where the average has come down so far towards its least value. After 8 epochs on the digits, breast
# cancer and diabetes of scikit-learn and on the glyphs, with sgd and adam and batches of 32 and 100, its validation
# loss was 1.1 times that of the best of 13 rates (median of 16); that of the steepest descent was not better.
FALL = 0.8
# The search ends once the loss has risen so many times as far as it had fallen, or as the best loss itself.
TOO_LARGE = 3


@dataclass(frozen=True)
class LearningRateSearch:
    """What `find_learning_rate` has found.

    Attributes
    ----------
    learning_rates : ndarray of shape (steps,), float64
        Rate of each step, ascending.
    losses : ndarray of shape (steps,), float64
        Mean loss of each step's batch before the step.
    smoothed : ndarray of shape (steps,), float64
        Moving average of the losses.
    suggestion : float
        Least rate at which the average has come down four fifths of the way to its least value.
    """

    learning_rates: NDArray[np.float64]
    losses: NDArray[np.float64]
    smoothed: NDArray[np.float64]
    suggestion: float

    def __repr__(self) -> str:
        low, high = self.learning_rates[[0, -1]]
        return (
            f"LearningRateSearch(suggestion={self.suggestion:.2g}, {len(self.losses)} rates, {low:.2g} to {high:.2g})"
        )

    def plot(self) -> "Figure":
        """Return a figure of the losses against the rates, with the suggestion."""
        from fastmlp.plots import learning_rate_search_figure

        return learning_rate_search_figure(self.learning_rates, self.losses, self.smoothed, self.suggestion)


def find_learning_rate(
    mlp: MLP,
    X: Samples | RowStream | PreparedData,
    y: ArrayLike | None = None,
    *,
    lowest: float = 1e-5,
    highest: float = 10.0,
    steps: int = 100,
    sample_weight: ArrayLike | None = None,
    warm_start: bool = False,
) -> LearningRateSearch:
    """Train a copy of a network with a rate that grows from step to step, and suggest one at which the loss comes down.

    The copy begins with the weights that `fit` would begin with, and has all settings of the network but the rate and
    its schedule; the network itself stays as it is. The search ends early once the loss is several times the best one.

    Parameters
    ----------
    mlp : MLP
        The network.
    X, y, sample_weight
        As for `MLP.fit`.
    lowest, highest : float
        Rates of the first and the last step; the others are in equal ratios between them.
    steps : int
        Steps, each on a batch of the network's size; from 10. There may be several epochs of them, or a part of one.

    warm_start : bool
        As for `MLP.fit`: whether to begin with the weights that the network has.

    Returns
    -------
    LearningRateSearch
        Rates, losses, the suggestion; `plot()` returns a figure.

    Raises
    ------
    InputError, InputTypeError
        For arguments that cannot be used, and an optimizer without a rate.

    References
    ----------
    L. N. Smith, Cyclical learning rates for training neural networks, WACV 2017, arXiv:1506.01186, section 3.3, where
    the rate grows linearly. That it grows by a factor and the average of the loss is watched is from S. Gugger, How do
    you find a good learning rate, 2018; fastai's `lr_find` does so too.

    Examples
    --------
    >>> search = find_learning_rate(MLP(hidden=(64,)), X, y)  # doctest: +SKIP
    >>> MLP(hidden=(64,), learning_rate=search.suggestion).fit(X, y)  # doctest: +SKIP
    """
    config = mlp.config
    if not config.optimizer_config.has_learning_rate:
        raise InputError(f"optimizer is {config.optimizer_config.name!r}, which has no learning rate; choose another")
    lowest, highest = check.positive("lowest", lowest, "try 1e-5"), check.positive("highest", highest, "try 10")
    if highest <= lowest:
        raise InputError(f"highest is {highest:g}; expected more than lowest, {lowest:g}: try 10")
    steps = check.whole("steps", steps, 10, "100 are the default")
    config = config.replace(learning_rate=lowest, schedule=None, decay_epochs=())
    start = mlp._fitted if warm_start else Fitted()
    data = prepare_for(config, start, X, y, None, None, sample_weight)
    session = start_fit(config, start, data)
    rates = np.geomspace(lowest, highest, steps)
    losses = _until_lost(_batch_losses(session, rates))
    if len(losses) < 2:
        raise InputError(f"the loss is not finite, or rises at once, at a rate of {lowest:g}; expected a lower lowest")
    smoothed = _smoothed(losses)
    return LearningRateSearch(rates[: len(losses)], losses, smoothed, _suggested(rates, smoothed))


def _batch_losses(session: Session, rates: NDArray[np.float64]) -> Iterator[float]:
    """Take a step with each of the rates; yield the mean loss of its batch, as it was before the step."""
    state, trainer, batches = session.state, session.trainer, session.data.batches
    size, steps = trainer.batch_size, trainer.steps_of(batches.shape[0])
    for done in range(0, len(rates), steps):
        of_epoch, state.position = rates[done : done + steps], 0
        for X, y, weights, order in batches.training_chunks(
            session.config.seed, state.epoch, size, session.config.shuffle
        ):
            loss, left = trainer.loss._replace(weights=weights), len(of_epoch) - state.position // size
            for first in range(0, min(len(order), left * size), size):
                rows, before = order[first : first + size], state.totals[0]
                trainer.train_rows(Rows(X, y, rows, loss), of_epoch)
                total = float(weights[rows].sum()) if len(weights) else len(rows)
                yield float(state.totals[0] - before) / total * session.loss_unit
        state.epoch += 1


def _until_lost(losses: Iterable[float]) -> NDArray[np.float64]:
    """The losses up to the first that is not finite, or until their average is far above the best one."""
    seen: list[float] = []
    first = best = average = math.nan
    for loss in losses:
        average = 0.9 * average + 0.1 * loss if seen else loss
        first, best = (first, min(best, average)) if seen else (average, average)
        if not math.isfinite(loss) or average - best > TOO_LARGE * max(abs(best), first - best):
            break
        seen.append(loss)
    return np.array(seen)


def _smoothed(losses: NDArray[np.float64]) -> NDArray[np.float64]:
    """Averages of the losses around each step, with weights of a bell."""
    reach = max(1, round(WINDOW * len(losses)))
    bell = np.hanning(2 * reach + 3)[1:-1]
    sums, weights = (np.convolve(one, bell, "same") for one in (losses, np.ones(len(losses))))
    return np.asarray(sums / weights)


def _suggested(rates: NDArray[np.float64], smoothed: NDArray[np.float64]) -> float:
    fall = smoothed[0] - smoothed[: smoothed.argmin() + 1]
    return float(rates[np.argmax(fall >= FALL * fall[-1])])
