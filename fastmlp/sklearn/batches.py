"""Batches as scikit-learn makes them: its order of rows, its penalty, its losses."""

import itertools
import math
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils import shuffle as shuffled

from fastmlp.kernels.update_rule import Rule, penalty
from fastmlp.training.batches import InMemory, TrainingChunk
from fastmlp.training.trainer import Trainer

# The loss of an epoch has the penalty of the weights before each step. Where a call of the kernels makes several steps
# they are measured between calls, and taken to change evenly in between. About this share of the loss is lost by it;
# nothing in the first epochs, in which they change most.
ACCURACY, EXACT_EPOCHS = 1e-7, 3
_UNIT = Rule(l2=1.0)


class DescentBatches(InMemory):
    """Rows in memory, in scikit-learn's order and with its penalty: alpha over the rows, or weights, of a batch.

    Parameters
    ----------
    prepared : InMemory
        The rows.
    dtype : str
        The network's.
    alpha : float
        Factor of the penalty.
    sample_weight : ndarray of shape (N,), or None
        Weights of the rows as they were given.
    random : RandomState or None
        Of the order; None: that of the rows.
    calls : int or None
        In how many calls of the kernels the whole batches of an epoch are trained on; None: one for each, as in the
        first epochs.

    Attributes
    ----------
    trainer : Trainer
        What trains on them, given before the first epoch.
    calls : int or None
        As few as `ACCURACY` allows.
    data_loss, penalty : float
        Of the last epoch: the mean loss per row, and the mean penalty.
    """

    trainer: Trainer
    is_repeatable = False

    def __init__(
        self,
        prepared: InMemory,
        dtype: str,
        alpha: float,
        sample_weight: NDArray[np.float64] | None,
        random: np.random.RandomState | None,
        calls: int | None,
    ):
        super().__init__(prepared.X, prepared.y, prepared.weights, prepared.density, dtype)
        self._alpha, self._sample_weight, self._random, self.calls = alpha, sample_weight, random, calls
        self._order = np.arange(self.shape[0])
        self.data_loss = self.penalty = math.nan

    def training_chunks(self, seed: int, epoch: int, batch_size: int, shuffle: bool) -> Iterator[TrainingChunk]:
        if self._random is not None:
            self._order = shuffled(self._order, random_state=self._random)
        rows, trainer = self.shape[0], self.trainer
        state, weights = trainer.state, trainer.state.parameters.weights
        starts = np.arange(0, rows, batch_size)
        counts = np.diff([*starts, rows])
        l2 = self._alpha / np.maximum(self._weights_of(starts, counts), np.finfo(float).tiny)
        bounds, half_squares, data_loss = self._bounds(counts, epoch), [penalty(_UNIT, weights)], 0.0
        for first, last in itertools.pairwise(bounds):
            order = self._order[first * batch_size : last * batch_size]
            trainer.rule, before = trainer.rule._replace(l2=float(l2[first])), state.totals[0]
            yield self.X, self.y, self.weights, order
            weight = self.weights[order].sum() if len(self.weights) else len(order)
            data_loss += len(order) / rows * ((state.totals[0] - before) / weight if weight else 0.0)
            half_squares.append(penalty(_UNIT, weights))
        shares, steps = counts / rows * l2, np.arange(len(counts))
        self.data_loss = float(data_loss)
        self.penalty = float((shares * np.interp(steps, bounds, half_squares)).sum())
        if self._alpha and self._sample_weight is None and epoch >= EXACT_EPOCHS:
            fewer = [*range(0, len(bounds) - 1, 2), len(bounds) - 1]
            coarse = float((shares * np.interp(steps, np.array(bounds)[fewer], np.array(half_squares)[fewer])).sum())
            self._choose_calls(abs(self.penalty - coarse), len(bounds) - 1)

    def _weights_of(self, starts: NDArray[np.int64], counts: NDArray[np.int64]) -> NDArray[Any]:
        """The weight of each batch."""
        if self._sample_weight is None:
            return counts
        return np.add.reduceat(self._sample_weight[self._order], starts)

    def _bounds(self, counts: NDArray[np.int64], epoch: int) -> list[int]:
        """Numbers of the steps with which a call begins, and of all steps: a call has one penalty for all its steps."""
        steps = len(counts)
        if self._sample_weight is not None:
            return list(range(steps + 1))
        if not self._alpha:
            return [0, steps]
        whole = steps if counts[-1] == counts[0] else steps - 1
        calls = whole if self.calls is None or epoch <= EXACT_EPOCHS else min(self.calls, whole)
        return sorted({*np.linspace(0, whole, calls + 1).astype(np.int64).tolist(), steps})

    def _choose_calls(self, change: float, calls: int) -> None:
        """Choose the calls of the next epoch; change: of the penalty, if there had been half as many measurements."""
        allowed = ACCURACY * (abs(self.data_loss) + self.penalty)
        if change < allowed:
            self.calls = max(2, calls // 2)  # of two it is seen whether they are enough
        elif change > 4 * allowed:  # of a smooth function it is three times the error that there is
            self.calls = 2 * calls
