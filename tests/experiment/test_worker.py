"""What a worker answers, asked in this process."""

import numpy as np
import pytest

from fastmlp import MLP
from fastmlp.data import CSR, Dataset, digest, load_split
from fastmlp.experiment.executors.worker import pack, train_cell
from fastmlp.inputs.table import Table
from fastmlp.utils.digests import engine_version

SETTINGS = {"hidden": [4], "epochs": 2, "batch_size": 10, "learning_rate": 0.1}


@pytest.fixture(scope="module")
def sparse():
    """Training and validation part of 60 sparse rows of three classes."""
    random = np.random.default_rng(0)
    dense = np.where(random.random((60, 12)) < 0.2, random.random((60, 12)), 0).astype(np.float32)
    rows, columns = np.nonzero(dense)
    indptr = np.searchsorted(rows, np.arange(61))
    X, y = CSR(indptr, columns.astype(np.int32), dense[rows, columns], dense.shape), np.arange(60) % 3
    return [Dataset(X[part], y[part], np.arange(3), None, "sparse") for part in (slice(0, 45), slice(45, 60))], dense, y


def task(parts, options=None, **changes):
    known = {"digests": [digest(part) for part in parts], "classes": parts[0].classes}
    known["engine"] = engine_version()
    return {"settings": SETTINGS, "options": options, **known, **changes}


def test_a_cell_on_sparse_rows_that_were_sent_is_the_one_on_the_dense_rows(sparse):
    parts, dense, y = sparse
    kind, image = train_cell(task(parts), pack(parts), threads=1)
    assert kind == "trained"
    alone = MLP(**SETTINGS).fit(dense[:45], y[:45], validation=(dense[45:], y[45:]))
    home = MLP.from_bytes(image)
    assert [W.tobytes() for W in home.weights] == [W.tobytes() for W in alone.weights]
    assert home.history["validation_loss"] == alone.history["validation_loss"]


def test_a_cell_on_a_table_that_was_sent_is_the_one_that_is_trained_here():
    random = np.random.default_rng(0)
    colours = np.array(["red", "green", None] * 20, object)
    X, y = Table(("size", "colour"), (1000 * random.random(60), colours)), np.arange(60) % 3
    parts = [Dataset(X[:45], y[:45], np.arange(3), None, "table"), Dataset(X[45:], y[45:], np.arange(3), None, "table")]
    settings = {**SETTINGS, "missing": "median"}
    kind, image = train_cell(task(parts, settings=settings), pack(parts), threads=1)
    assert kind == "trained"
    alone, home = MLP(**settings).fit(X[:45], y[:45], validation=(X[45:], y[45:])), MLP.from_bytes(image)
    assert home.predict_proba(X).tobytes() == alone.predict_proba(X).tobytes()
    assert home.encoder == alone.encoder


def test_data_are_read_with_the_options_of_the_recipe(train_file):
    options = {"name": str(train_file), "validation": 30, "stratify": True, "training": 100}
    parts = load_split(train_file, validation=30, stratify=True, training=100)
    assert train_cell(task(parts, options), None, threads=1)[0] == "trained"


def test_other_data_and_no_data_at_the_path_are_told_apart_from_a_failure(train_file, test_file, tmp_path):
    parts = load_split(train_file)
    for path, why in ((test_file, "holds other data"), (tmp_path / "absent.npz", "is not there")):
        kind, reason = train_cell(task(parts, {"name": str(path)}), None, threads=1)
        assert kind == "absent"
        assert why in reason


def test_a_worker_with_another_fastmlp_trains_nothing(sparse):
    kind, reason = train_cell(task(sparse[0], engine="0.0.1"), pack(sparse[0]), threads=1)
    assert kind == "failed"
    assert "expected 0.0.1: install that there" in reason


def test_a_training_that_nobody_wants_ends_after_its_epoch(sparse):
    asked = []
    kind, _ = train_cell(task(sparse[0]), pack(sparse[0]), 1, wanted=lambda: asked.append(1))
    assert (kind, len(asked)) == ("failed", 1)
