"""The verbs of the command line. Each loads what it needs when it runs, so that `--help` is quick."""

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from fastmlp.errors import InputError
from fastmlp.utils.commands import command_text
from fastmlp.utils.paths import user_path

if TYPE_CHECKING:
    from fastmlp.experiment.recipe import Recipe
    from fastmlp.runs.records import RunRecord

RUNS = Path("runs")
ALL_FAILED, SOME_FAILED = 1, 3


@dataclass(frozen=True)
class Verb:
    """A verb of the command line.

    Attributes
    ----------
    help : str
        What it does, in one line.
    add_arguments : callable
        Declares its arguments on a parser.
    run : callable
        Does the work with the parsed options; returns the exit status.
    """

    help: str
    add_arguments: Callable[[argparse.ArgumentParser], None]
    run: Callable[[argparse.Namespace], int]


# ---------------------------------------------------------------------------------------------------------- prepare


def _prepare_arguments(parser: argparse.ArgumentParser) -> None:
    from fastmlp.data.course_files import DTYPES
    from fastmlp.data.loading import NAMES

    parser.description = (
        "Write mnist_traindata.hdf5 and mnist_testdata.hdf5: xdata (N, 784) in [0, 1] and ydata (N, 10) one-hot."
    )
    parser.add_argument(
        "--data", default="auto", metavar="NAME", help=f"{', '.join(NAMES)}, or a folder of IDX files (default: auto)"
    )
    parser.add_argument("--out", default="data", metavar="DIR", help="folder of the two files (default: data)")
    parser.add_argument("--dtype", default="float32", choices=DTYPES, help="of xdata (default: float32)")
    parser.add_argument("--force", action="store_true", help="replace files that are there already")


def _prepare(options: argparse.Namespace) -> int:
    from fastmlp.data.course_files import prepare

    for line in prepare(options.data, options.out, options.dtype, options.force):
        print(line)
    return 0


# ------------------------------------------------------------------------------------------------------------ sweep


def _sweep_arguments(parser: argparse.ArgumentParser) -> None:
    from fastmlp.experiment.builtin_recipes import recipe_names

    parser.add_argument(
        "--recipe", default="default", metavar="NAME|FILE",
        help=f"the experiment: {', '.join(recipe_names())}, or a TOML file (default: default)",
    )  # fmt: skip
    parser.add_argument("--data", metavar="NAME|FILE", help="training data (default: the recipe's)")
    parser.add_argument(
        "--out", type=_folder, required=True, metavar="RUN",
        help="folder for the results; a sweep begun there is resumed",
    )  # fmt: skip
    parser.add_argument("--training", type=int, metavar="N", help="training samples, the first ones (default: all)")
    parser.add_argument("--validation", type=_share_or_count, metavar="V", help="share or number of validation samples")
    parser.add_argument(
        "--stratify", action="store_true", default=None,
        help="draw the validation samples at random from each class, instead of taking the last ones",
    )  # fmt: skip
    parser.add_argument("--hidden", type=int, nargs="*", metavar="WIDTH", help="widths of the hidden layers")
    parser.add_argument("--batch-size", type=int, metavar="N", help="samples per step")
    parser.add_argument("--epochs", type=int, metavar="N", help="passes over the training data")
    parser.add_argument("--seed", type=int, metavar="N", help="of the initial weights and the order of the samples")
    parser.add_argument(
        "--seeds", type=int, metavar="N", help="train every configuration with N seeds, and compare means"
    )
    parser.add_argument("--trials", type=int, metavar="N", help="configurations that a search tries")
    parser.add_argument("--method", choices=("random", "optuna"), help="how a search chooses them")
    parser.add_argument(
        "--storage",
        metavar="URL",
        help="of Optuna's study, such as sqlite:///studies.db (default: in the run's folder)",
    )
    parser.add_argument(
        "--backend", default="threads", metavar="NAME",
        help="who trains: threads, of this machine, or the workers of a cluster of dask or ray (default: threads)",
    )  # fmt: skip
    parser.add_argument(
        "--scheduler", metavar="ADDRESS", help="of the cluster: tcp://HOST:PORT for dask, HOST:PORT for ray"
    )
    _add_threads(parser, "changes no result, but what Optuna tries")


def _add_threads(parser: argparse.ArgumentParser, effect: str = "changes no result") -> None:
    parser.add_argument("--threads", type=int, metavar="N", help=f"cores to use (default: all); {effect}")


def _share_or_count(text: str) -> float | int:
    return int(text) if text.lstrip("+-").isdigit() else float(text)


_share_or_count.__name__ = "number"  # argparse names a type that fails by this


def _folder(text: str) -> str:
    """Return a folder's name; an empty one, as of an unset shell variable, would be the current folder."""
    if not text:
        raise argparse.ArgumentTypeError("is empty; expected a folder: . is the current one")
    return text


def _sweep(options: argparse.Namespace) -> int:
    from fastmlp.experiment.evaluate import result_files
    from fastmlp.experiment.recipe_file import load_recipe
    from fastmlp.experiment.sweep import sweep
    from fastmlp.report.tables import table

    _check_threads(options.threads)
    recipe = load_recipe(options.recipe).override_data(
        name=options.data, training=options.training, validation=options.validation, stratify=options.stratify
    )
    recipe = recipe.override(hidden=options.hidden, batch_size=options.batch_size, seed=options.seed)
    recipe = recipe.shortened(options.epochs).repeated(options.seeds).searched(options.method, options.trials)
    record = sweep(recipe, options.out, options.threads, options.storage, options.backend, options.scheduler)
    print(table(record))
    print("", *result_files(options.out), sep="\n")
    if record.best is not None:
        print(f"next: {_next_step(options.out, record)}")
    return _sweep_status(record)


def _next_step(out: str, record: "RunRecord") -> str:
    """Name the command to give after a sweep."""
    from fastmlp.runs.run_directory import Run
    from fastmlp.runs.selection import is_retrained

    try:
        run = Run(out)
        return command_text("evaluate" if is_retrained(run, record) else "retrain", run.folder)
    except InputError as error:  # the network there was trained before the sweep changed
        return str(error)


def _sweep_status(record: "RunRecord") -> int:
    failed = [cell for cell in record.cells if cell.failure_reason]
    if record.best is None:
        return ALL_FAILED
    return SOME_FAILED if failed else 0


def _check_threads(threads: int | None) -> None:
    from fastmlp.utils.validation import threads as check

    if threads is not None:
        check("--threads", threads)


# ------------------------------------------------------------------------------------------------ retrain, evaluate


def _retrain_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("run_folder", metavar="RUN", help="the --out of a sweep")
    _add_threads(parser)


def _retrain(options: argparse.Namespace) -> int:
    from fastmlp.experiment.retrain import retrain

    _check_threads(options.threads)
    mlp = retrain(options.run_folder, options.threads)
    loss, accuracy = mlp.history["train_loss"][-1], mlp.history["train_accuracy"][-1]
    print(f"retrained on all rows: training loss {loss:.4f}, training accuracy {accuracy:.4f}")
    print(f"next: {command_text('evaluate', user_path(options.run_folder))}")
    return 0


def _evaluate_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("run_folder", metavar="RUN", help="the --out of a sweep, retrained")
    parser.add_argument("--test", metavar="NAME|FILE", help="test data (default: the test part of the run's data)")
    parser.add_argument("--again", action="store_true", help="evaluate once more; every evaluation is recorded")


def _evaluate(options: argparse.Namespace) -> int:
    from fastmlp.experiment.evaluate import evaluate, result_files
    from fastmlp.report.text_summary import evaluation_text

    print(evaluation_text(evaluate(options.run_folder, options.test, options.again)))
    print("", *result_files(options.run_folder), sep="\n")
    return 0


# ----------------------------------------------------------------------------------------------------------- report


def _report_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("run_folder", metavar="RUN", help="the --out of a sweep, retrained and evaluated or not yet")


def _report(options: argparse.Namespace) -> int:
    from fastmlp.report import write_report

    print(write_report(options.run_folder))
    return 0


# -------------------------------------------------------------------------------------------------------- run, demo


def _run_arguments(parser: argparse.ArgumentParser) -> None:
    from fastmlp.experiment.builtin_recipes import recipe_names

    parser.add_argument("recipe", metavar="RECIPE", help=f"{', '.join(recipe_names())}, or a TOML file")
    parser.add_argument(
        "--out", type=_folder, metavar="RUN",
        help="folder for the results; a run begun there is resumed (default: runs/RECIPE, runs/RECIPE-2, ...)",
    )  # fmt: skip
    parser.add_argument("--data", metavar="NAME|FILE", help="training data (default: the recipe's)")
    parser.add_argument("--test", metavar="NAME|FILE", help="test data (default: the test part of the training data)")
    parser.add_argument("--epochs", type=int, metavar="N", help="passes over the training data (default: the recipe's)")
    _add_threads(parser)


def _run(options: argparse.Namespace) -> int:
    from fastmlp.experiment.recipe_file import load_recipe

    _check_threads(options.threads)
    recipe = load_recipe(options.recipe).override_data(name=options.data).shortened(options.epochs)
    wanted = RUNS / Path(options.recipe).stem
    return _run_pipeline(recipe, options.out, wanted, options.threads, options.test)


def _run_pipeline(
    recipe: "Recipe", out: str | None, wanted: Path, threads: int | None = None, test: str | None = None
) -> int:
    """Run a recipe into `out`, or into a new folder named like `wanted`."""
    from fastmlp.experiment.pipeline import free_folder, run_pipeline
    from fastmlp.report import write_report

    folder = free_folder(wanted, recipe) if out is None else Path(out)
    record = run_pipeline(recipe, folder, threads, test)
    print(write_report(folder))
    return _sweep_status(record)


def _demo_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--out", type=_folder, metavar="RUN",
        help="folder for the results; a run begun there is resumed (default: runs/demo, runs/demo-2, ...)",
    )  # fmt: skip
    parser.add_argument("--epochs", type=int, metavar="N", help="passes over the training data (default: 50)")


def _demo(options: argparse.Namespace) -> int:
    from fastmlp.experiment.recipe_file import load_recipe

    return _run_pipeline(load_recipe("default").shortened(options.epochs), options.out, RUNS / "demo")


VERBS = {
    "prepare": Verb("Write the course's two HDF5 files", _prepare_arguments, _prepare),
    "run": Verb("Run a recipe: sweep, retrain and evaluate, beside published results", _run_arguments, _run),
    "sweep": Verb("Train a grid of networks and compare them on validation data", _sweep_arguments, _sweep),
    "retrain": Verb("Train a run's best network again, on all rows", _retrain_arguments, _retrain),
    "evaluate": Verb("Measure a run's retrained network on the test data, once", _evaluate_arguments, _evaluate),
    "report": Verb("Write a run's report.html, one page that opens offline", _report_arguments, _report),
    "demo": Verb("Run the default recipe, on synthetic digits if MNIST is not available", _demo_arguments, _demo),
}
