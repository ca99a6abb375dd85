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
    """The choice of data in a recipe: arguments of `fastmlp.data.load_split`; None for what was left out.

    Attributes
    ----------
    name : str
        A data set or a file.
    training : int or None
        Number of training samples.
    validation : float or None
        Share or number of validation samples.
    test : float or None
        Share or number of samples that are set aside for the test, where the data have no test part.
    stratify : bool or None
        Whether validation samples are drawn from each class.
    task : str or None
        What the labels are.
    n_features : int or None
        Number of features that sparse text is read with.
    label : str, int or None
        Column of the labels.
    """

    name: Name
    training: Position | None = None
    validation: float | None = None
    test: float | None = None
    stratify: bool | None = None
    task: str | None = None
    n_features: Position | None = None
    label: str | int | None = None


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
    """A search.

    Attributes
    ----------
    method : str
        "random" or "optuna".
    trials : int
        Number of configurations that were tried.
    pruner : str
        Of Optuna: "median" or "none".
    distributions : dict
        What each setting was drawn from.
    """

    method: str
    trials: Position
    pruner: str
    distributions: dict[str, DistributionRecord]


class FigureRecord(Record, frozen=True, kw_only=True, omit_defaults=True):
    """Published figures; None for those that are not known.

    Attributes
    ----------
    validation_accuracy, test_accuracy, first_train_accuracy, train_accuracy : float or None
        From 0 to 1.
    test_loss : float or None
        In nats per sample.
    seconds_per_epoch : float or None
        In seconds.
    """

    validation_accuracy: Share | None = None
    test_accuracy: Share | None = None
    test_loss: Seconds | None = None
    first_train_accuracy: Share | None = None
    train_accuracy: Share | None = None
    seconds_per_epoch: Seconds | None = None


class CellReferenceRecord(FigureRecord, frozen=True, kw_only=True, omit_defaults=True):
    """Published figures of one configuration.

    Attributes
    ----------
    cell : str
        Slug of the configuration.
    validation_accuracy, test_accuracy, test_loss, first_train_accuracy, train_accuracy, seconds_per_epoch
        See `FigureRecord`.
    """

    cell: Slug


class ReferenceRecord(FigureRecord, frozen=True, kw_only=True, omit_defaults=True):
    """Published figures of an experiment, and of single configurations.

    Attributes
    ----------
    source : str
        Who published them.
    cells : tuple of CellReferenceRecord
        Those of single configurations.
    validation_accuracy, test_accuracy, test_loss, first_train_accuracy, train_accuracy, seconds_per_epoch
        See `FigureRecord`.
    """

    source: Name
    cells: tuple[CellReferenceRecord, ...] = ()


class RecipeRecord(Record, frozen=True, kw_only=True):
    """A recipe: see `fastmlp.experiment.recipe.Recipe`.

    Attributes
    ----------
    title : str
        One line.
    data : RecipeDataRecord
        The choice of data.
    settings : dict
        Arguments of `MLP` that all cells share.
    grid : dict
        Arguments of `MLP` that vary, each with the list of its values.
    search : SearchRecord or None
        How settings were drawn, where there is no grid.
    seeds : int
        How often every configuration was trained.
    most_steps : int or None
        Number of steps from which on a cell had fewer epochs.
    reference : tuple of ReferenceRecord
        Published results.
    epoch_lines : bool
        Whether every epoch printed a line.
    """

    title: str
    data: RecipeDataRecord
    settings: dict[str, Any]
    grid: dict[str, list[Any]]
    search: SearchRecord | None
    seeds: Position
    most_steps: Position | None = None
    reference: tuple[ReferenceRecord, ...]
    epoch_lines: bool

    def __post_init__(self) -> None:
        check_nesting(self.settings)
        check_nesting(self.grid)
