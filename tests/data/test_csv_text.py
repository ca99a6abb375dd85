"""CSV files: which columns are labels and inputs, how numbers are read, and how a mistake is named."""

import io
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from fastmlp.data import load
from fastmlp.data.readers.csv import CSVReader
from fastmlp.inputs.table import Table

PIXELS = np.random.RandomState(0).randint(0, 256, (4, 784))
KAGGLE_HEADER = ",".join(["label", *(f"pixel{i}" for i in range(784))]) + "\n"


def lines(table):
    buffer = io.StringIO()
    np.savetxt(buffer, table, fmt="%g", delimiter=",")
    return buffer.getvalue()


def columns(table):
    """The columns of a Table by their names, nan as None."""
    assert isinstance(table, Table)
    return {
        name: [None if value != value else value for value in column.tolist()]
        for name, column in zip(table.names, table.columns, strict=True)
    }


@pytest.fixture
def write(tmp_path):
    def write(text, name="train.csv", encoding="utf-8"):
        path = tmp_path / name
        path.write_bytes(text.encode(encoding))
        return path

    return write


def test_pandas_is_loaded_when_a_table_is_read_and_not_before(write):
    loaded = "print('pandas' in sys.modules)"
    code = f"import sys, fastmlp.data; {loaded}; fastmlp.data.load(sys.argv[1]); {loaded}"
    command = [sys.executable, "-c", code, str(write("a,y\n1,0\n"))]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout.split() == ["False", "True"]


# ------------------------------------------------------------------------------------------------------ pictures


@pytest.mark.parametrize("header", [KAGGLE_HEADER, ""])
def test_digit_recognizer_file_gives_pixels_with_and_without_its_header(write, header):
    dataset = load(write(header + lines(np.column_stack([[7, 0, 9, 3], PIXELS]))))
    assert dataset.X.dtype == np.uint8
    assert np.array_equal(dataset.X, PIXELS)
    assert dataset.y.tolist() == [7, 0, 9, 3]
    assert dataset.image_shape == (28, 28)


def test_a_header_of_numbers_is_no_sample(write):
    header = ",".join(map(str, range(785))) + "\n"  # as of DataFrame(numpy.c_[y, X]).to_csv(index=False)
    dataset = load(write(header + lines(np.column_stack([[7, 0, 9, 3], PIXELS]))))
    assert np.array_equal(dataset.X, PIXELS)
    assert dataset.y.tolist() == [7, 0, 9, 3]
    assert dataset.image_shape == (28, 28)
    assert "the first line numbers the columns, and is no sample" in dataset.notes


def test_an_index_that_pandas_wrote_is_left_out_and_told_of(write):
    table = lines(np.column_stack([np.arange(4), [7, 0, 9, 3], PIXELS]))
    dataset = load(write("," + KAGGLE_HEADER + table))
    assert np.array_equal(dataset.X, PIXELS)
    assert dataset.X.dtype == np.uint8
    assert "column 0 names or numbers the rows, and is left out" in dataset.notes


@pytest.mark.parametrize(
    "names", ["1x1,1x2,2x1,2x2", "pixel_0_0,pixel_0_1,pixel_1_0,pixel_1_1", "Pixel1,Pixel2,Pixel3,Pixel4"]
)
def test_names_of_pixels_are_told_whatever_their_numbers(write, names):
    dataset = load(write(f"{names},label\n1,2,3,4,0\n0,255,7,9,1\n"))
    assert dataset.X.dtype == np.uint8
    assert dataset.X.tolist() == [[1, 2, 3, 4], [0, 255, 7, 9]]


@pytest.mark.parametrize("first", [False, True])
def test_digits_are_the_same_pictures_whether_their_label_is_first_or_last(write, first):
    digits = pytest.importorskip("sklearn.datasets", reason="scikit-learn is not installed").load_digits()
    names, table = [*digits.feature_names, "target"], np.column_stack([digits.data, digits.target])
    if first:
        names, table = [names[-1], *names[:-1]], table[:, [64, *range(64)]]
    dataset = load(write(",".join(names) + "\n" + lines(table)))
    assert dataset.X.dtype == np.uint8
    assert np.array_equal(dataset.X, digits.data)
    assert np.array_equal(dataset.y, digits.target)
    assert dataset.image_shape == (8, 8)


@pytest.mark.parametrize(("form", "label"), [("%.1f", 3), ("%d", 300)])
def test_pixels_are_pixels_however_they_and_the_labels_are_written(write, form, label):
    buffer = io.StringIO()
    np.savetxt(buffer, np.column_stack([[label, 0, 1, 2], PIXELS]), fmt=form, delimiter=",")
    dataset = load(write(buffer.getvalue()))
    assert dataset.X.dtype == np.uint8
    assert np.array_equal(dataset.X, PIXELS)
    assert dataset.y.tolist() == [label, 0, 1, 2]


@pytest.mark.parametrize("odd", ["", "0.5", "256"])
def test_a_file_that_is_read_in_many_blocks_gives_the_same(write, monkeypatch, odd):
    monkeypatch.setattr("fastmlp.data.tables.columns.BYTES_AT_A_TIME", 3 * 8 * 785)  # three rows at a time
    pixels = np.random.RandomState(1).randint(0, 256, (10, 784))
    text = lines(np.column_stack([np.arange(10), pixels]))
    if odd:
        text = text[: text.rindex(",") + 1] + odd + "\n"
    dataset = load(write(text))
    expected = pixels.astype(np.float64)
    expected[-1, -1] = float(odd or expected[-1, -1])
    assert dataset.X.dtype == (np.float32 if odd else np.uint8)
    assert np.array_equal(dataset.X, expected)
    assert dataset.y.tolist() == list(range(10))


# -------------------------------------------------------------------------------------------------------- labels


@pytest.mark.parametrize("name", ["label", "Target", "CLASS", "Species", "y", " label "])
def test_label_column_is_found_by_its_name(write, name):
    dataset = load(write(f"width,{name},height\n1.5,0,2\n3,1,4\n"))
    assert columns(dataset.X) == {"width": [1.5, 3], "height": [2, 4]}
    assert dataset.y.tolist() == [0, 1]
    assert dataset.label == name.strip()
    assert dataset.notes == (f"labels: column `{name.strip()}`, by its name",)


@pytest.mark.parametrize("label", ["b", 1, -2])
def test_label_column_is_chosen_by_name_or_position(write, label):
    dataset = load(write("a,b,label\n1,2,0\n3,4,1\n"), label=label)
    assert dataset.y.tolist() == [2, 4]
    assert columns(dataset.X) == {"a": [1, 3], "label": [0, 1]}
    assert dataset.notes == ()


def test_an_empty_last_column_that_pandas_named_is_not_that_of_the_labels(write):
    dataset = load(write("a,b,Unnamed: 2\n1,2,\n3,4,\n"))
    assert (dataset.label, dataset.y.tolist()) == ("b", [2, 4])
    assert columns(dataset.X) == {"a": [1, 3]}


def test_a_name_counts_for_more_than_a_position(write):
    assert load(write("a,2015,2016\n1,2,0\n3,4,1\n"), label=2015).y.tolist() == [2, 4]


def test_without_such_a_name_the_last_column_has_the_labels(write):
    dataset = load(write("width,height,sort\n1,2,0\n3,4,1\n"))
    assert dataset.y.tolist() == [0, 1]
    assert dataset.notes == ("labels: column `sort`, the last one; another one is chosen by label",)


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
def test_without_names_the_first_column_has_the_labels_or_the_last_if_that_alone_is_text(write, text, y, where):
    dataset = load(write(text))
    assert dataset.y.tolist() == y
    assert where in dataset.notes[0]


def test_labels_that_are_words_signs_or_measurements_stay_as_they_are(write):
    rows = "".join(f"{i},{{}}\n" for i in range(4))
    words = load(write("a,y\n" + rows.format("no", "yes", "no", "3a")))
    assert words.y.tolist() == ["no", "yes", "no", "3a"]
    assert words.classes.tolist() == ["3a", "no", "yes"]
    signs = load(write("a,y\n" + rows.format(-1, "+1", -1, "1.0")))
    assert signs.y.tolist() == [-1, 1, -1, 1]
    prices = load(write("a,y\n" + rows.format(1.5, 2, -3.25, 0)))
    assert prices.classes is None
    assert prices.y.tolist() == [1.5, 2, -3.25, 0]


def test_a_text_column_of_labels_with_true_and_false_is_text(write):
    assert load(write("a,y\n1,True\n2,False\n")).y.tolist() == ["True", "False"]


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
def test_a_column_of_labels_that_is_not_there_is_told(write, complaint, text, label, words):
    message = complaint(write(text), label=label)
    for word in words:
        assert word in message


@pytest.mark.parametrize("label", [True, 1.0, ["label"]])
def test_a_label_of_another_type_is_refused(write, label):
    with pytest.raises(TypeError, match="expected the name of a column, or its position"):
        load(write("a,label\n1,0\n2,1\n"), label=label)


@pytest.mark.parametrize("option", [{"label": "y"}, {"label": 0}, {"columns": ["a"]}])
def test_columns_are_chosen_in_tables_only(tmp_path, elsewhere, option):
    np.savez(tmp_path / "few.npz", x=np.eye(3), y=np.arange(3))
    with pytest.raises(ValueError, match="is npz, which is no table; leave it out"):
        load(tmp_path / "few.npz", **option)
    with pytest.raises(ValueError, match=r"glyphs has .*; leave it out"):
        load("glyphs", **option)


# ------------------------------------------------------------------------------------------- columns with names


def test_inputs_are_chosen_by_their_names_and_others_told_of(write):
    text = "user_id,a,b,c,y\n1,2,3,4,0\n5,6,7,8,1\n"
    dataset = load(write(text), columns=["c", "user_id"])
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
def test_inputs_that_are_not_there_are_told(write, complaint, text, names, words):
    message = complaint(write(text), columns=names)
    for word in words:
        assert word in message


@pytest.mark.parametrize("names", ["ab", [], 3, ["a", 1]])
def test_columns_that_are_no_names_are_refused(write, names):
    with pytest.raises(TypeError, match=r"columns is .*; expected names of columns"):
        load(write("a,b,y\n1,2,0\n3,4,1\n"), columns=names)


def test_numbers_with_names_are_a_table_and_keep_their_value(write):
    dataset = load(write("y,a,b,c\n0,2,-3,1e39\n1,4,5000000000,0.1\n"))
    assert columns(dataset.X) == {"a": [2, 4], "b": [-3, 5_000_000_000], "c": [1e39, 0.1]}
    assert [column.dtype for column in dataset.X.columns] == [np.uint8, np.int64, np.float64]
    assert dataset.image_shape is None


def test_whole_numbers_beyond_64_bits_are_numbers(write):
    table = load(write("a,b,y\n99999999999999999999,18446744073709551615,0\n1,1,1\n")).X
    assert columns(table) == {"a": [1e20, 1], "b": [2.0**64, 1]}
    assert [column.dtype for column in table.columns] == [np.float64, np.float64]


def test_columns_of_text_stay_text_without_the_blanks_around_it(write):
    dataset = load(write('sex,city,y\nm, "New York" ,0\nf,Paris  ,1\n'))
    assert columns(dataset.X) == {"sex": ["m", "f"], "city": ["New York", "Paris"]}
    assert dataset.X.columns[0].dtype == object


def test_cells_of_several_lines_are_read_also_where_the_first_lines_end_in_one(write):
    rows = "".join(f'"first\nsecond {i}",{i},{i % 2}\n' for i in range(200))
    dataset = load(write(f"words,a,y\n{rows}"))
    assert columns(dataset.X)["words"] == [f"first\nsecond {i}" for i in range(200)]


def test_missing_values_stay_missing(write):
    text = "a,b,c,y\n1,,NA,0\n?,m,null,1\n nan , ,,0\n"
    assert columns(load(write(text)).X) == {"a": [1, None, None], "b": [None, "m", None], "c": [None] * 3}


def test_text_that_begins_late_is_found(write, monkeypatch):
    monkeypatch.setattr("fastmlp.data.tables.columns.BYTES_AT_A_TIME", 64 * 8 * 3)
    codes = [*range(250), *("B7", "C9") * 50]
    dataset = load(write("code,a,y\n" + "".join(f"{code},{i},{i % 2}\n" for i, code in enumerate(codes))))
    assert columns(dataset.X)["code"] == [str(code) for code in codes]
    assert "column `code` is text, as 'B7' is no number" in dataset.notes


def test_a_word_among_many_numbers_is_a_mistake_and_named_with_its_line(write, complaint):
    message = complaint(write("a,y\n" + "1.5,0\n2,1\n" * 200 + "unknown,0\n"))
    assert "line 402: 'unknown' in column `a`; expected a number" in message


def test_a_column_in_quotation_marks_is_text_where_others_are_not(write):
    rows = "".join(f'{i},"{i % 30}",{i % 2}\n' for i in range(100))
    dataset = load(write(f'"a","code","y"\n{rows}7,"3A",0\n'))
    assert columns(dataset.X)["code"] == [*(str(i % 30) for i in range(100)), "3A"]
    assert "column `code` is text, as '3A' is no number" in dataset.notes


@pytest.mark.parametrize("words", [("True", "False"), ("TRUE", "FALSE"), ("true", "false")])
def test_true_and_false_are_1_and_0_as_in_a_data_frame(write, words):
    yes, no = words
    table = load(write(f"a,b,c,y\n{yes},{yes},{yes},0\n{no},,maybe,1\n")).X
    assert columns(table) == {"a": [1, 0], "b": [1, None], "c": [yes, "maybe"]}
    assert table.columns[0].dtype == np.uint8


@pytest.mark.parametrize("name", ["Id", "id", "PassengerId", "customer_id", "rownames", "ImageId", "Unnamed: 0", ""])
@pytest.mark.parametrize("values", ["3 1 2", "a b c"])
def test_a_first_column_that_names_the_rows_is_left_out_and_told_of(write, name, values):
    one, two, three = values.split()
    dataset = load(write(f"{name},a,y\n{one},7,0\n{two},8,1\n{three},9,0\n"))
    assert columns(dataset.X) == {"a": [7, 8, 9]}
    assert any("names or numbers the rows, and is left out" in note for note in dataset.notes)


def test_a_column_named_like_an_identifier_that_repeats_is_an_input(write):
    assert columns(load(write("user_id,a,y\n1,7,0\n1,8,1\n")).X) == {"user_id": [1, 1], "a": [7, 8]}


def test_names_of_rows_as_r_writes_them_are_left_out(write):
    dataset = load(write('"a" "y"\n"1" 7 0\n"2" 8 1\n', name="frame.txt"))
    assert columns(dataset.X) == {"a": [7, 8]}


@pytest.mark.parametrize("header", ["a,y,", "7,0,"])
def test_an_empty_last_column_is_left_out_and_told_of(write, header):
    dataset = load(write(header + "\n8,1,\n9,0,\n"))
    assert dataset.X.shape[1] == 1
    assert "column 2 is empty, and is left out" in dataset.notes


# ------------------------------------------------------------------------------------------------------ numbers


def test_black_and_white_pixels_of_0_and_1_keep_their_value(write):
    dataset = load(write(lines(np.column_stack([[7, 0, 9, 3], PIXELS > 128]))))
    assert dataset.X.dtype == np.uint8
    assert np.array_equal(dataset.X, PIXELS > 128)
    assert dataset.image_shape == (28, 28)


@settings(deadline=None)  # the first one loads pandas
@given(
    table=arrays.arrays(
        np.float32,
        st.tuples(st.integers(1, 6), st.integers(1, 6)),
        elements=st.floats(-1e6, 1e6, width=32) | st.integers(0, 255).map(float),
    ),
    data=st.data(),
)
def test_written_values_are_read_back(tmp_path_factory, table, data):
    labels = data.draw(arrays.arrays(np.int64, len(table), elements=st.integers(0, 20)))
    path = tmp_path_factory.mktemp("csv") / "t.csv"
    path.write_text(
        "\n".join(",".join(map(repr, [y, *x])) for y, x in zip(labels.tolist(), table.tolist(), strict=True))
    )
    dataset = CSVReader().read(path)
    assert np.array_equal(dataset.X, table)
    assert np.array_equal(dataset.y, labels)


@settings(deadline=None)  # the first one loads pandas
@given(values=st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=20), comma=st.booleans())
def test_every_float_of_64_bits_is_read_back(tmp_path_factory, values, comma):
    path = tmp_path_factory.mktemp("csv") / "t.csv"
    text = "".join(f"{value!r};{row % 2}\n" for row, value in enumerate(values))
    path.write_text("number;y\n" + (text.replace(".", ",") if comma else text))
    assert columns(load(path).X) == {"number": values}


@pytest.mark.parametrize(
    ("rows", "X", "y"),
    [
        ("0,1.5,0.25\n1,-1.25,300\n", [[1.5, 0.25], [-1.25, 300]], [0, 1]),
        ("300,1,2\n0,3,4\n", [[1, 2], [3, 4]], [300, 0]),
        ("0,256,-1\n1,3,4\n", [[256, -1], [3, 4]], [0, 1]),
        ("0,7,2\n-1,3.5,4\n", [[7, 2], [3.5, 4]], [0, -1]),
        ("0,1,2.5\n16777217,3.5,4\n", [[1, 2.5], [3.5, 4]], [0, 16777217]),
        ("0,7,2\n1.5,3.5,4\n", [[7, 2], [3.5, 4]], [0, 1.5]),
    ],
)
def test_values_that_are_no_bytes_are_never_cut_down(write, rows, X, y):
    dataset = load(write(rows))
    assert dataset.X.tolist() == X
    assert dataset.y.tolist() == y


# ----------------------------------------------------------------------------------------------------- mistakes


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("label,a\n1,2\n0,3,4\n", ["line 3", "3 values", "expected 2"]),
        ("label,a,b\n1,2,3\n0,3\n", ["line 3", "2 values", "expected 3"]),
        ("label,a,b\n1,2,\n\n0,3\n", ["line 4", "2 values", "expected 3"]),
        ("label,a\n" + "1,2\n" * 20 + "\n0,x\n", ["line 23", "'x'", "column `a`", "expected a number"]),
        ("1,2\n" * 20 + " \n0,x\n", ["line 22", "'x'", "column 1", "expected a number"]),
        ("label,a\n" + "1,2\n" * 20 + "0,1_0\n", ["line 22", "'1_0'", "column `a`"]),
        ("label,a\n" + "1,2\n" * 20 + "label,a\n", ["line 22", "'label'", "column `label`"]),
        ("label,a\n1,2\n\n,5\n", ["line 4", "no label", "column `label`"]),
        ("label,a\nno,2\n\n?,5\n", ["line 4", "no label", "column `label`"]),
        ("label,a\n1,inf\n0,3\n", ["line 2", "'inf'", "column `a`", "finite"]),
        ("label,a\n1,2\n0,-1e400\n", ["line 3", "'-1e400'", "column `a`", "finite"]),
        ("7,1\n1,2\n0,1e39\n", ["line 3", "'1e39'", "column 1", "float32"]),
        ("label,a\n", ["no rows"]),
        ("\n\n", ["no rows"]),
        (" \n  \n", ["no rows"]),
        ("label,a\n \n", ["no rows"]),
        ("1\n2\n", ["one column"]),
        ("label\n1\n0\n", ["one column"]),
        ("label|a\n1|2\n0|3\n", ["one column", "commas, semicolons, tabs or blanks"]),
        ("Id,label\n1,2\n2,3\n", ["no column of inputs"]),
        ("a,b,label\n1,2\n3,4\n", ["line 2", "2 values", "expected 3", "header"]),
        ("a,label\n1,2,0\n3,4,1\n", ["line 2", "3 values", "expected 2", "header"]),
        (",label,a\n5,1,2\n5,0,3\n", ["column 0 has no name", "does not tell the rows apart"]),
        (",a,label\n0.5,1,0\n1.5,2,1\n", ["column 0 has no name", "does not tell the rows apart"]),
        (",a,label\nx,1,0\n,2,1\n", ["column 0 has no name", "does not tell the rows apart"]),
        ("a,,label\n5,1,2\n5,0,3\n", ["column 1 has no name"]),
        ("a,a,label\n1,2,0\n2,4,1\n", ["`a` twice"]),
        ('label,a\n1,2\n0,"3\n', ["quotation mark"]),
    ],
)
def test_file_that_cannot_be_used_is_named_with_the_place(write, complaint, text, words):
    message = complaint(write(text))
    for word in words:
        assert word in message


@pytest.mark.parametrize("at", range(2, 12))
@pytest.mark.parametrize("odd", ["1", "1,2,3", "1,2,3,4"])
def test_a_row_of_another_length_is_named_wherever_a_block_begins(write, monkeypatch, complaint, at, odd):
    monkeypatch.setattr("fastmlp.data.tables.columns.BYTES_AT_A_TIME", 8 * 2 * 3)  # three rows at a time
    rows = ["7,1"] * 12
    rows[at] = odd
    message = complaint(write("\n".join(rows)))
    assert f"line {at + 1}: {odd.count(',') + 1} values; expected 2" in message


def test_a_line_without_end_is_refused_before_it_fills_the_memory(write, monkeypatch, complaint):
    monkeypatch.setattr("fastmlp.data.tables.layout.MOST_IN_LINE", 1000)
    assert "line 2: more than 1000 characters" in complaint(write("label,a\n" + "1" * 2000))


def test_many_columns_and_long_lines_are_read(write):
    names = [f"gene {i}" for i in range(30_000)]
    text = ",".join([*names, "y"]) + "\n" + "".join(",".join(["0.123456"] * 30_000 + [y]) + "\n" for y in "01")
    dataset = load(write(text))
    assert dataset.X.shape == (2, 30_000)
    assert dataset.y.tolist() == [0, 1]
