"""Files that earlier versions wrote are still read, and their networks predict what they did."""

import json

import numpy as np
import pytest
from exported_networks import outputs
from golden_models import FOLDER, inputs_of
from model_files import texts, with_model

from fastmlp import MLP

FILES = sorted(path for path in FOLDER.iterdir() if path.suffix != ".json")


def test_there_are_golden_models():
    assert len(FILES) >= 3


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_a_network_that_an_earlier_version_wrote_predicts_what_it_did(path):
    golden = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
    mlp, X = MLP.load(path), inputs_of(golden)
    np.testing.assert_allclose(outputs(mlp, X), golden["outputs"], rtol=0, atol=1e-6)
    assert mlp.predict(X).tolist() == golden["predictions"]


def test_a_file_may_lack_a_setting_that_came_later():
    data = (FOLDER / "0.1.0-bits.safetensors").read_bytes()
    model, _ = texts(data)
    del model["settings"]["missing"], model["settings"]["epochs"]
    mlp = MLP.from_bytes(with_model(data, model))
    assert mlp.config.missing == "refuse"
    assert mlp.epochs == 50
