"""What a person sees while several networks train side by side: bars on a terminal, plain lines elsewhere."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from fastmlp.training.progress import describe

EPOCHS_PER_LINE = 10

# Called with the position of the network and the record of its epoch; from any thread.
Report = Callable[[int, dict], None]


def note(line: str) -> None:
    """Tell the person at the terminal something that is no result."""
    print(line, file=sys.stderr, flush=True)


@contextmanager
def reporter(labels: list[str], epochs: list[int]) -> Iterator[Report]:
    """Yield the function that takes (position, record) after every epoch of the network of that position.

    labels   what to call each network
    epochs   how many epochs each one trains for
    It shows on stderr, so that stdout has the results alone.
    """
    with (_bars if sys.stderr.isatty() else _lines)(labels, epochs) as report:
        yield report


def with_epoch_lines(report: Report, labels: list[str]) -> Report:
    """A report that also prints a line on every epoch, to stdout: those of several networks begin with their labels."""

    def both(position, record):
        label = f"{labels[position]}: " if len(labels) > 1 else ""
        # In one piece, as other threads write lines too. On a terminal the bars make room for it.
        sys.stdout.write(f"{label}{epoch_line(record)}\n")
        sys.stdout.flush()
        report(position, record)

    return both


def epoch_line(record: dict) -> str:
    """An epoch as trainers of a single network report it, counted from 0; the seconds are those of the training."""
    return (
        f"Epoch {record['epoch'] - 1}: train loss = {record['train_loss']:.4f}, "
        f"accy = {record['train_accuracy']:.4f}, [{record['seconds']:.3f} secs]"
    )


@contextmanager
def _lines(labels, epochs):
    def report(position, record):
        epoch = record["epoch"]
        if epoch % EPOCHS_PER_LINE == 0 or epoch == epochs[position]:
            line = f"{labels[position]}: epoch {epoch} of {epochs[position]}, {describe(record)}\n"
            sys.stderr.write(line)  # in one piece: other threads write lines too
            sys.stderr.flush()

    yield report


@contextmanager
def _bars(labels, epochs):
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

        def report(position, record):
            task, epoch = tasks[position], record["epoch"]
            if position not in done:
                progress.start_task(task)
            progress.update(task, completed=epoch, state=_state(record))
            # The first one may be a later one than 1, of a training that goes on.
            progress.update(whole, advance=epoch - done.get(position, 0))
            done[position] = epoch

        yield report


def _state(record):
    """An epoch in few enough characters for a terminal of 80; the first bar says what they are."""
    text = f"{record['train_loss']:.3f} {record['train_accuracy']:.2%}"
    if record["validation_accuracy"] == record["validation_accuracy"]:  # nan without a validation set
        text += f" {record['validation_accuracy']:.2%}"
    return text
