"""Samples that are set aside for the test, and epochs that fit the size of the data."""

import json

import numpy as np
import pytest

from fastmlp import MLP
from fastmlp.cli.main import main
from fastmlp.data import digest, load
from fastmlp.data.split import divide, set_aside
from fastmlp.experiment.recipe_file import load_recipe

RECIPE = """
most_steps = 60
[data]
test = 0.25
[network]
hidden = [8]
[training]
epochs = 40
batch_size = 10
"""


@pytest.fixture
def recipe(tmp_path):
    path = tmp_path / "small.toml"
    path.write_text(RECIPE, encoding="utf-8")
    return str(path)


@pytest.fixture
def data(tmp_path):
    """A table of 120 rows around the corners of a cube, sorted by class."""
    y = np.repeat([3, 5, 7], 40)
    X = np.eye(3)[y // 2 - 1] + np.random.default_rng(0).normal(scale=0.1, size=(120, 3))
    lines = ["a,b,c,label", *(",".join(map(str, [*row, label])) for row, label in zip(X, y, strict=True))]
    path = tmp_path / "corners.csv"
    path.write_text("\n".join(lines), encoding="utf-8")
    return str(path)


def read(run, name):
    return json.loads((run / name).read_text(encoding="utf-8"))


def test_a_share_of_each_class_is_set_aside_and_nothing_is_lost(data):
    dataset = load(data)
    rest, test = set_aside(dataset, 0.25)
    assert np.unique(test.y, return_counts=True)[1].tolist() == [10, 10, 10]
    seen = np.concatenate([part.X.columns[0] for part in (rest, test)])
    assert sorted(seen) == sorted(dataset.X.columns[0])
    assert digest(set_aside(dataset, 30)[1]) == digest(test)


def test_the_parts_of_a_sweep_have_none_of_the_samples_that_are_set_aside(data):
    dataset = load(data)
    _, test = set_aside(dataset, 0.25)
    division = divide(dataset, test=0.25)
    assert (len(division.training.y), len(division.validation.y), division.test_rows) == (75, 15, 30)
    used = {*division.training.X.columns[0], *division.validation.X.columns[0]}
    assert not used & set(test.X.columns[0])
    assert len(division.whole.y) == 120
    assert "30 of 120 samples are drawn and set aside for the test" in division.notes


@pytest.mark.parametrize(("test", "message"), [
    (0, "test is 0, 0 of 120 samples"), (120, "test is 120"), (1.5, "test is 1.5; expected a fraction"),
])  # fmt: skip
def test_a_share_that_leaves_nothing_is_refused(data, test, message):
    with pytest.raises(ValueError, match=message):
        divide(load(data), test=test)


def test_a_run_is_evaluated_on_them_alone(data, recipe, tmp_path):
    run = tmp_path / "run"
    assert main(["run", recipe, "--data", data, "--out", str(run)]) == 0
    record = read(run, "run.json")["data"]
    assert (record["rows"], record["training_rows"], record["validation_rows"], record["test_rows"]) == (
        120,
        75,
        15,
        30,
    )
    (evaluation,) = read(run, "evaluation.json")["evaluations"]
    rest, test = set_aside(load(data), 0.25)
    assert evaluation["test"]["digest"] == digest(test)
    assert evaluation["test"]["source"].endswith("corners.csv, 30 samples that were set aside")
    model = MLP.load(run / "retrained" / "model.safetensors")
    assert evaluation["accuracy"] == model.score(test.X, test.y)
    alone = MLP(**model.config.to_dict()).fit(divide(rest).whole.X, rest.y)
    np.testing.assert_array_equal(model.weights[0], alone.weights[0])


def test_all_of_the_data_are_no_test_data(data, recipe, tmp_path, capsys):
    run = tmp_path / "run"
    assert main(["sweep", "--recipe", recipe, "--data", data, "--out", str(run)]) == 0
    assert main(["retrain", str(run)]) == 0
    assert main(["evaluate", str(run), "--test", data]) == 2
    assert "is what the network was trained on" in capsys.readouterr().err


def test_data_that_changed_since_have_no_samples_that_were_set_aside(data, recipe, tmp_path, capsys):
    run = tmp_path / "run"
    assert main(["sweep", "--recipe", recipe, "--data", data, "--out", str(run)]) == 0
    assert main(["retrain", str(run)]) == 0
    with open(data, "a", encoding="utf-8") as file:
        file.write("\n1,0,0,3")
    assert main(["evaluate", str(run)]) == 2
    assert "has changed since the sweep" in capsys.readouterr().err


@pytest.mark.parametrize("own", ["part", "file"])
def test_nothing_is_set_aside_where_there_are_test_data(data, recipe, tmp_path, own):
    dataset, run = load(data), tmp_path / "run"
    X = np.column_stack(dataset.X.columns)
    arrays = {"x_test": X[::4], "y_test": dataset.y[::4]} if own == "part" else {}
    np.savez(tmp_path / "parts.npz", x_train=X, y_train=dataset.y, **arrays)
    np.savez(tmp_path / "other.npz", x=X[::4], y=dataset.y[::4])
    options = ["--test", str(tmp_path / "other.npz")] if own == "file" else []
    assert main(["run", recipe, "--data", str(tmp_path / "parts.npz"), "--out", str(run), *options]) == 0
    assert read(run, "run.json")["data"]["test_rows"] == 0
    assert read(run, "evaluation.json")["evaluations"][0]["test"]["rows"] == 30


def test_large_data_have_fewer_epochs_and_small_ones_the_recipes_own(recipe):
    made = load_recipe(recipe)

    def epochs(rows):
        return {cell.settings["epochs"] for cell in made.for_data("classification", rows).cells()}

    assert epochs(15) == {40}
    assert epochs(60) == {10}
    assert epochs(10_000) == {2}
    (note,) = made.for_data("classification", 10_000).notes
    assert note == "2 epochs, which make about 2000 steps with 10000 samples"


def test_fewer_epochs_are_noted_and_the_same_command_resumes(data, recipe, tmp_path, capsys):
    run = tmp_path / "run"
    arguments = ["run", recipe, "--data", data, "--out", str(run)]
    assert main(arguments) == 0
    assert "8 epochs, which make about 64 steps with 75 samples" in capsys.readouterr().err
    assert read(run, "run.json")["recipe"]["most_steps"] == 60
    assert MLP.load(run / "retrained" / "model.safetensors").epochs == 8
    assert main(arguments) == 0
    assert "1 of 1 cells are there already" in capsys.readouterr().err


@pytest.mark.parametrize(("text", "message"), [
    ("most_steps = 0", "most_steps is 0"), ("most_steps = 1.5", "most_steps is 1.5"),
    ("[data]\ntest = 0", "test in .data. is 0; expected a share such as 0.2"),
])  # fmt: skip
def test_a_recipe_that_asks_for_nothing_is_refused(written, text, message):
    with pytest.raises((ValueError, TypeError), match=message):
        load_recipe(written(text))
