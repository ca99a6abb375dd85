"""What a subcommand of `fastmlp` is, and what it returns."""

import argparse
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Outcome:
    """What a command has found or made.

    Attributes
    ----------
    values : mapping
        What `--json` prints: text, numbers, booleans, None, lists and mappings of them. The keys "command" and "status"
        are added.
    text : str
        What is printed for a person.
    status : int
        The exit status.
    """

    values: Mapping[str, Any]
    text: str
    status: int = 0


@dataclass(frozen=True)
class Command:
    """A subcommand of `fastmlp`.

    Attributes
    ----------
    help : str
        What it does, in one line.
    add_arguments : callable
        Declares its arguments on a parser. Those that all commands have are added by `fastmlp.cli.parser`.
    run : callable
        Does the work with the parsed options. Returns what is to be printed; or an exit status, if it prints by itself.
    example : str
        A command for the end of its `--help`.
    prints_itself : bool
        Whether it prints by itself. It has no `--json` then, unless it declares one.
    resumes : bool
        Whether the same command resumes what was interrupted.
    """

    help: str
    add_arguments: Callable[[argparse.ArgumentParser], None]
    run: Callable[[argparse.Namespace], Outcome | int]
    example: str
    prints_itself: bool = False
    resumes: bool = False


def computing(run: Callable[[argparse.Namespace], Outcome | int]) -> Callable[[argparse.Namespace], Outcome | int]:
    """Decorate the `run` of a command that computes with networks: it says when it compiles the kernels.

    Parameters
    ----------
    run : callable
        As in `Command`.
    """

    def run_and_tell(options: argparse.Namespace) -> Outcome | int:
        from fastmlp.training.compilation import compilation_told

        with compilation_told():
            return run(options)

    return run_and_tell
