"""`fastmlp evaluate`: a run's retrained network on the test data, once."""

import argparse

from fastmlp.cli.commands.arguments import absolute
from fastmlp.cli.commands.command import Command, Outcome, computing


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("run_folder", metavar="RUN", help="folder of a retrained run: the --out of a sweep")
    parser.add_argument("--test", metavar="NAME|FILE", help="test data (default: the test part of the run's data)")
    parser.add_argument("--again", action="store_true", help="evaluate again; every evaluation is recorded")


@computing
def _run(options: argparse.Namespace) -> Outcome:
    from fastmlp.experiment.evaluate import evaluate, result_files
    from fastmlp.report.text_summary import evaluation_text
    from fastmlp.utils.records import to_plain

    evaluation = evaluate(options.run_folder, options.test, options.again)
    files = [str(path) for path in result_files(options.run_folder)]
    values = {"run": absolute(options.run_folder), "evaluation": to_plain(evaluation), "files": files}
    return Outcome(values, "\n".join([evaluation_text(evaluation), "", *files]))


COMMAND = Command(
    "Measure a run's retrained network on the test data, once", _arguments, _run, "fastmlp evaluate runs/ee541"
)
