"""The program `fastmlp`, and `python -m fastmlp`."""

import signal
from typing import NoReturn


def command(*verb: str) -> NoReturn:
    """Run the program `fastmlp` and end the process.

    Parameters
    ----------
    *verb : str
        Arguments put before those of the command line, such as "sweep".
    """
    # While modules are imported nothing has begun: Ctrl-C ends the process as SIGTERM does, without a traceback.
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    from fastmlp.cli.main import command

    command(*verb)


if __name__ == "__main__":
    command()
