"""`fastmlp predict` writes what the network says about each row of a file, which `MLP.load` says as well."""

import csv
import io
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fastmlp import MLP
from fastmlp.cli.main import main
from fastmlp.data import load_inputs
from fastmlp.experiment import predict as predicting
from fastmlp.inputs.image_style import ImageStyle
from fastmlp.kernels.cache_folder import cache_folder
from fastmlp.training.failure import FailureReason

ROOT = Path(__file__).parents[2]
PIXELS = [f"pixel{i}" for i in range(81)]


def predicted(capsys, *arguments):
    """The lines of standard output as dicts, and standard error."""
    assert main(["predict", *map(str, arguments)]) == 0
    out, err = capsys.readouterr()
    return list(csv.DictReader(io.StringIO(out))), err


def refused(capsys, *arguments):
    """The one line that says why."""
    assert main(["predict", *map(str, arguments)]) == 2
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    return err


def write_csv(path, header, rows):
    with open(path, "w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([header, *rows])
    return path


# -------------------------------------------------------------------------------------------------------- the networks


@pytest.fixture(scope="module")
def flowers(tmp_path_factory):
    """The rows of a table with words, and a network that learned their kinds."""
    folder = tmp_path_factory.mktemp("flowers")
    random = np.random.default_rng(0)
    sizes, colours = random.uniform(0, 20, 90).round(2), random.choice(["red", "blue"], 90)
    kinds = np.where(colours == "red", "rose", np.where(sizes > 10, "iris", "flax"))
    rows = list(zip(sizes.tolist(), colours.tolist(), kinds.tolist(), strict=True))
    write_csv(folder / "train.csv", ["size", "colour", "kind"], rows)
    (folder / "recipe.toml").write_text("[network]\nhidden = [8]\n[training]\nepochs = 20\n", encoding="utf-8")
    arguments = ["--recipe", folder / "recipe.toml", "--data", folder / "train.csv", "--label", "kind"]
    assert main(["sweep", *map(str, arguments), "--out", str(folder / "run")]) == 0
    return folder, rows


@pytest.fixture(scope="module")
def digits(tmp_path_factory):
    """The folder of a run on images of 9 x 9 pixels, bars that stand or lie, and its training images."""
    folder = tmp_path_factory.mktemp("digits")
    images = np.zeros((120, 9, 9), np.uint8)
    for number, image in enumerate(images):
        drawn = image if number % 2 else image.T
        drawn[1:8, 3:6] = 200 + number % 50
    np.savez(folder / "bars.npz", images=images, labels=np.arange(120) % 2)
    (folder / "recipe.toml").write_text("[network]\nhidden = [8]\n[training]\nepochs = 10\n", encoding="utf-8")
    arguments = ["--recipe", folder / "recipe.toml", "--data", folder / "bars.npz", "--out", folder / "run"]
    assert main(["sweep", *map(str, arguments)]) == 0
    assert main(["retrain", str(folder / "run")]) == 0
    return folder, images


# -------------------------------------------------------------------------------------------------------- what is said


def test_a_table_has_the_class_and_the_probabilities_that_the_loaded_network_gives(digits, tmp_path, capsys):
    folder, images = digits
    path = write_csv(tmp_path / "test.csv", PIXELS, images[:7].reshape(7, 81).tolist())
    rows, err = predicted(capsys, folder / "run", path)
    mlp = MLP.load(folder / "run" / "retrained" / "model.safetensors")
    X = load_inputs(path).X
    assert err == ""
    assert [row["row"] for row in rows] == list("0123456")
    assert [row["class"] for row in rows] == [str(label) for label in mlp.predict(X)]
    said = np.array([[row["probability_0"], row["probability_1"]] for row in rows], np.float32)
    assert said.tobytes() == mlp.predict_proba(X).tobytes()  # every digit that there is


def test_columns_are_found_by_name_and_those_that_are_no_inputs_are_told(flowers, tmp_path, capsys):
    folder, rows = flowers
    path = write_csv(
        tmp_path / "test.csv", ["PlantId", "kind", "colour", "city", "size"],
        [[70 + number, kind, colour, "Rome", size] for number, (size, colour, kind) in enumerate(rows[:9])],
    )  # fmt: skip
    answers, err = predicted(capsys, folder / "run", path)
    assert list(answers[0]) == ["PlantId", "class", "probability_flax", "probability_iris", "probability_rose"]
    assert [row["PlantId"] for row in answers] == [str(70 + number) for number in range(9)]
    for line in (
        "column `PlantId` names or numbers the rows, and is left out",
        "column `kind` is the label, and is not used",
        "not used: `city`",
    ):
        assert line in err.splitlines()
    mlp = MLP.load(next(folder.glob("run/cells/*/model.safetensors")))
    inputs = load_inputs(path, names=mlp.encoder.names)
    assert [row["class"] for row in answers] == mlp.predict(inputs.X).tolist()
    assert inputs.ids == tuple(row["PlantId"] for row in answers)


def test_a_run_without_a_retrained_network_predicts_with_its_best_one_and_says_so(flowers, capsys):
    folder, _ = flowers
    _, err = predicted(capsys, folder / "run", folder / "train.csv")
    assert f"has no retrained network; taking its best one, {folder.name}" not in err
    assert "has no retrained network; taking its best one, " in err
    assert "which has seen 75 of 90 rows: `fastmlp retrain " in err


def test_json_has_the_same_and_the_notes(flowers, capsys):
    folder, _ = flowers
    answers, _ = predicted(capsys, folder / "run", folder / "train.csv")
    assert main(["predict", str(folder / "run"), str(folder / "train.csv"), "--json"]) == 0
    values = json.loads(capsys.readouterr().out)
    assert (values["answer"], values["rows"], len(values["predictions"])) == ("class", 90, 90)
    assert values["classes"] == ["flax", "iris", "rose"]
    assert "column `kind` is the label, and is not used" in values["notes"]
    for number, (row, one) in enumerate(zip(answers, values["predictions"], strict=True)):
        assert one["row"] == number
        assert one["class"] == row["class"]
        assert [str(np.float32(number)) for number in one["probabilities"]] == list(row.values())[2:]


def test_blocks_of_rows_give_what_all_rows_at_once_give(flowers, capsys, monkeypatch):
    folder, _ = flowers
    whole, _ = predicted(capsys, folder / "run", folder / "train.csv")
    monkeypatch.setattr(predicting, "BLOCK_VALUES", 50)
    monkeypatch.setattr("fastmlp.experiment.prediction_text.BLOCK_ROWS", 7)
    assert predicted(capsys, folder / "run", folder / "train.csv")[0] == whole


def test_a_regression_has_a_value(tmp_path, capsys):
    X = np.arange(30.0).reshape(15, 2)
    mlp = MLP(loss="squared_error", epochs=2, engine="numpy").fit(X, X[:, 0])
    mlp.save(tmp_path / "sum.safetensors")
    np.save(tmp_path / "X.npy", X.astype(np.float32))
    rows, _ = predicted(capsys, tmp_path / "sum.safetensors", tmp_path / "X.npy")
    assert [row["value"] for row in rows] == [str(value) for value in mlp.predict(X)]
    assert main(["predict", str(tmp_path / "sum.safetensors"), str(tmp_path / "X.npy"), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["predictions"][3]["value"] == pytest.approx(float(mlp.predict(X)[3]))
    mlp = MLP(loss="squared_error", epochs=2, engine="numpy").fit(X, X)
    mlp.save(tmp_path / "both.safetensors")
    rows, _ = predicted(capsys, tmp_path / "both.safetensors", tmp_path / "X.npy")
    assert list(rows[0]) == ["row", "value_0", "value_1"]
    assert rows[4]["value_1"] == str(mlp.predict(X)[4, 1])


def test_several_labels_for_a_row_stand_beside_one_another(tmp_path, capsys):
    X = np.eye(4)[np.arange(40) % 4] * 5
    y = np.array([[1, 0, 1], [0, 0, 0], [0, 1, 0], [1, 1, 1]])[np.arange(40) % 4]
    mlp = MLP(loss="binary_cross_entropy", hidden=(16,), epochs=60, learning_rate=0.5, engine="numpy").fit(X, y)
    assert mlp.score(X, y) == 1
    mlp.save(tmp_path / "several.safetensors")
    np.save(tmp_path / "X.npy", X[:4].astype(np.float32))
    rows, _ = predicted(capsys, tmp_path / "several.safetensors", tmp_path / "X.npy")
    assert [row["labels"] for row in rows] == ["0 2", "", "1", "0 1 2"]
    mlp.fit(X, y[:, 0]).save(tmp_path / "one.safetensors")
    rows, _ = predicted(capsys, tmp_path / "one.safetensors", tmp_path / "X.npy")
    assert [row["class"] for row in rows] == ["1", "0", "0", "1"]
    assert [float(row["probability_1"]) for row in rows] == pytest.approx(mlp.predict_proba(X[:4])[:, 0].tolist())


def test_a_network_that_failed_says_so_and_what_is_no_number_is_null(tmp_path, capsys):
    X = np.random.default_rng(0).uniform(-1, 1, (20, 3)).astype(np.float32)
    mlp = MLP(loss="squared_error", epochs=2, engine="numpy").fit(X, X)
    mlp.weights[0][...] = np.nan
    mlp.failure_reason = FailureReason("diverged at epoch 2")
    mlp.save(tmp_path / "lost.safetensors")
    np.save(tmp_path / "X.npy", X)
    rows, err = predicted(capsys, tmp_path / "lost.safetensors", tmp_path / "X.npy")
    assert rows[0]["value_0"] == "nan"
    assert err == f"the training of {tmp_path / 'lost.safetensors'} failed: it diverged at epoch 2\n"
    assert main(["predict", str(tmp_path / "lost.safetensors"), str(tmp_path / "X.npy"), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["predictions"][0]["value"] == [None] * 3


@pytest.mark.parametrize("loss", ["binary_cross_entropy", "squared_error"])
def test_classes_that_were_learned_as_columns_are_classes(flowers, tmp_path, capsys, loss):
    folder, rows = flowers
    (tmp_path / "recipe.toml").write_text(
        f'[network]\nhidden = [8]\nloss = "{loss}"\n[training]\nepochs = 20\n', encoding="utf-8"
    )
    arguments = ["--recipe", tmp_path / "recipe.toml", "--data", folder / "train.csv", "--out", tmp_path / "run"]
    assert main(["sweep", *map(str, arguments), "--label", "kind"]) == 0
    capsys.readouterr()
    answers, _ = predicted(capsys, tmp_path / "run", folder / "train.csv")
    assert list(answers[0]) == ["row", "class", "probability_flax", "probability_iris", "probability_rose"]
    assert np.mean([one["class"] == kind for one, (_, _, kind) in zip(answers, rows, strict=True)]) > 0.5
    said = np.array([list(one.values())[2:] for one in answers], np.float32)
    mlp = MLP.load(next(tmp_path.glob("run/cells/*/model.safetensors")))
    inputs = load_inputs(folder / "train.csv", names=mlp.encoder.names)
    raw = mlp.predict_proba(inputs.X) if loss == "binary_cross_entropy" else mlp.predict(inputs.X)
    assert (raw.max() > 1) == (loss == "squared_error")  # what stands for a probability is cut at 0 and 1
    assert np.array_equal(said, raw.clip(0, 1))


# ------------------------------------------------------------------------------------------------------------ images


def test_a_large_dark_drawing_on_white_is_what_it_shows(digits, tmp_path, capsys):
    folder, _ = digits
    for name, box in (("standing.png", (70, 45, 160, 255)), ("lying.png", (10, 120, 192, 198))):
        sheet = Image.new("RGB", (200, 300), (255, 255, 240))
        sheet.paste((20, 20, 60), box)
        sheet.save(tmp_path / name)
    rows, err = predicted(capsys, folder / "run", tmp_path / "standing.png", tmp_path / "lying.png")
    assert [(row["file"], row["class"]) for row in rows] == [("standing.png", "1"), ("lying.png", "0")]
    assert err == "images become 9 x 9 pixels, light on dark, of which drawings fill 78%\n"
    assert predicted(capsys, folder / "run", tmp_path)[0] == sorted(rows, key=lambda row: row["file"])


def test_a_model_in_the_folder_of_a_run_knows_what_its_images_look_like(digits, tmp_path, capsys):
    folder, _ = digits
    Image.new("L", (90, 90), 255).save(tmp_path / "empty.png")
    model = folder / "run" / "retrained" / "model.safetensors"
    for path in (folder / "run", model, *folder.glob("run/cells/*/model.safetensors")):
        assert "of which drawings fill 78%" in predicted(capsys, path, tmp_path / "empty.png")[1]
    shutil.copy(model, tmp_path / "elsewhere.safetensors")
    _, said = predicted(capsys, tmp_path / "elsewhere.safetensors", tmp_path / "empty.png")
    assert "of which drawings fill 71%" in said
    assert "elsewhere.safetensors is in no run that says what its images look like: assumed like MNIST's" in said


def test_a_model_outside_of_a_run_takes_the_scale_of_images_from_its_inputs(tmp_path, capsys):
    images = np.zeros((60, 9, 9))
    images[::2, 1:8, 3:6], images[1::2, 3:6, 1:8] = 1, 1
    mlp = MLP(hidden=(4,), epochs=20, engine="numpy").fit(images.reshape(60, 81), np.arange(60) % 2)
    mlp.save(tmp_path / "bars.safetensors")
    Image.fromarray(np.uint8(255 - 255 * images[0])).resize((90, 90)).save(tmp_path / "bar.png")
    rows, _ = predicted(capsys, tmp_path / "bars.safetensors", tmp_path / "bar.png")
    X = load_inputs(tmp_path / "bar.png", image_style=ImageStyle((9, 9), high=1.0)).X
    assert X.max() == 1
    assert rows[0]["class"] == "0"
    assert rows[0]["probability_0"] == str(mlp.predict_proba(X)[0, 0])


# ------------------------------------------------------------------------------------------------------- where it goes


def test_a_file_is_written_whole_and_never_over_another_one(digits, tmp_path, capsys, monkeypatch):
    folder, images = digits
    np.save(tmp_path / "X.npy", images.reshape(-1, 81))
    monkeypatch.setenv("FASTMLP_CACHE", str(cache_folder()))  # another home would have no compiled kernels
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    arguments = [folder / "run", tmp_path / "X.npy", "--out", "~/new/p.csv"]
    assert main(["predict", *map(str, arguments)]) == 0
    out = tmp_path / "new" / "p.csv"
    assert capsys.readouterr().out == f"{out}: 120 predictions\n"
    whole = out.read_bytes()
    assert len(whole.splitlines()) == 121
    assert f"{out} is there already; pass --force to replace it" in refused(capsys, *arguments)
    assert main(["predict", *map(str, arguments), "--force", "--json"]) == 0
    assert len(json.loads(out.read_text(encoding="utf-8"))["predictions"]) == 120
    assert [path.name for path in out.parent.iterdir()] == ["p.csv"]


def test_a_reader_that_has_seen_enough_ends_it_quietly(digits, tmp_path):
    folder, images = digits
    np.save(tmp_path / "X.npy", np.tile(images.reshape(-1, 81), (100, 1)))
    command = [sys.executable, "-m", "fastmlp", "predict", str(folder / "run"), str(tmp_path / "X.npy")]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment) as process:
        assert process.stdout.readline().startswith(b"row,class,")
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 0


# ----------------------------------------------------------------------------------------------------- what is refused


@pytest.mark.parametrize(
    ("header", "row", "message"),
    [
        (
            ["size", "color"],
            [1, "red"],
            "test.csv has no column `colour`, which is an input; did you mean",
        ),
        (["size", "colour"], [1, "green"], "column `colour` has 'green' at row 2; expected one of the 2 values"),
        (["size", "colour"], ["", "red"], "row 2"),
        (["size", "colour"], ["large", "red"], "'large'"),
    ],
)
def test_a_file_that_the_network_cannot_read_is_refused_with_its_name(
    flowers, tmp_path, capsys, monkeypatch, header, row, message
):
    monkeypatch.setattr(predicting, "BLOCK_VALUES", 1)  # rows are numbered in the file, not in a block
    good = [[1, "red"], [2, "blue"]] * 1
    path = write_csv(tmp_path / "test.csv", header, [*good, row, *good * 9])
    line = refused(capsys, flowers[0] / "run", path, "--out", tmp_path / "p.csv")
    assert "test.csv" in line
    assert message in line
    assert not (tmp_path / "p.csv").exists()


@pytest.mark.parametrize("part", ["run.json", "recipe.toml", "cells/*/cell.json", "cells/*/history.csv"])
@pytest.mark.parametrize("command", ["predict", "export"])
def test_no_part_of_a_run_is_replaced(digits, tmp_path, capsys, command, part):
    folder, images = digits
    np.save(tmp_path / "X.npy", images.reshape(-1, 81))
    path = next((folder / "run").glob(part))
    (tmp_path / "link").symlink_to(path)
    before, rest = path.read_bytes(), [tmp_path / "X.npy"] if command == "predict" else ["--to", "json"]
    for out in (path, tmp_path / "link"):
        assert main([command, str(folder / "run"), *map(str, rest), "--out", str(out), "--force"]) == 2
        assert f"{out} is a part of a run; choose another --out" in capsys.readouterr().err
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["gone.safetensors", "X.npy"], "gone.safetensors is not there; expected a model file or the folder of a run"),
        (["X.npy", "X.npy"], "X.npy is not a model of fastmlp"),
        (["empty", "X.npy"], "empty holds no sweep"),
        (["RUN", "gone.csv"], "gone.csv is not there"),
        (["RUN", "narrow.npy"], "narrow.npy has 3 features; expected 81, as in training"),
        (["RUN", "X.npy", "X.npy"], "X.npy has no names of its rows; expected images where there are several files"),
        (["RUN", "X.npy", "--out", "empty"], "empty is a folder; expected the name of a file to write"),
        (["RUN", "X.npy", "--out", ""], "argument --out: is empty; expected the name of a file"),
        (["RUN", "X.npy", "--out", "X.npy", "--force"], "X.npy is an input of this command; choose another --out"),
        (
            ["RUN", "X.npy", "--json", "--submission", "s.csv"],
            "argument --submission: not allowed with argument --json",
        ),
        (["RUN", "X.npy", "--threads", "0"], "--threads is 0; expected at least 1"),
        (["RUN"], "the following arguments are required: FILE; see `fastmlp predict --help`"),
    ],
)
def test_a_mistake_is_one_line_and_nothing_is_written(digits, tmp_path, monkeypatch, capsys, arguments, message):
    folder, images = digits
    monkeypatch.chdir(tmp_path)
    np.save("X.npy", images.reshape(-1, 81))
    np.save("narrow.npy", images.reshape(-1, 81)[:, :3])
    (tmp_path / "empty").mkdir()
    before = {path: path.read_bytes() for path in tmp_path.iterdir() if path.is_file()}
    assert message in refused(capsys, *(folder / "run" if word == "RUN" else word for word in arguments))
    assert {path: path.read_bytes() for path in tmp_path.iterdir() if path.is_file()} == before
