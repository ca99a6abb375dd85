"""Networks of PyTorch and scikit-learn that were made of ours give the same answers."""

import ast
import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest
from exported_networks import BITS, NUMBERS_WITH_GAPS, OF_NUMBERS, THIRDS, WIDE, is_regression, network, outputs

from fastmlp import export, report
from fastmlp.errors import InputError
from fastmlp.kernels.layout import ACTIVATIONS

ONE_ACTIVATION = [name for name in OF_NUMBERS if "all activations" not in name]


def imported(path):
    """A module of a file, in which nothing of this library may be imported."""
    text = path.read_text(encoding="utf-8")
    assert "import fastmlp" not in text
    assert "from fastmlp" not in text
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("name", ONE_ACTIVATION)
def test_scikit_learn_gives_the_same_outputs_and_labels(name, case, tmp_path):
    pytest.importorskip("sklearn")
    mlp, X = case(name)
    built = imported(mlp.export(tmp_path / "net_sklearn.py")).NETWORK
    for estimator in (mlp.to_sklearn(), built):
        predicted = estimator.predict(X)
        if is_regression(mlp):
            np.testing.assert_allclose(predicted, mlp.predict(X), rtol=0, atol=1e-5)
            continue
        proba = estimator.predict_proba(X)
        ours = mlp.predict_proba(X)
        np.testing.assert_allclose(proba[:, -ours.shape[1] :], ours, rtol=0, atol=1e-5)
        assert predicted.tolist() == mlp.predict(X).tolist()
        if mlp.loss == "cross_entropy":
            assert estimator.classes_.tolist() == mlp.classes.tolist()


def test_an_estimator_of_scikit_learn_can_be_cloned_scored_and_trained_on(case):
    base = pytest.importorskip("sklearn.base")
    mlp, X = case("as they are")
    estimator = mlp.to_sklearn()
    y = mlp.predict(X)
    assert estimator.score(X, y) == 1
    assert estimator.n_iter_ == 0
    estimator.partial_fit(X, y)
    base.clone(estimator).set_params(max_iter=200, tol=1).fit(X, y)


def test_an_imputer_of_scikit_learn_has_the_medians_and_indicators(case):
    pytest.importorskip("sklearn")
    mlp, _ = case("gaps")
    imputer = mlp.to_sklearn()[0]
    np.testing.assert_allclose(imputer.statistics_, np.nanmedian(NUMBERS_WITH_GAPS, axis=0))
    assert imputer.indicator_.features_.tolist() == [0, 1, 2, 3]


@pytest.mark.oracle
@pytest.mark.parametrize("name", OF_NUMBERS)
def test_pytorch_gives_the_same_outputs(name, case, tmp_path):
    torch = pytest.importorskip("torch")
    mlp, X = case(name)
    built = imported(mlp.export(tmp_path / "net_torch.py")).NETWORK
    for theirs in (mlp.to_torch(), built):
        with torch.no_grad():
            found = theirs(torch.tensor(X)).numpy()
        assert found.dtype == mlp.dtype
        np.testing.assert_allclose(found, outputs(mlp, X), rtol=0, atol=1e-5)
        assert theirs.classes == (mlp.classes.tolist() if mlp.loss == "cross_entropy" else None)


@pytest.mark.oracle
def test_a_network_of_pytorch_takes_the_tensors_of_a_model_file(case):
    pytest.importorskip("torch")
    files = pytest.importorskip("safetensors.torch")
    mlp, _ = case("standardised, names")
    network = mlp.to_torch()
    tensors = files.load(mlp.to_bytes())
    assert network.load_state_dict(tensors).missing_keys == []
    assert [name for name, _ in network.named_children()][:3] == ["inputs", "layer1", "activation1"]


@pytest.mark.oracle
def test_a_network_of_pytorch_without_its_last_module_gives_logits(case):
    torch = pytest.importorskip("torch")
    mlp, X = case("standardised, names")
    logits = mlp.to_torch()[:-1](torch.tensor(X))
    np.testing.assert_allclose(torch.softmax(logits, 1).detach().numpy(), mlp.predict_proba(X), rtol=0, atol=1e-5)


@pytest.mark.parametrize(("library", "called"), [("sklearn", "scikit-learn"), ("torch", "PyTorch")])
def test_inputs_of_text_are_refused_in_one_line(case, library, called):
    pytest.importorskip(library)
    mlp, _ = case("a table")
    with pytest.raises(InputError, match=f"column `colour` is text, and {called} takes numbers alone") as caught:
        getattr(mlp, f"to_{library}")()
    assert "\n" not in str(caught.value)


def test_activations_that_scikit_learn_has_not_and_several_are_refused(case):
    pytest.importorskip("sklearn")
    refused = "'leaky_relu' cannot be exported to scikit-learn; expected one of relu, tanh, sigmoid, identity"
    with pytest.raises(InputError, match=refused):
        case("minmax, all activations")[0].to_sklearn()
    two = network(WIDE, THIRDS, activation=("tanh", "relu"))
    with pytest.raises(InputError, match="has relu, tanh, and scikit-learn has one"):
        two.to_sklearn()


@pytest.mark.parametrize("name", ["c_header", "onnx_file", "standalone/plain_network", "standalone/torch_network"])
def test_every_activation_is_in_every_table(name):
    # Read and not imported: one of them needs PyTorch.
    tree = ast.parse((Path(export.__file__).parent / f"{name}.py").read_text(encoding="utf-8"))
    tables = [
        node.value
        for node in tree.body
        if isinstance(node, ast.Assign | ast.AnnAssign) and ast.unparse(node).startswith(("ACTIVATIONS", "_FUNCTIONS"))
    ]
    (table,) = tables
    assert {key.value for key in table.keys} >= set(ACTIVATIONS)


def test_every_activation_is_in_the_table_of_the_page():
    script = (Path(report.__file__).parent / "panel.js").read_text(encoding="utf-8")
    table = script.partition("const ACTIVATE = {")[2].partition("};")[0]
    assert {line.strip().partition(":")[0].strip(",") for line in table.strip().splitlines()} == set(ACTIVATIONS)


@pytest.mark.parametrize(("library", "called"), [("sklearn", "scikit-learn"), ("torch", "PyTorch")])
def test_a_library_that_is_absent_is_named(case, monkeypatch, library, called):
    monkeypatch.setitem(sys.modules, library, None)
    monkeypatch.delitem(sys.modules, f"fastmlp.export.standalone.{library}_network", raising=False)
    import fastmlp.export.standalone as package

    monkeypatch.delattr(package, f"{library}_network", raising=False)
    for module in [name for name in sys.modules if name.startswith(f"{library}.")]:
        monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(InputError, match=rf"{called} is not installed: pip install 'fastmlp\[{library}\]'"):
        getattr(case("pixels")[0], f"to_{library}")()


def test_the_cases_are_of_the_kinds_that_they_name():
    assert set(np.unique(BITS)) == {0, 1}
    assert np.isnan(NUMBERS_WITH_GAPS).any()
    assert not np.isnan(WIDE).any()
