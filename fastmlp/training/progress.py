"""Progress: what `fit(progress=...)` shows."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from fastmlp.errors import InputTypeError
from fastmlp.training.callbacks import Callback, TrainingView

if TYPE_CHECKING:
    from rich.progress import Progress

Report = Callable[[dict[str, Any]], object]


class RecordCallback(Callback):
    """Call a function with the record of every epoch.

    Parameters
    ----------
    report : callable
        Takes a record, as in `History`.
    """

    def __init__(self, report: Report):
        self._report = report

    def on_epoch_end(self, view: TrainingView) -> None:
        if (record := view.record) is not None:
            self._report(record)


class ProgressBar(Callback):
    """Show a progress bar on the terminal."""

    _bar: "Progress"

    def on_fit_start(self, view: TrainingView) -> None:
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        columns = ("epoch", MofNCompleteColumn(), BarColumn(), TextColumn("{task.description}"), TimeRemainingColumn())
        self._bar = Progress(*columns)
        self._task = self._bar.add_task("", total=view.last_epoch, completed=view.epoch)
        self._bar.start()

    def on_epoch_end(self, view: TrainingView) -> None:
        if (record := view.record) is not None:
            self._bar.update(self._task, completed=view.epoch, description=describe(record))

    def on_fit_end(self, view: TrainingView) -> None:
        if "_bar" in vars(self):
            self._bar.stop()


def progress_callbacks(progress: bool | Report | None) -> list[Callback]:
    """Return the callback that `MLP.fit(progress=...)` asks for, if any.

    Parameters
    ----------
    progress : bool, callable or None
        True for a bar, or a function of an epoch's record.

    Raises
    ------
    InputTypeError
        For anything else.
    """
    if progress is None or progress is False:
        return []
    if progress is True:
        return [ProgressBar()]
    if callable(progress):
        return [RecordCallback(progress)]
    raise InputTypeError(f"progress is {progress!r}; expected True, False or a function of an epoch's record")


def describe(record: Mapping[str, Any]) -> str:
    """Return an epoch's losses and accuracies as one line of text.

    Parameters
    ----------
    record : mapping
        Of the epoch, as in `History`.
    """
    text = f"loss {record['train_loss']:.4f}, accuracy {record['train_accuracy']:.4f}"
    if record["validation_loss"] == record["validation_loss"]:  # nan without a validation set
        text += f"; validation {record['validation_loss']:.4f}, {record['validation_accuracy']:.4f}"
    return text
