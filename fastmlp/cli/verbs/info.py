"""`fastmlp info`: what a network, a run or data are."""

import argparse

from fastmlp.cli.verbs.arguments import add_labels
from fastmlp.cli.verbs.verb import Verb


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "thing", metavar="MODEL|RUN|DATA", help="a model file, the --out of a sweep, or data: a name or file"
    )
    add_labels(parser)
    parser.add_argument("--json", action="store_true", help="print it as JSON, with all that there is")


def _run(options: argparse.Namespace) -> int:
    from fastmlp.report.info.describe import describe

    info = describe(options.thing, options.label, options.task)
    print(info.json() if options.json else info.text())
    return 0


VERB = Verb("Say what a model, a run or data are", _arguments, _run)
