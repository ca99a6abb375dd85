"""What `fit(progress=...)` shows."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from fastmlp.errors import InputTypeError

Report = Callable[[dict], object]


@contextmanager
def reporter(progress: bool | Report | None, epochs: int) -> Iterator[Report]:
    """Yield the function that takes each epoch's record: the caller's own, a progress bar for True, or none."""
    if progress is None or progress is False:
        yield lambda record: None
    elif progress is True:
        with _bar(epochs) as report:
            yield report
    elif callable(progress):
        yield progress
    else:
        raise InputTypeError(f"progress is {progress!r}; expected True, False or a function of an epoch's record")


@contextmanager
def _bar(epochs: int) -> Iterator[Report]:
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = ("epoch", MofNCompleteColumn(), BarColumn(), TextColumn("{task.description}"), TimeRemainingColumn())
    with Progress(*columns) as progress:
        task = progress.add_task("", total=epochs)
        yield lambda record: progress.update(task, completed=record["epoch"], description=describe(record))


def describe(record: dict) -> str:
    """An epoch's losses and accuracies in a few words."""
    text = f"loss {record['train_loss']:.4f}, accuracy {record['train_accuracy']:.4f}"
    if record["validation_loss"] == record["validation_loss"]:  # nan without a validation set
        text += f"; validation {record['validation_loss']:.4f}, {record['validation_accuracy']:.4f}"
    return text
