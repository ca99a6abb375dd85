"""A submission has the columns and the rows of its sample, whatever order they are in."""

import csv
import gzip
import io

import numpy as np
import pytest

from fastmlp import MLP
from fastmlp.cli.main import main
from fastmlp.errors import InputError
from fastmlp.experiment.predict import Predictions
from fastmlp.experiment.submission import as_submission, read_sample

OUTPUTS = np.array([[0.5, 0.25, 0.25], [0.125, 0.75, 0.125], [0, 0.25, 0.75]], np.float32)
KINDS = np.array(["flax", "iris", "rose"])
THREE = Predictions("class", OUTPUTS, KINDS)
TWO = Predictions("class", OUTPUTS[:, 1:], np.array([0, 1]))
NUMBER = Predictions("value", OUTPUTS[:, 1:2], np.array([0]))
LABELS = Predictions("labels", np.array([[0.9, 0.1, 0.7], [0, 0, 0], [0, 1, 0]]), np.arange(3))


def named(predictions, *names):
    return Predictions(predictions.answer, predictions.outputs, predictions.classes, names, "Id")


def submitted(tmp_path, predictions, text):
    """The notes, and the lines of the submission for a sample of that text."""
    path = tmp_path / "sample.csv"
    path.write_text(text, encoding="utf-8")
    notes, pieces = as_submission(predictions, read_sample(path))
    return notes, "".join(pieces).splitlines()


def complaint(tmp_path, predictions, text):
    with pytest.raises(InputError) as caught:
        submitted(tmp_path, predictions, text)
    assert "sample.csv" in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize(
    ("predictions", "text", "lines"),
    [
        (THREE, "ImageId,Label\n1,0\n2,0\n3,0\n", ["ImageId,Label", "1,flax", "2,iris", "3,rose"]),
        (TWO, "id,target\na,0\nb,0\nc,0\n", ["id,target", "a,0", "b,0", "c,1"]),
        (TWO, "id,target\na,0.5\nb,0.5\nc,0.5\n", ["id,target", "a,0.25", "b,0.125", "c,0.75"]),
        (NUMBER, "Id,SalePrice\n7,1.5\n8,2\n9,0\n", ["Id,SalePrice", "7,0.25", "8,0.75", "9,0.25"]),
        (LABELS, "id,tags\n1,a\n2,b\n3,c\n", ["id,tags", "1,0 2", "2,", "3,1"]),
        (
            THREE, "id,rose,flax,iris\n1,0,0,0\n2,0,0,0\n3,0,0,0\n",
            ["id,rose,flax,iris", "1,0.25,0.5,0.25", "2,0.125,0.125,0.75", "3,0.75,0.0,0.25"],
        ),
        (
            THREE, "id,kind_iris,kind_rose,kind_flax\n1,0,0,0\n2,0,0,0\n3,0,0,0\n",
            ["id,kind_iris,kind_rose,kind_flax", "1,0.25,0.25,0.5", "2,0.75,0.125,0.125", "3,0.25,0.75,0.0"],
        ),
        (
            LABELS, "id,x,y,z\n1,0,0,0\n2,0,0,0\n3,0,0,0\n",
            ["id,x,y,z", "1,0.9,0.1,0.7", "2,0.0,0.0,0.0", "3,0.0,1.0,0.0"],
        ),
    ],
)  # fmt: skip
def test_the_columns_of_the_sample_tell_what_is_asked_for(tmp_path, predictions, text, lines):
    assert submitted(tmp_path, predictions, text)[1] == lines


def test_what_is_not_plain_is_told(tmp_path):
    half = "id,target\na,0.5\nb,0.5\nc,0.5\n"
    assert submitted(tmp_path, TWO, half)[0] == [
        "column `target`: the probability of class 1, as the sample has fractions"
    ]
    assert submitted(tmp_path, THREE, half)[0] == []
    columns = "id,x,y,z\n1,0,0,0\n2,0,0,0\n3,0,0,0\n"
    assert submitted(tmp_path, LABELS, columns)[0] == ["columns `x` to `z`: the outputs in their order"]


def test_rows_are_found_by_their_names(tmp_path):
    text = "Id,kind\n003,?\n001,?\n002,?\n"
    assert submitted(tmp_path, named(THREE, "1", "2", "3"), text)[1] == ["Id,kind", "003,rose", "001,flax", "002,iris"]
    assert submitted(tmp_path, named(THREE, "a", "b", "c"), "Id,kind\nb,\na,\nc,\n")[1][1:] == [
        "b,iris",
        "a,flax",
        "c,rose",
    ]


@pytest.mark.parametrize(
    ("predictions", "text", "message"),
    [
        (THREE, "id,kind\n1,a\n2,b\n", "has 2 rows, and there are 3 predictions"),
        (named(THREE, "1", "2", "4"), "id,kind\n1,a\n2,b\n3,c\n", "has the row '3', which is not in column `Id`"),
        (
            THREE, "id,a,b\n1,0,0\n2,0,0\n3,0,0\n",
            "has the columns 'a', 'b', and the network has 3 classes, 'flax', 'iris', 'rose'",
        ),
        (THREE, "id,a,b,c\n1,0,0,0\n2,0,0,0\n3,0,0,0\n", "expected one column, or one for each of them"),
        (NUMBER, "id,a,b\n1,0,0\n2,0,0\n3,0,0\n", "the network has 1 values"),
        (THREE, "id\n1\n2\n3\n", "begins with 'id'; expected a sample submission"),
        (THREE, "id,a\n1,0\n2\n3,0\n", "has 1 values in row 1; expected 2"),
        (THREE, "", "begins with ''; expected a sample submission"),
    ],
)  # fmt: skip
def test_a_sample_of_something_else_is_refused(tmp_path, predictions, text, message):
    assert message in complaint(tmp_path, predictions, text)


def test_bytes_that_are_no_text_are_refused(tmp_path):
    (tmp_path / "sample.csv").write_bytes(b"id,a\n\xff\xfe\x00,1\n")
    with pytest.raises(InputError, match=r"sample\.csv is not a sample submission"):
        read_sample(tmp_path / "sample.csv")


def test_the_command_finds_the_rows_of_a_table_by_the_first_column_of_the_sample(tmp_path, capsys):
    X, y = np.random.default_rng(0).uniform(0, 9, (40, 2)), np.arange(40) % 3
    mlp = MLP(hidden=(4,), epochs=3, engine="numpy").fit(X, y)
    mlp.save(tmp_path / "model.safetensors")
    rows = [[a, f"plant {number}", b] for number, (a, b) in enumerate(X[:5].tolist())]
    with open(tmp_path / "test.csv", "w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([["width", "plant", "height"], *rows])
    with gzip.open(tmp_path / "sample.csv.gz", "wt", encoding="utf-8-sig") as file:
        file.write("plant,kind\n" + "".join(f"plant {number},0\n" for number in (4, 2, 0, 1, 3)))
    arguments = [tmp_path / "model.safetensors", tmp_path / "test.csv", "--submission", tmp_path / "sample.csv.gz"]
    assert main(["predict", *map(str, arguments)]) == 0
    written = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert [row["plant"] for row in written] == [f"plant {number}" for number in (4, 2, 0, 1, 3)]
    assert [int(row["kind"]) for row in written] == mlp.predict(X[[4, 2, 0, 1, 3]]).tolist()
