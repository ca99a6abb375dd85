"""What a report says of a run that went well."""

import base64
import csv
import hashlib
import json
import re
import shutil
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from scipy.stats import binomtest

from fastmlp import MLP
from fastmlp.cli.main import main
from fastmlp.report import findings, write_report


def record(folder):
    return json.loads((folder / "run.json").read_text(encoding="utf-8"))


def evaluations(folder):
    return json.loads((folder / "evaluation.json").read_text(encoding="utf-8"))["evaluations"]


def test_the_first_screen_tells_the_best_how_good_it_is_and_whether_to_trust_it(evaluated_once, evaluated_page):
    text = evaluated_page.text("result")
    run, (evaluation,) = record(evaluated_once), evaluations(evaluated_once)
    best = max(run["cells"], key=lambda cell: (cell["validation_accuracy"], -cell["validation_loss"]))
    assert f"Best configuration {best['label']}" in text
    assert f"Validation accuracy {best['validation_accuracy']:.2%}" in text
    assert f"Test accuracy {evaluation['accuracy']:.2%}" in text
    assert f"The test data were used once, on {evaluation['time'][:10]}" in text
    assert "is the one that was evaluated: their digests agree" in text


def test_the_table_has_the_figures_of_every_configuration(evaluated_once, evaluated_page):
    text = evaluated_page.text("configurations")
    for cell in record(evaluated_once)["cells"]:
        gap = (cell["train_accuracy"] - cell["validation_accuracy"]) * 100
        row = (
            f"{cell['label']} {cell['validation_accuracy']:.2%} {cell['train_accuracy']:.2%} {gap:.2f} "
            f"{cell['validation_loss']:.4f} {cell['train_loss']:.4f} {cell['best_epoch']} "
        )
        assert row in text


def test_the_values_beside_a_curve_are_those_of_its_history(evaluated_once, evaluated_page):
    read = evaluated_page
    for number, cell in enumerate(record(evaluated_once)["cells"]):
        with open(evaluated_once / "cells" / cell["folder"] / "history.csv", newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        accuracy, loss = read.data[2 * number : 2 * number + 2]
        assert accuracy["epoch"] == loss["epoch"] == [int(row["epoch"]) for row in rows]
        for part, line in zip(("train", "validation"), accuracy["lines"], strict=True):
            assert line["text"] == [f"{float(row[f'{part}_accuracy']):.2%}" for row in rows]
        for part, line in zip(("train", "validation"), loss["lines"], strict=True):
            assert line["text"] == [f"{float(row[f'{part}_loss']):.4f}" for row in rows]
            # On a falling curve, lower values are further down.
            values = np.array([float(row[f"{part}_loss"]) for row in rows])
            assert np.argsort(-values).tolist() == np.argsort(line["y"]).tolist()
        assert np.diff(accuracy["x"]).min() > 0


def test_each_curve_marks_where_the_learning_rate_decays(evaluated_page):
    source = evaluated_page.source
    (chart,) = re.findall(r'<svg[^>]*aria-label="accuracy of tanh, learning rate 0.5 .*?</svg>', source, re.DOTALL)
    upright = re.findall(r'<path d="M ([\d.]+) [\d.]+ +L \1 [\d.]+ *"[^>]*stroke-dasharray', chart)
    assert len(upright) == 2


def test_the_page_says_when_the_training_set_was_measured(swept, page, evaluated_page):
    assert "Training curves: measured after each epoch." in evaluated_page.text("curves")
    run = swept / "run.json"
    full, running = '"train_metrics": "full"', '"train_metrics": "running"'
    run.write_text(run.read_text(encoding="utf-8").replace(full, running), encoding="utf-8")
    read = page(swept)
    assert "Training curves: measured during each epoch." in read.text("curves")
    said = "those of the training set were measured during the epoch"
    assert said in read.text("configurations")
    assert said not in evaluated_page.text("configurations")


def test_test_results_are_those_of_the_evaluation(evaluated_once, evaluated_page):
    text, (evaluation,) = evaluated_page.text("test"), evaluations(evaluated_once)
    matrix = np.array(evaluation["confusion"])
    for number, (recall, precision) in enumerate(
        zip(np.diag(matrix) / matrix.sum(1), np.diag(matrix) / matrix.sum(0), strict=True)
    ):
        assert f" {number} {matrix[number].sum()} {recall:.2%} {precision:.2%}" in text
    wrong = [(int(matrix[t, g]), t, g) for t in range(3) for g in range(3) if t != g and matrix[t, g]]
    assert wrong
    for count, true, given in wrong:
        assert f" {true} {given} {count} {count / matrix[true].sum():.2%}" in text


def test_the_digests_and_the_versions_are_told(evaluated_once, evaluated_page):
    text, run, (evaluation,) = evaluated_page.text("record"), record(evaluated_once), evaluations(evaluated_once)
    for expected in (
        run["data"]["digest"],
        evaluation["test"]["digest"],
        evaluation["network_digest"],
        f"numba {run['environment']['numba']}",
        run["environment"]["platform"],
        "ms per epoch of the retraining",
    ):
        assert expected in text


def test_worst_mistakes_and_weights_are_images(evaluated_page):
    read = evaluated_page
    assert len(read.charts("the ")) == 1
    assert len(read.charts("weights of the first layer")) == 1
    assert read.count("image") == 3  # and the confusion matrix


def test_more_units_than_fit_are_said_to_be_left_out(evaluated, train_file, page):
    data = np.load(train_file)
    X = data["images"].reshape(len(data["images"]), -1)
    for width, said in (
        (64, "into each unit of the first layer"),
        (100, "into 64 of the 100 units of the first layer"),
    ):
        network = MLP(hidden=(width,), epochs=1, engine="numpy").fit(X, data["labels"])
        network.save(evaluated / "retrained" / "model.safetensors")
        assert said in page(evaluated).text("weights")


def test_every_evaluation_is_listed(evaluated, test_file, page):
    assert main(["evaluate", str(evaluated), "--test", str(test_file), "--again"]) == 0
    read, evaluations_made = page(evaluated), evaluations(evaluated)
    assert "The test data were used 2 times. Only the first evaluation is unbiased: " in read.text("result")
    for evaluation in evaluations_made:
        time = evaluation["time"].replace("T", " ").replace("+00:00", " UTC")
        assert f"{time} other-bars.npz 60 {evaluation['accuracy']:.2%}" in read.text("test")


def test_the_report_needs_neither_the_data_nor_another_file(evaluated, evaluated_page, page, monkeypatch):
    for name in ("curves.png", "mistakes.png", "confusion.csv", "summary.md", "table.csv"):
        (evaluated / name).unlink()

    def closed(*arguments, **options):
        raise AssertionError("a report opens no data")

    monkeypatch.setattr("fastmlp.data.load", closed)
    monkeypatch.setattr("fastmlp.experiment.evaluate.load", closed)
    assert page(evaluated).source == evaluated_page.source


def test_the_same_run_gives_the_same_page_in_any_thread(evaluated, evaluated_page):
    folders = [evaluated, shutil.copytree(evaluated, evaluated.with_name("copy"))]
    with ThreadPoolExecutor(2) as threads:
        pages = [path.read_text(encoding="utf-8") for path in threads.map(write_report, folders)]
    assert pages == [evaluated_page.source] * 2


def test_nothing_but_the_pages_own_style_and_script_may_run(evaluated_page):
    read = evaluated_page
    (policy,) = [a["content"] for t, a in read.elements if a.get("http-equiv") == "Content-Security-Policy"]
    assert policy.startswith("default-src 'none';")
    allowed = {tag: set(re.search(rf"{tag}-src ([^;]*);", policy)[1].split()) for tag in ("style", "script")}
    found = {"style": set(), "script": set()}
    for tag, block in read.blocks:
        found[tag].add(f"'sha256-{base64.b64encode(hashlib.sha256(block.encode()).digest()).decode()}'")
    assert found == allowed


def test_a_sweep_alone_says_that_no_test_data_were_used(swept, page):
    read = page(swept)
    assert "No test data were used yet" in read.text("result")
    assert "run fastmlp retrain" in read.text("result")
    assert not read.text("test")
    assert read.charts("weights of the first layer")


def test_a_retrained_run_asks_for_its_evaluation(swept, page):
    assert main(["retrain", str(swept)]) == 0
    assert "run fastmlp evaluate" in page(swept).text("result")


def test_another_network_than_the_one_evaluated_is_noticed(cell_folder, evaluated, page):
    shutil.copy(
        cell_folder(evaluated, "relu-0.05") / "model.safetensors", evaluated / "retrained" / "model.safetensors"
    )
    assert "is not the one that was evaluated: their digests differ" in page(evaluated).text("result")
    (evaluated / "retrained" / "model.safetensors").unlink()
    assert "is no longer in this folder" in page(evaluated).text("result")


def test_settings_are_listed_with_what_was_tried(evaluated_page):
    text = evaluated_page.text("settings")
    assert "64-8-3 (1 hidden layer and the softmax output)" in text
    assert "decay_epochs [2, 3]" in text
    assert "tanh; relu" in text
    assert "0.5; 0.05" in text


def test_run_ends_with_its_report(tmp_path, train_file, test_file, recipe_file, capsys):
    out = tmp_path / "run"
    arguments = [str(recipe_file), "--data", str(train_file), "--test", str(test_file), "--out", str(out)]
    assert main(["run", *arguments]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == str(out / "report.html")
    first = (out / "report.html").read_bytes()
    assert main(["report", str(out)]) == 0
    assert capsys.readouterr().out == f"{out / 'report.html'}\n"
    assert (out / "report.html").read_bytes() == first


@pytest.mark.parametrize(("hits", "rows"), [(9759, 10_000), (0, 20), (20, 20), (1, 3)])
def test_the_interval_is_wilsons(hits, rows):
    expected = binomtest(hits, rows).proportion_ci(0.95, method="wilson")
    np.testing.assert_allclose(
        findings.interval(hits / rows, rows), (expected.low, expected.high), rtol=1e-6, atol=1e-12
    )
