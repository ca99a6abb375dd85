import json

import numpy as np
import pytest

from fastmlp.cli.main import main
from fastmlp.experiment.pipeline import free_folder, run_pipeline
from fastmlp.experiment.recipe_file import load_recipe
from fastmlp.experiment.sweep import sweep


def test_a_whole_run_goes_from_the_data_to_the_test_accuracy(tmp_path, train_file, test_file, recipe_file):
    train, test = np.load(train_file), np.load(test_file)
    both = tmp_path / "both.npz"
    np.savez(both, x_train=train["images"], y_train=train["labels"], x_test=test["images"], y_test=test["labels"])
    said = []
    record = run_pipeline(load_recipe(recipe_file).override_data(name=str(both)), tmp_path / "run", say=said.append)
    assert record.best in ("tanh-0.5", "relu-0.5")
    assert "tanh, rate 0.5" in said[0]
    assert "test accuracy" in said[1]
    images = ["summary.md", "curves.png", "losses.png", "confusion.png", "mistakes.png"]
    assert said[2:] == [str(tmp_path / "run" / name) for name in images]


@pytest.mark.parametrize(
    ("test", "message"),
    [
        (None, "has no test part; pass --test FILE"),
        ("absent.npz", "absent.npz is not there"),
        ("train_file", "is what the network was trained on; expected other samples: pass --test FILE"),
        ("wide.csv", "wide.csv has 3 features; expected 64, as in training"),
    ],
)
def test_a_whole_run_that_could_not_be_evaluated_is_refused_before_anything_is_trained(
    tmp_path, train_file, recipe_file, monkeypatch, capsys, test, message
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "wide.csv").write_text("label,a,b,c\n0,1,2,3\n1,2,3,4\n")
    chosen = [] if test is None else ["--test", str(train_file) if test == "train_file" else test]
    assert main(["run", str(recipe_file), "--data", str(train_file), "--out", "run", *chosen]) == 2
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert message in err
    assert [path.name for path in tmp_path.iterdir()] == ["wide.csv"]


def test_a_whole_run_without_a_network_that_learned_stops_after_the_sweep(tmp_path, train_file, test_file, recipe_file):
    recipe = (
        load_recipe(recipe_file).override_data(name=str(train_file)).override(activation="relu", learning_rate=1e30)
    )
    said = []
    assert run_pipeline(recipe, tmp_path / "run", test=str(test_file), say=said.append).best is None
    assert len(said) == 1
    assert not (tmp_path / "run" / "retrained").exists()


def test_a_repeated_run_gets_a_numbered_folder_unless_it_was_interrupted(tmp_path, train_file, recipe_file):
    wanted, recipe = tmp_path / "demo", load_recipe(recipe_file).override_data(name=str(train_file))
    assert free_folder(wanted, recipe) == wanted
    wanted.mkdir()
    assert free_folder(wanted, recipe) == tmp_path / "demo-2"
    (wanted / "thesis.txt").touch()
    assert free_folder(wanted, recipe) == tmp_path / "demo-2"
    sweep(recipe, tmp_path / "demo-2")
    assert free_folder(wanted, recipe) == tmp_path / "demo-2"
    assert free_folder(wanted, recipe.shortened(3)) == tmp_path / "demo-3"
    (tmp_path / "demo-2" / "evaluation.json").write_text('{"evaluations": [{"finished": true}]}')
    assert free_folder(wanted, recipe) == tmp_path / "demo-3"


def test_a_whole_run_given_twice_does_nothing_twice(tmp_path, train_file, test_file, recipe_file):
    recipe, said = load_recipe(recipe_file).override_data(name=str(train_file)), []
    for _ in range(2):
        run_pipeline(recipe, tmp_path / "run", test=str(test_file), say=said.append)
    half = len(said) // 2
    assert said[:half] == said[half:]
    assert len(json.loads((tmp_path / "run" / "evaluation.json").read_text())["evaluations"]) == 1


@pytest.mark.parametrize(("stopping", "epochs"), [("", 4), ("early_stopping = 9\n", 1)])
def test_a_whole_run_that_cannot_give_the_retrained_network_refuses_before_it_sweeps(
    tmp_path, train_file, test_file, written, capsys, stopping, epochs
):
    recipe = written(f"[data]\nvalidation = 0.25\n[network]\nhidden = [8]\n[training]\nlearning_rate = 0.5\n{stopping}")
    run = tmp_path / "run"
    arguments = ["run", str(recipe), "--data", str(train_file), "--test", str(test_file), "--out", str(run)]
    assert main([*arguments, "--epochs", "3"]) == 0
    before = {path: path.read_bytes() for path in run.rglob("*") if path.is_file()}
    capsys.readouterr()
    assert main([*arguments, "--epochs", str(epochs)]) == 2
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert f"{run / 'retrained'} holds a network with other settings" in err
    assert "choose another --out" in err
    assert {path: path.read_bytes() for path in run.rglob("*") if path.is_file()} == before
    assert main([*arguments, "--epochs", "3"]) == 0


def test_a_whole_run_that_has_grown_keeps_the_network_that_is_retrained(tmp_path, train_file, test_file, written):
    text = "[data]\nvalidation = 0.25\n[network]\nhidden = [8]\n[training]\nepochs = 3\n[grid]\nlearning_rate = [0.5]\n"
    run, recipe = tmp_path / "run", written(text)
    arguments = ["run", str(recipe), "--data", str(train_file), "--test", str(test_file), "--out", str(run)]
    assert main(arguments) == 0
    before = (run / "retrained" / "model.safetensors").read_bytes()
    recipe.write_text(text.replace("[0.5]", "[0.5, 1e-6]"), encoding="utf-8")
    assert main(arguments) == 0
    assert (run / "retrained" / "model.safetensors").read_bytes() == before
    assert len(list((run / "cells").iterdir())) == 2


def test_the_command_puts_its_run_under_the_recipes_name_and_prints_each_epoch(
    tmp_path, train_file, test_file, recipe_file, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    recipe = tmp_path / "lines.toml"
    recipe.write_text(
        "epoch_lines = true\n[data]\ntraining = 90\nvalidation = 30\n[network]\nhidden = [8]\n[training]\nepochs = 3\n"
    )
    arguments = ["run", str(recipe), "--data", str(train_file), "--test", str(test_file)]
    for folder in ("lines", "lines-2"):
        assert main(arguments) == 0
        lines = capsys.readouterr().out.splitlines()
        # Those of the sweep and those of the retraining.
        epochs = [line.partition(":")[0] for line in lines if line.startswith("Epoch ")]
        assert epochs == ["Epoch 1", "Epoch 2", "Epoch 3"] * 2
        assert any(line.startswith("test loss ") for line in lines)
        assert (tmp_path / "runs" / folder / "evaluation.json").exists()


def test_a_whole_run_is_sweep_retrain_and_evaluate(tmp_path, train_file, test_file, recipe_file, capsys):
    one, three = tmp_path / "one", tmp_path / "three"
    source = ["--data", str(train_file)]
    assert main(["run", str(recipe_file), *source, "--test", str(test_file), "--out", str(one), "--threads", "1"]) == 0
    assert main(["sweep", "--recipe", str(recipe_file), *source, "--out", str(three)]) == 0
    assert main(["retrain", str(three)]) == 0
    assert main(["evaluate", str(three), "--test", str(test_file)]) == 0
    ours, theirs = (
        json.loads((run / "evaluation.json").read_text(encoding="utf-8"))["evaluations"][0] for run in (one, three)
    )
    assert ours["network_digest"] == theirs["network_digest"]
    assert ours["confusion"] == theirs["confusion"]
