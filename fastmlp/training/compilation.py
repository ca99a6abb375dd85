"""What is told while the kernels are compiled: once after an installation, for some seconds, on a busy machine more."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, Protocol

from numba.core import event

from fastmlp.training.screen import is_notebook, is_terminal, log_line

SECONDS_UNSAID = 2.0  # what compiles for a moment is not worth a line
SECONDS_PER_LINE = 10.0
TEXT = "compiling the kernels"


class Rows(Protocol):
    """Something that shows a row for each task, such as `fastmlp.training.bars.Bars`."""

    def add_task(self, description: str, *, total: float | None, state: str) -> Any:
        """Add a row.

        Parameters
        ----------
        description : str
            What it begins with.
        total : float or None
            All that is to be done; None: it only shows that something goes on.
        state : str
            What stands beside it.

        Returns
        -------
        object
            What `remove_task` takes.
        """

    def remove_task(self, task_id: Any) -> None:
        """Remove a row.

        Parameters
        ----------
        task_id : object
            What `add_task` returned.
        """


class CompilationListener(event.Listener):
    """Tells that kernels are compiled, as soon as that has taken `SECONDS_UNSAID`.

    Numba calls it when a function begins or ends to be compiled, those within others too. One that is read from the
    cache is not compiled.
    """

    def __init__(self) -> None:
        self.askers = 0  # blocks that want to know wherever stderr leads to
        self._rows: Rows | None = None
        self._row: Any = None
        self._under_way: list[bool] = []  # one for each function, the innermost last: whether it is a kernel of ours
        self._seconds = self._begun = self._said = 0.0

    def show_in(self, rows: Rows | None) -> None:
        """Take rows to show it in, or none; those that were there before no longer show it.

        Parameters
        ----------
        rows : Rows, optional
            On the terminal.
        """
        if self._rows is not None and self._row is not None:
            self._rows.remove_task(self._row)
        self._rows, self._row = rows, None

    def on_start(self, event: Any) -> None:
        """Begin with a function.

        Parameters
        ----------
        event : numba.core.event.Event
            With its dispatcher.
        """
        if not self._under_way:
            self._begun = time.monotonic()
        module = event.data["dispatcher"].py_func.__module__ or ""
        self._under_way.append(self._under_way[-1] if self._under_way else module.startswith("fastmlp.kernels."))
        with suppress(OSError, ValueError):  # of a stderr that is closed
            self._tell()

    def on_end(self, event: Any) -> None:
        """Be done with a function.

        Parameters
        ----------
        event : numba.core.event.Event
            As for `on_start`.
        """
        if not self._under_way:
            return  # it began before this was listening
        with suppress(OSError, ValueError):
            self._tell()
        if self._under_way.pop() and not self._under_way:
            self._seconds += time.monotonic() - self._begun
            self.show_in(self._rows)  # without the row

    def _tell(self) -> None:
        now = time.monotonic()
        seconds = self._seconds + now - self._begun
        if not self._under_way[-1] or seconds < SECONDS_UNSAID:
            return
        if self._rows is not None:
            if self._row is None:
                self._row = self._rows.add_task(f"{TEXT}, once", total=None, state="")
        elif not self._said and (self.askers or is_terminal(sys.stderr) or is_notebook(sys.stderr)):
            self._write(f"{TEXT}, once" if self.askers else f"fastmlp: {TEXT}, once", now)
        elif self._said and self.askers and now - self._said > SECONDS_PER_LINE:
            self._write(f"still {TEXT}: {seconds:.0f} s so far", now)

    def _write(self, line: str, now: float) -> None:
        self._said = now
        log_line(line)


LISTENER = CompilationListener()
event.register("numba:compile", LISTENER)


@contextmanager
def compilation_told(asked: bool = True) -> Iterator[None]:
    """Tell on stderr that kernels are compiled within the block, also where that is no terminal.

    Parameters
    ----------
    asked : bool, default True
        Whether to do so; else it is told on a terminal and in a notebook, as outside of such blocks.
    """
    LISTENER.askers += asked
    try:
        yield
    finally:
        LISTENER.askers -= asked
