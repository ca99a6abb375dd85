"""A saved network is the network, any reader of safetensors reads it, and what is no model is refused by name."""

import json
import os
from concurrent.futures import ThreadPoolExecutor

import h5py
import numpy as np
import pytest
import safetensors
import safetensors.numpy
from exported_networks import CASES, outputs
from model_files import parts, sealed, tensors, texts, with_model

from fastmlp import MLP
from fastmlp.errors import InputError, InputTypeError


@pytest.fixture(scope="module")
def trained():
    random = np.random.RandomState(0)
    X, y = random.standard_normal((40, 5)), np.array([-1, 4, 9])[np.arange(40) % 3]
    settings = {"hidden": (6, 3), "activation": ("tanh", "relu"), "epochs": 3, "decay_epochs": (2,), "momentum": 0.5}
    return MLP(engine="numpy", dtype="float64", **settings).fit(X, y, validation=(X, y)), X, y


@pytest.fixture
def saved(trained, tmp_path):
    path = tmp_path / "model.safetensors"
    trained[0].save(path)
    return path


def complaint(path):
    with pytest.raises(InputError, match=r"MLP\.save|fastmlp") as caught:
        MLP.load(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)
    return str(caught.value)


# ------------------------------------------------------------------------------------------------- there and back


@pytest.mark.skipif(os.name == "nt", reason="links need special rights on Windows")
def test_a_link_stays_one_to_what_was_saved(trained, tmp_path):
    (tmp_path / "models").mkdir()
    link = tmp_path / "latest.safetensors"
    link.symlink_to("models/first.safetensors")
    for _ in range(2):  # where there is nothing yet, and over what was there
        trained[0].save(link)
        assert link.is_symlink()
        assert (tmp_path / "models" / "first.safetensors").read_bytes() == trained[0].to_bytes()
    trained[0].export(link, to="json")
    assert json.loads((tmp_path / "models" / "first.safetensors").read_text())
    link.unlink()
    link.symlink_to(link)
    with pytest.raises(InputError, match="loop of links"):
        trained[0].save(link)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_loaded_network_is_the_one_that_was_saved(trained, tmp_path, dtype):
    _, X, y = trained
    mlp = MLP(hidden=(6, 3), epochs=2, dtype=dtype, init_scale=0.7, threads=1, engine="numpy").fit(X, y)
    mlp.save(tmp_path / "new" / "model.safetensors")
    again = MLP.load(tmp_path / "new" / "model.safetensors")
    assert again.settings() == mlp.settings()
    assert again.classes.tolist() == mlp.classes.tolist() == [-1, 4, 9]
    for ours, theirs in zip((*mlp.weights, *mlp.biases), (*again.weights, *again.biases), strict=True):
        assert ours.dtype == theirs.dtype == dtype
        assert ours.tobytes() == theirs.tobytes()
    assert again.history.to_csv() == mlp.history.to_csv()
    assert again.predict_proba(X).tobytes() == mlp.predict_proba(X).tobytes()
    assert again.score(X, y) == mlp.score(X, y)
    assert again.failure_reason == mlp.failure_reason


@pytest.mark.parametrize("name", CASES)
def test_a_network_of_every_kind_comes_back_to_the_last_bit(name, case):
    mlp, X = case(name)
    again = MLP.from_bytes(mlp.to_bytes())
    assert outputs(again, X).tobytes() == outputs(mlp, X).tobytes()
    assert again.settings() == mlp.settings()
    assert again.classes.tolist() == mlp.classes.tolist()
    assert again.classes.dtype == mlp.classes.dtype
    assert again.to_bytes() == mlp.to_bytes()


def test_a_network_goes_through_bytes_as_through_a_file_in_several_threads_at_once(trained, saved):
    with ThreadPoolExecutor(4) as team:
        images = list(team.map(MLP.to_bytes, [trained[0]] * 12))
    assert set(images) == {saved.read_bytes()}
    assert MLP.from_bytes(images[0]).history.to_csv() == MLP.load(saved).history.to_csv()


def test_a_network_without_hidden_layers_round_trips(trained, tmp_path):
    _, X, y = trained
    mlp = MLP(hidden=(), epochs=1, engine="numpy").fit(X, y)
    mlp.save(tmp_path / "model.safetensors")
    assert MLP.load(tmp_path / "model.safetensors").predict_proba(X).tobytes() == mlp.predict_proba(X).tobytes()


def test_a_loaded_network_can_be_trained_again(trained, saved):
    mlp, X, y = trained
    assert MLP.load(saved).fit(X, y).weights[0].tobytes() == mlp.weights[0].tobytes()


def test_a_history_that_is_not_finite_comes_back(trained):
    _, X, y = trained
    mlp = MLP(hidden=(6,), epochs=4, learning_rate=1e30).fit(X, y)
    assert not np.isfinite(mlp.history["train_loss"]).all()
    again = MLP.from_bytes(mlp.to_bytes())
    assert again.history.to_csv() == mlp.history.to_csv()
    assert again.failure_reason == mlp.failure_reason
    assert mlp.failure_reason.kind == again.failure_reason.kind == "diverged"


# --------------------------------------------------------------------------------------- what other programs see


@pytest.mark.parametrize("name", CASES)
def test_the_safetensors_library_reads_layers_in_the_orientation_of_pytorch(name, case, tmp_path):
    mlp, _ = case(name)
    mlp.save(tmp_path / "net.safetensors")
    with safetensors.safe_open(tmp_path / "net.safetensors", "numpy") as file:
        assert json.loads(file.metadata()["model"])["settings"]["hidden"] == list(mlp.hidden)
        for number, (W, b) in enumerate(zip(mlp.weights, mlp.biases, strict=True), 1):
            np.testing.assert_array_equal(file.get_tensor(f"layer{number}.weight"), W.T, strict=True)
            np.testing.assert_array_equal(file.get_tensor(f"layer{number}.bias"), b, strict=True)
        assert len([*file.keys()]) == 2 * len(mlp.weights)


def test_the_metadata_have_the_history_as_its_csv_and_the_rest_as_json(trained, saved):
    model, history = texts(saved.read_bytes())
    mlp = trained[0]
    assert history == mlp.history.to_csv()
    assert (model["classes"], model["failure_reason"], model["inputs"]["numbers"]) == ([-1, 4, 9], None, 5)


def test_tensors_begin_where_eight_bytes_do(saved):
    assert int.from_bytes(saved.read_bytes()[:8], "little") % 8 == 0


# ------------------------------------------------------------------------------------------------- what is refused


def test_a_missing_file_is_refused(tmp_path):
    assert "does not exist" in complaint(tmp_path / "model.safetensors")


def test_a_folder_is_not_said_to_be_missing(tmp_path):
    assert f"{tmp_path} is a folder; expected a model file" in complaint(tmp_path)


@pytest.mark.parametrize("share", [0, 0.01, 0.5, 0.9, 0.999])
def test_a_truncated_file_is_refused(saved, share):
    content = saved.read_bytes()
    saved.write_bytes(content[: int(share * len(content))])
    assert ("it was cut short, damaged or changed" if share > 0.1 else "not a model of fastmlp") in complaint(saved)


def test_a_file_with_something_behind_it_is_refused(saved):
    saved.write_bytes(saved.read_bytes() + b"\0")
    assert "it was cut short, damaged or changed" in complaint(saved)


def test_every_changed_byte_is_noticed(saved):
    content = bytearray(saved.read_bytes())
    for place in range(len(content)):
        content[place] ^= 0x20
        with pytest.raises(InputError):
            MLP.from_bytes(bytes(content))
        content[place] ^= 0x20
    assert MLP.from_bytes(bytes(content)).classes.tolist() == [-1, 4, 9]


def test_text_is_refused(tmp_path):
    path = tmp_path / "model.safetensors"
    path.write_text("not a model\n" * 100)
    assert "not a model of fastmlp" in complaint(path)


def test_an_hdf5_file_is_refused_with_what_to_do(tmp_path):
    path = tmp_path / "model.h5"
    with h5py.File(path, "w") as file:
        file["weights/0"], file.attrs["format"] = np.zeros((3, 2)), "fastmlp-model"
    assert complaint(path) == (
        f"{path} is an HDF5 file, and models are safetensors files; expected a file written by MLP.save: train it again"
    )


def test_safetensors_of_other_programs_are_refused_with_what_takes_them(tmp_path):
    path = tmp_path / "other.safetensors"
    safetensors.numpy.save_file({"layer1.weight": np.zeros((3, 2))}, path, {"format": "pt"})
    assert "not a model of fastmlp" in complaint(path)
    assert "MLP.from_weights takes the arrays of others" in complaint(path)


@pytest.mark.parametrize(("version", "hint"), [("99", "install a newer fastmlp"), ("4", "train it again")])
def test_another_version_of_the_format_is_refused_by_its_number(saved, version, hint):
    saved.write_bytes(saved.read_bytes().replace(b'"format_version":"5"', f'"format_version":"{version}"'.encode()))
    assert complaint(saved).endswith(f"has model format {version}, this fastmlp reads 5; {hint}")


def test_a_failing_save_leaves_the_old_file(trained, saved, tmp_path):
    mlp, X, y = trained
    before = saved.read_bytes()
    strange = {label: (label,) for label in set(y.tolist())}
    labels = np.fromiter((strange[label] for label in y.tolist()), object)
    other = MLP(hidden=(6, 3), epochs=1, engine="numpy").fit(X, labels)
    with pytest.raises(InputError, match="of type tuple; expected numbers, text or booleans"):
        other.save(saved)
    assert saved.read_bytes() == before
    assert list(tmp_path.iterdir()) == [saved]
    assert MLP.load(saved).weights[0].tobytes() == mlp.weights[0].tobytes()


def test_labels_that_are_no_text_are_refused_when_they_are_saved(trained):
    _, X, y = trained
    mlp = MLP(hidden=(), epochs=1, engine="numpy").fit(X, np.array(["a", "\ud800"])[y % 2])
    with pytest.raises(InputError, match=r"has '\\ud800', which is not text"):
        mlp.to_bytes()


@pytest.mark.parametrize("hidden", [[10**6], [2**62], [4, 4], []])
def test_settings_that_do_not_fit_the_layers_are_damage(hidden):
    data = MLP(hidden=(4,), epochs=1, engine="numpy").fit(np.eye(3), [0, 1, 2]).to_bytes()
    model, _ = texts(data)
    model["settings"]["hidden"] = hidden
    with pytest.raises(InputError, match="cannot be read"):
        MLP.from_bytes(with_model(data, model))


def test_the_tests_forge_files_as_the_documentation_says(saved):
    data = saved.read_bytes()
    header, body = parts(data)
    assert sealed(data[8 : len(data) - len(body)], body) == data
    assert header["__metadata__"]["format"] == "fastmlp-model"
    assert set(tensors(data)) == {f"layer{number}.{part}" for number in (1, 2, 3) for part in ("weight", "bias")}


def test_what_are_no_bytes_is_no_model():
    with pytest.raises(InputTypeError, match="the model is of type str; expected the bytes that `to_bytes` returned"):
        MLP.from_bytes("iris.safetensors")
