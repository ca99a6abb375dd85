"""A recipe in one go: data, sweep, retraining, evaluation."""

import os
from collections.abc import Callable
from pathlib import Path

from .evaluate import evaluate, result_files
from .recipe import Recipe
from .retrain import retrain
from .summary import evaluation_text, table
from .sweep import sweep


def run_whole(
    recipe: Recipe,
    out: str | os.PathLike[str],
    threads: int | None = None,
    test: str | None = None,
    say: Callable[[str], None] = print,
) -> bool:
    """Sweep `recipe` into the new directory `out`, retrain its best network, evaluate it; False if all diverged.

    threads  cores to use in all; None: all this process may use. It changes no result
    test     a name or a file of test data; None: the test part of the recipe's data
    say      called with each stage's result, as text
    Raises InputError, InputTypeError as `sweep`, `retrain` and `evaluate` do.
    """
    record = sweep(recipe, out, threads)
    say(table(record))
    if record["best"] is None:
        return False
    retrain(out, threads)
    say(f"\n{evaluation_text(evaluate(out, test))}\n")
    for path in result_files(out):
        say(str(path))
    return True


def free_folder(wanted: str | os.PathLike[str]) -> Path:
    """`wanted`, or the first of wanted-2, wanted-3 and so on that is not there yet."""
    wanted = Path(wanted)
    folder, number = wanted, 1
    while folder.exists():
        number += 1
        folder = wanted.with_name(f"{wanted.name}-{number}")
    return folder
