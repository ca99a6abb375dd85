import json

import numpy as np

from fastmlp import MLP
from fastmlp.cli import main


def test_the_best_network_is_trained_again_on_all_rows(retrained, train_file):
    record = json.loads((retrained / "run.json").read_text(encoding="utf-8"))
    (best,) = (cell for cell in record["cells"] if cell["slug"] == record["best"])
    data = np.load(train_file)
    alone = MLP(**best["settings"]).fit(data["images"].reshape(200, 64), data["labels"])
    ours = MLP.load(retrained / "retrained" / "model.h5")
    for W, expected in zip(ours.weights + ours.biases, alone.weights + alone.biases, strict=True):
        np.testing.assert_array_equal(W, expected)
    assert ours.decay_epochs == (2, 3)
    assert (retrained / "retrained" / "history.csv").exists()


def test_retraining_twice_is_refused(retrained, capsys):
    model = (retrained / "retrained" / "model.h5").read_bytes()
    assert main(["retrain", str(retrained)]) == 2
    assert "is there already" in capsys.readouterr().err
    assert (retrained / "retrained" / "model.h5").read_bytes() == model


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
