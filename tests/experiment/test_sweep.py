import csv
import json

import numpy as np
import pytest

from fastmlp import MLP
from fastmlp.cli.main import main
from fastmlp.data.collections import glyphs
from fastmlp.training.history import History

SLUGS = ["tanh-0.5", "tanh-0.05", "relu-0.5", "relu-0.05"]
PNG = b"\x89PNG\r\n\x1a\n"


def test_a_sweep_leaves_everything_it_found_out(swept, cell_folder):
    files = {str(path.relative_to(swept).as_posix()) for path in swept.rglob("*") if path.is_file()}
    folders = [f"cells/{cell_folder(swept, slug).name}" for slug in SLUGS]
    of_cell = ("cell.json", "history.csv", "model.safetensors", "curve.png")
    cells = {f"{folder}/{name}" for folder in folders for name in of_cell}
    assert files - {".lock"} == cells | {
        "run.json",
        "recipe.toml",
        "table.csv",
        "curves.png",
        "losses.png",
        "summary.md",
    }
    assert all(path.read_bytes().startswith(PNG) for path in swept.rglob("*.png"))


def test_the_record_tells_data_versions_and_seed(swept, train_file):
    record = json.loads((swept / "run.json").read_text(encoding="utf-8"))
    assert (record["data"]["training_rows"], record["data"]["validation_rows"]) == (150, 50)
    assert record["data"]["key"] == str(train_file)
    assert len(record["data"]["digest"]) == 64
    assert record["environment"]["numpy"] == np.__version__
    assert record["recipe"]["settings"]["seed"] == 3


def test_the_best_is_the_one_with_the_highest_last_validation_accuracy(swept, cell_folder):
    last = {
        slug: History.from_csv(cell_folder(swept, slug) / "history.csv")["validation_accuracy"][-1] for slug in SLUGS
    }
    best = json.loads((swept / "run.json").read_text(encoding="utf-8"))["best"]
    assert last[best] == max(last.values())


def test_the_table_agrees_with_the_histories(swept, cell_folder):
    with open(swept / "table.csv", newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [row["configuration"] for row in rows][:2] == ["tanh, learning rate 0.5", "tanh, learning rate 0.05"]
    for row, slug in zip(rows, SLUGS, strict=True):
        history = History.from_csv(cell_folder(swept, slug) / "history.csv")
        assert float(row["validation_loss"]) == history["validation_loss"][-1]
        best = max(history["validation_accuracy"])
        assert float(row["best_validation_accuracy"]) == best
        assert int(row["best_epoch"]) == history["validation_accuracy"].index(best) + 1
    assert [row["note"] for row in rows].count("best") == 1


def test_a_cell_is_what_training_it_alone_gives(swept, train_file, cell_folder):
    data = np.load(train_file)
    X, y = data["images"].reshape(200, 64), data["labels"]
    alone = MLP(
        hidden=(8,), batch_size=20, epochs=4, decay_epochs=(2, 3), seed=3, activation="relu", learning_rate=0.05
    ).fit(X[:150], y[:150], validation=(X[150:], y[150:]))
    cell = MLP.load(cell_folder(swept, "relu-0.05") / "model.safetensors")
    for ours, theirs in zip(cell.weights + cell.biases, alone.weights + alone.biases, strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_the_learning_rate_in_the_history_follows_the_schedule(swept, cell_folder):
    rates = History.from_csv(cell_folder(swept, "tanh-0.5") / "history.csv")["learning_rate"]
    assert rates == [0.5, 0.5, 0.25, 0.125]


@pytest.mark.parametrize("threads", ["1", "3"])
def test_the_number_of_threads_changes_no_number(swept, tmp_path, train_file, recipe_file, threads, cell_folder):
    other = tmp_path / "other"
    arguments = ["--data", str(train_file), "--recipe", str(recipe_file), "--out", str(other), "--threads", threads]
    assert main(["sweep", *arguments]) == 0
    for slug in SLUGS:
        ours, theirs = (History.from_csv(cell_folder(run, slug) / "history.csv").to_dict() for run in (swept, other))
        del ours["seconds"], theirs["seconds"]
        assert ours == theirs


def test_options_of_the_command_line_reach_the_networks(tmp_path, train_file, recipe_file, capsys, cell_folder):
    folder = tmp_path / "run"
    arguments = ["--data", str(train_file), "--recipe", str(recipe_file), "--out", str(folder)]
    arguments += ["--epochs", "2", "--hidden", "5", "4", "--batch-size", "1000", "--seed", "9", "--validation", "20"]
    assert main(["sweep", *arguments, "--stratify"]) in (0, 3)  # such small networks may die
    notes = capsys.readouterr().err
    assert "does not decay after epoch 2 or 3: training ends at epoch 2\n" in notes
    assert notes.count("batch size 1000 is more than the 180 training samples") == 1
    network = MLP.load(cell_folder(folder, "tanh-0.5") / "model.safetensors")
    assert [W.shape for W in network.weights] == [(64, 5), (5, 4), (4, 3)]
    assert (len(network.history), network.seed, network.batch_size) == (2, 9, 1000)


def test_output_that_is_no_terminal_has_a_line_per_network_and_no_colours(tmp_path, train_file, recipe_file, capsys):
    main(["sweep", "--data", str(train_file), "--recipe", str(recipe_file), "--out", str(tmp_path / "run")])
    out, err = capsys.readouterr()
    assert "\x1b" not in out + err
    assert err.splitlines()[0] == "inputs: 64 columns, 0 to 198, divided by 255"
    assert err.splitlines()[1].startswith("plan: 4 cells, ")
    assert len(err.splitlines()) == 6
    assert sum("epoch 4 of 4, loss" in line for line in err.splitlines()) == 4
    assert out.splitlines()[0] == "Bars: bars.npz"


# ------------------------------------------------------------------------------------------------------- diverging


@pytest.fixture
def wild_recipe(tmp_path):
    """A recipe whose first network cannot learn at its rate, and whose second one can."""
    path = tmp_path / "wild.toml"
    path.write_text(
        'title = "Wild"\n[network]\nhidden = [8]\n[training]\nepochs = 3\nbatch_size = 10\n'
        '[grid]\nactivation = ["relu"]\nlearning_rate = [1e30, 0.1]\n',
        encoding="utf-8",
    )
    return path


def test_a_diverged_network_is_told_everywhere_and_never_the_best(tmp_path, train_file, wild_recipe, capsys):
    folder = tmp_path / "run"
    assert main(["sweep", "--data", str(train_file), "--recipe", str(wild_recipe), "--out", str(folder)]) == 3
    record = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    assert record["best"] == "relu-0.1"
    reason = record["cells"][0]["failure_reason"]
    assert reason.startswith(("diverged: ", "died: "))
    printed = capsys.readouterr().out
    for text in (printed, (folder / "summary.md").read_text(encoding="utf-8")):
        assert f"relu, learning rate 1e+30 {reason}" in text
    assert reason in (folder / "table.csv").read_text(encoding="utf-8")


def test_when_all_diverge_the_status_says_so_and_there_is_nothing_to_retrain(tmp_path, train_file, wild_recipe, capsys):
    wild_recipe.write_text(wild_recipe.read_text().replace(", 0.1]", "]"), encoding="utf-8")
    folder = tmp_path / "run"
    assert main(["sweep", "--data", str(train_file), "--recipe", str(wild_recipe), "--out", str(folder)]) == 1
    assert "Best configuration: none, all diverged or failed\n" in (folder / "summary.md").read_text(encoding="utf-8")
    assert main(["retrain", str(folder)]) == 2
    assert "has no best configuration" in capsys.readouterr().err
    assert not (folder / "retrained").exists()


# -------------------------------------------------------------------------------------------------------- refusals


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--epochs", "0"], "epochs is 0"),
        (["--batch-size", "0"], "batch_size is 0"),
        (["--hidden", "0"], "a width in hidden is 0"),
        (["--seed", "-1"], "seed is -1"),
        (["--threads", "0"], "--threads is 0"),
        (["--validation", "200"], "validation is 200"),
        (["--validation", "1.5"], "validation is 1.5"),
        (["--data", "absent.npz"], "absent.npz is not there"),
        (["--recipe", "absent.toml"], "recipe 'absent.toml' is not there"),
    ],
)
def test_what_cannot_be_used_is_one_line_and_leaves_no_folder(
    tmp_path, train_file, recipe_file, capsys, options, message
):
    arguments = ["--data", str(train_file), "--recipe", str(recipe_file), "--out", str(tmp_path / "run"), *options]
    assert main(["sweep", *arguments]) == 2
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert err.startswith("fastmlp: error: ")
    assert message in err
    assert not (tmp_path / "run").exists()


def test_training_samples_of_one_class_are_refused_before_anything_is_written(tmp_path, recipe_file, capsys):
    data, out = tmp_path / "sorted.npz", tmp_path / "run"
    np.savez(data, images=np.zeros((30, 8, 8), np.uint8), labels=np.repeat([1, 0, 2], 10))
    arguments = ["sweep", "--data", str(data), "--recipe", str(recipe_file), "--out", str(out)]
    assert main([*arguments, "--training", "6", "--validation", "4"]) == 2
    assert "sorted.npz has the single label 1 in the 6 training samples; expected two or" in capsys.readouterr().err
    assert not out.exists()


def test_a_sweep_on_synthetic_digits_says_why_and_how_to_get_mnist(tmp_path, written, monkeypatch, capsys):
    monkeypatch.delenv("FASTMLP_DATA", raising=False)
    monkeypatch.setenv("FASTMLP_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("FASTMLP_OFFLINE", "1")
    monkeypatch.setitem(glyphs.COUNTS, "train", 100)
    monkeypatch.chdir(tmp_path)
    # numpy and dense: there are no compiled kernels in that cache
    text = 'epochs = 1\nengine = "numpy"\nfirst_layer = "dense"\n[network]\nhidden = [4]\n'
    assert main(["sweep", "--recipe", str(written(f"[training]\n{text}")), "--out", "run"]) == 0
    (line,) = [line for line in capsys.readouterr().err.splitlines() if "MNIST" in line]
    assert "synthetic digits, because mnist was not found and could not be downloaded (FASTMLP_OFFLINE is set)" in line
    assert "for MNIST, put its four gzipped files, from https://" in line
    assert "or set FASTMLP_DATA to the folder with mnist" in line
    assert main(["sweep", "--recipe", str(written(f"[training]\n{text}")), "--data", "glyphs", "--out", "asked"]) == 0
    assert "MNIST" not in capsys.readouterr().err
