"""`fastmlp retrain`: the best network of a run, trained on all rows."""

import argparse

from fastmlp.cli.verbs.arguments import add_threads, check_threads
from fastmlp.cli.verbs.verb import Verb, computing
from fastmlp.utils.commands import command_text
from fastmlp.utils.paths import user_path


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("run_folder", metavar="RUN", help="the --out of a sweep")
    add_threads(parser)


@computing
def _run(options: argparse.Namespace) -> int:
    from fastmlp.experiment.retrain import retrain

    check_threads(options.threads)
    mlp = retrain(options.run_folder, options.threads)
    loss, accuracy = mlp.history["train_loss"][-1], mlp.history["train_accuracy"][-1]
    print(f"retrained on all rows: training loss {loss:.4f}, training accuracy {accuracy:.4f}")
    print(f"next: {command_text('evaluate', user_path(options.run_folder))}")
    return 0


VERB = Verb("Train a run's best network again, on all rows", _arguments, _run)
