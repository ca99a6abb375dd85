"""The page on experiment trackers: its examples run with the real packages, and what these wrote is read back."""

import importlib.util
import json
import os
import re
import struct
import subprocess
import sys
import warnings
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[1] / "docs" / "tracking.md"
BLOCKS = re.findall(r"^```python\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
EPOCHS = 4


def run(block, folder, package):
    """Run an example in a folder, with a tracker that writes into it."""
    if importlib.util.find_spec(package) is None:
        pytest.skip(f"{package} is not installed: `make trackers` installs it")
    # A store in files, which can be read without MLflow, is asked for by name since its version 3.
    settings = {"MLFLOW_TRACKING_URI": (folder / "store").as_uri(), "MLFLOW_ALLOW_FILE_STORE": "true"}
    settings |= {"WANDB_MODE": "offline", "WANDB_SILENT": "true", "WANDB_DIR": str(folder)}
    environment = {**os.environ, **settings, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(
        [sys.executable, "-c", block], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def named(folder):
    """The texts of the files in a folder by their names."""
    return {path.name: path.read_text(encoding="utf-8") for path in folder.iterdir()} if folder.exists() else {}


def mlflow_runs(folder):
    """(folder, parameters, {name: [(step, value)]} of the metrics) of each run in MLflow's store, by the run's name."""
    found = {}
    for path in (folder / "store").glob("*/*/tags/mlflow.runName"):
        run = path.parents[1]
        lines = {name: text.splitlines() for name, text in named(run / "metrics").items()}
        metrics = {name: [(int(line.split()[2]), float(line.split()[1])) for line in lines[name]] for name in lines}
        found[path.read_text(encoding="utf-8")] = (run, named(run / "params"), metrics)
    return found


def wandb_records(folder):
    """The records in the file of the one run of W&B in a folder: blocks of 32 kB, records in parts that fit in them."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from wandb.proto.wandb_internal_pb2 import Record

    (path,) = folder.glob("wandb/offline-run-*/*.wandb")
    data, at, whole = path.read_bytes(), 7, b""
    while at < len(data):
        if (left := 32768 - at % 32768) < 7:
            at += left
            continue
        _, length, kind = struct.unpack("<IHB", data[at : at + 7])
        whole += data[at + 7 : at + 7 + length]
        at += 7 + length
        if kind in (1, 4):  # a whole one, or the last part of one
            record = Record()
            record.ParseFromString(whole)
            yield record
            whole = b""


def values(items):
    return {item.key or ".".join(item.nested_key): json.loads(item.value_json) for item in items}


def test_mlflow_has_the_settings_each_epoch_the_test_results_and_the_model(tmp_path):
    run(BLOCKS[0], tmp_path, "mlflow")
    from fastmlp import MLP

    mlp = MLP.load(tmp_path / "model.safetensors")
    ((folder, parameters, metrics),) = mlflow_runs(tmp_path).values()
    assert parameters == {name: str(value) for name, value in mlp.settings().items()}
    for name in ("learning_rate", "train_loss", "validation_accuracy"):
        assert metrics[name] == list(zip(range(1, EPOCHS + 1), mlp.history[name], strict=True))
    assert 0.1 < metrics["test_accuracy"][0][1] < 1
    assert (folder / "tags" / "failure").read_text() == "none"
    assert (folder / "artifacts" / "model.safetensors").read_bytes() == (tmp_path / "model.safetensors").read_bytes()


def test_wandb_has_the_settings_each_epoch_the_test_results_and_the_model(tmp_path):
    run(BLOCKS[1], tmp_path, "wandb")
    from fastmlp import MLP

    mlp = MLP.load(tmp_path / "model.safetensors")
    config, rows, summary, artifacts = {}, [], {}, []
    for record in wandb_records(tmp_path):
        config |= values([*record.config.update, *record.run.config.update])
        summary |= values(record.summary.update)
        if record.HasField("history"):
            rows.append(values(record.history.item))
        if record.HasField("artifact"):
            artifacts.append((record.artifact.name, [entry.path for entry in record.artifact.manifest.contents]))
    assert {name: config.get(name) for name in mlp.settings()} == json.loads(json.dumps(mlp.settings()))
    assert [row["epoch"] for row in rows] == list(range(1, EPOCHS + 1))
    assert [row["train_loss"] for row in rows] == mlp.history["train_loss"]
    assert 0.1 < summary["test_accuracy"] < 1
    assert summary["failure"] == "none"
    assert ("one-hidden-layer", ["model.safetensors"]) in artifacts


def test_a_finished_sweep_is_logged_from_its_folder(tmp_path, retrained):
    (tmp_path / "runs").mkdir()
    retrained.rename(tmp_path / "runs" / "ee541")
    run(BLOCKS[2], tmp_path, "mlflow")
    from fastmlp.report import read_run

    view = read_run(tmp_path / "runs" / "ee541")
    runs = mlflow_runs(tmp_path)
    assert set(runs) == {view.record.recipe.title, *(cell.label for cell in view.cells)}
    for cell in view.cells:
        _, parameters, metrics = runs[cell.label]
        assert parameters == {name: str(value) for name, value in cell.record.settings.items()}
        assert [value for _, value in metrics["validation_accuracy"]] == cell.history["validation_accuracy"]
    folder, *_ = runs[view.record.recipe.title]
    assert (folder / "artifacts" / "model.safetensors").is_file()
