"""`fastmlp export` writes a network beside its model file, or says in one line why it cannot."""

import json

import numpy as np
import pytest
from exported_networks import THIRDS, WIDE, network, outputs, table

from fastmlp import MLP
from fastmlp.cli.main import main
from fastmlp.export.formats import FORMATS
from fastmlp.export.standalone.plain_network import load


@pytest.fixture(scope="module")
def trained():
    return network(WIDE, THIRDS)


@pytest.fixture
def model(trained, tmp_path):
    trained.save(tmp_path / "iris.safetensors")
    return tmp_path / "iris.safetensors"


@pytest.mark.parametrize("to", FORMATS)
def test_a_network_is_written_beside_its_model_file(model, to, capsys):
    if to in ("torch", "sklearn", "onnx"):
        pytest.importorskip(to)
    assert main(["export", str(model), "--to", to]) == 0
    path = model.with_name("iris" + FORMATS[to].ending)
    assert capsys.readouterr() == (f"{path}\n", "")
    assert sorted(model.parent.iterdir()) == sorted([model, path])
    assert path.stat().st_size > 500


def test_what_was_written_is_the_network(trained, model, tmp_path):
    assert main(["export", str(model), "--to", "json", "--out", str(tmp_path / "folder" / "net")]) == 0
    plain = load(str(tmp_path / "folder" / "net"))
    np.testing.assert_allclose(plain.predict_proba(WIDE.tolist()), outputs(trained, WIDE), rtol=0, atol=1e-5)


def test_a_file_that_is_there_is_replaced_when_that_is_asked_for(model, capsys):
    path = model.with_suffix(".json")
    path.write_text("mine")
    assert main(["export", str(model), "--to", "json"]) == 2
    assert "iris.json is there already; pass --force" in capsys.readouterr().err
    assert path.read_text() == "mine"
    assert main(["export", str(model), "--to", "json", "--force"]) == 0
    assert json.loads(path.read_text())["classes"] == [0, 1, 2]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--to", "onx"], "--to is 'onx'; did you mean 'onnx'?"),
        ([], "the following arguments are required: --to; see `fastmlp export --help`"),
        (["--to", "c", "--out", ""], "argument --out: is empty"),
        (
            ["--to", "c", "--out", "iris.safetensors", "--force"],
            "iris.safetensors is an input of this command; choose another --out",
        ),
    ],
)
def test_a_mistake_is_one_line_and_leaves_everything_as_it_was(model, monkeypatch, capsys, arguments, message):
    monkeypatch.chdir(model.parent)
    before = model.read_bytes()
    assert main(["export", "iris.safetensors", *arguments]) == 2
    out, err = capsys.readouterr()
    assert message in err
    assert (out, err.count("\n")) == ("", 1)
    assert list(model.parent.iterdir()) == [model]
    assert model.read_bytes() == before


@pytest.mark.parametrize(
    ("data", "settings", "message"),
    [
        ((WIDE, THIRDS), {"hidden": (3, 3), "activation": ("relu", "tanh")}, "has one for all hidden layers"),
        ((WIDE, THIRDS), {"activation": "elu"}, "activation 'elu' cannot be exported to scikit-learn"),
        ((table(False), THIRDS), {}, "column `colour` is text, and scikit-learn takes numbers alone"),
    ],
)
def test_a_network_that_a_format_cannot_express_is_refused_in_one_line(tmp_path, capsys, data, settings, message):
    pytest.importorskip("sklearn")
    network(*data, **settings).save(tmp_path / "net.safetensors")
    assert main(["export", str(tmp_path / "net.safetensors"), "--to", "sklearn"]) == 2
    err = capsys.readouterr().err
    assert message in err
    assert err.count("\n") == 1
    assert [path.name for path in tmp_path.iterdir()] == ["net.safetensors"]


def test_what_is_no_model_is_refused(tmp_path, capsys):
    assert main(["export", str(tmp_path / "absent.safetensors"), "--to", "c"]) == 2
    assert "absent.safetensors is not there; expected a model file or the folder of a run" in capsys.readouterr().err


def test_the_network_of_a_run_is_exported(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rows = [f"{label},{a:.3f},{b:.3f}" for label, (a, b) in zip(THIRDS, WIDE[:, :2] + THIRDS[:, None], strict=True)]
    (tmp_path / "data.csv").write_text("\n".join(["label,a,b", *rows, ""]))
    (tmp_path / "one.toml").write_text('title = "One"\n[data]\nname = "data.csv"\n[network]\nhidden = [4]\n')
    assert main(["sweep", "--recipe", "one.toml", "--out", "run", "--epochs", "2"]) == 0
    capsys.readouterr()
    assert main(["export", "run", "--to", "json"]) == 0
    out, err = capsys.readouterr()
    assert "run has no retrained network" in err
    model = json.loads((tmp_path / out.strip()).read_text())
    assert [column["name"] for column in model["columns"]] == ["a", "b"]
    found = MLP.load((tmp_path / out.strip()).with_name("model.safetensors"))
    assert model["layers"][0]["biases"] == [float(str(b)) for b in found.biases[0]]
