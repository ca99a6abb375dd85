"""The cells of a sweep: one network to train each, and the result of its training."""

from dataclasses import dataclass
from typing import Any

from fastmlp.mlp import MLP
from fastmlp.training.failure import FailureReason


@dataclass(frozen=True)
class Cell:
    """One network to train.

    Attributes
    ----------
    slug : str
        Names its folder, such as "tanh-0.5-seed-4".
    label : str
        Names it to a person, such as "tanh, learning rate 0.5, seed 4".
    settings : dict
        Arguments of `MLP`.
    group, configuration : str
        Slug and label without the seed: common to cells that differ in the seed alone.
    """

    slug: str
    label: str
    settings: dict[str, Any]
    group: str
    configuration: str


@dataclass(frozen=True)
class CellResult:
    """The result of a cell whose training has ended.

    Attributes
    ----------
    cell : Cell
        What was trained.
    mlp : MLP
        The network; of a cell that was pruned or failed its settings and its history, without weights.
    pruned : int or None
        The epoch, from 1, after which it was given up; None if it was trained to its end.
    failed : bool
        Whether its training stopped with an error, which is `mlp.failure_reason`.
    """

    cell: Cell
    mlp: MLP
    pruned: int | None = None
    failed: bool = False

    @classmethod
    def failure(cls, cell: Cell, error: BaseException | str) -> "CellResult":
        """Return the result of a cell whose training stopped with an error.

        Parameters
        ----------
        cell : Cell
            What was trained.
        error : BaseException or str
            The exception, or a sentence.
        """
        mlp, text = MLP(**cell.settings), " ".join(str(error).split())
        kind = [] if isinstance(error, str) else [type(error).__name__]
        mlp.failure_reason = FailureReason(": ".join(["failed", *kind, *filter(None, [text])]))
        return cls(cell, mlp, failed=True)
