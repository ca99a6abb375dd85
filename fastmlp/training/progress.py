"""Progress: what `fit(progress=...)` shows."""

import math
import sys
import time
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from fastmlp.errors import InputTypeError
from fastmlp.training.callbacks import Callback, TrainingView
from fastmlp.training.history import result_text
from fastmlp.training.screen import is_notebook, is_terminal, write_line
from fastmlp.utils.showing import shown

MOST_LINES = 100
SECONDS_PER_LINE = 10.0
CELLS = 20  # of a bar in a notebook

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


class Display:
    """Shows how far a training is: a line for each epoch or, of many, for every hundredth, at least every 10 seconds.

    Parameters
    ----------
    last_epoch : int
        Number of the last epoch.
    measure : str
        What the accuracies are: "accuracy" or "R²".
    """

    def __init__(self, last_epoch: int, measure: str):
        self._last_epoch, self._measure = last_epoch, measure
        self._due = Due(last_epoch, -(-last_epoch // MOST_LINES))
        self._unsaid: tuple[int, Mapping[str, Any]] | None = None

    def show(self, epoch: int, record: Mapping[str, Any]) -> None:
        """Show an epoch that has ended.

        Parameters
        ----------
        epoch : int
            Its number, from 1.
        record : mapping
            Of it, as in `History`.
        """
        self._unsaid = epoch, record
        if self._due.is_due(epoch):
            self._say()

    def close(self) -> None:
        """Leave what was shown last."""
        self._say()

    def _say(self) -> None:
        if self._unsaid is not None:
            self._write(*self._unsaid)
            self._unsaid = None

    def _write(self, epoch: int, record: Mapping[str, Any]) -> None:
        write_line(f"epoch {epoch} of {self._last_epoch}, {describe(record, self._measure)}")


class ProgressBar(Callback):
    """Show on stderr how far the training is: by a bar on a terminal and in a notebook, elsewhere by lines."""

    _display: Display | None = None

    def on_fit_start(self, view: TrainingView) -> None:
        measure = view.config.loss_function.measure
        if is_terminal(sys.stderr):
            self._display = _TerminalBar(view.epoch, view.last_epoch, measure)
        elif is_notebook(sys.stderr):
            self._display = _NotebookBar(view.epoch, view.last_epoch, measure)
        else:
            self._display = Display(view.last_epoch, measure)

    def on_epoch_end(self, view: TrainingView) -> None:
        if self._display is not None and (record := view.record) is not None:
            self._display.show(view.epoch, record)

    def on_fit_end(self, view: TrainingView) -> None:
        if self._display is not None:
            self._display.close()
            self._display = None


class _TerminalBar(Display):
    """A bar on a terminal."""

    def __init__(self, epoch: int, last_epoch: int, measure: str):
        from fastmlp.training.bars import Bars

        super().__init__(last_epoch, measure)
        self._bars = Bars()
        self._task = self._bars.add_task("epoch", total=last_epoch, completed=epoch, state="")
        self._bars.start()

    def show(self, epoch: int, record: Mapping[str, Any]) -> None:
        self._bars.update(self._task, completed=epoch, state=describe_briefly(record, self._measure))

    def close(self) -> None:
        self._bars.stop()


class _NotebookBar(Display):
    """A bar in the output of a notebook's cell: text that takes the place of the text before, and needs no widgets."""

    def __init__(self, epoch: int, last_epoch: int, measure: str):
        super().__init__(last_epoch, measure)
        self._first, self._begun = epoch, time.monotonic()
        self._output: Any = None
        self._line = ""

    def _write(self, epoch: int, record: Mapping[str, Any]) -> None:
        left = (time.monotonic() - self._begun) / max(1, epoch - self._first) * (self._last_epoch - epoch)
        done = CELLS * epoch // self._last_epoch
        bar = "█" * done + "░" * (CELLS - done)
        self._line = f"epoch {epoch} of {self._last_epoch} {bar} {describe(record, self._measure)}"
        self._display(f"{self._line}, {timedelta(seconds=round(left))} left")

    def close(self) -> None:
        super().close()
        if self._line:
            self._display(self._line)  # without the time left, of which a training that was stopped has none

    def _display(self, line: str) -> None:
        from IPython.display import display

        if self._output is None:
            self._output = display({"text/plain": line}, raw=True, display_id=True)
        else:
            self._output.update({"text/plain": line}, raw=True)


class Due:
    """When the next line of a training is due.

    Parameters
    ----------
    last_epoch : int
        Number of all epochs, the last of which has a line.
    step : int
        Its multiples have one.
    """

    def __init__(self, last_epoch: int, step: int):
        self._last_epoch, self._step, self._said = last_epoch, step, time.monotonic()

    def is_due(self, epoch: int) -> bool:
        """Return whether an epoch has a line; one that comes long after the last line has one.

        Parameters
        ----------
        epoch : int
            Its number, from 1.
        """
        now = time.monotonic()
        due = epoch % self._step == 0 or epoch == self._last_epoch or now - self._said >= SECONDS_PER_LINE
        if due:
            self._said = now
        return due


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
    raise InputTypeError(f"progress is {shown(progress)}; expected True, False or a function of an epoch's record")


def describe(record: Mapping[str, Any], measure: str = "accuracy") -> str:
    """Return an epoch's losses and accuracies as one line of text.

    Parameters
    ----------
    record : mapping
        Of the epoch, as in `History`.
    measure : str
        What the accuracies are: "accuracy" or "R²".
    """
    text = f"loss {result_text(record['train_loss'])}, {measure} {record['train_accuracy']:.4f}"
    if _is_validated(record):
        text += f"; validation {result_text(record['validation_loss'])}, {record['validation_accuracy']:.4f}"
    return text


def describe_briefly(record: Mapping[str, Any], measure: str = "accuracy") -> str:
    """Return the same in fewer characters.

    Parameters
    ----------
    record, measure
        As for `describe`.
    """
    text = f"loss {result_text(record['train_loss'])}, {_score(record['train_accuracy'], measure)}"
    if _is_validated(record):
        accuracy = _score(record["validation_accuracy"], measure)
        text += f"; validation {result_text(record['validation_loss'])}, {accuracy}"
    return text


def _score(value: float, measure: str) -> str:
    return f"{value:.2%}" if measure == "accuracy" else f"{measure} {value:.4f}"


def _is_validated(record: Mapping[str, Any]) -> bool:
    return not math.isnan(record["validation_loss"])
