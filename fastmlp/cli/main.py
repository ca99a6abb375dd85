"""The command line. Numpy, numba and matplotlib are loaded by the verb that needs them, so that --help is quick."""

import argparse
import errno
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NoReturn

from fastmlp._version import __version__
from fastmlp.cli.console import prepare_streams
from fastmlp.cli.signals import Stopped, ignore_from_now_on, stoppable
from fastmlp.errors import FastmlpError, InputError

RUNS = Path("runs")
FULL = (errno.ENOSPC, errno.EDQUOT)
ALL_FAILED, WRONG_INPUT, SOME_FAILED, INTERRUPTED = 1, 2, 3, 130


class _Parser(argparse.ArgumentParser):
    """A parser whose errors come out as all others do: in one line."""

    def error(self, message: str) -> NoReturn:
        raise InputError(f"{message}; see `{self.prog} --help`")


def command(*verb: str) -> NoReturn:
    """The program `fastmlp`: run `main` with `verb` and the arguments of the command line, and end the process."""
    prepare_streams()
    status = main([*verb, *sys.argv[1:]], ends_process=True)
    ignore_from_now_on()  # also where the arguments were wrong
    if status > INTERRUPTED - 2:  # a thread whose kernels are being compiled would keep the process for seconds
        sys.stdout.flush()
        os._exit(status)
    sys.exit(status)


def main(arguments: Sequence[str] | None = None, ends_process: bool = False) -> int:
    """Run `fastmlp` with these arguments (None: the command line's); returns the exit status.

    ends_process  nothing comes after: SIGINT and SIGTERM do nothing any more when the work is done
    0 success; 1 every configuration failed: it diverged or stopped with an error; 2 something to mend, told in one line
    on stderr; 3 some configurations failed; 130 Ctrl-C, 143 SIGTERM.
    """
    arguments = list(sys.argv[1:] if arguments is None else arguments)
    try:
        options = _parser(arguments).parse_args(arguments)
        with stoppable(ends_process):
            status: int = options.run(options)
            sys.stdout.flush()  # here a reader that has left is told of
        return status
    except FastmlpError as error:
        return _fail(str(error))
    except BrokenPipeError:  # the reader of our output has seen enough, as in `fastmlp sweep ... | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:
        mend = "; make room and give the same command again, which goes on" if error.errno in FULL else ""
        return _fail((f"{error.filename}: {error.strerror}" if error.filename else str(error)) + mend)
    except MemoryError as error:
        return _fail(f"not enough memory ({error}); use fewer samples")
    except KeyboardInterrupt as interrupt:
        print("fastmlp: interrupted; the same command goes on from here", file=sys.stderr)
        return interrupt.status if isinstance(interrupt, Stopped) else INTERRUPTED


def _fail(message: str) -> int:
    print(f"fastmlp: error: {' '.join(message.splitlines())}", file=sys.stderr)
    return WRONG_INPUT


def _parser(arguments: Sequence[str]) -> argparse.ArgumentParser:
    parser = _Parser(
        prog="fastmlp", description="Train multilayer perceptrons on a CPU, from data to test accuracy.",
        allow_abbrev=False,
    )  # fmt: skip
    parser.add_argument("--version", action="version", version=f"fastmlp {__version__}")
    verbs = parser.add_subparsers(title="verbs", metavar="VERB", required=True)
    chosen = next((argument for argument in arguments if not argument.startswith("-")), None)
    for name, (add_arguments, run, description) in VERBS.items():
        verb = verbs.add_parser(name, help=description, description=f"{description}.", allow_abbrev=False)
        verb.set_defaults(run=run)
        if name == chosen:  # declaring arguments may load modules, and only one verb's are needed
            add_arguments(verb)
    return parser


# ---------------------------------------------------------------------------------------------------------- prepare


def _prepare_arguments(parser):
    from fastmlp.data.course_files import add_arguments

    add_arguments(parser)


def _prepare(options) -> int:
    from fastmlp.data.course_files import run

    return run(options)


# ------------------------------------------------------------------------------------------------------------ sweep


def _sweep_arguments(parser):
    from fastmlp.experiment.builtin_recipes import recipe_names

    parser.add_argument(
        "--recipe", default="default", metavar="NAME|FILE",
        help=f"the experiment: {', '.join(recipe_names())}, or a TOML file (default: default)",
    )  # fmt: skip
    parser.add_argument("--data", metavar="NAME|FILE", help="training data (default: the recipe's)")
    parser.add_argument(
        "--out", type=_folder, required=True, metavar="RUN",
        help="folder for the results; a sweep begun there goes on",
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


def _add_threads(parser, effect="changes no result"):
    parser.add_argument("--threads", type=int, metavar="N", help=f"cores to use (default: all); {effect}")


def _share_or_count(text: str) -> float | int:
    return int(text) if text.lstrip("+-").isdigit() else float(text)


_share_or_count.__name__ = "number"  # argparse names a type that fails by this


def _folder(text: str) -> str:
    """A folder's name. An empty one, such as that of a shell's variable never set, would be the current folder."""
    if not text:
        raise argparse.ArgumentTypeError("is empty; expected a folder: . is the current one")
    return text


def _sweep(options) -> int:
    from fastmlp.experiment.evaluate import result_files
    from fastmlp.experiment.recipe import load_recipe
    from fastmlp.experiment.sweep import sweep
    from fastmlp.report.text_summary import table

    _check_threads(options.threads)
    recipe = load_recipe(options.recipe).override_data(
        name=options.data, training=options.training, validation=options.validation, stratify=options.stratify
    )
    recipe = recipe.override(hidden=options.hidden, batch_size=options.batch_size, seed=options.seed)
    recipe = recipe.shortened(options.epochs).repeated(options.seeds).searched(options.method, options.trials)
    record = sweep(recipe, options.out, options.threads, options.storage, options.backend, options.scheduler)
    print(table(record))
    print()
    for path in result_files(options.out):
        print(path)
    if record["best"] is not None:
        print(f"next: {_next_step(options.out, record)}")
    return _sweep_status(record)


def _next_step(out, record) -> str:
    """What is to be done after a sweep."""
    from fastmlp.runs.run_directory import Run
    from fastmlp.runs.selection import is_retrained

    try:
        return f"fastmlp {'evaluate' if is_retrained(Run(out), record) else 'retrain'} {out}"
    except InputError as error:  # what is there was trained before the sweep changed
        return str(error)


def _sweep_status(record) -> int:
    failed = [cell for cell in record["cells"] if cell["diverged"]]
    if record["best"] is None:
        return ALL_FAILED
    return SOME_FAILED if failed else 0


def _check_threads(threads: int | None) -> None:
    from fastmlp.utils.validation import threads as check

    if threads is not None:
        check("--threads", threads)


# ------------------------------------------------------------------------------------------------ retrain, evaluate


def _retrain_arguments(parser):
    parser.add_argument("run_folder", metavar="RUN", help="the --out of a sweep")
    _add_threads(parser)


def _retrain(options) -> int:
    from fastmlp.experiment.retrain import retrain

    _check_threads(options.threads)
    mlp = retrain(options.run_folder, options.threads)
    loss, accuracy = mlp.history["train_loss"][-1], mlp.history["train_accuracy"][-1]
    print(f"retrained on all rows: training loss {loss:.4f}, training accuracy {accuracy:.4f}")
    print(f"next: fastmlp evaluate {options.run_folder}")
    return 0


def _evaluate_arguments(parser):
    parser.add_argument("run_folder", metavar="RUN", help="the --out of a sweep, retrained")
    parser.add_argument("--test", metavar="NAME|FILE", help="test data (default: the test part of the run's data)")
    parser.add_argument("--again", action="store_true", help="evaluate once more; every evaluation is recorded")


def _evaluate(options) -> int:
    from fastmlp.experiment.evaluate import evaluate, result_files
    from fastmlp.report.text_summary import evaluation_text

    print(evaluation_text(evaluate(options.run_folder, options.test, options.again)))
    print()
    for path in result_files(options.run_folder):
        print(path)
    return 0


# ----------------------------------------------------------------------------------------------------------- report


def _report_arguments(parser):
    parser.add_argument("run_folder", metavar="RUN", help="the --out of a sweep, retrained and evaluated or not yet")


def _report(options) -> int:
    from fastmlp.report import write_report

    print(write_report(options.run_folder))
    return 0


# -------------------------------------------------------------------------------------------------------- run, demo


def _run_arguments(parser):
    from fastmlp.experiment.builtin_recipes import recipe_names

    parser.add_argument("recipe", metavar="RECIPE", help=f"{', '.join(recipe_names())}, or a TOML file")
    parser.add_argument(
        "--out", type=_folder, metavar="RUN",
        help="folder for the results; a run begun there goes on (default: runs/RECIPE, runs/RECIPE-2, ...)",
    )  # fmt: skip
    parser.add_argument("--data", metavar="NAME|FILE", help="training data (default: the recipe's)")
    parser.add_argument("--test", metavar="NAME|FILE", help="test data (default: the test part of the training data)")
    parser.add_argument("--epochs", type=int, metavar="N", help="passes over the training data (default: the recipe's)")
    _add_threads(parser)


def _run(options) -> int:
    from fastmlp.experiment.recipe import load_recipe

    _check_threads(options.threads)
    recipe = load_recipe(options.recipe).override_data(name=options.data).shortened(options.epochs)
    wanted = RUNS / Path(options.recipe).stem
    return _run_whole(recipe, options.out, wanted, options.threads, options.test)


def _run_whole(recipe, out, wanted, threads=None, test=None) -> int:
    """Run a recipe into `out`, or into a folder like `wanted`."""
    from fastmlp.experiment.pipeline import free_folder, run_whole
    from fastmlp.report import write_report

    folder = free_folder(wanted, recipe) if out is None else Path(out)
    record = run_whole(recipe, folder, threads, test)
    print(write_report(folder))
    return _sweep_status(record)


def _demo_arguments(parser):
    parser.add_argument(
        "--out", type=_folder, metavar="RUN",
        help="folder for the results; a run begun there goes on (default: runs/demo, runs/demo-2, ...)",
    )  # fmt: skip
    parser.add_argument("--epochs", type=int, metavar="N", help="passes over the training data (default: 50)")


def _demo(options) -> int:
    from fastmlp.experiment.recipe import load_recipe

    return _run_whole(load_recipe("default").shortened(options.epochs), options.out, RUNS / "demo")


VERBS: dict[str, tuple[Callable, Callable, str]] = {
    "prepare": (_prepare_arguments, _prepare, "Write the course's two HDF5 files"),
    "run": (_run_arguments, _run, "Run a recipe: sweep, retrain and evaluate, beside what others got"),
    "sweep": (_sweep_arguments, _sweep, "Train a grid of networks and compare them on validation data"),
    "retrain": (_retrain_arguments, _retrain, "Train a run's best network again, on all rows"),
    "evaluate": (_evaluate_arguments, _evaluate, "Measure a run's retrained network on the test data, once"),
    "report": (_report_arguments, _report, "Write a run's report.html, one page that opens offline"),
    "demo": (
        _demo_arguments,
        _demo,
        "Run the default recipe, on synthetic digits where MNIST cannot be had",
    ),
}
