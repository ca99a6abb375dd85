"""Sweeps that train every configuration with several seeds, and sweeps of drawn settings."""

import csv
import json
import math

import numpy as np
import pytest

from fastmlp import MLP
from fastmlp.cli.main import main
from fastmlp.training.history import History

RECIPE = """
title = "Twice"
[network]
hidden = [8]
[training]
epochs = 3
batch_size = 20
seed = 5
[grid]
learning_rate = [0.5, 0.01]
"""


@pytest.fixture(scope="module")
def twice(tmp_path_factory, train_file):
    """A function that sweeps the recipe with 2 seeds into a new folder, which it returns."""

    def sweep(name):
        folder = tmp_path_factory.mktemp("seeds") / name
        recipe = folder.parent / "twice.toml"
        recipe.write_text(RECIPE, encoding="utf-8")
        arguments = ["--recipe", str(recipe), "--data", str(train_file), "--validation", "0.25", "--seeds", "2"]
        assert main(["sweep", *arguments, "--out", str(folder)]) == 0
        return folder

    return sweep


@pytest.fixture(scope="module")
def folder(twice):
    """A run of 2 configurations with 2 seeds each."""
    return twice("run")


def record_of(folder):
    return json.loads((folder / "run.json").read_text(encoding="utf-8"))


def rows_of(folder):
    with open(folder / "table.csv", newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_every_seed_trains_a_network_of_its_own(folder):
    record = record_of(folder)
    assert [cell["slug"] for cell in record["cells"]] == ["0.5", "0.5-seed-6", "0.01", "0.01-seed-6"]
    assert [cell["settings"]["seed"] for cell in record["cells"]] == [5, 6, 5, 6]
    models = [MLP.load(folder / "cells" / cell["folder"] / "model.safetensors") for cell in record["cells"]]
    weights = [model.weights[0].tobytes() for model in models]
    assert len(set(weights)) == 4


def test_the_table_has_the_mean_and_the_interval_of_each_configuration(folder, cell_folder):
    stats = pytest.importorskip("scipy.stats", reason="scipy is the reference")
    rows = rows_of(folder)
    assert [row["seed"] for row in rows] == ["5", "6", "5", "6"]
    for slug, own in (("0.5", rows[:2]), ("0.01", rows[2:])):
        files = [cell_folder(folder, name) / "history.csv" for name in (slug, f"{slug}-seed-6")]
        last = [History.from_csv(file)["validation_accuracy"][-1] for file in files]
        half = stats.t.ppf(0.975, 1) * np.std(last, ddof=1) / math.sqrt(2)
        for row in own:
            assert float(row["mean_validation_accuracy"]) == pytest.approx(np.mean(last))
            assert float(row["half_width"]) == pytest.approx(half)


def test_the_summary_tells_seeds_means_and_whether_the_best_is_better(folder):
    text = (folder / "summary.md").read_text(encoding="utf-8")
    assert "- Seeds: 5, 6\n" in text
    assert "| learning rate 0.5 | " in text
    assert "(mean of 2 seeds, 95% interval)" in text
    assert " with 2 seeds: mean difference " in text or " with each of 2 seeds" in text


def test_the_cell_to_retrain_is_the_best_configuration_from_the_recipes_seed(folder):
    record = record_of(folder)
    means = {}
    for cell in record["cells"]:
        means.setdefault(cell["group"], []).append(cell["validation_accuracy"])
    assert record["best"] == max(means, key=lambda slug: sum(means[slug]))


def test_the_same_run_twice_gives_the_same_table(folder, twice):
    assert rows_of(folder) == rows_of(twice("again"))


def test_a_random_search_is_swept_like_a_grid_and_its_table_has_the_best_first(tmp_path, train_file, capsys):
    recipe = tmp_path / "random.toml"
    recipe.write_text(
        "[network]\nhidden = [6]\n[training]\nepochs = 2\n"
        "[search]\ntrials = 2\nlearning_rate = { from = 0.01, to = 1.0, log = true }\n",
        encoding="utf-8",
    )
    folder = tmp_path / "run"
    arguments = ["--recipe", str(recipe), "--data", str(train_file), "--trials", "7", "--out", str(folder)]
    assert main(["sweep", *arguments]) == 0
    record = record_of(folder)
    rates = [cell["settings"]["learning_rate"] for cell in record["cells"]]
    assert len(set(rates)) == 7
    assert all(0.01 <= rate <= 1 for rate in rates)
    printed = capsys.readouterr().out.splitlines()
    accuracies = [float(line.split()[5]) for line in printed if line.startswith("rate 0.") or line.startswith("rate 1")]
    assert accuracies == sorted(accuracies, reverse=True)
    assert len(accuracies) == 7
    text = (folder / "summary.md").read_text(encoding="utf-8")
    assert "- Search: 7 trials drawn at random: learning rate from 0.01 to 1 on a logarithmic scale\n" in text


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--seeds", "0"], "seeds is 0; expected at least 1"),
        (["--trials", "0"], "trials is 0; expected at least 1"),
        (["--method", "grid"], "argument --method: is 'grid'; expected one of random, optuna"),
        (["--method", "optuna"], "has no number of trials; pass --trials 20"),
        (["--trials", "3"], "trials is 3, and there are 2 different configurations; ask for no more than that"),
    ],
)
def test_what_cannot_be_searched_is_one_line_and_leaves_no_folder(tmp_path, train_file, capsys, options, message):
    recipe = tmp_path / "twice.toml"
    recipe.write_text(RECIPE, encoding="utf-8")
    arguments = ["--recipe", str(recipe), "--data", str(train_file), "--out", str(tmp_path / "run"), *options]
    assert main(["sweep", *arguments]) == 2
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert message in err
    assert not (tmp_path / "run").exists()
