"""What a terminal shows while several networks train side by side: bars, or plain lines where there is none."""

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

from fastmlp.training.callbacks import Callback
from fastmlp.training.progress import RecordCallback, describe

EPOCHS_PER_LINE = 10

# Called with the position of a network and the record of its epoch; from any thread.
Report = Callable[[int, dict[str, Any]], None]


def note(line: str) -> None:
    """Print a line that is no result to stderr.

    Parameters
    ----------
    line : str
        The line.
    """
    print(line, file=sys.stderr, flush=True)


def _print_epoch(prefix: str, record: dict[str, Any]) -> None:
    """Print a line on an epoch to stdout, as trainers of a single network do."""
    # In one piece, as other threads write lines too. On a terminal the bars make room for it.
    sys.stdout.write(
        f"{prefix}Epoch {record['epoch']}: train loss = {record['train_loss']:.4f}, "
        f"accy = {record['train_accuracy']:.4f}, [{record['seconds']:.3f} secs]\n"
    )
    sys.stdout.flush()


@contextmanager
def shown_progress(
    labels: Sequence[str], epochs: Sequence[int], epoch_lines: bool = False
) -> Iterator[Callable[..., list[Callback]]]:
    """Show how networks train, on stderr, so that stdout has the results alone.

    Parameters
    ----------
    labels : sequence of str
        What to call each network.
    epochs : sequence of int
        How many epochs each one trains for.
    epoch_lines : bool, default False
        Whether to print a line on every epoch as well, to stdout.

    Yields
    ------
    callable
        Returns the callbacks of a network by its position and its cell, which is not used.
    """
    show = _bars if sys.stderr.isatty() else _lines

    with show(labels, epochs) as report:

        def callbacks(position: int, cell: object = None) -> list[Callback]:
            prefix = f"{labels[position]}: " if len(labels) > 1 else ""
            lines = [RecordCallback(partial(_print_epoch, prefix))] if epoch_lines else []
            return [*lines, RecordCallback(partial(report, position))]

        yield callbacks


@contextmanager
def _lines(labels: Sequence[str], epochs: Sequence[int]) -> Iterator[Report]:
    def report(position: int, record: dict[str, Any]) -> None:
        epoch = record["epoch"]
        if epoch % EPOCHS_PER_LINE == 0 or epoch == epochs[position]:
            line = f"{labels[position]}: epoch {epoch} of {epochs[position]}, {describe(record)}\n"
            sys.stderr.write(line)  # in one piece: other threads write lines too
            sys.stderr.flush()

    yield report


@contextmanager
def _bars(labels: Sequence[str], epochs: Sequence[int]) -> Iterator[Report]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=10),
        MofNCompleteColumn(),
        TextColumn("{task.fields[state]}", markup=False),
        TimeRemainingColumn(compact=True),
    )
    # What goes to the same terminal is printed above the bars; a stdout that leads elsewhere is left alone.
    with Progress(*columns, console=Console(stderr=True), redirect_stdout=sys.stdout.isatty()) as progress:
        whole = progress.add_task("all", total=sum(epochs), state="loss  train  valid")
        tasks = [
            progress.add_task(label, total=total, state="waiting", start=False)
            for label, total in zip(labels, epochs, strict=True)
        ]

        done: dict[int, int] = {}

        def report(position: int, record: dict[str, Any]) -> None:
            task, epoch = tasks[position], record["epoch"]
            if position not in done:
                progress.start_task(task)
            progress.update(task, completed=epoch, state=_state(record))
            # The first epoch of a training that is resumed is a later one than 1.
            progress.update(whole, advance=epoch - done.get(position, 0))
            done[position] = epoch

        yield report


def _state(record: dict[str, Any]) -> str:
    """Return an epoch in few enough characters for a terminal of 80; the first bar says what they are."""
    text = f"{record['train_loss']:.3f} {record['train_accuracy']:.2%}"
    if record["validation_accuracy"] == record["validation_accuracy"]:  # nan without a validation set
        text += f" {record['validation_accuracy']:.2%}"
    return text
