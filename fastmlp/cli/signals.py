"""Signals: the first Ctrl-C, SIGTERM or SIGHUP ends a command in good order, the second at once."""

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

# SIGHUP, which Windows lacks, comes when a terminal is closed or a connection breaks; `nohup` has it ignored.
SIGNALS = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))
SECONDS_UNTIL_AGAIN = 0.01


class Stopped(KeyboardInterrupt):
    """Raised in the main thread by the first signal.

    Parameters
    ----------
    number : int
        The signal's number.

    Attributes
    ----------
    status : int
        The exit status, 128 + the signal's number.
    """

    def __init__(self, number: int):
        super().__init__()
        self.status = 128 + number


@contextmanager
def stoppable(ignored_after: bool = False) -> Iterator[None]:
    """Raise `Stopped` within the block at the first of `SIGNALS`; the second ends the process there and then.

    The block then ends in `Stopped` whatever else it does: C++ code of other libraries may swallow what is raised in a
    callback, and continue with a half-done answer or raise an error of its own. A signal that the process was started
    to ignore stays ignored. Outside of the main thread nothing is done.

    Parameters
    ----------
    ignored_after : bool, default False
        Whether the signals are ignored after the block, without a moment between; else they do what they did before.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    seen = False
    received: int | None = None
    again: threading.Timer | None = None

    def handle(number: int, _frame: object) -> None:
        nonlocal seen, received
        if seen:
            os._exit(128 + number)
        seen, received = True, number
        raise Stopped(number)

    def raise_again(unraisable: Any) -> None:
        """Raise the signal again after it interrupted a destructor: Python passes such exceptions to this hook."""
        nonlocal seen, again
        if not isinstance(unraisable.exc_value, Stopped):
            hook(unraisable)
            return
        seen = False
        number = unraisable.exc_value.status - 128
        again = threading.Timer(SECONDS_UNTIL_AGAIN, signal.raise_signal, (number,))
        try:
            again.start()
        except Stopped:  # on a busy machine it comes before `start` returns
            raise_again(unraisable)

    before, hook = {number: signal.getsignal(number) for number in SIGNALS}, sys.unraisablehook
    for number, handler in before.items():
        if handler != signal.SIG_IGN:
            signal.signal(number, handle)
    sys.unraisablehook = raise_again
    try:
        yield
        if received is not None:
            raise Stopped(received)
    except Stopped:
        raise
    except BaseException as error:
        if received is not None:
            raise Stopped(received) from error
        raise
    finally:
        if again is not None:
            again.cancel()
        sys.unraisablehook = hook
        for number, handler in before.items():
            signal.signal(number, signal.SIG_IGN if ignored_after else handler)


def ignore_from_now_on() -> None:
    """Ignore `SIGNALS`: the work is done, and the end of the interpreter takes a moment."""
    if threading.current_thread() is threading.main_thread():
        for number in SIGNALS:
            signal.signal(number, signal.SIG_IGN)
