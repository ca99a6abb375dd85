"""`fastmlp retrain`: the best network of a run, trained on all rows."""

import argparse

from fastmlp.cli.commands.arguments import absolute, add_threads, check_threads
from fastmlp.cli.commands.command import Command, Outcome, computing
from fastmlp.utils.commands import command_text
from fastmlp.utils.paths import user_path


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("run_folder", metavar="RUN", help="the --out of a sweep")
    add_threads(parser)


@computing
def _run(options: argparse.Namespace) -> Outcome:
    from fastmlp.experiment.retrain import retrain
    from fastmlp.runs.run_directory import Run
    from fastmlp.training.history import result_text

    check_threads(options.threads)
    mlp = retrain(options.run_folder, options.threads)
    loss, accuracy = mlp.history["train_loss"][-1], mlp.history["train_accuracy"][-1]
    measure = mlp.config.loss_function.measure
    following = command_text("evaluate", user_path(options.run_folder))
    values = {
        "run": absolute(options.run_folder),
        "model": str(Run.model(Run(absolute(options.run_folder)).retrained)),
        "train_loss": loss,
        "train_accuracy": accuracy,
        "next": following,
    }
    text = f"retrained on all rows: training loss {result_text(loss)}, training {measure} {result_text(accuracy)}"
    return Outcome(values, f"{text}\nnext: {following}")


COMMAND = Command(
    "Train a run's best network again, on all rows", _arguments, _run, "fastmlp retrain runs/ee541", resumes=True
)
