import csv
import hashlib
import json

import numpy as np
import pytest
from model_files import tensors, texts

from fastmlp import MLP
from fastmlp.cli.main import main
from fastmlp.data import load
from fastmlp.training.failure import FailureReason


@pytest.fixture
def evaluated(retrained, test_file, capsys):
    """The folder of a run that was evaluated once."""
    assert main(["evaluate", str(retrained), "--test", str(test_file)]) == 0
    capsys.readouterr()
    return retrained


def evaluations(folder):
    return json.loads((folder / "evaluation.json").read_text(encoding="utf-8"))["evaluations"]


def probabilities(model, images):
    """The network in a file, applied to images (N, 8, 8) uint8, by its formulas in float64."""
    hidden = {"relu": lambda x: np.maximum(x, 0), "tanh": np.tanh}
    data = model.read_bytes()
    activation = hidden[texts(data)[0]["settings"]["activation"]]
    layers = tensors(data)
    W = [layers[f"layer{number}.weight"].T.astype(float) for number in (1, 2)]
    b = [layers[f"layer{number}.bias"].astype(float) for number in (1, 2)]
    x = images.reshape(len(images), -1) / 255
    scores = activation(x @ W[0] + b[0]) @ W[1] + b[1]
    shares = np.exp(scores - scores.max(axis=1, keepdims=True))
    return shares / shares.sum(axis=1, keepdims=True)


def test_loss_and_accuracy_are_those_of_the_formulas(evaluated, test_file):
    data = np.load(test_file)
    p = probabilities(evaluated / "retrained" / "model.safetensors", data["images"])
    (result,) = evaluations(evaluated)
    assert result["accuracy"] == np.mean(p.argmax(axis=1) == data["labels"])
    assert result["loss"] == pytest.approx(-np.log(p[np.arange(60), data["labels"]]).mean(), rel=1e-5)
    assert result["test"]["rows"] == 60


def test_the_confusion_matrix_counts_every_sample_once(evaluated, test_file):
    data = np.load(test_file)
    given = probabilities(evaluated / "retrained" / "model.safetensors", data["images"]).argmax(axis=1)
    with open(evaluated / "confusion.csv", newline="", encoding="utf-8") as file:
        header, *rows = csv.reader(file)
    assert header[1:] == [row[0] for row in rows] == ["0", "1", "2"]
    for true, row in enumerate(rows):
        assert list(map(int, row[1:])) == [np.sum((data["labels"] == true) & (given == k)) for k in range(3)]


def test_the_mistakes_kept_are_the_most_confident_ones_first(retrained, test_file, tmp_path):
    """With wrong labels there are more mistakes than are kept."""
    data = np.load(test_file)
    images, labels = data["images"], (data["labels"] + 1) % 3
    np.savez(tmp_path / "wrong.npz", images=images, labels=labels)
    assert main(["evaluate", str(retrained), "--test", str(tmp_path / "wrong.npz")]) == 0
    p = probabilities(retrained / "retrained" / "model.safetensors", images)
    given = p.argmax(axis=1)
    certainty = np.where(given == labels, 0, p.max(axis=1))
    with np.load(retrained / "mistakes.npz") as kept:
        rows = kept["rows"]
        assert len(set(rows)) == 25 < np.count_nonzero(certainty)
        np.testing.assert_allclose(kept["certainty"], np.sort(certainty)[:-26:-1], rtol=1e-5)
        np.testing.assert_allclose(kept["certainty"], certainty[rows], rtol=1e-5)
        np.testing.assert_array_equal(kept["true"], labels[rows])
        np.testing.assert_array_equal(kept["given"], given[rows])
        np.testing.assert_array_equal(kept["images"], images[rows])


def test_the_images_and_the_summary_are_there(evaluated):
    (result,) = evaluations(evaluated)
    for name in ("confusion.png", "mistakes.png"):
        assert (evaluated / name).read_bytes().startswith(b"\x89PNG")
    summary = (evaluated / "summary.md").read_text(encoding="utf-8")
    assert f"- Final test accuracy: {result['accuracy']:.4f} on other-bars.npz (60 samples)\n" in summary


def test_a_second_evaluation_is_refused(evaluated, test_file, capsys):
    before = (evaluated / "evaluation.json").read_bytes()
    assert main(["evaluate", str(evaluated), "--test", str(test_file)]) == 2
    err = capsys.readouterr().err
    assert "was evaluated on" in err
    assert "pass --again to evaluate once more" in err
    assert (evaluated / "evaluation.json").read_bytes() == before


def test_a_network_that_died_when_it_was_trained_again_is_said_to_have(retrained, test_file, capsys):
    model, manifest = retrained / "retrained" / "model.safetensors", retrained / "retrained" / "cell.json"
    mlp = MLP.load(model)
    mlp.failure_reason = FailureReason("died: all alike")
    mlp.save(model)
    values = json.loads(manifest.read_text(encoding="utf-8"))
    values["model_sha256"] = hashlib.sha256(model.read_bytes()).hexdigest()
    manifest.write_text(json.dumps(values), encoding="utf-8")
    assert main(["evaluate", str(retrained), "--test", str(test_file)]) == 0
    assert (
        "the training on all rows failed, and the test is of what it left: it died: all alike"
        in capsys.readouterr().out
    )
    assert [one["failure_reason"] for one in evaluations(retrained)] == ["died: all alike"]
    assert main(["predict", str(retrained), str(test_file)]) == 0
    assert f"the training of {model} failed: it died: all alike" in capsys.readouterr().err


def test_evaluating_again_is_recorded(evaluated, test_file):
    assert main(["evaluate", str(evaluated), "--test", str(test_file), "--again"]) == 0
    first, second = evaluations(evaluated)
    assert first["network_digest"] == second["network_digest"]
    assert first["test"]["digest"] == second["test"]["digest"]
    assert "evaluated 2 times" in (evaluated / "summary.md").read_text(encoding="utf-8")


@pytest.fixture
def interrupted(evaluated, test_file):
    """The folder of a run whose second evaluation was interrupted after it was recorded."""
    assert main(["evaluate", str(evaluated), "--test", str(test_file), "--again"]) == 0
    record = json.loads((evaluated / "evaluation.json").read_text(encoding="utf-8"))
    record["evaluations"][1]["finished"] = False
    (evaluated / "evaluation.json").write_text(json.dumps(record), encoding="utf-8")
    return evaluated


def test_an_evaluation_that_was_interrupted_is_finished_and_counts_once(interrupted, test_file):
    (first, _), command = evaluations(interrupted), ["evaluate", str(interrupted), "--test", str(test_file)]
    assert main(command) == 0
    assert evaluations(interrupted)[0] == first
    assert [one["finished"] for one in evaluations(interrupted)] == [True, True]
    assert main(command) == 2


def test_an_evaluation_that_was_interrupted_is_not_finished_with_other_samples(interrupted, test_file, tmp_path):
    data, other = np.load(test_file), tmp_path / "fewer.npz"
    np.savez(other, images=data["images"][:40], labels=data["labels"][:40])
    before, command = evaluations(interrupted), ["evaluate", str(interrupted), "--test", str(other)]
    assert main(command) == 2
    assert evaluations(interrupted) == before
    assert main([*command, "--again"]) == 0
    assert evaluations(interrupted)[:2] == before
    assert [one["test"]["rows"] for one in evaluations(interrupted)] == [60, 60, 40]


def test_the_confusion_matrix_is_printed(retrained, test_file, capsys):
    assert main(["evaluate", str(retrained), "--test", str(test_file)]) == 0
    printed = capsys.readouterr().out
    (result,) = evaluations(retrained)
    assert [list(map(int, line.split()[1:])) for line in printed.splitlines()[5:8]] == result["confusion"]
    assert f"test accuracy {result['accuracy']:.4f}" in printed


def test_the_samples_of_the_training_are_refused(retrained, train_file, capsys):
    assert main(["evaluate", str(retrained), "--test", str(train_file)]) == 2
    assert "is what the network was trained on" in capsys.readouterr().err
    assert not (retrained / "evaluation.json").exists()


def test_samples_of_another_width_are_refused(retrained, tmp_path, capsys):
    path = tmp_path / "wide.npz"
    np.savez(path, images=np.zeros((5, 9, 9), np.uint8), labels=np.arange(5) % 3)
    assert main(["evaluate", str(retrained), "--test", str(path)]) == 2
    assert f"{path} has 81 features; expected 64, as in training" in capsys.readouterr().err
    assert not (retrained / "evaluation.json").exists()


def test_a_class_that_training_never_saw_is_refused(retrained, tmp_path, capsys):
    path = tmp_path / "more.npz"
    np.savez(path, images=np.zeros((5, 8, 8), np.uint8), labels=np.arange(5))
    assert main(["evaluate", str(retrained), "--test", str(path)]) == 2
    message = f"{path} has the label 3 at row 3, out of range; expected one of the 3 classes 0, 1, 2"
    assert message in capsys.readouterr().err
    assert not (retrained / "evaluation.json").exists()


def test_a_file_without_a_test_part_asks_for_one(retrained, train_file, capsys):
    assert main(["evaluate", str(retrained)]) == 2
    assert capsys.readouterr().err == f"fastmlp: error: {train_file} has no test part; pass --test FILE\n"


def test_what_is_wrong_with_a_test_part_is_told_with_its_own_mend(retrained, test_file, tmp_path, capsys):
    data, path = np.load(test_file), tmp_path / "test.npz"
    np.savez(path, x_test=data["images"], y_test=data["labels"] + 0.5)
    assert main(["evaluate", str(retrained), "--test", str(path)]) == 2
    wrong = capsys.readouterr().err
    assert wrong.startswith(f"fastmlp: error: {path} has {data['labels'][0] + 0.5} at row 0; expected one label")


def test_own_data_that_are_damaged_since_are_to_be_copied_anew(tmp_path, train_file, test_file, recipe_file, capsys):
    train, test = np.load(train_file), np.load(test_file)
    both, run = tmp_path / "both.npz", str(tmp_path / "run")
    np.savez(both, x_train=train["images"], y_train=train["labels"], x_test=test["images"], y_test=test["labels"])
    assert main(["sweep", "--data", str(both), "--recipe", str(recipe_file), "--out", run]) == 0
    assert main(["retrain", run]) == 0
    both.write_bytes(both.read_bytes()[:-500])
    capsys.readouterr()
    assert main(["evaluate", run]) == 2
    assert capsys.readouterr().err.endswith("it is damaged or cut short: copy it again\n")


def test_a_file_with_both_parts_gives_its_test_part(tmp_path, train_file, test_file, recipe_file):
    train, test = np.load(train_file), np.load(test_file)
    both = tmp_path / "both.npz"
    np.savez(both, x_train=train["images"], y_train=train["labels"], x_test=test["images"], y_test=test["labels"])
    run = str(tmp_path / "run")
    assert main(["sweep", "--data", str(both), "--recipe", str(recipe_file), "--out", run]) == 0
    assert main(["retrain", run]) == 0
    assert main(["evaluate", run]) == 0
    assert evaluations(tmp_path / "run")[0]["test"]["rows"] == 60


def test_a_network_that_was_not_retrained_is_no_candidate(swept, test_file, capsys):
    assert main(["evaluate", str(swept), "--test", str(test_file)]) == 2
    assert "has no retrained network; run `fastmlp retrain" in capsys.readouterr().err


def test_data_without_images_have_no_sheet_of_mistakes(tmp_path, recipe_file):
    random = np.random.default_rng(0)
    for name, rows in (("train", 120), ("test", 40)):
        y = random.integers(0, 2, rows)
        np.savez(tmp_path / f"{name}.npz", x=random.normal(size=(rows, 5)) + y[:, None], y=y)
    run = tmp_path / "run"
    arguments = ["--data", str(tmp_path / "train.npz"), "--recipe", str(recipe_file), "--out", str(run)]
    assert main(["sweep", *arguments]) == 0
    assert main(["retrain", str(run)]) == 0
    assert main(["evaluate", str(run), "--test", str(tmp_path / "test.npz")]) == 0
    assert (run / "confusion.png").exists()
    assert not (run / "mistakes.png").exists()


def test_sparse_text_whose_test_file_lacks_the_last_columns_is_evaluated(tmp_path, recipe_file):
    random = np.random.default_rng(5)
    for name, rows, columns in (("train", 120, 6), ("test", 40, 4)):
        labels = random.integers(0, 2, rows)
        lines = [f"{2 * y - 1} {1 + y}:1 {3 + random.integers(columns - 2)}:0.5" for y in labels]
        (tmp_path / f"{name}.svm").write_text("\n".join([*lines, f"1 2:1 {columns}:0.5"]) + "\n")
    run = tmp_path / "run"
    arguments = ["--data", str(tmp_path / "train.svm"), "--recipe", str(recipe_file), "--out", str(run)]
    assert main(["sweep", *arguments]) in (0, 3)  # such small networks may die
    assert main(["retrain", str(run)]) == 0
    assert main(["evaluate", str(run), "--test", str(tmp_path / "test.svm")]) == 0
    assert evaluations(run)[0]["accuracy"] == 1


def test_a_test_file_that_lacks_a_class_is_evaluated_by_its_labels(tmp_path, recipe_file):
    """Labels 1, 2 and 3 to train on, and only 1 and 3 to be tested with, in a format that numbers nothing."""
    random = np.random.RandomState(0)

    def write(name, labels):
        lines = [f"{label} 1:{label + random.normal(scale=0.1):.3f} 2:{random.rand():.3f}\n" for label in labels]
        (tmp_path / name).write_text("".join(lines), encoding="utf-8")
        return str(tmp_path / name)

    recipe, run = tmp_path / "small.toml", tmp_path / "run"
    recipe.write_text("[network]\nhidden = [16]\n[training]\nepochs = 60\n", encoding="utf-8")
    train, test = write("a.libsvm", [1, 2, 3] * 60), write("a.t.libsvm", [1, 3] * 20)
    assert main(["run", str(recipe), "--data", train, "--test", test, "--out", str(run)]) == 0
    found = json.loads((run / "evaluation.json").read_text(encoding="utf-8"))["evaluations"][0]
    assert found["class_names"] == ["1", "2", "3"]
    assert [sum(row) for row in found["confusion"]] == [20, 0, 20]
    labels = load(test).y
    given = MLP.load(run / "retrained" / "model.safetensors").predict(load(test).X)
    assert found["accuracy"] == np.mean(given == labels)
    assert found["accuracy"] > 0.6
    assert (run / "confusion.csv").read_text(encoding="utf-8").startswith("true \\ given,1,2,3\n")
