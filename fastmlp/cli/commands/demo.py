"""`fastmlp demo`: the default recipe, on data that need not be there."""

import argparse

from fastmlp.cli.commands.arguments import add_change, add_data, add_set, folder, read_recipe
from fastmlp.cli.commands.command import Command, Outcome, computing
from fastmlp.cli.commands.run import RUNS, run_pipeline


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--out", type=folder, metavar="RUN",
        help="folder for the results; a run begun there is resumed (default: runs/demo, runs/demo-2, ...)",
    )  # fmt: skip
    add_data(parser)
    add_change(
        parser, "--epochs", key="training.epochs", type=int, metavar="N",
        help="passes over the training data (default: 50)",
    )  # fmt: skip
    add_set(parser)


@computing
def _run(options: argparse.Namespace) -> Outcome:
    return run_pipeline(read_recipe(options, "default"), options.out, RUNS / "demo")


COMMAND = Command(
    "Run the default recipe on MNIST, or on synthetic digits", _arguments, _run,
    "fastmlp demo --epochs 5", resumes=True,
)  # fmt: skip
