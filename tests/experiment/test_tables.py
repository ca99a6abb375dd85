"""Tables in an experiment: the column of labels, the names of the others, and what is printed of them."""

import json

import numpy as np
import pytest
from sklearn import datasets
from sklearn.linear_model import LinearRegression, LogisticRegression

from fastmlp.cli.main import main
from fastmlp.experiment.recipe_file import load_recipe

RECIPE = """
[data]
validation = 0.25
{data}

[network]
hidden = [4]

[training]
epochs = 2
batch_size = 8
"""


@pytest.fixture
def recipe(tmp_path):
    def write(data=""):
        path = tmp_path / "table.toml"
        path.write_text(RECIPE.format(data=data), encoding="utf-8")
        return str(path)

    return write


def table(path, rows, seed, order=("Id", "width", "colour", "kind", "rest"), separator=",", decimal="."):
    """A table whose kind depends on its width and colour, with its columns in this order."""
    random = np.random.default_rng(seed)
    width, colour = random.random(rows), random.integers(0, 2, rows)
    columns = {
        "Id": np.arange(rows) + 5,
        "width": [repr(value).replace(".", decimal) for value in width.round(3).tolist()],
        "colour": np.array(["red", "blue"])[colour],
        "kind": np.array(["small", "large"])[((width > 0.5) ^ (colour > 0)).astype(int)],
        "rest": np.arange(rows) % 7,
        "more": np.full(rows, 3),
    }
    lines = [separator.join(order), *(separator.join(str(columns[name][row]) for name in order) for row in range(rows))]
    path.write_text("\n".join(lines), encoding="utf-8")
    return str(path)


def test_a_test_file_in_another_order_and_dialect_with_more_columns_is_evaluated_the_same(tmp_path, recipe, capsys):
    train = table(tmp_path / "train.csv", 60, 0)
    same = table(tmp_path / "same.csv", 30, 1)
    other = table(tmp_path / "other.csv", 30, 1, ("kind", "more", "rest", "colour", "width"), ";", ",")
    run = str(tmp_path / "run")
    assert main(["sweep", "--recipe", recipe(), "--data", train, "--label", "kind", "--out", run]) == 0
    assert "column `Id` names or numbers the rows, and is left out" in capsys.readouterr().err
    assert main(["retrain", run]) == 0
    assert main(["evaluate", run, "--test", same]) == 0
    capsys.readouterr()
    assert main(["evaluate", run, "--test", other, "--again"]) == 0
    assert "not used: `more`" in capsys.readouterr().err
    first, second = json.loads((tmp_path / "run" / "evaluation.json").read_text(encoding="utf-8"))["evaluations"]
    assert first["class_names"] == ["large", "small"]
    assert (first["loss"], first["confusion"]) == (second["loss"], second["confusion"])


def test_a_test_file_that_lacks_a_column_is_told_and_nothing_is_recorded(tmp_path, recipe, capsys):
    train = table(tmp_path / "train.csv", 40, 0)
    lacking = table(tmp_path / "lacking.csv", 20, 1, ("Id", "width", "kind", "rest"))
    run = str(tmp_path / "run")
    assert main(["sweep", "--recipe", recipe('label = "kind"'), "--data", train, "--out", run]) == 0
    assert main(["retrain", run]) == 0
    assert main(["evaluate", run, "--test", lacking]) == 2
    assert "has no column `colour`" in capsys.readouterr().err
    assert not (tmp_path / "run" / "evaluation.json").exists()


def test_what_was_decided_in_reading_is_printed_and_kept(tmp_path, recipe, capsys):
    train = table(tmp_path / "train.csv", 40, 0, ("width", "colour", "rest", "kind"))
    assert main(["sweep", "--recipe", recipe(), "--data", train, "--out", str(tmp_path / "run")]) == 0
    line = "labels: column `kind`, the last one, as none is called label, target, class, species or y; another one "
    assert line in capsys.readouterr().err
    notes = json.loads((tmp_path / "run" / "run.json").read_text(encoding="utf-8"))["notes"]
    assert any(note.startswith(line) for note in notes)


@pytest.mark.parametrize("label", ["rest", "2", "-2"])
def test_the_command_line_takes_a_name_or_a_position_of_the_label(tmp_path, recipe, label):
    train = table(tmp_path / "train.csv", 40, 0, ("width", "colour", "rest", "kind"))
    run = tmp_path / "run"
    assert main(["sweep", "--recipe", recipe(), "--data", train, "--label", label, "--out", str(run)]) == 0
    data = json.loads((run / "run.json").read_text(encoding="utf-8"))["data"]
    assert data["label"] == "rest"
    assert data["classes"] == list(range(7))


def test_a_label_that_is_not_there_is_told_before_anything_is_written(tmp_path, recipe, capsys):
    train = table(tmp_path / "train.csv", 40, 0)
    run = tmp_path / "run"
    assert main(["run", recipe(), "--data", train, "--label", "kinds", "--out", str(run)]) == 2
    assert "has no column `kinds`" in capsys.readouterr().err
    assert not run.exists()


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ("label = true", "label in [data] is True; expected the name of a column, or its position"),
        ("label = [1]", "label in [data] is [1]"),
        ('task = "sorting"', "task is 'sorting'; expected classification or regression"),
        ('lable = "kind"', "did you mean 'label'"),
    ],
)
def test_a_recipe_with_another_label_or_task_is_refused(recipe, data, words):
    with pytest.raises((ValueError, TypeError)) as caught:
        load_recipe(recipe(data))
    assert words in str(caught.value)


@pytest.mark.parametrize("name", ["iris", "diabetes"])
def test_the_recipe_for_tables_learns_classes_and_numbers_as_well_as_a_linear_model(name, tmp_path):
    frame = getattr(datasets, f"load_{name}")(as_frame=True).frame.sample(frac=1, random_state=0)
    training, test = frame[: len(frame) * 3 // 4], frame[len(frame) * 3 // 4 :]
    training.to_csv(tmp_path / "training.csv", index=False)
    test.to_csv(tmp_path / "test.csv", index=False)
    paths = ["--data", str(tmp_path / "training.csv"), "--test", str(tmp_path / "test.csv")]
    assert main(["run", "table", *paths, "--label", "target", "--out", str(tmp_path / "run")]) == 0
    evaluation = json.loads((tmp_path / "run" / "evaluation.json").read_text(encoding="utf-8"))
    linear = LogisticRegression(max_iter=1000) if name == "iris" else LinearRegression()
    linear.fit(training.drop(columns="target"), training["target"])
    expected = linear.score(test.drop(columns="target"), test["target"])
    assert evaluation["evaluations"][-1]["accuracy"] > expected - 0.1
