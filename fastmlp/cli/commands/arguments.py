"""Arguments that several commands have, and their types."""

import argparse
import os
import re
from typing import TYPE_CHECKING, Any

from fastmlp.utils.paths import user_path

if TYPE_CHECKING:
    from fastmlp.experiment.recipe import Recipe


def folder(text: str) -> str:
    """Return a folder's name; an empty one, as of an unset shell variable, would be the current folder.

    Parameters
    ----------
    text : str
        As written.
    """
    if not text:
        raise argparse.ArgumentTypeError("is empty; expected a folder: . is the current one")
    return text


def absolute(folder: str | os.PathLike[str]) -> str:
    """Return a path for programs: absolute, whatever folder they work in.

    Parameters
    ----------
    folder : str or path-like
        As written.
    """
    return str(user_path(folder).absolute())


class _Change(argparse.Action):
    """A change of the recipe: `dest` is the key there. All changes are kept in the order in which they are given."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: Any,
        option_string: str | None = None,
    ) -> None:
        """Keep the change."""
        if self.nargs == 0:  # a switch such as --stratify, --no-stratify
            values = not (option_string or "").startswith("--no-")
        namespace.changes = [*getattr(namespace, "changes", []), (self.dest, values)]


def add_change(parser: argparse.ArgumentParser, *names: str, key: str, **options: Any) -> None:
    """Declare an option that changes a key of the recipe, as `--set` does.

    Parameters
    ----------
    parser : ArgumentParser
        Of the command.
    *names : str
        Such as "--epochs".
    key : str
        The key, such as "training.epochs".
    **options
        As for `add_argument`.
    """
    parser.add_argument(*names, dest=key, action=_Change, default=argparse.SUPPRESS, **options)


def add_set(parser: argparse.ArgumentParser) -> None:
    """Declare `--set`.

    Parameters
    ----------
    parser : ArgumentParser
        Of the command.
    """
    add_change(
        parser, "--set", key="set", metavar="KEY=VALUE",
        help="any key of the recipe, such as network.hidden=300,100 or grid.activation=tanh,relu; may be repeated",
    )  # fmt: skip


def read_recipe(options: argparse.Namespace, name: str) -> "Recipe":
    """Return a recipe with the changes that the options make.

    Parameters
    ----------
    options : Namespace
        The options of a command.
    name : str
        Name or file of the recipe.
    """
    from fastmlp.experiment.overrides import override, parse_override
    from fastmlp.experiment.recipe_file import load_recipe

    changes = [
        parse_override(value) if key == "set" else (key, value) for key, value in getattr(options, "changes", [])
    ]
    labels = {f"data.{key}": getattr(options, key, None) for key in ("label", "task")}  # which `info` has too
    return override(load_recipe(name), [*((key, one) for key, one in labels.items() if one is not None), *changes])


def add_data(parser: argparse.ArgumentParser) -> None:
    """Declare `--data`, `--label` and `--task`.

    Parameters
    ----------
    parser : ArgumentParser
        Of the command.
    """
    add_change(parser, "--data", key="data.name", metavar="NAME|FILE", help="training data (default: the recipe's)")
    add_labels(parser)


def add_labels(parser: argparse.ArgumentParser) -> None:
    """Declare `--label` and `--task`.

    Parameters
    ----------
    parser : ArgumentParser
        Of the command.
    """
    parser.add_argument(
        "--label", type=_column, metavar="COLUMN",
        help="column of the labels of a table, by its name or position (default: one named label, target, class, "
        "species or y, else the one named in the notes)",
    )  # fmt: skip
    tasks = ("classification", "regression")  # those of fastmlp.data.tasks, which loads numpy
    parser.add_argument("--task", choices=tasks, help="what is predicted (default: inferred from the labels)")


def _column(text: str) -> str | int:
    return int(text) if re.fullmatch(r"-?\d{1,9}", text, re.ASCII) else text


def add_threads(parser: argparse.ArgumentParser, effect: str = "changes no result") -> None:
    """Declare `--threads`.

    Parameters
    ----------
    parser : ArgumentParser
        Of the command.
    effect : str
        What it changes.
    """
    parser.add_argument("--threads", type=int, metavar="N", help=f"cores to use (default: all); {effect}")


def check_threads(threads: int | None) -> None:
    """Raise InputError for a number of threads that cannot be used.

    Parameters
    ----------
    threads : int or None
        As given.
    """
    from fastmlp.utils.validation import threads as check

    if threads is not None:
        check("--threads", threads)


def file(text: str) -> str:
    """Return a file's name, which is not empty.

    Parameters
    ----------
    text : str
        As written.
    """
    if not text:
        raise argparse.ArgumentTypeError("is empty; expected the name of a file")
    return text
