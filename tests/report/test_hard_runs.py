"""Runs that are large, odd, hostile or unfinished: each gives a right page or a clear sentence."""

import json

import numpy as np
import pytest

from fastmlp import MLP
from fastmlp.cli.main import main
from fastmlp.training.advice import split_advice

HOSTILE = "<script>alert(1)</script>\"'&%policy%\x07日本"


@pytest.fixture
def sweep(tmp_path):
    """Runs a recipe's text on a data file; returns the folder of the run."""

    def run(text, data, status=0):
        recipe = tmp_path / "recipe.toml"
        recipe.write_text(text, encoding="utf-8")
        out = tmp_path / "run"
        assert main(["sweep", "--recipe", str(recipe), "--data", str(data), "--out", str(out)]) == status
        return out

    return run


SMALL = "[data]\nvalidation = 0.25\n[network]\nhidden = [6]\n[training]\nepochs = 2\nbatch_size = 20\n"


def test_hostile_names_are_shown_and_do_nothing(evaluated, edited, page):
    def rename_classes(value):
        value["evaluations"][0]["class_names"] = [HOSTILE, "{{ 7 * 7 }}", "$x^{$"]

    def rename_the_rest(value):
        value["recipe"]["title"] = HOSTILE
        value["data"]["name"] = value["data"]["source"] = HOSTILE
        value["cells"][0]["label"] = value["cells"][0]["configuration"] = HOSTILE
        value["notes"] = [HOSTILE]
        value["cells"][0]["diagnoses"] = [{"epoch": 1, "cause": HOSTILE, "sentence": HOSTILE}]

    clean = page(evaluated)
    edited(evaluated / "evaluation.json", rename_classes)
    edited(evaluated / "run.json", rename_the_rest)
    read = page(evaluated)
    assert read.blocks == clean.blocks
    assert read.count("script") == clean.count("script")
    shown = " ".join(HOSTILE.split())
    for section in ("result", "configurations", "curves", "test", "advice", "record"):
        assert shown.partition("\x07")[0] in read.text(section)
    assert "日本" in read.text("test")
    assert "{{ 7 * 7 }}" in read.text("test")
    assert "$x^{$" in read.text("test")


def test_no_finished_sweep_is_one_line(tmp_path, capsys):
    assert main(["report", str(tmp_path / "nowhere")]) == 2
    assert "nowhere is not there; expected the --out of a sweep" in capsys.readouterr().err
    (tmp_path / "run" / "cells").mkdir(parents=True)
    assert main(["report", str(tmp_path / "run")]) == 2
    assert "holds no sweep" in capsys.readouterr().err
    assert not (tmp_path / "run" / "report.html").exists()


def test_a_run_without_cells_says_so(swept, edited, page):
    edited(swept / "run.json", lambda value: value.update(cells=[], best=None))
    read = page(swept)
    assert "No configuration was trained." in read.text("result")
    assert not read.charts()


def test_one_configuration_is_compared_with_none(sweep, train_file, page):
    read = page(sweep(SMALL, train_file))
    assert "is the only configuration" in read.text("result")
    assert "There is only one learning rate, so there is nothing to compare" in read.text("configurations")
    assert len(read.charts("accuracy of")) == len(read.charts("loss of")) == 1


def test_a_configuration_that_diverged_says_why_and_what_to_change(sweep, train_file, page):
    text = f'{SMALL}[grid]\nactivation = ["relu"]\nlearning_rate = [0.1, 1e30]\n'
    out = sweep(text, train_file, status=3)
    (_, failed) = json.loads((out / "run.json").read_text(encoding="utf-8"))["cells"]
    read = page(out)
    assert "Best configuration relu, learning rate 0.1" in read.text("result")
    assert "1 of 2 configurations failed" in read.text("result")
    seen, hints = split_advice(failed["failure_reason"])
    assert f"{seen}. Try {hints[0]}." in read.text("advice")
    assert seen in read.text("curves")
    assert hints[0] not in read.text("curves")
    assert "diverged" in read.text("configurations")


def test_a_sweep_in_which_all_diverged_has_a_page(sweep, train_file, page):
    out = sweep(f'{SMALL}[grid]\nactivation = ["relu"]\nlearning_rate = [1e29, 1e30]\n', train_file, status=1)
    read = page(out)
    assert "None of 2 configurations trained to the end." in read.text("result")
    assert "Best configuration none" in read.text("result")
    assert "fastmlp retrain" not in read.text("result")


def test_200_configurations_get_a_row_each_and_few_charts(swept, edited, page):
    def multiply(value):
        cells = value["cells"]
        value["cells"] = [
            {
                **cells[k % 4],
                "slug": f"number-{k}",
                "label": f"number {k}",
                "group": f"number-{k}",
                "configuration": f"number {k}",
                "settings": {**cells[k % 4]["settings"], "seed": k // 20, "learning_rate": 0.01 * (1 + k % 20)},
                "validation_accuracy": 0.5 + 0.001 * (k * 37 % 200),
            }
            for k in range(200)
        ]

        value["best"] = "number-27"

    edited(swept / "run.json", multiply)
    read = page(swept)
    assert all(f"number {k} " in read.text("configurations") for k in range(200))
    assert len(read.charts("accuracy of")) == 12
    assert len(read.charts("validation accuracy of 200 configurations")) == 1
    assert "The best 12" in read.text("curves")
    # 27 * 37 % 200 is 199, the most there is, and 173 * 37 % 200 is 1.
    assert "number 27 " in read.text("curves")
    assert "number 173 " not in read.text("curves")
    assert len(read.source) < 3_000_000


@pytest.mark.parametrize("count", [26, 1000])
def test_many_classes_have_a_matrix_or_their_most_frequent_mistakes(evaluated, edited, page, count):
    random = np.random.default_rng(0)
    matrix = np.diag(np.full(count, 30)) + random.integers(0, 2, (count, count))
    matrix[3, 5] = 17

    def widen(value):
        value["evaluations"][0].update(confusion=matrix.tolist(), class_names=[f"class {k}" for k in range(count)])

    edited(evaluated / "evaluation.json", widen)
    read = page(evaluated)
    assert len(read.charts("confusion matrix")) == (count == 26)
    assert f"class 3 class 5 17 {17 / matrix[3].sum():.2%}" in read.text("test")
    assert ("matrix of 1000 classes is too large for a page" in read.text("test")) == (count == 1000)
    assert len(read.source) < 1_000_000
    recall = np.diag(matrix) / matrix.sum(axis=1)
    hardest = int(recall.argmin())
    assert f"class {hardest} {matrix[hardest].sum()} {recall[hardest]:.2%}" in read.text("test")


def test_inputs_that_are_no_images_list_the_rows_of_their_mistakes(sweep, tmp_path, page):
    random = np.random.default_rng(0)
    for name, rows in (("train", 120), ("test", 40)):
        y = random.integers(0, 2, rows)
        np.savez(tmp_path / f"{name}.npz", x=random.normal(size=(rows, 5)) + y[:, None], y=y)
    out = sweep(SMALL, tmp_path / "train.npz")
    assert main(["retrain", str(out)]) == 0
    assert main(["evaluate", str(out), "--test", str(tmp_path / "test.npz")]) == 0
    read = page(out)
    labels = np.load(tmp_path / "test.npz")["y"]
    with np.load(out / "mistakes.npz") as mistakes:
        assert len(mistakes["rows"])
        np.testing.assert_array_equal(labels[mistakes["rows"]], mistakes["true"])
        for row, true, given in zip(mistakes["rows"], mistakes["true"], mistakes["given"], strict=True):
            assert f" {row} {true} {given} " in read.text("test")
    assert not read.charts("weights")
    assert "The inputs are not images" in read.text("test")


def test_sparse_census_data_have_a_report(sweep, a9a, page):
    out = sweep(
        "[data]\ntraining = 3000\nvalidation = 1000\n[network]\nhidden = [6]\n[training]\nepochs = 1\n", a9a / "a9a"
    )
    assert main(["retrain", str(out)]) == 0
    assert main(["evaluate", str(out), "--test", str(a9a / "a9a.t")]) == 0
    read = page(out)
    assert "The inputs are not images" in read.text("test")
    assert "123 features, 2 classes" in read.text("")


def test_mistakes_of_an_earlier_evaluation_do_not_stay(evaluated, train_file, tmp_path, page):
    data = np.load(train_file)
    one = int(np.flatnonzero(data["labels"] == 2)[0])
    path = tmp_path / "easy.npz"
    np.savez(path, images=data["images"][one : one + 1], labels=[2])
    names = ("mistakes.npz", "mistakes.png")
    assert all((evaluated / name).exists() for name in names)
    assert main(["evaluate", str(evaluated), "--test", str(path), "--again"]) == 0
    look = json.loads((evaluated / "evaluation.json").read_text(encoding="utf-8"))["evaluations"][-1]
    assert look["accuracy"] == 1
    assert not any((evaluated / name).exists() for name in names)
    assert "There are none: every prediction was right." in page(evaluated).text("test")


def test_lost_files_leave_the_rest_of_the_page(cell_folder, evaluated, page):
    (cell_folder(evaluated, "tanh-0.5") / "history.csv").unlink()
    (evaluated / "mistakes.npz").write_bytes(b"torn")
    read = page(evaluated)
    assert len(read.charts("accuracy of")) == 3
    assert "tanh, learning rate 0.5" in read.text("configurations")
    assert "They were not stored at the evaluation." in read.text("test")


def test_diagnoses_are_told_with_their_epochs(swept, edited, page):
    def diagnose(value):
        value["cells"][1]["diagnoses"] = [{"epoch": 3, "cause": "overfitting", "sentence": "Try a larger l2."}]

    edited(swept / "run.json", diagnose)
    assert "tanh, learning rate 0.05 after epoch 3: Try a larger l2." in page(swept).text("advice")


def test_a_cell_that_failed_for_another_reason_tells_it(swept, edited, page):
    def fail(value):
        cell = value["cells"][3]
        results = ("train_loss", "train_accuracy", "validation_loss", "validation_accuracy", "best_epoch")
        cell.update(dict.fromkeys(results), epochs=0, kept_epoch=0, failure_reason="out of memory")

    edited(swept / "run.json", fail)
    read = page(swept)
    assert "relu, learning rate 0.05 out of memory." in read.text("advice")


def test_an_earlier_best_configuration_that_was_evaluated_is_named(evaluated, edited, page):
    before = json.loads((evaluated / "run.json").read_text(encoding="utf-8"))["best"]
    assert "Trained again on all 200 samples, it classifies" in page(evaluated).text("result")
    edited(evaluated / "run.json", lambda value: value.update(best="relu-0.05"))
    assert before != "relu-0.05"
    told = f"Not it but {before}, the best configuration before the sweep grew, was trained"
    assert told in page(evaluated).text("result")


def test_a_network_of_an_earlier_sweep_with_other_settings_is_not_taken_for_the_best(evaluated, edited, page):
    def train_longer(value):
        for cell in value["cells"]:
            cell["settings"]["epochs"] += 1

    assert "not of this configuration" not in page(evaluated).text("result")
    edited(evaluated / "run.json", train_longer)
    other = "the best configuration of an earlier sweep into this folder, with other settings or rows"
    read = page(evaluated)
    assert f"Not it but {other}, was" in read.text("result")
    assert "Test accuracy, not of this configuration" in read.text("result")
    assert f"The test accuracy, and everything under Test, is of {other}. To evaluate" in read.text("result")


def test_a_network_that_died_when_it_was_trained_again_is_said_to_have(evaluated, edited, page):
    def fail(value):
        value["evaluations"][-1]["failure_reason"] = "died: all alike"

    edited(evaluated / "evaluation.json", fail)
    assert "failed, and the test is of what it left: it died: all alike." in page(evaluated).text("result")


def test_clothes_are_not_to_be_drawn(evaluated, edited, page):
    read = page(evaluated)
    assert read.text("try").startswith("Try it The retrained network is in this page.")
    edited(evaluated / "run.json", lambda value: value["data"].update(name="fashion-mnist"))
    read = page(evaluated)
    assert not read.text("try")
    assert not read.count("canvas") + read.count("a", href="#try")


def test_a_network_too_large_for_the_page_is_not_said_to_be_in_it(evaluated, train_file, page):
    data = np.load(train_file)
    X = data["images"].reshape(len(data["images"]), -1)
    network = MLP(hidden=(6000,), epochs=1, batch_size=200, engine="numpy").fit(X, data["labels"])
    network.save(evaluated / "retrained" / "model.safetensors")
    text = page(evaluated).text("try")
    assert text.startswith("Try it The network has 408,003 weights and biases, too many to embed in a page")
    assert "is in this page" not in text
