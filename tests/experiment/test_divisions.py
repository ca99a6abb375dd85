"""The samples that a sweep trains and validates on: of sorted data, and of files with a validation part."""

import json

import numpy as np
import pytest

from fastmlp import MLP
from fastmlp.cli.main import main

RECIPE = "[network]\nhidden = [8]\n[training]\nepochs = 20\nbatch_size = 10\n"


@pytest.fixture
def sweep(tmp_path):
    """Write arrays to a file and sweep it; returns the folder of the run."""

    def sweep(*options, **arrays):
        np.savez(tmp_path / "rows.npz", **arrays)
        (tmp_path / "small.toml").write_text(RECIPE, encoding="utf-8")
        data = ["--data", str(tmp_path / "rows.npz"), "--recipe", str(tmp_path / "small.toml")]
        assert main(["sweep", *data, "--out", str(tmp_path / "run"), *options]) == 0
        return tmp_path / "run"

    return sweep


def corners(labels, seed=0):
    """Points around a corner of a cube for each label."""
    places = np.unique(labels, return_inverse=True)[1]
    return np.eye(places.max() + 1)[places] + np.random.default_rng(seed).normal(scale=0.1, size=(len(labels), 3))


def record_of(run):
    return json.loads((run / "run.json").read_text(encoding="utf-8"))


def test_of_sorted_data_all_classes_are_learnt_and_validated(sweep, capsys):
    labels = np.repeat([4, 7, 9], 40)
    run = sweep(x=corners(labels), y=labels)
    said = "the samples are sorted by class: validation samples are drawn from each class"
    assert said in capsys.readouterr().err
    record = record_of(run)
    assert said in record["notes"]
    assert record["data"]["classes"] == [4, 7, 9]
    assert record["cells"][0]["validation_accuracy"] > 0.9


def test_who_asks_for_the_last_samples_is_told_what_they_lack(sweep, capsys):
    labels = np.repeat([4, 7, 9], 40)
    run = sweep("--no-stratify", x=corners(labels), y=labels)
    assert "validation samples lack 4, 7, as they are sorted by class" in capsys.readouterr().err
    assert "stratify" in record_of(run)["recipe"]["data"]


def test_drawn_samples_and_the_last_ones_are_different_cells(sweep):
    labels = np.repeat([4, 7, 9], 40)
    first = record_of(sweep(x=corners(labels), y=labels))["cells"][0]
    other = record_of(sweep("--no-stratify", x=corners(labels), y=labels))["cells"][0]
    again = record_of(sweep("--stratify", x=corners(labels), y=labels))["cells"][0]
    assert first["folder"] == again["folder"] != other["folder"]


def test_a_files_own_validation_part_is_validated_on_and_trained_on_at_last(sweep, capsys):
    y, y_val = np.array(["ham", "spam", "toast"] * 20), np.array(["spam", "ham"] * 8)
    X, X_val = corners(y), corners(np.r_[y_val, ["toast"]], seed=1)[:-1]
    run = sweep(x_train=X, y_train=y, x_val=X_val, y_val=y_val)
    assert "validation: the 16 samples of the data's own validation part" in capsys.readouterr().err
    data = record_of(run)["data"]
    assert (data["rows"], data["training_rows"], data["validation_rows"]) == (76, 60, 16)
    cell = run / "cells" / record_of(run)["cells"][0]["folder"]
    alone = MLP(hidden=(8,), epochs=20, batch_size=10)
    alone.fit(X.astype("f4"), y, validation=(X_val.astype("f4"), y_val))
    assert MLP.load(cell / "model.safetensors").history["validation_loss"] == alone.history["validation_loss"]
    assert main(["retrain", str(run)]) == 0
    both = np.concatenate([X, X_val]).astype("f4"), np.concatenate([y, y_val])
    retrained = MLP.load(run / "retrained" / "model.safetensors")
    np.testing.assert_array_equal(retrained.weights[0], alone.fit(*both).weights[0])
    assert retrained.classes.tolist() == ["ham", "spam", "toast"]
