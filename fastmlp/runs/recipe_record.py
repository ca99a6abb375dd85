"""The record of a recipe in `run.json`, and the published figures that a recipe may hold."""

from typing import Any

from msgspec import field

from fastmlp.utils.records import Name, Position, Record, Seconds, Share, Slug, check_nesting

# What each published figure is called. Losses are in nats per sample, times in seconds; all but the validation accuracy
# are of the network that was trained again on all rows.
FIGURES = {
    "validation_accuracy": "validation accuracy",
    "test_accuracy": "test accuracy",
    "test_loss": "test loss",
    "first_train_accuracy": "training accuracy, first epoch",
    "train_accuracy": "training accuracy, last epoch",
    "seconds_per_epoch": "seconds per epoch",
}


class RecipeDataRecord(Record, frozen=True, kw_only=True, omit_defaults=True):
    """The choice of data in a recipe: arguments of `fastmlp.data.load_split`; None for what was left out."""

    name: Name
    training: Position | None = None
    validation: float | None = None
    stratify: bool | None = None
    n_features: Position | None = None


class DistributionRecord(Record, frozen=True, kw_only=True, omit_defaults=True):
    """What a search draws one setting from: a range, or a list of choices.

    Attributes
    ----------
    low, high : float or None
        Ends of the range; `from` and `to` in the file.
    log, whole : bool
        Whether its logarithm is uniform, and whether its numbers are whole.
    choices : tuple or None
        Values, each as probable.
    """

    low: float | None = field(default=None, name="from")
    high: float | None = field(default=None, name="to")
    log: bool = False
    whole: bool = False
    choices: tuple[Any, ...] | None = None

    def __post_init__(self) -> None:
        check_nesting(self.choices)
        if (self.choices is None) == (self.low is None) or (self.low is None) != (self.high is None):
            raise ValueError("expected either from and to, or choices")


class SearchRecord(Record, frozen=True, kw_only=True):
    """A search: how many configurations were tried, how, and what each setting was drawn from."""

    method: str
    trials: Position
    pruner: str
    distributions: dict[str, DistributionRecord]


class FigureRecord(Record, frozen=True, kw_only=True, omit_defaults=True):
    """Published figures by the names of `FIGURES`; None for those that are not known."""

    validation_accuracy: Share | None = None
    test_accuracy: Share | None = None
    test_loss: Seconds | None = None
    first_train_accuracy: Share | None = None
    train_accuracy: Share | None = None
    seconds_per_epoch: Seconds | None = None


class CellReferenceRecord(FigureRecord, frozen=True, kw_only=True, omit_defaults=True):
    """Published figures of one configuration, by its slug."""

    cell: Slug


class ReferenceRecord(FigureRecord, frozen=True, kw_only=True, omit_defaults=True):
    """Published figures of an experiment, and of single configurations; `source` says whose they are."""

    source: Name
    cells: tuple[CellReferenceRecord, ...] = ()


class RecipeRecord(Record, frozen=True, kw_only=True):
    """A recipe: see `fastmlp.experiment.recipe.Recipe`."""

    title: str
    data: RecipeDataRecord
    settings: dict[str, Any]
    grid: dict[str, list[Any]]
    search: SearchRecord | None
    seeds: Position
    reference: tuple[ReferenceRecord, ...]
    epoch_lines: bool

    def __post_init__(self) -> None:
        check_nesting(self.settings)
        check_nesting(self.grid)
