"""`fastmlp report`: a run on one page."""

import argparse

from fastmlp.cli.verbs.verb import Verb


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("run_folder", metavar="RUN", help="the --out of a sweep, retrained and evaluated or not yet")


def _run(options: argparse.Namespace) -> int:
    from fastmlp.report import write_report

    print(write_report(options.run_folder))
    return 0


VERB = Verb("Write a run's report.html, one page that opens offline", _arguments, _run)
