"""`fastmlp report`: a run on one page."""

import argparse

from fastmlp.cli.commands.arguments import absolute
from fastmlp.cli.commands.command import Command, Outcome


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("run_folder", metavar="RUN", help="folder of a run: the --out of a sweep")


def _run(options: argparse.Namespace) -> Outcome:
    from fastmlp.report import write_report

    path = str(write_report(options.run_folder))
    return Outcome({"run": absolute(options.run_folder), "report": path}, path)


COMMAND = Command(
    "Write a run's report.html, one page that opens offline", _arguments, _run, "fastmlp report runs/ee541"
)
