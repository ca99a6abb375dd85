"""`fastmlp info` says what a network, a run or data are, to people and to programs."""

import json

import numpy as np
import pytest

from fastmlp import MLP
from fastmlp.cli.main import main
from fastmlp.data import load
from fastmlp.data.collections import glyphs
from fastmlp.inputs.table import Table


def told(capsys, thing, *options):
    """What `info` prints about a thing, with single blanks."""
    assert main(["info", str(thing), *options]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    return out if options else " ".join(out.split())


@pytest.fixture
def network(tmp_path):
    """A network that stopped early, and its path."""
    random = np.random.default_rng(0)
    X, y = random.uniform(0, 50, (60, 3)), np.array([-1, 4, 9])[np.arange(60) % 3]
    mlp = MLP(hidden=(5, 2), activation=("tanh", "relu"), epochs=30, early_stopping=2, engine="numpy")
    mlp.fit(X, y, validation=(X[:9], y[:9]))
    mlp.save(tmp_path / "small.safetensors")
    return mlp, tmp_path / "small.safetensors"


def test_a_network_is_described_by_its_layers_inputs_classes_and_results(network, capsys):
    mlp, path = network
    text = told(capsys, path)
    assert "layers 3-5-2-3 (2 hidden layers and the softmax output)" in text
    assert "parameters 41 of float32" in text  # 3 5 + 5, 5 2 + 2 and 2 3 + 3
    assert "activation tanh, relu loss cross entropy" in text
    assert "3 columns" in text
    assert "standardised" in text
    assert "classes 3: -1, 4, 9" in text
    assert f"trained for {len(mlp.history)} epochs, and has the weights of epoch {mlp.kept_epoch}" in text
    assert f"validation loss {mlp.history['validation_loss'][mlp.kept_epoch - 1]:.4f}" in text


def test_a_network_is_described_to_programs_by_plain_values(network, capsys):
    mlp, path = network
    values = json.loads(told(capsys, path, "--json"))
    assert (values["kind"], values["path"]) == ("model", str(path))
    assert values["layers"] == [3, 5, 2, 3]
    assert values["parameters"] == sum(array.size for array in (*mlp.weights, *mlp.biases))
    assert values["classes"] == [-1, 4, 9]
    assert (values["inputs"]["columns"], values["inputs"]["scaling"]) == (3, "standard")
    assert MLP(**values["settings"]).settings() == mlp.settings()
    assert values["validation_accuracy"] == mlp.history["validation_accuracy"][mlp.kept_epoch - 1]


def test_a_regression_has_outputs_and_no_classes(tmp_path, capsys):
    X = np.arange(12.0).reshape(6, 2)
    MLP(loss="squared_error", epochs=2, engine="numpy").fit(X, X).save(tmp_path / "sums.safetensors")
    text = told(capsys, tmp_path / "sums.safetensors")
    assert "classes" not in text
    assert "R²" in text
    assert json.loads(told(capsys, tmp_path / "sums.safetensors", "--json"))["classes"] is None


def test_a_network_that_failed_says_why(tmp_path, capsys):
    X, y = np.random.default_rng(0).uniform(-1, 1, (20, 3)), np.arange(20) % 2
    mlp = MLP(learning_rate=1e30, epochs=3).fit(X, y)
    mlp.save(tmp_path / "lost.safetensors")
    assert f"failed it {mlp.failure_reason}" in told(capsys, tmp_path / "lost.safetensors")


def test_data_are_described_by_their_rows_columns_and_classes(tmp_path, capsys):
    images = np.arange(5 * 64, dtype=np.uint8).reshape(5, 8, 8)
    np.savez(tmp_path / "five.npz", images=images, labels=[2, 0, 2, 2, 1])
    text = told(capsys, tmp_path / "five.npz")
    assert "format npz rows 5 images 8 x 8 pixels columns 64 of numbers, 0 to 255" in text
    assert "classes 3: 1 of 0, 1 of 1, 3 of 2" in text
    values = json.loads(told(capsys, tmp_path / "five.npz", "--json"))
    assert [one["count"] for one in values["classes"]] == [1, 1, 3]
    assert values["image_shape"] == [8, 8]


@pytest.fixture
def table(tmp_path):
    """A table of plants, with words and a missing number."""
    rows = "".join(f"{number},{['oak', 'ash'][number % 2]},{number % 3}\n" for number in range(1, 30))
    (tmp_path / "plants.csv").write_text(f"height,plant,label\n{rows},oak,1\n", encoding="utf-8")
    return tmp_path / "plants.csv"


def test_the_columns_of_a_table_are_described_one_by_one(table, capsys):
    text = told(capsys, table)
    assert "rows 30 columns 2 height: 1 to 29, 1 missing plant: 2 words, ash, oak classes 3: 9 of 0, 11 of 1" in text
    assert "notes labels: column `label`, by its name" in text
    values = json.loads(told(capsys, table, "--label", "plant", "--json"))
    assert [one["label"] for one in values["classes"]] == ["ash", "oak"]
    assert values["columns"][0] == {"name": "height", "kind": "numbers", "missing": 1, "low": 1.0, "high": 29.0}


def test_the_label_is_said_to_be_the_last_column_where_no_name_tells_it(tmp_path, capsys):
    (tmp_path / "three.csv").write_text("width,height,age\n1,2,0\n3,4,1\n")
    assert "labels: column `age`, the last one, as none is called label, target" in told(capsys, tmp_path / "three.csv")


def test_data_without_labels_are_described_by_their_rows_and_columns(tmp_path, capsys):
    (tmp_path / "test.csv").write_text("ImageId,pixel0,pixel1\n1,0,7\n2,255,3\n")
    text = told(capsys, tmp_path / "test.csv")
    assert "rows 2 columns 2 of numbers, 0 to 255 labels none: " in text
    assert "has no column `label`" in text
    assert "column `ImageId` names or numbers the rows" in text
    np.save(tmp_path / "new.npy", np.ones((5, 8, 8)))
    values = json.loads(told(capsys, tmp_path / "new.npy", "--json"))
    assert (values["kind"], values["rows"], values["features"], values["labels"]) == ("data", 5, 64, None)


def test_the_columns_of_a_networks_table_are_described_with_the_words_that_it_knows(table, tmp_path, capsys):
    data = load(table)
    MLP(hidden=(2,), epochs=1, missing="median", engine="numpy").fit(data.X, data.y).save(
        tmp_path / "plants.safetensors"
    )
    text = told(capsys, tmp_path / "plants.safetensors")
    assert "of numbers height of text plant: ash, oak classes 3: 0, 1, 2" in text
    values = json.loads(told(capsys, tmp_path / "plants.safetensors", "--json"))["inputs"]
    assert (values["columns"], values["features"], values["missing"]) == (2, 4, "median")  # an indicator and two words
    assert values["table"][1] == {"name": "plant", "kind": "text", "values": ["ash", "oak"]}


def test_of_many_columns_of_text_the_first_are_listed(tmp_path, capsys):
    words = np.array(["ash", "oak"], object)
    MLP(hidden=(2,), epochs=1, engine="numpy").fit(
        Table(tuple(f"c{n}" for n in range(30)), (words,) * 30), [0, 1]
    ).save(tmp_path / "many.safetensors")
    text = told(capsys, tmp_path / "many.safetensors")
    assert "c19: ash, oak and 10 more classes" in text


def test_sparse_data_are_described_without_their_zeros(tmp_path, capsys):
    (tmp_path / "few.svm").write_text("0 1:2 4:-3\n1 2:5\n")
    assert "columns 4 of sparse numbers, -3 to 5, 37.50% of them not zero" in told(capsys, tmp_path / "few.svm")


def test_data_by_name_are_described_and_their_synthetic_nature_is_told(capsys, monkeypatch):
    monkeypatch.setattr(glyphs, "COUNTS", {"train": 30, "test": 20})
    text = told(capsys, "glyphs")
    assert "data, synthetic format collection rows 30 images 28 x 28 pixels" in text
    assert sum(one["count"] for one in json.loads(told(capsys, "glyphs", "--json"))["classes"]) == 30


@pytest.fixture
def run(tmp_path):
    """The folder of a sweep of two configurations."""
    random = np.random.default_rng(0)
    np.savez(tmp_path / "data.npz", images=random.integers(0, 256, (60, 8, 8)).astype("u1"), labels=np.arange(60) % 3)
    (tmp_path / "two.toml").write_text(
        'title = "Two rates"\n[data]\nname = "digits"\n[network]\nhidden = [4]\n[training]\nepochs = 2\n'
        "[grid]\nlearning_rate = [0.5, 1e30]\n"
    )
    arguments = ["--recipe", tmp_path / "two.toml", "--data", tmp_path / "data.npz", "--out", tmp_path / "run"]
    assert main(["sweep", *map(str, arguments)]) in (0, 3)
    return tmp_path / "run"


def test_a_run_is_described_by_its_data_its_best_network_and_what_was_done(run, capsys):
    capsys.readouterr()
    text = told(capsys, run)
    assert "recipe Two rates data " in text
    assert "data.npz: 60 rows of 64 features divided 50 for training, 10 for validation" in text
    assert "trained 2 configurations, 1 failed best learning rate 0.5, validation accuracy " in text
    assert f"retrained not yet: fastmlp retrain {run} evaluated not yet" in text
    assert main(["retrain", str(run)]) == 0
    np.savez(run.parent / "test.npz", images=load(run.parent / "data.npz").X[:9, ::-1].reshape(9, 8, 8), labels=[0] * 9)
    assert main(["evaluate", str(run), "--test", str(run.parent / "test.npz")]) == 0
    capsys.readouterr()
    text = told(capsys, run)
    assert f"retrained on all rows: {run / 'retrained' / 'model.safetensors'}" in text
    assert "on test.npz, 9 rows" in text
    values = json.loads(told(capsys, run, "--json"))
    assert (values["configurations"], values["failed"], values["retrained"]) == (2, 1, True)
    assert values["evaluations"][0]["test"]["rows"] == 9


def test_a_sweep_that_was_not_finished_is_told(run, capsys):
    record = json.loads((run / "run.json").read_text())
    (run / "run.json").write_text(json.dumps(record | {"finished": False, "cells": [], "best": None}))
    capsys.readouterr()
    assert "trained not to the end; the same `fastmlp sweep` resumes it" in told(capsys, run)


@pytest.mark.parametrize(
    ("thing", "message"),
    [
        ("mnits", "mnits is not there; did you mean 'mnist'? "),
        ("gone/model.safetensors", "model.safetensors is not there; expected one of "),
        ("empty", "empty is a folder without data; expected "),
        ("old.safetensors", "old.safetensors has model format 4, this fastmlp reads "),
        ("small.safetensors --label x", "label or task was given, and small.safetensors is not data"),
    ],
)
def test_what_is_nothing_of_the_kind_is_refused_in_one_line(tmp_path, monkeypatch, capsys, network, thing, message):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    old = network[1].read_bytes().replace(b'"format_version":"5"', b'"format_version":"4"')
    (tmp_path / "old.safetensors").write_bytes(old)
    assert main(["info", *thing.split()]) == 2
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert message in err
