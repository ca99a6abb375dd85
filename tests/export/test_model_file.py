"""A saved network is the network; what is no saved network is refused by name."""

import json
from concurrent.futures import ThreadPoolExecutor

import h5py
import numpy as np
import pytest

from fastmlp import MLP
from fastmlp.errors import InputError


@pytest.fixture(scope="module")
def trained():
    random = np.random.RandomState(0)
    X, y = random.standard_normal((40, 5)), np.array([-1, 4, 9])[np.arange(40) % 3]
    settings = {"hidden": (6, 3), "activation": ("tanh", "relu"), "epochs": 3, "decay_epochs": (2,), "momentum": 0.5}
    return MLP(engine="numpy", dtype="float64", **settings).fit(X, y, validation=(X, y)), X, y


@pytest.fixture
def saved(trained, tmp_path):
    path = tmp_path / "model.hdf5"
    trained[0].save(path)
    return path


def complaint(path):
    with pytest.raises(ValueError, match="model") as caught:
        MLP.load(path)
    assert isinstance(caught.value, InputError)
    assert str(path) in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_loaded_network_is_the_one_that_was_saved(trained, tmp_path, dtype):
    _, X, y = trained
    mlp = MLP(hidden=(6, 3), epochs=2, dtype=dtype, init_scale=0.7, threads=1, engine="numpy").fit(X, y)
    mlp.save(tmp_path / "new" / "model.hdf5")
    again = MLP.load(tmp_path / "new" / "model.hdf5")
    assert again.settings() == mlp.settings()
    assert again.classes.tolist() == mlp.classes.tolist() == [-1, 4, 9]
    for ours, theirs in zip((*mlp.weights, *mlp.biases), (*again.weights, *again.biases), strict=True):
        assert ours.dtype == theirs.dtype == dtype
        assert ours.tobytes() == theirs.tobytes()
    assert again.history.to_csv() == mlp.history.to_csv()
    assert again.predict_proba(X).tobytes() == mlp.predict_proba(X).tobytes()
    assert again.score(X, y) == mlp.score(X, y)
    assert again.failure_reason == mlp.failure_reason


def test_a_network_goes_through_bytes_as_through_a_file_in_several_threads_at_once(trained, saved):
    with ThreadPoolExecutor(4) as team:
        images = list(team.map(MLP.to_bytes, [trained[0]] * 12))
    of_the_file = MLP.load(saved)
    for again in (MLP.from_bytes(image) for image in images):
        assert again.settings() == of_the_file.settings()
        assert again.history.to_csv() == of_the_file.history.to_csv()
        assert [W.tobytes() for W in again.weights] == [W.tobytes() for W in of_the_file.weights]


@pytest.mark.parametrize("share", [0, 0.5, 0.99])
def test_bytes_that_were_cut_short_are_refused(trained, share):
    image = trained[0].to_bytes()
    with pytest.raises(InputError, match="the model cannot be read"):
        MLP.from_bytes(image[: int(share * len(image))])


def test_a_network_without_hidden_layers_round_trips(trained, tmp_path):
    _, X, y = trained
    mlp = MLP(hidden=(), epochs=1, engine="numpy").fit(X, y)
    mlp.save(tmp_path / "model.hdf5")
    assert MLP.load(tmp_path / "model.hdf5").predict_proba(X).tobytes() == mlp.predict_proba(X).tobytes()


def test_a_loaded_network_can_be_trained_again(trained, saved):
    mlp, X, y = trained
    assert MLP.load(saved).fit(X, y).weights[0].tobytes() == mlp.weights[0].tobytes()


def test_a_missing_file_is_refused(tmp_path):
    assert "does not exist" in complaint(tmp_path / "model.hdf5")


def test_a_folder_is_not_said_to_be_missing(tmp_path):
    assert f"{tmp_path} is a folder; expected a model file" in complaint(tmp_path)


@pytest.mark.parametrize("share", [0, 0.01, 0.5, 0.9, 0.99])
def test_a_truncated_file_is_refused(saved, share):
    content = saved.read_bytes()
    saved.write_bytes(content[: int(share * len(content))])
    assert "MLP.save" in complaint(saved)


def test_text_is_refused(tmp_path):
    path = tmp_path / "model.hdf5"
    path.write_text("not a model\n" * 100)
    assert "MLP.save" in complaint(path)


def test_another_hdf5_file_is_refused(tmp_path):
    path = tmp_path / "model.hdf5"
    with h5py.File(path, "w") as file:
        file["xdata"] = np.zeros((3, 2))
    assert "no model of fastmlp" in complaint(path)


def test_a_newer_format_asks_for_a_newer_version(saved):
    with h5py.File(saved, "r+") as file:
        file.attrs["format_version"] = 99
    message = complaint(saved)
    assert "99" in message
    assert "newer fastmlp" in message


@pytest.mark.parametrize("version", [1, 2, 3])
def test_a_file_of_an_older_format_is_refused_in_one_line(saved, version):
    with h5py.File(saved, "r+") as file:
        file.attrs["format_version"] = version
    message = complaint(saved)
    assert message.endswith(f"has model format {version}, this fastmlp reads 4; train it anew")
    assert "\n" not in message


@pytest.mark.parametrize(
    "part", ["classes", "inputs", "weights/0", "weights/1", "biases/2", "history", "history/seconds"]
)
def test_a_file_that_lacks_a_part_is_refused(saved, part):
    with h5py.File(saved, "r+") as file:
        del file[part]
    complaint(saved)


@pytest.mark.parametrize("part", ["weights/0", "classes", "history/epoch", "history"])
def test_a_part_of_the_wrong_kind_is_refused(saved, part):
    with h5py.File(saved, "r+") as file:
        replacement = np.zeros(3) if isinstance(file[part], h5py.Group) else None
        del file[part]
        if replacement is None:
            file.create_group(part)
        else:
            file[part] = replacement
    complaint(saved)


@pytest.mark.parametrize("settings", ["{", "[]", "null", '{"hidden": "wide"}', '{"from_the_future": 1}'])
def test_settings_that_cannot_be_used_are_refused_with_the_files_name(saved, settings):
    with h5py.File(saved, "r+") as file:
        file.attrs["settings"] = settings
    complaint(saved)


def test_weights_of_another_shape_than_the_settings_are_refused(saved):
    with h5py.File(saved, "r+") as file:
        del file["weights/1"]
        file["weights/1"] = np.zeros((2, 2))
    complaint(saved)


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


@pytest.mark.parametrize("hidden", [[10**6], [2**62], [4, 4], []])
def test_settings_that_do_not_fit_the_weights_are_damage(tmp_path, hidden):
    path = tmp_path / "model.h5"
    MLP(hidden=(4,), epochs=1, engine="numpy").fit(np.eye(3), [0, 1, 2]).save(path)
    with h5py.File(path, "r+") as file:
        file.attrs["settings"] = json.dumps({**json.loads(file.attrs["settings"]), "hidden": hidden})
    with pytest.raises(InputError, match="cannot be read"):
        MLP.load(path)
