"""The parser of the command line: its subcommands, and the options that all of them have."""

import argparse
from collections.abc import Sequence
from typing import Any, NoReturn

from fastmlp.cli.commands.command import Command
from fastmlp.cli.commands.registry import COMMANDS
from fastmlp.cli.exit_status import exit_statuses_text
from fastmlp.errors import InputError
from fastmlp.training.screen import write_result
from fastmlp.utils.options import closest, nearest
from fastmlp.utils.system import version_line


class _HelpFormatter(argparse.HelpFormatter):
    """A formatter that keeps the lines of a text that has several, such as examples."""

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        if "\n" not in text:
            return super()._fill_text(text, width, indent)
        return "".join(f"{indent}{line}" for line in text.splitlines(keepends=True))


class _Parser(argparse.ArgumentParser):
    """A parser that reports its errors as all others are: in one line."""

    def _check_value(self, action: argparse.Action, value: object) -> None:
        if action.choices is not None and value not in action.choices:
            raise argparse.ArgumentError(action, f"is {value!r}; {nearest(value, map(str, action.choices))}")

    def error(self, message: str) -> NoReturn:
        raise InputError(f"{message}; see `{self.prog} --help`")

    @property
    def options(self) -> list[str]:
        """All options, such as "--help"."""
        return list(self._option_string_actions)


class _Version(argparse.Action):
    """Print versions and exit; they are looked up only when asked for, and the line is not wrapped."""

    def __init__(self, option_strings: Sequence[str], dest: str, **options: Any):
        super().__init__(option_strings, dest, nargs=0, **options)

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> NoReturn:
        write_result([version_line(), "\n"])
        parser.exit()


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    """Parse the command line. Errors name the `--help` of the command whose arguments are wrong.

    Parameters
    ----------
    arguments : sequence of str
        Those behind `fastmlp`.

    Returns
    -------
    Namespace
        The options; among them `command`, its name, and `whole_parser`, which returns the parser of all commands.

    Raises
    ------
    InputError
        For arguments that cannot be used.
    """
    # Declaring arguments may load modules, and only one command's are needed.
    chosen = next(filter(COMMANDS.__contains__, arguments), None)
    parser, commands = _build([chosen] if chosen else [])
    first = arguments[0] if arguments else ""
    if chosen and first.startswith("-") and first not in parser.options:
        commands[chosen].error(f"{first} stands before the command; expected it after the command")
    options, unknown = parser.parse_known_args(arguments)
    options.whole_parser = whole_parser
    if unknown:
        its = commands[options.command]
        meant = closest(unknown[0], its.options, similarity=0.75)
        hint = f"; did you mean {meant}?" if meant else ""
        its.error(f"unrecognized arguments: {' '.join(unknown)}{hint}")
    return options


def whole_parser() -> argparse.ArgumentParser:
    """Return the parser with the arguments of every command."""
    return _build(list(COMMANDS))[0]


def _build(declared: Sequence[str]) -> tuple[_Parser, dict[str, _Parser]]:
    """Return the parser, and that of each command; of some commands the arguments are declared."""
    parser = _Parser(
        prog="fastmlp", description="Train multilayer perceptrons on a CPU, from data to test accuracy.",
        epilog=f"example:\n  fastmlp demo --epochs 5\n\n{exit_statuses_text()}",
        formatter_class=_HelpFormatter, allow_abbrev=False,
    )  # fmt: skip
    parser.add_argument(
        "--version", action=_Version, help="print the versions of fastmlp and what it runs on, and exit"
    )
    adding = parser.add_subparsers(title="commands", metavar="COMMAND", dest="command", required=True)
    parsers = {}
    for name, command in COMMANDS.items():
        parsers[name] = its = adding.add_parser(
            name, help=command.help, description=f"{command.help}.", allow_abbrev=False, formatter_class=_HelpFormatter,
            epilog=f"example:\n  {command.example}\n\nexit status: 0 on success; `fastmlp --help` lists the others",
        )  # fmt: skip
        if name in declared:
            command.add_arguments(its)
            _add_common(its, command)
    return parser, parsers


def _add_common(parser: _Parser, command: Command) -> None:
    """Declare what all commands have."""
    output = parser.add_argument_group("output")
    if not command.prints_itself:
        output.add_argument("--json", action="store_true", help="print the result as one JSON object, for programs")
    how_much = output.add_mutually_exclusive_group()
    how_much.add_argument("-v", "--verbose", action="store_true", help="print more on stderr, such as all settings")
    how_much.add_argument("-q", "--quiet", action="store_true", help="print only warnings and errors on stderr")
