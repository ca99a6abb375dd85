"""`fastmlp info`: what a network, a run or data are, and on what all this runs."""

import argparse

from fastmlp.cli.commands.arguments import add_labels
from fastmlp.cli.commands.command import Command, Outcome
from fastmlp.errors import InputError


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "thing", metavar="MODEL|RUN|DATA", nargs="?", help="a model file, the folder of a run, or data: a name or file"
    )
    parser.add_argument(
        "--system", action="store_true", help="print what a bug report needs instead: versions, CPU, settings"
    )
    add_labels(parser)


def _run(options: argparse.Namespace) -> Outcome:
    given = [text for text in (options.thing, options.label, options.task) if text is not None]
    if options.system and given:
        raise InputError(f"{given[0]} was given with --system; expected --system alone")
    if options.thing is None and not options.system:
        raise InputError("nothing was given; expected MODEL|RUN|DATA or --system; see `fastmlp info --help`")
    if options.system:
        from fastmlp.report.info.system import describe_system

        system = describe_system()
        return Outcome(system.values, system.text())
    from fastmlp.report.info.describe import describe

    info = describe(options.thing, options.label, options.task)
    return Outcome(info.values, info.text())


COMMAND = Command("Describe a model, a run, data or this system", _arguments, _run, "fastmlp info runs/ee541")
