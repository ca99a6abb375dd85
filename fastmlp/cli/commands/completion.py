"""`fastmlp completion`: what a shell needs to complete commands. The script is made by shtab, and starts no Python."""

import argparse

from fastmlp.cli.commands.command import Command
from fastmlp.errors import InputError
from fastmlp.training.screen import write_result

SHELLS = ("bash", "zsh", "fish", "tcsh")
PATHS = ("FILE", "RUN", "MODEL", "DATA", "DIR", "RECIPE", "SAMPLE")  # parts of names of arguments that are paths


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.description = 'Print a shell\'s completion script: eval "$(fastmlp completion bash)" loads it.'
    parser.add_argument("shell", choices=SHELLS, help="which shell")


def _run(options: argparse.Namespace) -> int:
    try:
        import shtab
    except ImportError:
        raise InputError("completion needs shtab, which is not installed; pip install 'fastmlp[completion]'") from None
    parser = options.whole_parser()
    for action in _all_actions(parser):
        if any(part in str(action.metavar).replace("|", " ").split() for part in PATHS):
            action.complete = shtab.FILE  # type: ignore[attr-defined]  # where shtab looks for it
    write_result([shtab.complete(parser, options.shell), "\n"])
    return 0


def _all_actions(parser: argparse.ArgumentParser) -> list[argparse.Action]:
    """Return the arguments of a parser and of those of its commands."""
    found = []
    for action in parser._actions:
        found.append(action)
        if isinstance(action, argparse._SubParsersAction):
            found += [inner for its in dict.fromkeys(action.choices.values()) for inner in _all_actions(its)]
    return found


COMMAND = Command(
    "Print a shell's completion script", _arguments, _run,
    "fastmlp completion bash", prints_itself=True,
)  # fmt: skip
