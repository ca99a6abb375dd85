"""`fastmlp run`: a recipe from its data to one test accuracy."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from fastmlp.cli.commands.arguments import (
    absolute,
    add_change,
    add_data,
    add_set,
    add_threads,
    check_threads,
    folder,
    read_recipe,
)
from fastmlp.cli.commands.command import Command, Outcome, computing
from fastmlp.cli.commands.sweep import sweep_status
from fastmlp.errors import InputError

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
    add_change(
        parser, "--epochs", key="training.epochs", type=int, metavar="N",
        help="passes over the training data (default: the recipe's)",
    )  # fmt: skip
    add_set(parser)
    add_threads(parser)


@computing
def _run(options: argparse.Namespace) -> Outcome:
    check_threads(options.threads)
    recipe = read_recipe(options, options.recipe)
    name = Path(options.recipe).stem
    if options.out is None and not name.strip("."):  # runs/.. is no folder of a run
        raise InputError(f"recipe {options.recipe!r} has no name that a folder can have; pass --out FOLDER")
    return run_pipeline(recipe, options.out, RUNS / name, options.threads, options.test)


def run_pipeline(
    recipe: "Recipe", out: str | None, wanted: Path, threads: int | None = None, test: str | None = None
) -> Outcome:
    """Run a recipe, print its results step by step, and write its report.

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
    from fastmlp.experiment.evaluate import result_files
    from fastmlp.report import write_report
    from fastmlp.runs.run_directory import Run
    from fastmlp.utils.records import to_plain

    if test is not None:
        recipe = recipe.without(["test"], "data")  # none have to be set aside
    run_folder = pipeline.free_folder(wanted, recipe) if out is None else Path(out)
    record = pipeline.run_pipeline(recipe, run_folder, threads, test)
    report = str(write_report(run_folder))
    evaluations = Run(run_folder).read_evaluations()
    values = {
        "run": absolute(run_folder),
        "record": to_plain(record),
        "evaluation": to_plain(evaluations[-1]) if record.best is not None and evaluations else None,
        "files": [str(path) for path in result_files(run_folder)],
        "report": report,
    }
    return Outcome(values, report, sweep_status(record))


COMMAND = Command(
    "Run a recipe: sweep, retrain, evaluate and report", _arguments, _run,
    "fastmlp run ee541 --data mnist --out runs/ee541", resumes=True,
)  # fmt: skip
