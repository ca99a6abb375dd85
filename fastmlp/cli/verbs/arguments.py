"""Arguments that several verbs have, and their types."""

import argparse
import os
import re

from fastmlp.utils.paths import user_path


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


def add_data(parser: argparse.ArgumentParser) -> None:
    """Declare `--data`, `--label` and `--task`.

    Parameters
    ----------
    parser : ArgumentParser
        Of the verb.
    """
    parser.add_argument("--data", metavar="NAME|FILE", help="training data (default: the recipe's)")
    add_labels(parser)


def add_labels(parser: argparse.ArgumentParser) -> None:
    """Declare `--label` and `--task`.

    Parameters
    ----------
    parser : ArgumentParser
        Of the verb.
    """
    parser.add_argument(
        "--label", type=_column, metavar="COLUMN",
        help="column of the labels of a table, by its name or position (default: one named label, target, class, "
        "species or y, else the one that is printed)",
    )  # fmt: skip
    tasks = ("classification", "regression")  # those of fastmlp.data.tasks, which loads numpy
    parser.add_argument("--task", choices=tasks, help="what the labels are (default: told by their values)")


def _column(text: str) -> str | int:
    return int(text) if re.fullmatch(r"-?\d{1,9}", text, re.ASCII) else text


def add_threads(parser: argparse.ArgumentParser, effect: str = "changes no result") -> None:
    """Declare `--threads`.

    Parameters
    ----------
    parser : ArgumentParser
        Of the verb.
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
