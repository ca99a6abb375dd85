"""Files that earlier versions wrote are still read, and their networks predict what they did."""

import json

import h5py
import numpy as np
import pytest
from exported_networks import outputs
from golden_models import FOLDER, inputs_of, load

from fastmlp import MLP

FILES = sorted(path for path in FOLDER.iterdir() if path.suffix != ".json")


def test_there_are_files_of_each_kind():
    assert {path.suffix for path in FILES} == {".h5", ".safetensors"}
    assert len(FILES) >= 6


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_a_network_that_an_earlier_version_wrote_predicts_what_it_did(path):
    if path.suffix == ".safetensors":
        pytest.importorskip("safetensors")
    golden = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
    mlp, X = load(path), inputs_of(golden)
    np.testing.assert_allclose(outputs(mlp, X), golden["outputs"], rtol=0, atol=1e-6)
    assert mlp.predict(X).tolist() == golden["predictions"]


def test_a_file_may_lack_a_setting_that_came_later(tmp_path):
    path = tmp_path / "model.h5"
    path.write_bytes((FOLDER / "0.1.0-bits.h5").read_bytes())
    with h5py.File(path, "r+") as file:
        settings = json.loads(file.attrs["settings"])
        del settings["missing"], settings["epochs"]
        file.attrs["settings"] = json.dumps(settings)
    assert MLP.load(path).config.missing == "refuse"
    assert MLP.load(path).epochs == 50
