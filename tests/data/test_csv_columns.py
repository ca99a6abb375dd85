"""CSV files: which columns are labels and inputs."""

import numpy as np
import pytest
from table_columns import columns

from fastmlp.data import load


@pytest.mark.parametrize("name", ["label", "Target", "CLASS", "Species", "y", " label "])
def test_label_column_is_found_by_its_name(write_table, name):
    dataset = load(write_table(f"width,{name},height\n1.5,0,2\n3,1,4\n"))
    assert columns(dataset.X) == {"width": [1.5, 3], "height": [2, 4]}
    assert dataset.y.tolist() == [0, 1]
    assert dataset.label == name.strip()
    assert dataset.notes == (f"labels: column `{name.strip()}`, by its name",)


@pytest.mark.parametrize("label", ["b", 1, -2])
def test_label_column_is_chosen_by_name_or_position(write_table, label):
    dataset = load(write_table("a,b,label\n1,2,0\n3,4,1\n"), label=label)
    assert dataset.y.tolist() == [2, 4]
    assert columns(dataset.X) == {"a": [1, 3], "label": [0, 1]}
    assert dataset.notes == ()


def test_an_empty_last_column_that_pandas_named_is_not_that_of_the_labels(write_table):
    dataset = load(write_table("a,b,Unnamed: 2\n1,2,\n3,4,\n"))
    assert (dataset.label, dataset.y.tolist()) == ("b", [2, 4])
    assert columns(dataset.X) == {"a": [1, 3]}


def test_a_name_counts_for_more_than_a_position(write_table):
    assert load(write_table("a,2015,2016\n1,2,0\n3,4,1\n"), label=2015).y.tolist() == [2, 4]


def test_without_such_a_name_the_last_column_has_the_labels(write_table):
    dataset = load(write_table("width,height,sort\n1,2,0\n3,4,1\n"))
    assert dataset.y.tolist() == [0, 1]
    (note,) = dataset.notes
    assert note.startswith("labels: column `sort`, the last one, as none is called label, target, class, species or y")


@pytest.mark.parametrize(
    ("text", "y", "where"),
    [
        ("3,0.5,1.5\n5,2.5,3.5\n", [3, 5], "the first column, as none has a name"),
        ("5.1,3.5,setosa\n4.9,3.0,virginica\n", ["setosa", "virginica"], "the last column, which is text"),
        ("T,2,8\nI,5,12\n", ["T", "I"], "the first column, as none has a name"),
        ("T,2,x\nI,5,x\n", ["T", "I"], "the first column, as none has a name"),
        (",0,1,2\n0,7,8,9\n1,6,5,4\n", [7, 6], "the first column, as none has a name"),
    ],
)
def test_without_names_the_first_column_has_the_labels_or_the_last_if_that_alone_is_text(write_table, text, y, where):
    dataset = load(write_table(text))
    assert dataset.y.tolist() == y
    assert where in dataset.notes[0]


def test_labels_that_are_words_signs_or_measurements_stay_as_they_are(write_table):
    rows = "".join(f"{i},{{}}\n" for i in range(4))
    words = load(write_table("a,y\n" + rows.format("no", "yes", "no", "3a")))
    assert words.y.tolist() == ["no", "yes", "no", "3a"]
    assert words.classes.tolist() == ["3a", "no", "yes"]
    signs = load(write_table("a,y\n" + rows.format(-1, "+1", -1, "1.0")))
    assert signs.y.tolist() == [-1, 1, -1, 1]
    prices = load(write_table("a,y\n" + rows.format(1.5, 2, -3.25, 0)))
    assert prices.classes is None
    assert prices.y.tolist() == [1.5, 2, -3.25, 0]


def test_a_text_column_of_labels_with_true_and_false_is_text(write_table):
    assert load(write_table("a,y\n1,True\n2,False\n")).y.tolist() == ["True", "False"]


@pytest.mark.parametrize(
    ("text", "label", "words"),
    [
        ("a,b,label\n1,2,0\n3,4,1\n", "lable", ["no column `lable`", "a, b, label", "did you mean 'label'"]),
        ("a,b,label\n1,2,0\n3,4,1\n", 3, ["label is 3", "3 columns"]),
        ("a,b,label\n1,2,0\n3,4,1\n", -4, ["label is -4", "3 columns"]),
        ("5,2,7\n3,4,1\n", "species", ["'species'", "no header", "position"]),
        ("pixel0,pixel1\n1,1\n2,3\n", None, ["`label`", "pixel0, pixel1", "`pixel1`"]),
    ],
)
def test_a_column_of_labels_that_is_not_there_is_told(write_table, complaint, text, label, words):
    message = complaint(write_table(text), label=label)
    for word in words:
        assert word in message


@pytest.mark.parametrize("name", ["1" * 100_000 + "x", "pixel" + "1" * 100_000], ids=["inside", "at the end"])
def test_names_with_very_many_digits_are_names(write_table, name):
    """They were searched anew from each digit on, for half a minute; Python refuses to read so long a number."""
    assert load(write_table(f"a,{name},{name[:-1]}2\n1,2,0\n3,4,1\n")).y.tolist() == [0, 1]


@pytest.mark.parametrize("label", [True, 1.0, ["label"]])
def test_a_label_of_another_type_is_refused(write_table, label):
    with pytest.raises(TypeError, match="expected the name of a column, or its position"):
        load(write_table("a,label\n1,0\n2,1\n"), label=label)


@pytest.mark.parametrize("option", [{"label": "y"}, {"label": 0}, {"columns": ["a"]}])
def test_columns_are_chosen_in_tables_only(tmp_path, elsewhere, option):
    np.savez(tmp_path / "few.npz", x=np.eye(3), y=np.arange(3))
    with pytest.raises(ValueError, match="is npz, which is not a table; leave it out"):
        load(tmp_path / "few.npz", **option)
    with pytest.raises(ValueError, match=r"glyphs has .*; leave it out"):
        load("glyphs", **option)


# ------------------------------------------------------------------------------------------- columns with names


def test_inputs_are_chosen_by_their_names_and_others_told_of(write_table):
    text = "user_id,a,b,c,y\n1,2,3,4,0\n5,6,7,8,1\n"
    dataset = load(write_table(text), columns=["c", "user_id"])
    assert columns(dataset.X) == {"c": [4, 8], "user_id": [1, 5]}
    assert dataset.y.tolist() == [0, 1]
    assert dataset.notes == ("labels: column `y`, by its name", "not used: `a`, `b`")


@pytest.mark.parametrize(
    ("text", "names", "words"),
    [
        ("a,b,y\n1,2,0\n3,4,1\n", ["a", "B"], ["no column `B`", "did you mean 'b'"]),
        ("a,b,y\n1,2,0\n3,4,1\n", ["size"], ["no column `size`", "begins a, b, y"]),
        ("7,2,0\n3,4,1\n", ["a"], ["no header", "`a`"]),
    ],
)
def test_inputs_that_are_not_there_are_told(write_table, complaint, text, names, words):
    message = complaint(write_table(text), columns=names)
    for word in words:
        assert word in message


@pytest.mark.parametrize("names", ["ab", [], 3, ["a", 1]])
def test_columns_that_are_no_names_are_refused(write_table, names):
    with pytest.raises(TypeError, match=r"columns is .*; expected names of columns"):
        load(write_table("a,b,y\n1,2,0\n3,4,1\n"), columns=names)
