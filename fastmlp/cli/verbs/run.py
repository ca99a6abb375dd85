"""`fastmlp run`: a recipe from its data to one test accuracy."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from fastmlp.cli.verbs.arguments import add_data, add_threads, check_threads, folder
from fastmlp.cli.verbs.sweep import sweep_status
from fastmlp.cli.verbs.verb import Verb, computing

if TYPE_CHECKING:
    from fastmlp.experiment.recipe import Recipe

RUNS = Path("runs")


def _arguments(parser: argparse.ArgumentParser) -> None:
    from fastmlp.experiment.builtin_recipes import recipe_names

    parser.add_argument("recipe", metavar="RECIPE", help=f"{', '.join(recipe_names())}, or a TOML file")
    parser.add_argument(
        "--out", type=folder, metavar="RUN",
        help="folder for the results; a run begun there is resumed (default: runs/RECIPE, runs/RECIPE-2, ...)",
    )  # fmt: skip
    add_data(parser)
    parser.add_argument("--test", metavar="NAME|FILE", help="test data (default: the test part of the training data)")
    parser.add_argument("--epochs", type=int, metavar="N", help="passes over the training data (default: the recipe's)")
    add_threads(parser)


@computing
def _run(options: argparse.Namespace) -> int:
    from fastmlp.experiment.recipe_file import load_recipe

    check_threads(options.threads)
    recipe = load_recipe(options.recipe).override_data(name=options.data, label=options.label, task=options.task)
    recipe = recipe.shortened(options.epochs)
    wanted = RUNS / Path(options.recipe).stem
    return run_pipeline(recipe, options.out, wanted, options.threads, options.test)


def run_pipeline(
    recipe: "Recipe", out: str | None, wanted: Path, threads: int | None = None, test: str | None = None
) -> int:
    """Run a recipe and write its report; return the exit status.

    Parameters
    ----------
    recipe : Recipe
        What is run.
    out : str or None
        Folder of the run; None: a new one, named like `wanted`.
    wanted : Path
        Name of a folder that need not be free.
    threads : int, optional
        Cores to use.
    test : str, optional
        Name or file of the test data.
    """
    from fastmlp.experiment import pipeline
    from fastmlp.report import write_report

    run_folder = pipeline.free_folder(wanted, recipe) if out is None else Path(out)
    record = pipeline.run_pipeline(recipe, run_folder, threads, test)
    print(write_report(run_folder))
    return sweep_status(record)


VERB = Verb("Run a recipe: sweep, retrain and evaluate, beside published results", _arguments, _run)
