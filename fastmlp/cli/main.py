"""The command line: parse the arguments, run the verb, turn what goes wrong into one line and an exit status."""

import argparse
import errno
import os
import sys
from collections.abc import Sequence
from typing import NoReturn

from fastmlp._version import __version__
from fastmlp.cli.console import prepare_streams, show_warnings_in_one_line
from fastmlp.cli.signals import Stopped, ignore_from_now_on, stoppable
from fastmlp.cli.verbs.registry import VERBS
from fastmlp.errors import FastmlpError, InputError
from fastmlp.utils.options import closest, nearest

DISK_FULL = (errno.ENOSPC, errno.EDQUOT)
WRONG_INPUT, INTERRUPTED = 2, 130


class _Parser(argparse.ArgumentParser):
    """A parser that reports its errors as all others are: in one line."""

    def _check_value(self, action: argparse.Action, value: object) -> None:
        if action.choices is not None and value not in action.choices:
            raise argparse.ArgumentError(action, f"is {value!r}; {nearest(value, map(str, action.choices))}")

    def error(self, message: str) -> NoReturn:
        raise InputError(f"{message}; see `{self.prog} --help`")


def command(*verb: str) -> NoReturn:
    """Run the program `fastmlp` and end the process.

    Parameters
    ----------
    *verb : str
        Arguments put before those of the command line, such as "sweep".
    """
    prepare_streams()
    show_warnings_in_one_line()
    status = main([*verb, *sys.argv[1:]], ends_process=True)
    ignore_from_now_on()  # also where the arguments were wrong
    if status > INTERRUPTED - 2:  # a thread whose kernels are being compiled would keep the process for seconds
        sys.stdout.flush()
        os._exit(status)
    sys.exit(status)


def main(arguments: Sequence[str] | None = None, ends_process: bool = False) -> int:
    """Run `fastmlp` and return its exit status.

    Parameters
    ----------
    arguments : sequence of str, optional
        Arguments; None takes those of the command line.
    ends_process : bool, default False
        Whether the process ends afterwards: SIGINT and SIGTERM are then ignored once the work is done.

    Returns
    -------
    int
        0: success. 1: every configuration failed. 2: the input cannot be used; one line on stderr says why. 3: some
        configurations failed. 130: Ctrl-C. 143: SIGTERM.
    """
    arguments = list(sys.argv[1:] if arguments is None else arguments)
    try:
        options = _parse(arguments)
        with stoppable(ends_process):
            status: int = options.run(options)
            sys.stdout.flush()  # raises BrokenPipeError here if the reader has left
        return status
    except FastmlpError as error:
        return _fail(str(error))
    except BrokenPipeError:  # the reader of our output has seen enough, as in `fastmlp sweep ... | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:
        hint = "; make room and give the same command again, which resumes" if error.errno in DISK_FULL else ""
        return _fail((f"{error.filename}: {error.strerror}" if error.filename else str(error)) + hint)
    except MemoryError as error:
        return _fail(f"not enough memory ({error}); use fewer samples")
    except KeyboardInterrupt as interrupt:
        print("fastmlp: interrupted; the same command resumes from here", file=sys.stderr)
        return interrupt.status if isinstance(interrupt, Stopped) else INTERRUPTED


def _fail(message: str) -> int:
    print(f"fastmlp: error: {' '.join(message.splitlines())}", file=sys.stderr)
    return WRONG_INPUT


def _parse(arguments: Sequence[str]) -> argparse.Namespace:
    """Parse the command line. Errors name the `--help` of the verb whose arguments are wrong."""
    parser = _Parser(
        prog="fastmlp", description="Train multilayer perceptrons on a CPU, from data to test accuracy.",
        allow_abbrev=False,
    )  # fmt: skip
    parser.add_argument("--version", action="version", version=f"fastmlp {__version__}")
    verbs = parser.add_subparsers(title="verbs", metavar="VERB", required=True)
    chosen = next(filter(VERBS.__contains__, arguments), None)
    for name, verb in VERBS.items():
        its = verbs.add_parser(name, help=verb.help, description=f"{verb.help}.", allow_abbrev=False)
        its.set_defaults(run=verb.run, verb_parser=its)
        if name == chosen:  # declaring arguments may load modules, and only one verb's are needed
            verb.add_arguments(its)
    first = arguments[0] if arguments else ""
    if chosen and first.startswith("-") and first not in parser._option_string_actions:
        verbs.choices[chosen].error(f"{first} stands before the verb; expected it behind")
    options, unknown = parser.parse_known_args(arguments)
    if unknown:
        meant = closest(unknown[0], options.verb_parser._option_string_actions, similarity=0.75)
        hint = f"; did you mean {meant}?" if meant else ""
        options.verb_parser.error(f"unrecognized arguments: {' '.join(unknown)}{hint}")
    return options
