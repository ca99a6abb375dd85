"""The command line: parse the arguments, run the command, turn what goes wrong into one line and an exit status."""

import argparse
import errno
import json
import logging
import os
import sys
from collections.abc import Mapping, Sequence
from contextlib import redirect_stdout, suppress
from typing import Any, NoReturn

from fastmlp.cli.commands.registry import COMMANDS
from fastmlp.cli.console import log_level, prepare_streams, show_warnings_in_one_line, shown_log
from fastmlp.cli.exit_status import HUNG_UP, INTERRUPTED, SUCCESS, WRONG_INPUT
from fastmlp.cli.parser import parse
from fastmlp.cli.signals import Stopped, ignore_from_now_on, stoppable
from fastmlp.errors import FastmlpError, visible
from fastmlp.training.screen import show_result, write_result

DISK_FULL = (errno.ENOSPC, errno.EDQUOT)
LOGGER = logging.getLogger("fastmlp")


def command(*arguments: str) -> NoReturn:
    """Run the program `fastmlp` and end the process.

    Parameters
    ----------
    *arguments : str
        Arguments put before those of the command line, such as "sweep".
    """
    prepare_streams()
    show_warnings_in_one_line()
    status = main([*arguments, *sys.argv[1:]], ends_process=True)
    ignore_from_now_on()  # also where the arguments were wrong
    if status >= HUNG_UP:  # a thread whose kernels are being compiled would keep the process for seconds
        with suppress(OSError):  # the terminal may be gone
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
        Whether the process ends afterwards: SIGINT, SIGTERM and SIGHUP are then ignored once the work is done.

    Returns
    -------
    int
        One of `fastmlp.cli.exit_status.EXIT_STATUSES`.
    """
    arguments = list(sys.argv[1:] if arguments is None else arguments)
    resumes = False
    with shown_log():
        try:
            options = parse(arguments)
            resumes = COMMANDS[options.command].resumes
            LOGGER.setLevel(log_level(options.verbose, options.quiet))
            with stoppable(ends_process):
                status = _run(options)
            return status
        except FastmlpError as error:
            return _fail(str(error))
        except BrokenPipeError:  # the reader of our output has seen enough, as in `fastmlp sweep ... | head`
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return SUCCESS
        except OSError as error:
            again = f"; make room and give the same command again{', which resumes' if resumes else ''}"
            hint = again if error.errno in DISK_FULL else ""
            return _fail((f"{error.filename}: {error.strerror}" if error.filename else str(error)) + hint)
        except MemoryError as error:
            return _fail(f"not enough memory ({error}); use fewer samples")
        except RuntimeError as error:
            if "can't start new thread" not in str(error):
                raise
            return _fail(f"{error}: not enough memory, or `ulimit -u` allows no more")
        except KeyboardInterrupt as interrupt:
            LOGGER.critical("interrupted; the same command resumes from here" if resumes else "interrupted")
            return interrupt.status if isinstance(interrupt, Stopped) else INTERRUPTED


def _run(options: argparse.Namespace) -> int:
    """Run the command and print what it returns; with `--json` everything else that it prints goes to stderr."""
    chosen = COMMANDS[options.command]
    as_json = not chosen.prints_itself and options.json
    with redirect_stdout(sys.stderr if as_json else sys.stdout):
        outcome = chosen.run(options)
    if isinstance(outcome, int):
        return outcome
    values = {"command": options.command, "status": outcome.status, **outcome.values}
    if as_json:
        write_result([visible(_json(values)), "\n"])
    else:
        show_result(outcome.text)
    return outcome.status


def _json(values: Mapping[str, Any]) -> str:
    """Return values as JSON, which has no numbers that are not finite; paths as text."""
    return json.dumps(values, indent=2, ensure_ascii=False, allow_nan=False, default=str)


def _fail(message: str) -> int:
    LOGGER.error(message)
    return WRONG_INPUT
