"""Bars on a terminal, a row for each training, within its lines and columns."""

import sys
from collections.abc import Iterable, Sequence
from typing import IO, cast

from rich.console import Console, ConsoleOptions, RenderResult
from rich.measure import Measurement
from rich.progress import (
    BarColumn,
    Progress,
    ProgressColumn,
    Task,
    TaskID,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.table import Column, Table
from rich.text import Text

from fastmlp.errors import visible
from fastmlp.training.compilation import LISTENER
from fastmlp.training.screen import LastingStream

SHORTEST = 8  # characters of a text
# What a bar leaves to the other columns, in characters.
OTHERS = 70


class Bars(Progress):
    """Rows of a label, a bar, a count, a text of the field `state`, and the time that is left; shown on stderr.

    The texts alone are shortened where the columns do not suffice. Of more rows than lines, those under way are shown.
    """

    def __init__(self) -> None:
        self._console = console = Console(file=cast(IO[str], LastingStream(sys.stderr)))
        bar = BarColumn(bar_width=min(40, max(10, console.width - OTHERS)), table_column=Column(no_wrap=True))
        # What goes to the same terminal is printed above the bars; a stdout that leads elsewhere is left alone.
        to_terminal = sys.stdout is not None and sys.stdout.isatty()
        super().__init__(
            _LabelColumn(), bar, _CountColumn(Column(no_wrap=True)), _StateColumn(), _TimeColumn(),
            console=console, redirect_stdout=to_terminal,
        )  # fmt: skip

    def start(self) -> None:
        """Show the bars, and have them show that kernels are compiled too."""
        super().start()
        LISTENER.show_in(self)

    def stop(self) -> None:
        """Stop updating, and leave the bars on the screen."""
        LISTENER.show_in(None)
        super().stop()

    def shorten_task(self, task_id: TaskID, rest: float) -> None:
        """Have less to do.

        Parameters
        ----------
        task_id : TaskID
            The row.
        rest : float
            How much of its total will not be done.
        """
        with self._lock:
            self.update(task_id, total=(self._tasks[task_id].total or 0) - rest)

    def make_tasks_table(self, tasks: Iterable[Task]) -> Table:
        """Draw the rows, or those for which there are lines.

        Parameters
        ----------
        tasks : iterable of Task
            Of all rows.
        """
        return super().make_tasks_table(rows_shown(list(tasks), self._console.height - 1))


def rows_shown(tasks: Sequence[Task], lines: int) -> Sequence[Task]:
    """Return the rows that fit the terminal: the first one, those in progress, the next ones, then finished ones.

    Parameters
    ----------
    tasks : sequence of Task
        Of all rows.
    lines : int
        How many there are.

    Returns
    -------
    sequence of Task
        In their order.
    """
    if len(tasks) <= lines:
        return tasks
    first, *rest = tasks
    ended = [task for task in rest if task.finished or task.stop_time is not None]
    under_way = [task for task in rest if task.started and task not in ended]
    waiting = [task for task in rest if not task.started]
    chosen = {task.id for task in [first, *under_way, *waiting, *reversed(ended)][: max(lines, 1)]}
    return [task for task in tasks if task.id in chosen]


class _LabelColumn(ProgressColumn):
    def render(self, task: Task) -> "_Shortened":
        return _Shortened(task.description, 0.5)  # differences are often at the end


class _StateColumn(ProgressColumn):
    def render(self, task: Task) -> "_Shortened":
        return _Shortened(task.fields["state"], 1)


class _Shortened:
    """A text shortened in its middle to the available width; `share` of it shows the beginning."""

    def __init__(self, text: str, share: float):
        self._text, self._share = visible(text), share

    def __rich_measure__(self, console: Console, options: ConsoleOptions) -> Measurement:
        return Measurement(min(len(self._text), SHORTEST), len(self._text))

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        text, most = self._text, options.max_width
        if len(text) > most:
            begin = int((most - 1) * self._share)
            text = f"{text[:begin]}…{text[len(text) - (most - 1 - begin) :]}"
        yield Text(text, no_wrap=True)


class _CountColumn(ProgressColumn):
    def render(self, task: Task) -> Text:
        if task.total is None:
            return Text()
        total = str(int(task.total))
        return Text(f"{int(task.completed):{len(total)}}/{total}", style="progress.download")


class _TimeColumn(TimeRemainingColumn):
    """Time left, or where nobody knows: time gone by."""

    def __init__(self) -> None:
        super().__init__(compact=True, table_column=Column(no_wrap=True))
        self._elapsed = TimeElapsedColumn()

    def render(self, task: Task) -> Text:
        return self._elapsed.render(task) if task.total is None else super().render(task)
