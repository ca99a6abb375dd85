"""An ONNX model computes in onnxruntime what the network computes here."""

import numpy as np
import pytest
from exported_networks import CASES, ROWS, THIRDS, WIDE, is_regression, network, outputs, table

from fastmlp.errors import InputError
from fastmlp.inputs.table import Table

onnx = pytest.importorskip("onnx")
runtime = pytest.importorskip("onnxruntime")

TYPES = {"tensor(float)": np.float32, "tensor(double)": np.float64, "tensor(string)": object}


def session_of(mlp, folder):
    return runtime.InferenceSession(mlp.export(folder / "model.onnx"))


def fed(session, X):
    """Inputs by their names: one, or one per column."""
    inputs = session.get_inputs()
    if not isinstance(X, Table):
        return {"X": X.astype(TYPES[inputs[0].type])}
    named = dict(zip(X.names, X.columns, strict=True))
    feed = {}
    for one in inputs:
        values, dtype = named[one.name], TYPES[one.type]
        feed[one.name] = np.array([value if value is not None else "" for value in values], dtype).reshape(-1, 1)
    return feed


@pytest.mark.parametrize("name", CASES)
def test_onnxruntime_gives_the_same_outputs_and_labels(name, case, tmp_path):
    mlp, X = case(name)
    session = session_of(mlp, tmp_path)
    names = [one.name for one in session.get_outputs()]
    results = dict(zip(names, session.run(None, fed(session, X)), strict=True))
    assert names == (["prediction"] if is_regression(mlp) else ["label", "probabilities"])
    np.testing.assert_allclose(results[names[-1]], outputs(mlp, X), rtol=0, atol=1e-5)
    assert results[names[-1]].dtype == mlp.dtype
    if "label" in results:
        expected = mlp.predict(X)
        assert results["label"].reshape(expected.shape).tolist() == expected.tolist()


def test_the_types_of_inputs_and_labels_are_those_of_the_data(case, tmp_path):
    def types(name):
        session = session_of(case(name)[0], tmp_path)
        return {one.name: one.type for one in (*session.get_inputs(), *session.get_outputs())}

    assert types("pixels") == {"X": "tensor(float)", "label": "tensor(int64)", "probabilities": "tensor(float)"}
    assert types("far from zero")["X"] == "tensor(double)"
    assert types("two classes")["label"] == "tensor(bool)"
    assert types("a table") == {
        "size /*": "tensor(float)", "colour": "tensor(string)", "weight": "tensor(float)", "X": "tensor(string)",
        "label": "tensor(string)", "probabilities": "tensor(float)",
    }  # fmt: skip


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_number_that_the_network_refuses_gives_no_probabilities(case, tmp_path, value):
    mlp, X = case("standardised, names")
    wrong = X.copy()
    wrong[3, 2] = value
    session = session_of(mlp, tmp_path)
    probabilities = session.run(["probabilities"], {"X": wrong})[0]
    assert np.isnan(probabilities).any(axis=1).nonzero()[0].tolist() == [3]


def test_a_category_that_the_network_refuses_gives_no_probabilities(case, tmp_path):
    for name, allowed in (("a table", False), ("a table with gaps", True)):
        mlp, X = case(name)
        session = session_of(mlp, tmp_path)
        feed = fed(session, X)
        feed["colour"][[2, 5]] = [["magenta"], [""]]
        bad = np.isnan(session.run(["probabilities"], feed)[0]).all(axis=1)
        assert bad[2]
        assert bad[5] != allowed
        assert bad.sum() == 2 - allowed


def test_columns_may_be_called_as_the_parts_of_the_model_are(tmp_path):
    numbers, text = WIDE[:, 0], np.array(["a", "b"], object)[np.arange(ROWS) % 2]
    X = Table(("label", "probabilities", "Add_8", "constant_1", ""), (numbers, text, numbers, numbers, numbers))
    mlp = network(X, THIRDS)
    session = session_of(mlp, tmp_path)
    assert [one.name for one in session.get_outputs()] == ["label_", "probabilities_"]
    inputs = [one.name for one in session.get_inputs()]
    feed = fed(session, Table(tuple(inputs), X.columns))
    np.testing.assert_allclose(session.run(None, feed)[1], mlp.predict_proba(X), rtol=0, atol=1e-5)


def test_the_model_knows_its_columns_and_classes(case, tmp_path):
    path = case("a table")[0].export(tmp_path / "model.onnx")
    model = onnx.load(path)
    facts = {one.key: one.value for one in model.metadata_props}
    assert '"colour"' in facts["columns"]
    assert "it's" in facts["classes"]


def test_labels_of_several_kinds_become_text(tmp_path):
    mlp = network(WIDE, np.array([1, "one", 2.5], object)[THIRDS])
    labels = session_of(mlp, tmp_path).run(["label"], {"X": WIDE})[0]
    assert labels.tolist() == list(map(str, mlp.predict(WIDE)))


def test_an_export_that_needs_a_library_says_which(case, tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "onnx", None)
    with pytest.raises(InputError, match=r"pip install 'fastmlp\[onnx\]'"):
        case("pixels")[0].export(tmp_path / "model.onnx")
    assert not list(tmp_path.iterdir())


def test_a_table_of_text_alone_can_be_exported(tmp_path):
    whole = table(False)
    X = Table(("colour", "X"), (whole.columns[1], whole.columns[3]))
    mlp = network(X, THIRDS)
    session = session_of(mlp, tmp_path)
    np.testing.assert_allclose(session.run(None, fed(session, X))[1], mlp.predict_proba(X), rtol=0, atol=1e-5)
