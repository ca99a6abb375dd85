"""Numbers to predict, from the file to the report: sweep, retraining, evaluation, tables and images."""

import json
import re

import numpy as np
import pytest

from fastmlp import MLP
from fastmlp.cli.main import main
from fastmlp.experiment.recipe_file import load_recipe
from fastmlp.experiment.retrain import check_retrained
from fastmlp.report import read_run
from fastmlp.runs.run_directory import Run

RECIPE = """
[network]
hidden = [12]
[training]
optimizer = "adam"
epochs = 40
batch_size = 20
[grid]
learning_rate = [0.01, 0.03]
"""


def prices(rows, seed=0):
    """Prices in the thousands, by the formula of a plane with a fold, with some noise."""
    random = np.random.default_rng(seed)
    X = random.normal(size=(rows, 3))
    return X, 5000 + 1000 * (X[:, 0] + np.abs(X[:, 1])) + 100 * random.normal(size=rows)


@pytest.fixture(scope="module")
def made_once(tmp_path_factory):
    folder = tmp_path_factory.mktemp("regression")
    (X, y), (X_test, y_test) = prices(240), prices(80, seed=1)
    np.savez(folder / "prices.npz", x_train=X, y_train=y, x_test=X_test, y_test=y_test)
    (folder / "small.toml").write_text(RECIPE, encoding="utf-8")
    arguments = ["run", str(folder / "small.toml"), "--data", str(folder / "prices.npz"), "--out", str(folder / "run")]
    assert main(arguments) == 0
    return folder


@pytest.fixture
def run(made_once):
    return made_once / "run"


@pytest.fixture
def evaluation(run):
    (found,) = json.loads((run / "evaluation.json").read_text(encoding="utf-8"))["evaluations"]
    return found


def test_cells_learn_the_squared_error_unless_the_recipe_says_otherwise(run):
    record = json.loads((run / "run.json").read_text(encoding="utf-8"))
    assert {cell["settings"]["loss"] for cell in record["cells"]} == {"squared_error"}
    assert record["data"]["classes"] is None
    assert any("a regression" in note for note in record["notes"])
    best = max(record["cells"], key=lambda cell: cell["validation_accuracy"])
    assert record["best"] == best["slug"]
    assert best["validation_accuracy"] > 0.8


def test_r_squared_and_the_root_mean_squared_error_are_those_of_the_formulas(run, evaluation):
    X, y = prices(80, seed=1)
    predicted = MLP.load(run / "retrained" / "model.safetensors").predict(X.astype("f4"))
    assert evaluation["rmse"] == pytest.approx(np.sqrt(((predicted - y) ** 2).mean()), rel=1e-5)
    squares = ((predicted - y) ** 2).sum() / ((y - y.mean()) ** 2).sum()
    assert evaluation["accuracy"] == pytest.approx(1 - squares, rel=1e-5)
    assert evaluation["loss"] == pytest.approx(evaluation["rmse"] ** 2 / 2, rel=1e-5)
    assert evaluation["accuracy"] > 0.8
    assert evaluation["confusion"] == evaluation["class_names"] == []


def test_the_retrained_network_is_that_of_the_library(run):
    X, y = prices(240)
    ours = MLP.load(run / "retrained" / "model.safetensors")
    alone = MLP(**{**ours.config.to_dict(), "threads": None}).fit(X.astype("f4"), y)
    for W, expected in zip(ours.weights, alone.weights, strict=True):
        np.testing.assert_array_equal(W, expected)


def test_predictions_take_the_place_of_confusions(run, evaluation):
    names = {path.name for path in run.iterdir()}
    assert {"predictions.png", "predictions.npz"} <= names
    assert not {"confusion.csv", "confusion.png", "mistakes.png", "mistakes.npz"} & names
    found = np.load(run / "predictions.npz")
    np.testing.assert_array_equal(found["true"], prices(80, seed=1)[1])
    assert np.sqrt(((found["true"] - found["predicted"]) ** 2).mean()) == evaluation["rmse"]


def test_texts_speak_of_r_squared(run, evaluation, capsys):
    summary = (run / "summary.md").read_text(encoding="utf-8")
    score, rmse = f"{evaluation['accuracy']:.4f}", f"{evaluation['rmse']:,.6g}"
    assert f"- Final test R²: {score}, RMSE {rmse}, on prices.npz (80 samples)" in summary
    assert "3-12-1 (1 hidden layer and the identity output)" in summary
    assert main(["evaluate", str(run)]) == 2
    assert f"with a test R² of {score}" in capsys.readouterr().err


def test_the_report_shows_predictions_and_the_largest_errors(run, evaluation):
    page = (run / "report.html").read_text(encoding="utf-8")
    rmse = f"{evaluation['rmse']:,.6g}"
    assert f"with an R² of {evaluation['accuracy']:.4f} and a root mean squared error of {rmse}" in page
    assert "predicted against true numbers" in page
    assert "est accuracy" not in page
    found = np.load(run / "predictions.npz")
    worst = int(np.abs(found["true"] - found["predicted"]).argmax())
    after = page[page.index("Largest errors") :]
    assert after.index(f'<td data-value="{worst}">{worst}</td>') < after.index("</tr>", after.index("<tbody>"))


def test_a_report_without_stored_predictions_is_written(made_once, tmp_path):
    view = read_run(made_once / "run")
    assert set(view.predictions) == {"true", "predicted"}
    assert view.test_measure == "R²"


def test_the_same_command_continues_the_run(made_once, capsys):
    recipe = load_recipe(made_once / "small.toml")
    check_retrained(Run(made_once / "run"), recipe)
    arguments = ["--data", str(made_once / "prices.npz"), "--out", str(made_once / "run")]
    assert main(["sweep", "--recipe", str(made_once / "small.toml"), *arguments]) == 0
    assert "2 of 2 cells are there already" in capsys.readouterr().err


@pytest.mark.parametrize(("options", "training", "message"), [
    ([], 'loss = "cross_entropy"', "loss is 'cross_entropy', and .* has numbers to predict; expected 'squared_error'"),
    (["--task", "classification"], "", r"has 5301\.9\d* at row 0; expected one label per sample"),
    ([], "label_smoothing = 0.1", "label_smoothing is 0.1 and loss 'squared_error' has no classes"),
])  # fmt: skip
def test_what_does_not_go_with_numbers_is_refused_before_anything_is_written(
    made_once, tmp_path, capsys, options, training, message
):
    place = "[network]\nhidden = [4]\n" + ("" if "label" in training else training)
    text = f"{place}\n[training]\nepochs = 1\n{training if 'label' in training else ''}\n"
    (tmp_path / "other.toml").write_text(text, encoding="utf-8")
    data = ["--data", str(made_once / "prices.npz"), "--recipe", str(tmp_path / "other.toml")]
    assert main(["sweep", *data, "--out", str(tmp_path / "run"), *options]) == 2
    assert re.search(message, capsys.readouterr().err)
    assert not (tmp_path / "run").exists()


def test_whole_numbers_are_predicted_where_the_task_says_so(made_once, tmp_path):
    X, y = prices(120)
    np.savez(tmp_path / "stars.npz", x=X, y=(y / 1000).round().astype(int))
    arguments = ["--data", str(tmp_path / "stars.npz"), "--recipe", str(made_once / "small.toml")]
    assert main(["sweep", *arguments, "--task", "regression", "--out", str(tmp_path / "run")]) == 0
    assert main(["retrain", str(tmp_path / "run")]) == 0
    X_test, y_test = prices(9, seed=1)
    np.savez(tmp_path / "few.npz", x=X_test, y=(y_test / 1000).round())
    assert main(["evaluate", str(tmp_path / "run"), "--test", str(tmp_path / "few.npz")]) == 0
    (found,) = json.loads((tmp_path / "run" / "evaluation.json").read_text(encoding="utf-8"))["evaluations"]
    assert found["rmse"] < 2


def test_a_single_sample_has_no_r_squared(made_once, tmp_path, capsys):
    X, y = prices(1, seed=1)
    np.savez(tmp_path / "one.npz", x=X, y=y)
    run = tmp_path / "run"
    data = ["--data", str(made_once / "prices.npz"), "--recipe", str(made_once / "small.toml")]
    assert main(["sweep", *data, "--out", str(run)]) == 0
    assert main(["retrain", str(run)]) == 0
    assert main(["evaluate", str(run), "--test", str(tmp_path / "one.npz")]) == 0
    assert "test R² -, RMSE " in capsys.readouterr().out
    assert main(["report", str(run)]) == 0


def test_counts_are_chosen_by_their_deviance_and_tested_by_r_squared(made_once, tmp_path):
    X, y = prices(120)
    np.savez(
        tmp_path / "counts.npz", x_train=X, y_train=(y / 1000).round(), x_test=X[:30], y_test=(y[:30] / 1000).round()
    )
    recipe = (made_once / "small.toml").read_text(encoding="utf-8").replace("hidden", 'loss = "poisson"\nhidden')
    (tmp_path / "counts.toml").write_text(recipe, encoding="utf-8")
    run = tmp_path / "run"
    data = ["--data", str(tmp_path / "counts.npz"), "--task", "regression", "--out", str(run)]
    assert main(["run", str(tmp_path / "counts.toml"), *data]) == 0
    (found,) = json.loads((run / "evaluation.json").read_text(encoding="utf-8"))["evaluations"]
    predicted, true = (
        MLP.load(run / "retrained" / "model.safetensors").predict(X[:30].astype("f4")),
        (y[:30] / 1000).round(),
    )
    squares = ((predicted - true) ** 2).sum() / ((true - true.mean()) ** 2).sum()
    assert found["accuracy"] == pytest.approx(1 - squares, rel=1e-5)
    summary = (run / "summary.md").read_text(encoding="utf-8")
    assert "validation D² 0." in summary
    assert f"- Final test R²: {found['accuracy']:.4f}" in summary
