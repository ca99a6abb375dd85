"""What a terminal shows while several networks train side by side: bars, or plain lines where there is none."""

import math
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from functools import partial
from typing import TYPE_CHECKING, Any

from fastmlp.errors import visible
from fastmlp.training.callbacks import Callback, TrainingView
from fastmlp.training.progress import Due, RecordCallback, describe
from fastmlp.training.screen import is_quiet, is_terminal, log_line, write_result

if TYPE_CHECKING:
    from fastmlp.training.bars import Bars

EPOCHS_PER_LINE = 10
OTHER_COLUMNS = 45  # characters of what stands beside the labels


class Display:
    """Shows how far several networks are: a line for every tenth epoch, the last one, and those that take long.

    Called from any thread.

    Parameters
    ----------
    labels : sequence of str
        What to call each network.
    epochs : sequence of int
        How many epochs each one trains for.
    """

    def __init__(self, labels: Sequence[str], epochs: Sequence[int]):
        self._labels, self._epochs = labels, epochs
        self._due = [Due(last, EPOCHS_PER_LINE) for last in epochs]

    def show(self, position: int, record: dict[str, Any], measure: str) -> None:
        """Show an epoch of a network.

        Parameters
        ----------
        position : int
            Position of the network.
        record : dict
            Of the epoch, as in `History`.
        measure : str
            What its accuracies are: "accuracy" or "R²".
        """
        if self._due[position].is_due(record["epoch"]):
            epoch = f"epoch {record['epoch']} of {self._epochs[position]}"
            log_line(f"{self._labels[position]}: {epoch}, {describe(record, measure)}")

    def end(self, position: int) -> None:
        """Show that a network trains no more, perhaps before its last epoch.

        Parameters
        ----------
        position : int
            Its position.
        """


class DisplayCallback(Callback):
    """Shows every epoch of a network.

    Parameters
    ----------
    display : Display
        Where.
    position : int
        Position of the network.
    """

    def __init__(self, display: Display, position: int):
        self._display, self._position = display, position

    def on_epoch_end(self, view: TrainingView) -> None:
        if view.record is not None:
            self._display.show(self._position, view.record, view.config.loss_function.measure)

    def on_fit_end(self, view: TrainingView) -> None:
        self._display.end(self._position)


def _print_epoch(prefix: str, record: dict[str, Any]) -> None:
    """Print a line on an epoch to stdout, as trainers of a single network do."""
    # On a terminal the bars make room for it.
    write_result(
        [
            f"{visible(prefix)}Epoch {record['epoch']}: train loss = {record['train_loss']:.4f}, "
            f"accy = {record['train_accuracy']:.4f}, [{record['seconds']:.3f} secs]\n"
        ]
    )


@contextmanager
def shown_progress(
    labels: Sequence[str], epochs: Sequence[int], epoch_lines: bool = False
) -> Iterator[Callable[..., list[Callback]]]:
    """Show the progress of trainings on stderr, so that stdout has only results; nothing if the logger is quiet.

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
    has_bars = is_terminal(sys.stderr) and not is_quiet()
    with _bars(labels, epochs) if has_bars else nullcontext(Display(labels, epochs)) as display:

        def callbacks(position: int, cell: object = None) -> list[Callback]:
            prefix = f"{labels[position]}: " if len(labels) > 1 else ""
            lines = [RecordCallback(partial(_print_epoch, prefix))] if epoch_lines else []
            return [*lines, DisplayCallback(display, position)]

        yield callbacks


@contextmanager
def _bars(labels: Sequence[str], epochs: Sequence[int]) -> Iterator[Display]:
    from fastmlp.training.bars import Bars

    with Bars() as bars:
        yield _Rows(bars, labels, epochs)


class _Rows(Display):
    """A row for each network below one for all of them."""

    def __init__(self, bars: "Bars", labels: Sequence[str], epochs: Sequence[int]):
        super().__init__(labels, epochs)
        self._bars, self._left = bars, list(epochs)
        if max(map(len, labels), default=0) > bars.console.width - OTHER_COLUMNS:
            labels = distinguishing(labels)
        self._all = bars.add_task("all", total=sum(epochs), state="loss  train  valid")
        self._tasks = [
            bars.add_task(label, total=total, state="waiting", start=False)
            for label, total in zip(labels, epochs, strict=True)
        ]

    def show(self, position: int, record: dict[str, Any], measure: str) -> None:
        task, left = self._tasks[position], self._epochs[position] - record["epoch"]
        self._bars.start_task(task)
        self._bars.update(task, completed=record["epoch"], state=_state(record, measure))
        # The first epoch of a training that is resumed is a later one than 1.
        self._bars.update(self._all, advance=self._left[position] - left)
        self._left[position] = left

    def end(self, position: int) -> None:
        self._bars.stop_task(self._tasks[position])
        self._bars.shorten_task(self._all, self._left[position])
        self._left[position] = 0


def distinguishing(labels: Sequence[str]) -> Sequence[str]:
    """Return labels without the words that all of them have, such as "tanh, 0.5" for "tanh, learning rate 0.5".

    Parameters
    ----------
    labels : sequence of str
        The labels.

    Returns
    -------
    sequence of str
        The shorter ones, if they are as distinct.
    """
    words = [label.split() for label in labels]
    common = set(words[0]).intersection(*words)
    shorter = [" ".join(word for word in each if word not in common) for each in words]
    return shorter if len(set(shorter)) == len(set(labels)) > 1 else labels


def _state(record: dict[str, Any], measure: str) -> str:
    """Return an epoch in few enough characters for a terminal of 80; the first bar says what they are."""
    score = ".2%" if measure == "accuracy" else ".3f"
    text = f"{record['train_loss']:.3f} {record['train_accuracy']:{score}}"
    if not math.isnan(record["validation_accuracy"]):  # there is no validation set
        text += f" {record['validation_accuracy']:{score}}"
    return text
