"""Callbacks of a training that ran elsewhere: they are called once its result has arrived."""

from collections.abc import Iterable
from typing import Any

from numpy.typing import NDArray

from fastmlp.config.network import NetworkConfig
from fastmlp.errors import InputError, InputTypeError
from fastmlp.mlp import MLP
from fastmlp.training.callbacks import Callback, InternalCallback, TrainingView
from fastmlp.training.failure import FailureReason
from fastmlp.training.first_layer import Samples
from fastmlp.training.history import History


class RemoteView(TrainingView):
    """What a callback sees of a training that was done elsewhere, after some of its epochs.

    Parameters
    ----------
    mlp : MLP
        The trained network.
    rows : int
        Of the training set.
    epoch : int
        Number of whole epochs so far.
    is_ended : bool
        Whether the training is over, for `on_fit_end`.
    """

    __slots__ = ("_epoch", "_is_ended", "_mlp", "_rows")

    def __init__(self, mlp: MLP, rows: int, epoch: int, is_ended: bool = False):
        self._mlp, self._rows, self._epoch, self._is_ended = mlp, rows, epoch, is_ended
        self._error = None

    @property
    def config(self) -> NetworkConfig:
        return self._mlp.config

    @property
    def epoch(self) -> int:
        return self._epoch

    @property
    def last_epoch(self) -> int:
        return self.config.epochs

    @property
    def position(self) -> int:
        return 0

    @property
    def rows(self) -> int:
        return self._rows

    @property
    def steps(self) -> int:
        is_counted = self.config.optimizer_config.scipy_method is None
        return self._epoch * -(-self._rows // self.config.batch_size) if is_counted else 0

    @property
    def record(self) -> dict[str, Any] | None:
        return self.history.last()

    @property
    def history(self) -> History:
        return self._mlp.history.copy() if self._is_ended else self._mlp.history.first(self._epoch)

    @property
    def failure_reason(self) -> FailureReason | None:
        return self._mlp.failure_reason if self._is_ended else None

    @property
    def is_over(self) -> bool:
        return self._epoch == len(self._mlp.history)

    def predict(self, X: Samples) -> NDArray[Any]:
        """Return the predictions of the trained network; the weights of earlier epochs stayed where it was trained.

        Parameters
        ----------
        X : array_like of shape (N, D)
            Inputs.

        Raises
        ------
        InputError
            Before the training is over.
        """
        if not self._is_ended:
            raise InputError(
                f"the network was trained elsewhere, and its weights after epoch {self._epoch} are not here; call "
                "predict in on_fit_end"
            )
        return self._mlp.predict(X)


def replay(callbacks: Iterable[Callback], mlp: MLP, rows: int) -> None:
    """Call callbacks as a training would have, that was done elsewhere.

    Parameters
    ----------
    callbacks : iterable of Callback
        What they answer is ignored: the training is over.
    mlp : MLP
        The trained network.
    rows : int
        Of the training set.

    Raises
    ------
    InputTypeError
        For a callback that reads or changes the training itself, such as `ModelCheckpoint`.
    """
    called = list(callbacks)
    for callback in called:
        if isinstance(callback, InternalCallback):
            raise InputTypeError(
                f"{type(callback).__name__} has to be where the training is, and it was trained elsewhere; expected "
                "callbacks that see records alone, or backend 'threads'"
            )
        callback.on_fit_start(RemoteView(mlp, rows, 0))
    for epoch in range(1, len(mlp.history) + 1):
        for callback in called:
            callback.on_epoch_end(RemoteView(mlp, rows, epoch))
    for callback in called:
        callback.on_fit_end(RemoteView(mlp, rows, len(mlp.history), is_ended=True))
