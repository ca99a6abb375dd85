"""What a verb of the command line is."""

import argparse
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Verb:
    """A verb of the command line.

    Attributes
    ----------
    help : str
        What it does, in one line.
    add_arguments : callable
        Declares its arguments on a parser.
    run : callable
        Does the work with the parsed options; returns the exit status.
    """

    help: str
    add_arguments: Callable[[argparse.ArgumentParser], None]
    run: Callable[[argparse.Namespace], int]


def computing(run: Callable[[argparse.Namespace], int]) -> Callable[[argparse.Namespace], int]:
    """Decorate the `run` of a verb that computes with networks: it says when it compiles the kernels.

    Parameters
    ----------
    run : callable
        As in `Verb`.
    """

    def run_and_tell(options: argparse.Namespace) -> int:
        from fastmlp.training.compilation import compilation_told

        with compilation_told():
            return run(options)

    return run_and_tell
