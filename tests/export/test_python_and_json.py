"""Modules and JSON that were exported run without this library."""

import json
import subprocess
import sys

import numpy as np
import pytest
from exported_networks import CASES, is_regression, outputs, rows_of

from fastmlp.errors import InputError
from fastmlp.export.standalone.plain_network import load
from fastmlp.inputs.table import Table

# In a separate process, in which nothing that was installed is found.
PROGRAM = """
import json, sys
import net
rows = json.load(sys.stdin)
assert not {"numpy", "fastmlp"} & set(sys.modules)
json.dump([net.predict_proba(rows), net.predict(rows)], sys.stdout)
"""


@pytest.mark.parametrize("name", CASES)
def test_a_module_of_plain_python_gives_the_same_outputs_and_classes(name, case, tmp_path):
    mlp, X = case(name)
    mlp.export(tmp_path / "net.py")
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", f"import sys; sys.path.insert(0, {str(tmp_path)!r})\n{PROGRAM}"],
        input=json.dumps(rows_of(X)), capture_output=True, text=True, check=True,
    )  # fmt: skip
    probabilities, predicted = json.loads(done.stdout)
    np.testing.assert_allclose(probabilities, outputs(mlp, X), rtol=0, atol=1e-5)
    if is_regression(mlp):
        np.testing.assert_allclose(predicted, mlp.predict(X), rtol=0, atol=1e-5)
    else:
        assert predicted == mlp.predict(X).tolist()


@pytest.mark.parametrize("name", ["pixels", "float64", "a table with gaps"])
def test_json_has_the_numbers_of_the_network_to_the_last_bit(name, case, tmp_path):
    mlp, X = case(name)
    path = mlp.export(tmp_path / "net.json")
    model = json.loads(path.read_text(encoding="ascii"))
    for layer, W, b in zip(model["layers"], mlp.weights, mlp.biases, strict=True):
        assert np.array(layer["weights"], mlp.dtype).tobytes() == W.tobytes()
        assert np.array(layer["biases"], mlp.dtype).tobytes() == b.tobytes()
    assert [column["name"] for column in model["columns"]] == list(mlp.encoder.names or [None] * X.shape[1])
    np.testing.assert_allclose(load(str(path)).predict_proba(rows_of(X)), outputs(mlp, X), rtol=0, atol=1e-5)


def test_rows_may_be_dicts_of_text_as_a_csv_file_has_them(case, tmp_path):
    mlp, X = case("a table")
    plain = load(str(mlp.export(tmp_path / "net.json")))
    rows = [dict(zip(X.names, map(str, row), strict=True)) for row in rows_of(X)]
    assert plain.predict(rows) == mlp.predict(X).tolist()


@pytest.mark.parametrize(
    ("name", "changes", "message"),
    [
        ("a table", {0: None}, "column size /\\* has no value"),
        ("a table", {0: np.inf}, "column size /\\* has inf; expected a finite number"),
        ("a table", {1: "magenta"}, "column colour has 'magenta'; expected one of"),
        ("a table", {1: ""}, "column colour has no value"),
        ("a table with gaps", {1: "magenta"}, "column colour has 'magenta'"),
    ],
)
def test_plain_python_refuses_what_the_network_refuses(case, tmp_path, name, changes, message):
    mlp, X = case(name)
    plain = load(str(mlp.export(tmp_path / "net.json")))
    row = rows_of(X)[1]
    for column, value in changes.items():
        row[column] = value
    with pytest.raises(ValueError, match=message):
        plain.predict([row])
    columns = tuple(np.array([value], object if isinstance(value, str | None) else float) for value in row)
    with pytest.raises((InputError, TypeError)):
        mlp.predict(Table(X.names, columns))


def test_a_row_of_another_length_is_refused(case, tmp_path):
    plain = load(str(case("pixels")[0].export(tmp_path / "net.json")))
    with pytest.raises(ValueError, match="a row has 3 values; expected 64"):
        plain.predict([[1, 2, 3]])


def test_weights_that_are_not_finite_are_refused(case, tmp_path):
    mlp = type(case("pixels")[0]).from_bytes(case("pixels")[0].to_bytes())
    mlp.weights[1][0, 0] = np.nan
    with pytest.raises(InputError, match="weights that are not finite"):
        mlp.export(tmp_path / "net.json")
    assert not list(tmp_path.iterdir())


def test_a_name_without_a_known_ending_is_refused(case, tmp_path):
    with pytest.raises(InputError, match=r"net\.txt has no ending of a format; expected one of \.onnx, "):
        case("pixels")[0].export(tmp_path / "net.txt")
    with pytest.raises(InputError, match="to is 'onx'; did you mean 'onnx'"):
        case("pixels")[0].export(tmp_path / "net.txt", "onx")


def test_the_format_may_be_named_instead(case, tmp_path):
    path = case("pixels")[0].export(tmp_path / "net.txt", "json")
    assert json.loads(path.read_text())["format"] == "fastmlp-network"
