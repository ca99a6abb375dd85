"""`fastmlp info`: what a network, a run or data are."""

import argparse

from fastmlp.cli.verbs.arguments import add_labels
from fastmlp.cli.verbs.verb import Outcome, Verb


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "thing", metavar="MODEL|RUN|DATA", help="a model file, the --out of a sweep, or data: a name or file"
    )
    add_labels(parser)


def _run(options: argparse.Namespace) -> Outcome:
    from fastmlp.report.info.describe import describe

    info = describe(options.thing, options.label, options.task)
    return Outcome(info.values, info.text())


VERB = Verb("Say what a model, a run or data are", _arguments, _run, "fastmlp info runs/ee541")
