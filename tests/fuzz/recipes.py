"""Campaigns against recipes and the command line: values of every type for every key, numbers out of all bounds."""

import contextlib
import json
import re

from fastmlp.experiment.recipe_file import TABLES
from tests.fuzz.campaign import Campaign, command
from tests.fuzz.mutators import mutated_bytes

RECIPE = """
title = "Bars"
seeds = 2
most_steps = 2000
[data]
validation = 0.25
[network]
hidden = [8]
dropout = [0.1, 0.2]
[training]
batch_size = 20
epochs = 4
schedule = { name = "cosine", warm_up = 1 }
optimizer = { name = "adam", beta2 = 0.99 }
[grid]
activation = ["tanh", "relu"]
learning_rate = [0.5, 0.05]
[[reference]]
source = "the course"
test_accuracy = 0.9
test_loss = 0.5
"""
SEARCH = """
[network]
hidden = [8]
[search]
method = "random"
trials = 3
pruner = "none"
learning_rate = { from = 0.01, to = 1.0, log = true }
batch_size = { from = 10, to = 50 }
activation = { choices = ["tanh", "relu"] }
"""
# As TOML text.
VALUES = (
    *("true", "false", "0", "-1", "1", "3", "1.5", "-0.0", "1e-400", "1e308", "1e400", "-1e400", "nan", "inf", "-inf"),
    *(
        "100000000000000000000000",
        "9" * 400,
        "-" + "9" * 400,
        "9" * 5000,
        "9223372036854775808",
        "1" + "0" * 400 + ".0",
    ),
    *('""', '"0"', '"tanh"', '"nan"', '".."', '"~nosuchuser/x"', '"a\\u0000b"', '"a\\nb"', '"\\u001b[31m"'),
    *('"' + "x" * 5000 + '"', "1979-05-27", "07:32:00", "[]", "{}", "[[]]", "[1, 2]", '["a"]', "[nan]", "[1e400]"),
    *("[1, 1.0]", "[true]", "[100000000000000000000000]", '{ name = "adam" }', "{ name = 3 }", '{ "" = {} }'),
    *('{ name = "cosine", floor = nan }', "{ from = 1, to = 0 }", "{ from = 0.0, to = 1.0, log = true }"),
    *("{ choices = [] }", "{ choices = [[]] }", "{ from = 1e400, to = 1 }", "{ from = 1, to = 1000000000 }"),
    *("[" * 3000 + "]" * 3000, "{ a = " * 500 + "1" + " }" * 500, "[" + ", ".join(map(str, range(300))) + "]"),
)
KEYS = (
    "title",
    "seeds",
    "most_steps",
    "epoch_lines",
    "reference",
    "x",
    *(f"{t}.{k}" for t in TABLES for k in TABLES[t]),
)
LINE = re.compile(r"(?m)^(\w+) = (.*)$")


def _mutated(text, choose):
    """A recipe with one line changed, left out or put in; or with bytes changed."""
    kind, lines = choose.randrange(4), [*LINE.finditer(text)]
    line = choose.choice(lines)
    if kind == 0:
        return mutated_bytes(text.encode(), choose)
    if kind == 1:
        return (text[: line.start()] + text[line.end() :]).encode()
    if kind == 2:
        key = choose.choice(KEYS).rpartition(".")[2]
        return (text[: line.start()] + f"{key} = {choose.choice(VALUES)}" + text[line.end() :]).encode()
    return (text[: line.start(2)] + choose.choice(VALUES) + text[line.end() :]).encode()


def recipe(folder):
    """Data that are not there refuse what the recipe's own checks let through."""
    work = folder / "recipes"
    work.mkdir()
    path = work / "mine.toml"

    def case(choose):
        path.write_bytes(_mutated(choose.choice((RECIPE, SEARCH)), choose))
        status, _ = command(
            "sweep", "--recipe", path, "--data", work / "absent.npz", "--out", work / "run", folder=work
        )
        assert status == 2

    return case


def settings(folder):
    """The same values for every key of a recipe, from the command line."""
    work = folder / "settings"
    work.mkdir()

    def case(choose):
        changes = [f"{choose.choice(KEYS)}={choose.choice(VALUES)}" for _ in range(choose.choice((1, 1, 2)))]
        changes = [change.replace("\\u0000", "\x01") for change in changes]
        arguments = [part for change in changes for part in ("--set", change)]
        status, _ = command(
            "sweep",
            "--recipe",
            "default",
            *arguments,
            "--data",
            work / "absent.npz",
            "--out",
            work / "run",
            folder=work,
        )
        assert status == 2

    return case


NAMES = (
    *("", " ", ".", "..", "...", "/", "-", "--", "nan", "con", "~nosuchuser", "~nosuchuser/x.csv", "\x1b[31mred"),
    *("a\x00b", "a\nb.csv", "a\rb", "x" * 5000, "\u00e9" * 300, "\ud800.csv", "a/" * 3000, "https://x.invalid/a.csv"),
    *("/dev/null", "/dev/full", "/proc/self/mem", "/proc/self/mem/a", "/dev/null/a"),
)
SUBCOMMANDS = (
    ("sweep", "--out", "{run}", "--data"), ("sweep", "--data", "{run}/absent.npz", "--out", "{run}", "--recipe"),
    ("sweep", "--data", "{run}/absent.npz", "--out"), ("run", "--data", "{run}/absent.npz", "--out"),
    ("retrain",), ("evaluate",), ("evaluate", "{run}", "--test"), ("report",), ("info",), ("export", "--to", "c"),
    ("predict", "{run}"), ("predict", "{model}"), ("export", "{model}", "--to", "json", "--out"),
    ("sweep", "--data", "{run}/absent.npz", "--out", "{run}", "--seeds"), ("retrain", "{run}", "--threads"),
    ("sweep", "--data", "{run}/absent.npz", "--out", "{run}", "--epochs"),
)  # fmt: skip
NUMBERS = ("1e400", "nan", "-1", "0", "1" + "0" * 23, "9" * 5000, "1.5", "²", "1_000", "0x10", "")


def names(folder):
    """Names of every kind where a path or a number is expected."""
    from tests.fuzz.records import evaluated_run

    evaluated = evaluated_run(folder)
    work = folder / "names"
    work.mkdir()
    known = {"run": str(work / "run"), "model": str(evaluated / "retrained" / "model.safetensors")}

    def case(choose):
        subcommand = [part.format(**known) for part in choose.choice(SUBCOMMANDS)]
        name = choose.choice(NUMBERS if subcommand[-1] in ("--seeds", "--epochs", "--threads") else NAMES)
        if choose.random() < 0.3 and not name.startswith("/"):  # nothing is written outside of the folder
            name = json.dumps(name) if choose.random() < 0.5 else name + choose.choice(NAMES)
        with contextlib.chdir(work):  # where a name that is a good one is written
            command(*subcommand, name, folder=work)

    return case


CAMPAIGNS = (
    Campaign("types, values and bytes in a recipe, read by `sweep`", recipe),
    Campaign("types and values of settings, given to `sweep --set`", settings),
    Campaign("names and numbers where `fastmlp` expects a path or a number", names),
)
