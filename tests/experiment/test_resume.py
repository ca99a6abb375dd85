"""A sweep given again does what is missing and no more; what cannot be reused is trained anew or refused."""

import csv
import itertools
import json
import shutil

import numpy as np
import pytest
from faults import FailingDisk, bits, run_quickly

from fastmlp import MLP
from fastmlp.cli.main import main
from fastmlp.experiment.executors.thread_plan import Plan

RECIPE = """
title = "Bars"
[data]
validation = 0.25
[network]
hidden = [8]
[training]
batch_size = 20
epochs = 2
[grid]
activation = {activations}
learning_rate = {rates}
"""

MEANING = "inputs: 64 columns, 0 to 198, divided by 255"


@pytest.fixture(autouse=True)
def _quick(monkeypatch):
    run_quickly(monkeypatch)


@pytest.fixture
def sweep(tmp_path, train_file):
    """A function that sweeps a grid into a folder: the exit status."""

    def run(out, *options, activations=("tanh", "relu"), rates=(0.5, 0.05), data=train_file, recipe=RECIPE):
        path = tmp_path / "recipe.toml"
        path.write_text(recipe.format(activations=list(activations), rates=list(rates)), encoding="utf-8")
        arguments = ["sweep", "--recipe", path, "--data", data, "--out", out, *options]
        return main(list(map(str, arguments)))

    return run


def cells(folder):
    """When each cell was finished, by its folder's name."""
    return {path.parent.name: path.stat().st_mtime_ns for path in folder.glob("cells/*/cell.json")}


def rows(folder):
    with open(folder / "table.csv", newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def record(folder):
    return json.loads((folder / "run.json").read_text(encoding="utf-8"))


# ------------------------------------------------------------------------------------------------ what is there already


def test_the_same_sweep_again_trains_nothing(tmp_path, sweep, capsys):
    assert sweep(tmp_path / "run") == 0
    before, made = bits(tmp_path / "run"), cells(tmp_path / "run")
    capsys.readouterr()
    assert sweep(tmp_path / "run") == 0
    assert capsys.readouterr().err == f"{MEANING}\n4 of 4 cells are there already\n"
    assert cells(tmp_path / "run") == made
    assert bits(tmp_path / "run") == before


def test_a_sweep_that_goes_on_keeps_when_it_began_and_adds_what_it_took(tmp_path, sweep):
    """The record is given a beginning and a duration of long ago, which no sweep of today could have."""
    run = tmp_path / "run"
    assert sweep(run) == 0
    versions = {**record(run)["environment"], "numpy": "1.0"}
    begun = {"started": "2001-02-03T04:05:06+00:00", "seconds": 1000.5, "environment": versions}
    (run / "run.json").write_text(json.dumps({**record(run), **begun}), encoding="utf-8")
    before = record(run)
    assert sweep(run) == 0
    assert record(run) == before
    assert sweep(run, rates=(0.5, 0.05, 0.01)) == 0
    grown = record(run)
    assert grown["started"] == begun["started"]
    assert 1000.5 < grown["seconds"] < 2000
    assert grown["environment"] != begun["environment"]
    # What was killed on the way has not forgotten it either.
    unfinished = {name: value for name, value in grown.items() if name not in ("cells", "best")}
    (run / "run.json").write_text(json.dumps({**unfinished, "finished": False}), encoding="utf-8")
    assert sweep(run, rates=(0.5, 0.05, 0.01)) == 0
    assert record(run) == grown
    assert sweep(run, "--seed", "4") == 0
    other = record(run)
    assert other["started"] > begun["started"]
    assert other["seconds"] < 1000


def test_one_learning_rate_more_trains_three_more_cells_of_nine(tmp_path, sweep, capsys):
    three = ("tanh", "relu", "identity")
    assert sweep(tmp_path / "run", activations=three) == 0
    made = cells(tmp_path / "run")
    capsys.readouterr()
    assert sweep(tmp_path / "run", activations=three, rates=(0.5, 0.1, 0.05)) == 0
    assert "6 of 9 cells are there already\nplan: 3 cells" in capsys.readouterr().err
    assert len(cells(tmp_path / "run")) == 9
    assert made.items() <= cells(tmp_path / "run").items()
    assert sweep(tmp_path / "all", activations=three, rates=(0.5, 0.1, 0.05)) == 0
    assert bits(tmp_path / "run") == bits(tmp_path / "all")


def test_a_cell_is_known_under_any_name(tmp_path, sweep, capsys):
    assert sweep(tmp_path / "run") == 0
    made = cells(tmp_path / "run")
    turned = RECIPE.replace("activation = {activations}\n", "") + "activation = {activations}\n"
    turned = turned.replace("[8]", "8").replace("Bars", "Turned")
    assert sweep(tmp_path / "run", recipe=turned) == 0
    assert "4 of 4 cells are there already" in capsys.readouterr().err
    assert cells(tmp_path / "run") == made
    assert [row["configuration"] for row in rows(tmp_path / "run")][:2] == [
        "learning rate 0.5, tanh",
        "learning rate 0.5, relu",
    ]


def test_fewer_cells_again_are_those_of_the_table(tmp_path, sweep):
    assert sweep(tmp_path / "run") == 0
    assert sweep(tmp_path / "run", rates=[0.05]) == 0
    assert [row["configuration"] for row in rows(tmp_path / "run")] == [
        "tanh, learning rate 0.05",
        "relu, learning rate 0.05",
    ]
    assert len(cells(tmp_path / "run")) == 4


@pytest.mark.parametrize(
    "options",
    [["--seed", "4"], ["--epochs", "3"], ["--training", "100"], ["--validation", "40"], ["--stratify"]],
    ids=lambda options: options[0],
)
def test_other_settings_or_samples_make_other_cells(tmp_path, sweep, options):
    assert sweep(tmp_path / "run", rates=[0.5]) == 0
    made = cells(tmp_path / "run")
    assert sweep(tmp_path / "run", *options, rates=[0.5]) == 0
    assert len(cells(tmp_path / "run")) == 4
    assert made.items() < cells(tmp_path / "run").items()
    assert sweep(tmp_path / "alone", *options, rates=[0.5]) == 0
    assert (tmp_path / "run" / "table.csv").read_bytes() == (tmp_path / "alone" / "table.csv").read_bytes()


def test_other_data_are_refused_and_change_nothing(tmp_path, sweep, train_file, capsys):
    data = dict(np.load(train_file))
    np.savez(tmp_path / "mine.npz", **data)
    assert sweep(tmp_path / "run", data=tmp_path / "mine.npz") == 0
    before = {path: path.read_bytes() for path in (tmp_path / "run").rglob("*") if path.is_file()}
    data["images"][7, 0, 0] ^= 1
    np.savez(tmp_path / "mine.npz", **data)
    capsys.readouterr()
    assert sweep(tmp_path / "run", data=tmp_path / "mine.npz") == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "are others" in line
    assert line.endswith("choose another --out")
    assert {path: path.read_bytes() for path in (tmp_path / "run").rglob("*") if path.is_file()} == before


def test_the_same_data_under_another_name_are_the_same(tmp_path, sweep, train_file, capsys):
    assert sweep(tmp_path / "run") == 0
    shutil.copy(train_file, tmp_path / "copy.npz")
    assert sweep(tmp_path / "run", data=tmp_path / "copy.npz") == 0
    assert "4 of 4 cells are there already" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["model.safetensors", "cell.json"])
@pytest.mark.parametrize("damage", ["torn", "flipped", "gone"])
def test_a_damaged_cell_is_trained_again_and_no_other(tmp_path, sweep, capsys, name, damage):
    assert sweep(tmp_path / "run") == 0
    before, made = bits(tmp_path / "run"), cells(tmp_path / "run")
    path = sorted((tmp_path / "run").glob(f"cells/*/{name}"))[2]
    data = bytearray(path.read_bytes())
    data[data.find(b'"identity"') + 20 if name == "cell.json" else len(data) // 2] ^= 1
    if damage == "gone":
        path.unlink()
    else:
        path.write_bytes({"torn": data[:-9], "flipped": data}[damage])
    capsys.readouterr()
    assert sweep(tmp_path / "run") == 0
    assert "3 of 4 cells are there already\nplan: 1 cell" in capsys.readouterr().err
    assert bits(tmp_path / "run") == before
    again = cells(tmp_path / "run")
    assert {cell for cell in made if made[cell] != again[cell]} == {path.parent.name}


def test_a_grid_with_the_same_network_twice_is_refused(tmp_path, sweep, capsys):
    assert sweep(tmp_path / "run", recipe=RECIPE.replace("hidden = [8]", "") + "hidden = [8, [8]]\n") == 2
    assert "are the same network; list each value once" in capsys.readouterr().err
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("left", [b"\xff", None])
def test_a_damaged_history_is_written_anew_and_nothing_is_trained(tmp_path, sweep, capsys, left):
    assert sweep(tmp_path / "run") == 0
    before = bits(tmp_path / "run")
    path = next(tmp_path.glob("run/cells/*/history.csv"))
    text = path.read_bytes()
    path.unlink() if left is None else path.write_bytes(left)
    capsys.readouterr()
    assert sweep(tmp_path / "run") == 0
    assert capsys.readouterr().err == f"{MEANING}\n4 of 4 cells are there already\n"
    assert path.read_bytes() == text
    assert bits(tmp_path / "run") == before


def test_a_damaged_record_of_a_sweep_is_written_anew(tmp_path, sweep, capsys):
    assert sweep(tmp_path / "run") == 0
    before = bits(tmp_path / "run")
    (tmp_path / "run" / "run.json").write_text('{"format": 5, "fini', encoding="utf-8")
    capsys.readouterr()
    assert sweep(tmp_path / "run") == 0
    assert (
        f"run.json is damaged, and is rewritten\n{MEANING}\n4 of 4 cells are there already\n" in capsys.readouterr().err
    )
    assert bits(tmp_path / "run") == before


def test_a_file_of_somebody_else_is_left_alone(tmp_path, sweep, capsys):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "run.json").write_text("no json", encoding="utf-8")
    assert sweep(tmp_path / "run") == 2
    assert "run.json cannot be read" in capsys.readouterr().err
    assert (tmp_path / "run" / "run.json").read_text(encoding="utf-8") == "no json"


def test_a_training_clears_away_what_a_killed_one_was_writing(tmp_path, train_file):
    data = np.load(train_file)
    (tmp_path / "kept").mkdir()
    half = tmp_path / "kept" / ".checkpoint-00000007.1234.0123abcd.bin"
    half.write_bytes(b"half")
    MLP(hidden=(4,), epochs=1).fit(data["images"].reshape(200, 64), data["labels"], checkpoint=tmp_path / "kept")
    assert [path.name for path in (tmp_path / "kept").iterdir()] == ["checkpoint-00000001.bin"]


@pytest.mark.parametrize("plan", [(1, 1), (1, 2), (1, 3), (2, 1), (2, 2), (3, 1), (4, 2)], ids=str)
def test_cores_and_how_they_are_shared_out_change_no_bit(tmp_path, shared, sweep, monkeypatch, plan):
    expected = shared / "one-core"
    if not expected.exists():
        assert sweep(expected, "--threads", "1") == 0
    monkeypatch.setattr("fastmlp.experiment.executors.threads.choose_plan", lambda *_: Plan(*plan))
    assert sweep(tmp_path / "run") == 0
    assert bits(tmp_path / "run") == bits(expected)
    assert sweep(tmp_path / "run", "--threads", str(plan[1]), rates=(0.5, 0.05, 0.1)) == 0
    assert len(cells(tmp_path / "run")) == 6


# ----------------------------------------------------------------------------------------------------- cells that crash


@pytest.fixture
def no_memory_for(monkeypatch):
    """A function that lets training run out of memory for these activations."""
    fit = MLP.fit

    def set_activations(*names):
        def failing(self, *arguments, checkpoint=None, **options):
            if checkpoint is not None and self.activation in names:
                raise MemoryError("Unable to allocate\n9 GiB")
            return fit(self, *arguments, checkpoint=checkpoint, **options)

        monkeypatch.setattr(MLP, "fit", failing)

    return set_activations


def test_a_cell_that_crashes_is_marked_with_its_reason_and_the_others_go_on(tmp_path, sweep, no_memory_for, capsys):
    assert sweep(tmp_path / "expected") == 0
    no_memory_for("tanh")
    capsys.readouterr()
    assert sweep(tmp_path / "run") == 3
    reason = "failed: MemoryError: Unable to allocate 9 GiB"
    assert [row["note"] for row in rows(tmp_path / "run")] == [reason, reason, "best", ""]
    assert [cell["failure_reason"] for cell in record(tmp_path / "run")["cells"]] == [reason, reason, None, None]
    for text in (capsys.readouterr().out, (tmp_path / "run" / "summary.md").read_text(encoding="utf-8")):
        assert f"tanh, learning rate 0.5 {reason}" in text
    no_memory_for()
    assert sweep(tmp_path / "run") == 0
    assert "2 of 4 cells are there already" in capsys.readouterr().err
    assert bits(tmp_path / "run") == bits(tmp_path / "expected")


def test_when_all_cells_crash_the_status_is_one_and_the_same_command_tries_again(tmp_path, sweep, no_memory_for):
    no_memory_for("tanh", "relu")
    assert sweep(tmp_path / "run") == 1
    assert record(tmp_path / "run")["best"] is None
    assert len(rows(tmp_path / "run")) == 4
    no_memory_for()
    assert sweep(tmp_path / "run") == 0


def test_a_retraining_that_crashes_is_one_line_and_can_be_given_again(swept, no_memory_for, capsys):
    no_memory_for("tanh", "relu")
    assert main(["retrain", str(swept)]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.endswith(", all rows failed: MemoryError: Unable to allocate 9 GiB")
    assert not list(swept.glob("retrained/*.*"))
    no_memory_for()
    assert main(["retrain", str(swept)]) == 0


def test_a_cell_that_diverged_is_not_trained_again(tmp_path, sweep, capsys):
    for _ in range(2):
        assert sweep(tmp_path / "run", activations=["relu"], rates=[1e30, 0.1]) == 3
    assert capsys.readouterr().err.endswith("2 of 2 cells are there already\n")
    assert rows(tmp_path / "run")[0]["note"].startswith(("diverged: ", "died: "))


# ---------------------------------------------------------------------------------- retraining, evaluation, whole runs


def test_a_damaged_retrained_network_is_not_evaluated_and_can_be_trained_again(retrained, test_file, capsys):
    before, model = bits(retrained), retrained / "retrained" / "model.safetensors"
    data = bytearray(model.read_bytes())
    data[-5] ^= 8
    model.write_bytes(data)
    assert main(["evaluate", str(retrained), "--test", str(test_file)]) == 2
    assert "has no retrained network" in capsys.readouterr().err
    assert main(["retrain", str(retrained)]) == 0
    assert bits(retrained) == before


def test_an_evaluation_takes_no_network_of_an_earlier_best_cell(tmp_path, sweep, test_file, capsys):
    run = tmp_path / "run"
    assert sweep(run, activations=["tanh"], rates=[1e-6]) == 0
    assert main(["retrain", str(run)]) == 0
    assert sweep(run, activations=["tanh"], rates=[1e-6, 0.5]) == 0
    capsys.readouterr()
    assert main(["evaluate", str(run), "--test", str(test_file)]) == 2
    assert "the best cell of the sweep is now tanh-0.5" in capsys.readouterr().err
    assert not (run / "evaluation.json").exists()


def test_the_summary_says_when_an_evaluation_is_of_an_earlier_best_cell(tmp_path, sweep, test_file):
    run = tmp_path / "run"
    assert sweep(run, activations=["tanh"], rates=[1e-6]) == 0
    assert main(["retrain", str(run)]) == 0
    assert main(["evaluate", str(run), "--test", str(test_file)]) == 0
    assert "before the sweep grew" not in (run / "summary.md").read_text(encoding="utf-8")
    assert sweep(run, activations=["tanh"], rates=[1e-6, 0.5]) == 0
    assert ", of tanh-1e-06, the best configuration before the sweep grew\n" in (run / "summary.md").read_text(
        encoding="utf-8"
    )


def test_the_summary_says_when_an_evaluation_is_of_the_best_cell_with_other_settings(
    tmp_path, sweep, test_file, capsys
):
    run = tmp_path / "run"
    assert sweep(run, activations=["tanh"], rates=[0.5]) == 0
    assert main(["retrain", str(run)]) == 0
    assert main(["evaluate", str(run), "--test", str(test_file)]) == 0
    assert "an earlier sweep" not in (run / "summary.md").read_text(encoding="utf-8")
    assert sweep(run, "--seed", "5", activations=["tanh"], rates=[0.5]) == 0
    summary = (run / "summary.md").read_text(encoding="utf-8")
    assert ", of the best configuration of an earlier sweep into this folder, with other settings or rows\n" in summary
    assert f"delete {run / 'retrained'}, then retrain" in capsys.readouterr().out
    assert main(["retrain", str(run)]) == 2
    assert "the best cell of the sweep is now tanh-0.5 with other settings or rows; delete" in capsys.readouterr().err


def test_a_run_without_out_goes_on_in_its_folder_wherever_it_was_interrupted(
    tmp_path, train_file, test_file, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "small.toml").write_text(RECIPE.format(activations=["tanh"], rates=[0.5]), encoding="utf-8")
    arguments = ["run", "small.toml", "--data", str(train_file), "--test", str(test_file)]
    for times in itertools.count():
        disk = FailingDisk(1 + 9 * times)
        with monkeypatch.context() as patch:
            patch.setattr("fastmlp.utils.atomic_files.os", disk)
            status = main(arguments)
        assert status == (0 if disk.spared else 2)
        assert [path.name for path in (tmp_path / "runs").iterdir()] in ([], ["small"])
        if disk.spared:
            break
    assert times > 4
    looks = json.loads((tmp_path / "runs" / "small" / "evaluation.json").read_text(encoding="utf-8"))["evaluations"]
    assert len(looks) == 1
    assert main(arguments) == 0
    assert sorted(path.name for path in (tmp_path / "runs").iterdir()) == ["small", "small-2"]
