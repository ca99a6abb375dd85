import json

import numpy as np
import pytest

from fastmlp import MLP
from fastmlp.cli.main import main


def test_the_best_network_is_trained_again_on_all_rows(retrained, train_file):
    record = json.loads((retrained / "run.json").read_text(encoding="utf-8"))
    (best,) = (cell for cell in record["cells"] if cell["slug"] == record["best"])
    data = np.load(train_file)
    alone = MLP(**best["settings"]).fit(data["images"].reshape(200, 64), data["labels"])
    ours = MLP.load(retrained / "retrained" / "model.safetensors")
    for W, expected in zip(ours.weights + ours.biases, alone.weights + alone.biases, strict=True):
        np.testing.assert_array_equal(W, expected)
    assert ours.decay_epochs == (2, 3)
    assert (retrained / "retrained" / "history.csv").exists()


def test_retraining_twice_is_refused(retrained, capsys):
    model = (retrained / "retrained" / "model.safetensors").read_bytes()
    assert main(["retrain", str(retrained)]) == 2
    assert "is there already" in capsys.readouterr().err
    assert (retrained / "retrained" / "model.safetensors").read_bytes() == model


def test_a_run_can_be_continued_from_another_folder_while_its_data_stay_the_same(
    tmp_path, train_file, recipe_file, monkeypatch, capsys
):
    data = dict(np.load(train_file))
    np.savez(tmp_path / "mine.npz", **data)
    monkeypatch.chdir(tmp_path)
    assert main(["sweep", "--data", "mine.npz", "--recipe", str(recipe_file), "--out", "run"]) == 0
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    data["labels"][0] = (data["labels"][0] + 1) % 3
    np.savez(tmp_path / "mine.npz", **data)
    assert main(["retrain", "../run"]) == 2
    assert "has changed since the sweep" in capsys.readouterr().err
    assert not (tmp_path / "run" / "retrained").exists()
    data["labels"][0] = (data["labels"][0] - 1) % 3
    np.savez(tmp_path / "mine.npz", **data)
    assert main(["retrain", "../run"]) == 0


def test_a_folder_without_a_sweep_is_one_line(tmp_path, capsys):
    assert main(["retrain", str(tmp_path / "nowhere")]) == 2
    assert (
        capsys.readouterr().err
        == f"fastmlp: error: {tmp_path / 'nowhere'} is not there; expected the --out of a sweep\n"
    )


def test_retraining_takes_the_rows_of_both_parts_and_leaves_the_rest(tmp_path, train_file, cell_folder):
    recipe, run = tmp_path / "part.toml", tmp_path / "run"
    recipe.write_text("[data]\ntraining = 100\nvalidation = 40\n[network]\nhidden = [8]\n[training]\nepochs = 2\n")
    assert main(["sweep", "--recipe", str(recipe), "--data", str(train_file), "--out", str(run)]) == 0
    record = json.loads((run / "run.json").read_text(encoding="utf-8"))["data"]
    assert (record["rows"], record["training_rows"], record["validation_rows"]) == (200, 100, 40)
    assert main(["retrain", str(run)]) == 0
    data = np.load(train_file)
    X, y = data["images"].reshape(200, 64), data["labels"]
    for folder, rows in ((cell_folder(run, "only"), 100), (run / "retrained", 140)):
        ours = MLP.load(folder / "model.safetensors")
        alone = MLP(hidden=(8,), epochs=2).fit(X[:rows], y[:rows])
        for W, expected in zip(ours.weights, alone.weights, strict=True):
            np.testing.assert_array_equal(W, expected)


@pytest.mark.parametrize("loss", ["squared_error", "binary_cross_entropy"])
def test_other_losses_learn_the_classes_too(tmp_path, train_file, test_file, loss):
    recipe, run = tmp_path / "loss.toml", tmp_path / "run"
    recipe.write_text(
        f'[network]\nhidden = [16]\nloss = "{loss}"\n[training]\nepochs = 40\nbatch_size = 10\nlearning_rate = 0.1\n'
    )
    arguments = ["--data", str(train_file), "--test", str(test_file), "--out", str(run)]
    assert main(["run", str(recipe), *arguments]) == 0
    result = json.loads((run / "evaluation.json").read_text(encoding="utf-8"))["evaluations"][0]
    assert result["accuracy"] > 0.9
    assert result["accuracy"] == np.trace(result["confusion"]) / 60
    assert f"- Loss: {loss.replace('_', ' ')}\n" in (run / "summary.md").read_text(encoding="utf-8")
