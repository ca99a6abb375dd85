"""`fastmlp warm`: what is compiled before the first fit."""

import json
from pathlib import Path

import numpy as np
import pytest

from fastmlp import MLP
from fastmlp.cli.main import main
from fastmlp.kernels.cache import directory


def kernels():
    return {path.name for path in Path(directory()).glob("*.bin")}


@pytest.mark.slow
def test_a_fit_after_it_compiles_nothing(capsys):
    assert main(["warm", "--json"]) == 0
    out, err = capsys.readouterr()
    found = json.loads(out)
    assert "warning" not in err
    assert found["folder"] == str(directory())
    before = kernels()
    assert found["kernels"] == len(before) >= found["compiled"]

    random = np.random.default_rng(1)
    X = random.standard_normal((300, 5))
    pixels = random.integers(0, 256, (300, 100), dtype=np.uint8) * (random.random((300, 100)) < 0.2)
    labels = random.integers(0, 3, 300)
    weights = random.random(300)
    for network, inputs, y in (
        (MLP(hidden=(20, 10), epochs=2), X, labels),
        (MLP(hidden=(20, 10), epochs=2, optimizer="adam", dropout=0.1), X, labels),
        (MLP(loss="squared_error", epochs=2, activation="tanh", optimizer="rmsprop"), X, X[:, 0]),
        (MLP(epochs=2), pixels, labels),
        (MLP(epochs=2, batch_size=1), X, labels),
        (MLP(epochs=2, batch_size=1), pixels, labels),
        (MLP(hidden=(8,), batch_size=32, epochs=2), X, labels),
        (MLP(hidden=(8,), batch_size=32, epochs=2, optimizer="adam"), pixels, labels),
        (MLP(epochs=2, optimizer="adamw", label_smoothing=0.1, max_norm=2.0), pixels, labels),
        (MLP(epochs=2, augment={"rotation": 5.0, "alpha": 8.0, "sigma": 3.0}), pixels, labels),
    ):
        network.fit(inputs[:200], y[:200], (inputs[200:], y[200:]), sample_weight=weights[:200])
        network.predict(inputs)
        network.predict(inputs[:1])
    assert kernels() == before
    assert main(["warm"]) == 0
    assert capsys.readouterr().out.startswith(f"no kernel had to be compiled; {len(before)} for a CPU like this one")


def test_a_cache_that_cannot_be_written_is_one_line(monkeypatch, tmp_path, capsys):
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("FASTMLP_CACHE", str(tmp_path / "file"))
    assert main(["warm"]) == 2
    assert capsys.readouterr().err.startswith(f"fastmlp: error: {tmp_path / 'file'}")
