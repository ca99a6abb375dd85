"""Tables in text for predictions: the network's columns by their names, with or without labels beside them."""

import numpy as np
import pytest

from fastmlp.data import CSR, load, load_inputs
from fastmlp.errors import InputError
from fastmlp.inputs.table import Table

NAMES = ("width", "sex")


@pytest.fixture
def write(tmp_path):
    def write(text, name="test.csv"):
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return path

    return write


def columns(table):
    assert isinstance(table, Table)
    return {name: column.tolist() for name, column in zip(table.names, table.columns, strict=True)}


def test_columns_are_found_by_their_names_in_any_order(write):
    inputs = load_inputs(write("sex,width\nm,1.5\nf,2\n"), names=NAMES)
    assert columns(inputs.X) == {"width": [1.5, 2.0], "sex": ["m", "f"]}
    assert inputs.X.names == NAMES
    assert (inputs.ids, inputs.id_name, inputs.name, inputs.notes) == (None, "", "test.csv", ())


def test_a_column_that_names_the_rows_is_kept_beside_them_and_others_are_told_of(write):
    inputs = load_inputs(write("PassengerId,sex,width,label,city\n892,m,1.5,0,Rome\n893,f,2,1,Oslo\n"), names=NAMES)
    assert columns(inputs.X) == {"width": [1.5, 2.0], "sex": ["m", "f"]}
    assert (inputs.ids, inputs.id_name) == (("892", "893"), "PassengerId")
    assert inputs.notes == (
        "column `PassengerId` names or numbers the rows, and is left out", "not used: `label`, `city`"
    )  # fmt: skip


def test_the_column_of_labels_is_told_apart_where_it_is_known(write):
    path = write("sex,width,price,city\nm,1.5,9,Rome\nf,2,8,Oslo\n")
    assert load_inputs(path, names=NAMES, label="price").notes == (
        "not used: `city`", "column `price` is the label, and is not used"
    )  # fmt: skip
    pixels = write(f"kind,{HEADER}\n" + "\n".join(",".join(map(str, [1, *row])) for row in PIXELS))
    assert np.array_equal(load_inputs(pixels, n_features=784, label="kind").X, PIXELS)


def test_rows_are_named_by_the_column_that_is_asked_for(write):
    inputs = load_inputs(write("sex,width,plant\nm,1.5,oak\nf,2,ash\n"), names=NAMES, ids="plant")
    assert (inputs.ids, inputs.id_name) == (("oak", "ash"), "plant")
    assert inputs.notes == ("column `plant` names or numbers the rows, and is left out",)
    inputs = load_inputs(write("a,plant,b\n1,7,3\n4,8,6\n"), n_features=2, ids="plant")
    assert (inputs.ids, inputs.X.tolist()) == (("7", "8"), [[1, 3], [4, 6]])
    inputs = load_inputs(write("sex,width\nm,1.5\nf,2\n"), names=NAMES, ids="width")
    assert (inputs.ids, columns(inputs.X)) == (("1.5", "2.0"), {"width": [1.5, 2.0], "sex": ["m", "f"]})


@pytest.mark.parametrize(
    ("text", "ids"), [(",width,sex\n7,1.5,m\n3,2,f\n", ("7", "3")), (",sex,width\na,m,1.5\nb,f,2\n", ("a", "b"))]
)
def test_an_index_of_pandas_names_the_rows(write, text, ids):
    inputs = load_inputs(write(text), names=NAMES)
    assert columns(inputs.X) == {"width": [1.5, 2.0], "sex": ["m", "f"]}
    assert (inputs.ids, inputs.id_name) == (ids, "")


def test_a_column_of_the_network_that_is_named_like_an_identifier_is_an_input(write):
    inputs = load_inputs(write("user_id,width\n1,1.5\n2,2\n"), names=("width", "user_id"))
    assert columns(inputs.X) == {"width": [1.5, 2.0], "user_id": [1, 2]}
    assert inputs.ids is None


def test_a_header_of_the_networks_names_is_one_even_over_text_alone(write):
    assert columns(load_inputs(write("a,b\nx,y\nx,y\n"), names=("b",)).X) == {"b": ["y", "y"]}


def test_one_row_is_enough(write):
    assert columns(load_inputs(write("sex,width\nm,1.5\n"), names=NAMES).X) == {"width": [1.5], "sex": ["m"]}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("sex,Width\nm,1\n", ["no column `width`", "did you mean 'Width'"]),
        ("a,b,c\nm,1,2\n", ["no column `width`, `sex`", "its header begins a, b, c"]),
        ("1.5,m\n2,f\n", ["no header", "`width`"]),
        ("sex,width\nm,1\nf\n", ["line 3", "1 values"]),
    ],
)
def test_a_table_that_lacks_a_column_is_refused(write, text, words):
    with pytest.raises(InputError) as caught:
        load_inputs(write(text), names=NAMES)
    for word in words:
        assert word in str(caught.value)


PIXELS = np.random.RandomState(0).randint(0, 256, (3, 784))
HEADER = ",".join(f"pixel{i}" for i in range(784))


@pytest.mark.parametrize("labels", ["none", "named", "first"])
@pytest.mark.parametrize("has_ids", [False, True])
def test_pixels_are_read_with_labels_and_identifiers_or_without(write, labels, has_ids):
    table, header = PIXELS, HEADER
    if labels == "named":
        table, header = np.column_stack([PIXELS, [1, 0, 1]]), f"{HEADER},label"
    elif labels == "first":
        table, header = np.column_stack([[1, 0, 1], PIXELS]), ""
    if has_ids and header:
        table, header = np.column_stack([[5, 6, 7], table]), f"ImageId,{header}"
    lines = ([header] if header else []) + [",".join(map(str, row)) for row in table]
    inputs = load_inputs(write("\n".join(lines)), n_features=784)
    assert inputs.X.dtype == np.uint8
    assert np.array_equal(inputs.X, PIXELS)
    assert inputs.image_shape == (28, 28)
    assert inputs.ids == (("5", "6", "7") if has_ids and header else None)
    assert any("is the label, and is not used" in note for note in inputs.notes) == (labels != "none")


def test_another_number_of_columns_is_refused(write):
    with pytest.raises(InputError, match="has 3 columns of inputs; expected 5, as in training"):
        load_inputs(write("7,8,9\n1,2,3\n"), n_features=5)


def test_inputs_of_a_test_file_are_those_that_are_read_with_its_labels(write):
    path = write("Id,sex,width,label\n1,m,1.5,0\n2,f,2,1\n")
    dataset = load(path)
    assert columns(load_inputs(path, names=dataset.X.names).X) == columns(dataset.X)


def test_svmlight_is_read_with_labels_and_without(write):
    for text in ("1 1:0.5 3:2\n? 2:1 # which nobody knows\n", "1:0.5 3:2\n2:1\n"):
        inputs = load_inputs(write(text, "rows.svm"), n_features=4)
        assert isinstance(inputs.X, CSR)
        assert inputs.X.toarray().tolist() == [[0.5, 0, 2, 0], [0, 1, 0, 0]]
