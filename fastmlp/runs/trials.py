"""What becomes of a cell."""

from dataclasses import dataclass

from fastmlp.experiment.recipe import Cell
from fastmlp.mlp import MLP
from fastmlp.training.failure import FailureReason


@dataclass(frozen=True)
class Trained:
    """A cell whose training has ended.

    mlp     the network; of one that was pruned or failed its settings and its history, without weights
    pruned  the epoch after which it was given up; None: it was trained to its end
    failed  whether its training stopped with an error: `mlp.failure_reason` tells which
    """

    cell: Cell
    mlp: MLP
    pruned: int | None = None
    failed: bool = False

    @classmethod
    def failure(cls, cell: Cell, error: BaseException | str) -> "Trained":
        """A cell whose training stopped with `error`: an exception, or why in words."""
        mlp, text = MLP(**cell.settings), " ".join(str(error).split())
        kind = [] if isinstance(error, str) else [type(error).__name__]
        mlp.failure_reason = FailureReason(": ".join(["failed", *kind, *filter(None, [text])]))
        return cls(cell, mlp, failed=True)
