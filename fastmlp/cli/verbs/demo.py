"""`fastmlp demo`: the default recipe, on data that need not be there."""

import argparse

from fastmlp.cli.verbs.arguments import folder
from fastmlp.cli.verbs.run import RUNS, run_pipeline
from fastmlp.cli.verbs.verb import Outcome, Verb, computing


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--out", type=folder, metavar="RUN",
        help="folder for the results; a run begun there is resumed (default: runs/demo, runs/demo-2, ...)",
    )  # fmt: skip
    parser.add_argument("--epochs", type=int, metavar="N", help="passes over the training data (default: 50)")


@computing
def _run(options: argparse.Namespace) -> Outcome:
    from fastmlp.experiment.recipe_file import load_recipe

    return run_pipeline(load_recipe("default").shortened(options.epochs), options.out, RUNS / "demo")


VERB = Verb(
    "Run the default recipe, on synthetic digits if MNIST is not available", _arguments, _run, "fastmlp demo --epochs 5"
)
