"""Runs with several seeds, and searches: what is a mean says so, and what was given up is no failure."""

import csv
import json
import shutil

import numpy as np
import pytest
from matplotlib.figure import Figure
from scipy.stats import t

from fastmlp import plots
from fastmlp.cli.main import main
from fastmlp.plots import charts
from fastmlp.report import read_run

RECIPE = """
[data]
validation = 0.25
[network]
hidden = [6]
[training]
epochs = 2
batch_size = 20
"""
RESULTS = ("train_loss", "train_accuracy", "validation_loss", "validation_accuracy", "best_epoch")


def record(folder):
    return json.loads((folder / "run.json").read_text(encoding="utf-8"))


def swept_with(text, folder, data, first=""):
    recipe = folder / "recipe.toml"
    recipe.write_text(first + RECIPE + text, encoding="utf-8")
    assert main(["sweep", "--recipe", str(recipe), "--data", str(data), "--out", str(folder / "run")]) == 0
    return folder / "run"


@pytest.fixture(scope="module")
def repeated(tmp_path_factory, train_file):
    """Two configurations, three seeds each; no test changes the run."""
    grid = '[grid]\nactivation = ["tanh"]\nlearning_rate = [0.5, 0.05]\n'
    return swept_with(grid, tmp_path_factory.mktemp("repeated"), train_file, "seeds = 3\n")


@pytest.fixture(scope="module")
def repeated_page(repeated, page):
    return page(repeated)


@pytest.fixture(scope="module")
def searched(tmp_path_factory, train_file):
    """Five trials of a random search; no test changes the run."""
    text = (
        '[search]\ntrials = 5\nactivation = { choices = ["tanh", "relu"] }\n'
        "learning_rate = { from = 0.01, to = 1.0, log = true }\nl2 = { from = 1e-7, to = 1e-3, log = true }\n"
    )
    return swept_with(text, tmp_path_factory.mktemp("searched"), train_file)


def test_of_several_seeds_the_mean_and_its_interval_are_told(repeated, repeated_page):
    read = repeated_page
    for rate in (0.5, 0.05):
        cells = [c for c in record(repeated)["cells"] if c["settings"]["learning_rate"] == rate]
        found = np.array([c["validation_accuracy"] for c in cells])
        half = t.ppf(0.975, 2) * found.std(ddof=1) / np.sqrt(3)
        assert f"tanh, learning rate {rate} {found.mean():.2%} \u00b1 {half:.2%} 3 " in read.text("configurations")
    assert "is the best of 2 configurations" in read.text("result")
    assert "the mean of 3 seeds" in read.text("result")
    assert "mean of 3 seeds, 95% interval" in read.text("result")
    assert "Seeds 0, 1, 2" in read.text("settings")


def test_every_seed_has_a_row_and_each_configuration_one_pair_of_curves(repeated, repeated_page):
    read = repeated_page
    for cell in record(repeated)["cells"]:
        assert f"{cell['label']} {cell['validation_accuracy']:.2%}" in read.text("configurations")
    assert len(read.charts("accuracy of")) == len(read.charts("loss of")) == 2
    assert "Faint lines: other seeds." in read.text("curves")


def test_whether_the_best_beats_the_runner_up_is_that_of_the_summary(repeated, repeated_page):
    text = repeated_page.text("result")
    (sentence,) = (
        line
        for line in (repeated / "summary.md").read_text(encoding="utf-8").replace("- ", "").splitlines()
        if "with 3 seeds: mean difference" in line or "with each of 3 seeds" in line
    )
    assert sentence.rpartition(":")[2].strip() in text


def test_a_seed_that_failed_is_left_out_of_the_mean(repeated, tmp_path, edited, page):
    run = shutil.copytree(repeated, tmp_path / "run")
    (lost,) = (
        c["slug"]
        for c in record(repeated)["cells"]
        if c["settings"]["seed"] == 1 and c["settings"]["learning_rate"] < 0.1
    )

    def fail(value):
        for cell in value["cells"]:
            if cell["slug"] == lost:
                cell.update(
                    dict.fromkeys(RESULTS), folder=None, failure_reason="diverged in epoch 1: try less", kept_epoch=0
                )

    edited(run / "run.json", fail)
    read = page(run)
    assert "1 of 3 seeds: diverged in epoch 1" in read.text("configurations")
    assert "1 of 6 trainings failed" in read.text("result")
    kept = [
        c["validation_accuracy"]
        for c in record(repeated)["cells"]
        if c["settings"]["learning_rate"] < 0.1 and c["slug"] != lost
    ]
    assert f"tanh, learning rate 0.05 {np.mean(kept):.2%}" in read.text("configurations")


def test_a_pruned_configuration_is_not_called_failed(searched, tmp_path, edited, page):
    run = shutil.copytree(searched, tmp_path / "run")
    best = record(searched)["best"]

    def prune(value):
        for cell in value["cells"]:
            if cell["slug"] != best:
                cell["pruned"] = 2

    edited(run / "run.json", prune)
    read = page(run)
    assert "4 of 5 configurations were pruned" in read.text("result")
    assert read.text("configurations").count("pruned after epoch 2") == 4
    assert read.text("curves").count("pruned after epoch 2") == 4
    assert not any(
        word in read.text(section) for section in ("result", "configurations") for word in ("diverged", "failed")
    )
    # What was given up half way is compared with nothing: there is one rate left.
    assert "There is only one learning rate, so there is nothing to compare" in read.text("configurations")


def test_a_configuration_without_a_result_has_dashes(searched, tmp_path, edited, page):
    run = shutil.copytree(searched, tmp_path / "run")
    best = record(searched)["best"]

    def fail(value):
        cell = next(c for c in value["cells"] if c["slug"] != best)
        cell.update(
            dict.fromkeys(RESULTS), folder=None, failure_reason="diverged in epoch 1: try less", epochs=0, kept_epoch=0
        )

    edited(run / "run.json", fail)
    read = page(run)
    assert " ".join([charts.NOTHING] * 7) + " diverged in epoch 1" in read.text("configurations")
    assert "None" not in read.text("configurations")


def test_a_search_lists_the_best_first_and_says_what_was_searched(searched, page):
    read = page(searched)
    accuracies = [c["validation_accuracy"] for c in record(searched)["cells"]]
    table = read.text("configurations").partition("Learning rates")[0]
    shown = [table.index(c["label"]) for c in record(searched)["cells"]]
    in_page = [accuracies[k] for k in np.argsort(shown)]
    assert in_page == sorted(accuracies, reverse=True)
    assert "5 trials drawn at random" in read.text("settings")


def test_trials_of_a_search_are_grouped_by_what_was_chosen_from_a_list(searched):
    assert {cell.group for cell in read_run(searched).cells} <= {"tanh", "relu"}


def test_points_of_a_search_are_not_joined():
    trials = [plots.Trial(f"{rate}", rate, 0.9, 0.8 + rate / 10, "tanh") for rate in (0.1, 0.5, 1.0)]
    for joined, style in ((True, "-"), (False, "None")):
        ax = plots.learning_rate_comparison(Figure().subplots(), trials, joined)
        assert ax.lines[0].get_linestyle() == style
        assert len(ax.lines[0].get_xdata()) == 3


def test_the_rows_of_a_mean_are_those_of_the_table_file(repeated):
    with open(repeated / "table.csv", newline="", encoding="utf-8") as file:
        means = {row["configuration"]: float(row["mean_validation_accuracy"]) for row in csv.DictReader(file)}
    found = {one.label: one.figure("validation_accuracy") for one in read_run(repeated).configurations}
    assert found == pytest.approx(means)


def test_losses_of_all_seeds_are_within_the_axis(repeated):
    contents = read_run(repeated)
    low, high = plots.loss_range([one.panel() for one in contents.configurations])
    losses = [
        np.array(cell.history[f"{part}_loss"]) for cell in read_run(repeated).cells for part in ("train", "validation")
    ]
    assert len(losses) == 12
    assert low < np.min(losses) < np.max(losses) < high
