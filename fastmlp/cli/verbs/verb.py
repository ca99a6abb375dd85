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
