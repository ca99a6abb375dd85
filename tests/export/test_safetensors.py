"""A network goes to a safetensors file and comes back as it was."""

import json

import numpy as np
import pytest
from exported_networks import CASES, outputs

from fastmlp import MLP
from fastmlp.errors import InputError

safetensors = pytest.importorskip("safetensors.numpy")


@pytest.fixture
def saved(case, tmp_path):
    return case("a table")[0].export(tmp_path / "net.safetensors")


@pytest.mark.parametrize("name", CASES)
def test_a_network_comes_back_to_the_last_bit(name, case, tmp_path):
    mlp, X = case(name)
    again = MLP.from_safetensors(mlp.export(tmp_path / "net.safetensors"))
    assert outputs(again, X).tobytes() == outputs(mlp, X).tobytes()
    assert again.settings() == mlp.settings()
    assert again.classes.tolist() == mlp.classes.tolist()
    assert again.classes.dtype == mlp.classes.dtype
    assert len(again.history) == 0


def test_the_tensors_are_those_of_a_state_dict_of_pytorch(case, saved):
    tensors = safetensors.load_file(saved)
    mlp = case("a table")[0]
    for number, (W, b) in enumerate(zip(mlp.weights, mlp.biases, strict=True), 1):
        np.testing.assert_array_equal(tensors[f"layer{number}.weight"], W.T)
        np.testing.assert_array_equal(tensors[f"layer{number}.bias"], b)


def changed(path, change):
    """The file with other metadata or tensors."""
    tensors = safetensors.load_file(path)
    data = path.read_bytes()
    metadata = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])["__metadata__"]
    change(metadata, tensors)
    safetensors.save_file(tensors, path, metadata)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda metadata, tensors: metadata.update(settings="{"), "cannot be read"),
        (lambda metadata, tensors: metadata.update(settings="[]"), "cannot be read"),
        (lambda metadata, tensors: metadata.update(classes="[1, 1]"), "cannot be read"),
        (lambda metadata, tensors: metadata.update(inputs="{}"), "inputs cannot be read"),
        (lambda metadata, tensors: metadata.pop("inputs"), "'inputs' is missing"),
        (lambda metadata, tensors: metadata.update(format_version="9"), "has format 9, this fastmlp reads 1"),
        (lambda metadata, tensors: metadata.clear(), "no network of fastmlp"),
        (lambda metadata, tensors: tensors.pop("layer2.bias"), "layer2.bias is missing"),
        (lambda metadata, tensors: tensors.update(more=np.zeros(1)), "more is unknown"),
        (lambda metadata, tensors: tensors.update({"layer1.weight": np.zeros((2, 2))}), "layer1.weight is float64"),
    ],
)
def test_a_file_that_does_not_fit_is_refused_in_one_line(saved, change, message):
    changed(saved, change)
    with pytest.raises(InputError, match=message) as caught:
        MLP.from_safetensors(saved)
    assert str(saved) in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("share", [0, 0.01, 0.3, 0.99])
def test_a_truncated_file_is_refused(saved, share):
    content = saved.read_bytes()
    saved.write_bytes(content[: int(share * len(content))])
    with pytest.raises(InputError, match="cannot be read"):
        MLP.from_safetensors(saved)


def test_what_is_no_file_is_refused(tmp_path):
    with pytest.raises(InputError, match="does not exist"):
        MLP.from_safetensors(tmp_path / "absent.safetensors")
    with pytest.raises(InputError, match="is a folder"):
        MLP.from_safetensors(tmp_path)
