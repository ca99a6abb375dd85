"""`fastmlp sweep`: train the networks of a recipe and compare them."""

import argparse
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
from fastmlp.cli.exit_status import ALL_FAILED, SOME_FAILED, SUCCESS
from fastmlp.errors import InputError
from fastmlp.utils.commands import command_text

if TYPE_CHECKING:
    from fastmlp.runs.records import RunRecord


def _arguments(parser: argparse.ArgumentParser) -> None:
    from fastmlp.experiment.builtin_recipes import recipe_names

    parser.add_argument(
        "--recipe", default="default", metavar="NAME|FILE",
        help=f"the experiment: {', '.join(recipe_names())}, or a TOML file (default: default)",
    )  # fmt: skip
    add_data(parser)
    parser.add_argument(
        "--out", type=folder, required=True, metavar="RUN",
        help="folder for the results; a sweep begun there is resumed",
    )  # fmt: skip
    add_change(
        parser,
        "--training",
        key="data.training",
        type=int,
        metavar="N",
        help="training samples, the first ones (default: all)",
    )
    add_change(
        parser, "--validation", key="data.validation", type=_share_or_count, metavar="V",
        help="share or number of validation samples",
    )  # fmt: skip
    add_change(
        parser, "--stratify", "--no-stratify", key="data.stratify", nargs=0,
        help="draw the validation samples from each class, or take the last ones (default: the last ones, unless one "
        "of the parts would lack a class)",
    )  # fmt: skip
    add_change(
        parser,
        "--hidden",
        key="network.hidden",
        type=int,
        nargs="*",
        metavar="WIDTH",
        help="widths of the hidden layers",
    )
    add_change(parser, "--batch-size", key="training.batch_size", type=int, metavar="N", help="samples per step")
    add_change(parser, "--epochs", key="training.epochs", type=int, metavar="N", help="passes over the training data")
    add_change(
        parser,
        "--seed",
        key="training.seed",
        type=int,
        metavar="N",
        help="of the initial weights and the order of the samples",
    )
    add_change(
        parser,
        "--seeds",
        key="seeds",
        type=int,
        metavar="N",
        help="train every configuration with N seeds, and compare means",
    )
    add_change(
        parser, "--trials", key="search.trials", type=int, metavar="N", help="configurations that a search tries"
    )
    add_change(parser, "--method", key="search.method", choices=("random", "optuna"), help="how a search chooses them")
    add_set(parser)
    parser.add_argument(
        "--storage",
        metavar="URL",
        help="of Optuna's study, such as sqlite:///studies.db (default: in the run's folder)",
    )
    parser.add_argument(
        "--backend", default="threads", metavar="NAME",
        help="what trains the networks: threads of this machine, or a dask or ray cluster (default: threads)",
    )  # fmt: skip
    parser.add_argument(
        "--scheduler", metavar="ADDRESS", help="of the cluster: tcp://HOST:PORT for dask, HOST:PORT for ray"
    )
    add_threads(parser, "changes no result except what Optuna tries")


def _share_or_count(text: str) -> float | int:
    return int(text) if text.lstrip("+-").isdigit() else float(text)


_share_or_count.__name__ = "number"  # argparse names a type that fails by this


@computing
def _run(options: argparse.Namespace) -> Outcome:
    from fastmlp.experiment.evaluate import result_files
    from fastmlp.experiment.sweep import sweep
    from fastmlp.report.tables import table
    from fastmlp.utils.records import to_plain

    check_threads(options.threads)
    recipe = read_recipe(options, options.recipe)
    record = sweep(recipe, options.out, options.threads, options.storage, options.backend, options.scheduler)
    files = [str(path) for path in result_files(options.out)]
    following = None if record.best is None else _next_step(options.out, record)
    lines = [table(record), "", *files, *([] if following is None else [f"next: {following}"])]
    values = {"run": absolute(options.out), "record": to_plain(record), "files": files, "next": following}
    return Outcome(values, "\n".join(lines), sweep_status(record))


def _next_step(out: str, record: "RunRecord") -> str:
    """Name the command to give after a sweep."""
    from fastmlp.runs.run_directory import Run
    from fastmlp.runs.selection import is_retrained

    try:
        run = Run(out)
        return command_text("evaluate" if is_retrained(run, record) else "retrain", run.folder)
    except InputError as error:  # the network there was trained before the sweep changed
        return str(error)


def sweep_status(record: "RunRecord") -> int:
    """Return the exit status of a sweep.

    Parameters
    ----------
    record : RunRecord
        Of the run.
    """
    failed = [cell for cell in record.cells if cell.failure_reason]
    if record.best is None:
        return ALL_FAILED
    return SOME_FAILED if failed else SUCCESS


COMMAND = Command(
    "Train a grid of networks and compare them on validation data", _arguments, _run,
    "fastmlp sweep --recipe ee541 --data mnist --out runs/ee541", resumes=True,
)  # fmt: skip
