"""What Ctrl-C and SIGTERM do to a command: the first one ends it in good order, the second at once."""

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Stopped(KeyboardInterrupt):
    """Raised in the main thread by the first signal. status: the exit status it asks for, 128 + its number."""

    def __init__(self, number: int):
        super().__init__()
        self.status = 128 + number


@contextmanager
def stoppable() -> Iterator[None]:
    """Within the block the first SIGINT or SIGTERM raises `Stopped`, and the second ends the process there and then.

    A signal that the process was started to ignore stays ignored. Does nothing outside of the main thread.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    seen = False

    def handle(number: int, _frame: object) -> None:
        nonlocal seen
        if seen:
            os._exit(128 + number)
        seen = True
        raise Stopped(number)

    before = {number: signal.getsignal(number) for number in SIGNALS}
    for number, handler in before.items():
        if handler != signal.SIG_IGN:
            signal.signal(number, handle)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
