"""The program `fastmlp`, and `python -m fastmlp`."""

import os
import signal
import sys
from typing import NoReturn

SCARCE = 4 << 30  # bytes of addresses, as `ulimit -v` limits them


def command(*arguments: str) -> NoReturn:
    """Run the program `fastmlp` and end the process.

    Parameters
    ----------
    *arguments : str
        Arguments put before those of the command line, such as "sweep".
    """
    # While modules are imported nothing has begun: Ctrl-C ends the process as SIGTERM does, without a traceback.
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    _save_addresses()
    from fastmlp.cli.main import command

    command(*arguments)


def _save_addresses() -> None:
    """Have NumPy's OpenBLAS, which trains nothing here, begin one thread where addresses are scarce.

    It takes 40 MB of them for each thread, and ends or blocks a process that has no more.
    """
    if sys.platform != "win32":
        import resource

        if 0 <= resource.getrlimit(resource.RLIMIT_AS)[0] < SCARCE:  # -1 is no limit
            os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")


if __name__ == "__main__":
    command()
