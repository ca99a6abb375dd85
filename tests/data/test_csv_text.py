"""CSV files: which columns are labels and inputs, how numbers are read, and how a mistake is named."""

import io
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from table_columns import columns

from fastmlp.data import load, load_inputs
from fastmlp.data.readers.csv import CSVReader
from fastmlp.data.tables.columns import as_array

PIXELS = np.random.RandomState(0).randint(0, 256, (4, 784))
KAGGLE_HEADER = ",".join(["label", *(f"pixel{i}" for i in range(784))]) + "\n"


def lines(table):
    buffer = io.StringIO()
    np.savetxt(buffer, table, fmt="%g", delimiter=",")
    return buffer.getvalue()


def test_pandas_is_loaded_when_a_table_is_read_and_not_before(write_table):
    loaded = "print('pandas' in sys.modules)"
    code = f"import sys, fastmlp.data; {loaded}; fastmlp.data.load(sys.argv[1]); {loaded}"
    command = [sys.executable, "-c", code, str(write_table("a,y\n1,0\n"))]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout.split() == ["False", "True"]


# ------------------------------------------------------------------------------------------------------ images


@pytest.mark.parametrize("header", [KAGGLE_HEADER, ""])
def test_digit_recognizer_file_gives_pixels_with_and_without_its_header(write_table, header):
    dataset = load(write_table(header + lines(np.column_stack([[7, 0, 9, 3], PIXELS]))))
    assert dataset.X.dtype == np.uint8
    assert np.array_equal(dataset.X, PIXELS)
    assert dataset.y.tolist() == [7, 0, 9, 3]
    assert dataset.image_shape == (28, 28)


def test_a_header_of_numbers_is_no_sample(write_table):
    header = ",".join(map(str, range(785))) + "\n"  # as of DataFrame(numpy.c_[y, X]).to_csv(index=False)
    dataset = load(write_table(header + lines(np.column_stack([[7, 0, 9, 3], PIXELS]))))
    assert np.array_equal(dataset.X, PIXELS)
    assert dataset.y.tolist() == [7, 0, 9, 3]
    assert dataset.image_shape == (28, 28)
    assert "the first line numbers the columns and is not a sample" in dataset.notes


def test_an_index_that_pandas_wrote_is_left_out_and_told_of(write_table):
    table = lines(np.column_stack([np.arange(4), [7, 0, 9, 3], PIXELS]))
    dataset = load(write_table("," + KAGGLE_HEADER + table))
    assert np.array_equal(dataset.X, PIXELS)
    assert dataset.X.dtype == np.uint8
    assert "column 0 names or numbers the rows, and is left out" in dataset.notes


@pytest.mark.parametrize(
    "names", ["1x1,1x2,2x1,2x2", "pixel_0_0,pixel_0_1,pixel_1_0,pixel_1_1", "Pixel1,Pixel2,Pixel3,Pixel4"]
)
def test_names_of_pixels_are_told_whatever_their_numbers(write_table, names):
    dataset = load(write_table(f"{names},label\n1,2,3,4,0\n0,255,7,9,1\n"))
    assert dataset.X.dtype == np.uint8
    assert dataset.X.tolist() == [[1, 2, 3, 4], [0, 255, 7, 9]]


@pytest.mark.parametrize("first", [False, True])
def test_digits_are_the_same_images_whether_their_label_is_first_or_last(write_table, first):
    digits = pytest.importorskip("sklearn.datasets", reason="scikit-learn is not installed").load_digits()
    names, table = [*digits.feature_names, "target"], np.column_stack([digits.data, digits.target])
    if first:
        names, table = [names[-1], *names[:-1]], table[:, [64, *range(64)]]
    dataset = load(write_table(",".join(names) + "\n" + lines(table)))
    assert dataset.X.dtype == np.uint8
    assert np.array_equal(dataset.X, digits.data)
    assert np.array_equal(dataset.y, digits.target)
    assert dataset.image_shape == (8, 8)


@pytest.mark.parametrize(("form", "label"), [("%.1f", 3), ("%d", 300)])
def test_pixels_are_pixels_however_they_and_the_labels_are_written(write_table, form, label):
    buffer = io.StringIO()
    np.savetxt(buffer, np.column_stack([[label, 0, 1, 2], PIXELS]), fmt=form, delimiter=",")
    dataset = load(write_table(buffer.getvalue()))
    assert dataset.X.dtype == np.uint8
    assert np.array_equal(dataset.X, PIXELS)
    assert dataset.y.tolist() == [label, 0, 1, 2]


@pytest.mark.parametrize("odd", ["", "0.5", "256"])
def test_a_file_that_is_read_in_many_blocks_gives_the_same(write_table, monkeypatch, odd):
    monkeypatch.setattr("fastmlp.data.tables.columns.BYTES_AT_A_TIME", 0)
    monkeypatch.setattr("fastmlp.data.tables.columns.FEWEST_AT_A_TIME", 3)  # rows
    pixels = np.random.RandomState(1).randint(0, 256, (10, 784))
    text = lines(np.column_stack([np.arange(10), pixels]))
    if odd:
        text = text[: text.rindex(",") + 1] + odd + "\n"
    dataset = load(write_table(text))
    expected = pixels.astype(np.float64)
    expected[-1, -1] = float(odd or expected[-1, -1])
    assert dataset.X.dtype == (np.float32 if odd else np.uint8)
    assert np.array_equal(dataset.X, expected)
    assert dataset.y.tolist() == list(range(10))


# -------------------------------------------------------------------------------------------------------- labels


def test_numbers_with_names_are_a_table_and_keep_their_value(write_table):
    dataset = load(write_table("y,a,b,c\n0,2,-3,1e39\n1,4,5000000000,0.1\n"))
    assert columns(dataset.X) == {"a": [2, 4], "b": [-3, 5_000_000_000], "c": [1e39, 0.1]}
    assert [column.dtype for column in dataset.X.columns] == [np.uint8, np.int64, np.float64]
    assert dataset.image_shape is None


def test_whole_numbers_beyond_64_bits_are_numbers(write_table):
    table = load(write_table("a,b,y\n99999999999999999999,18446744073709551615,0\n1,1,1\n")).X
    assert columns(table) == {"a": [1e20, 1], "b": [2.0**64, 1]}
    assert [column.dtype for column in table.columns] == [np.float64, np.float64]


def test_columns_of_text_stay_text_without_the_blanks_around_it(write_table):
    dataset = load(write_table('sex,city,y\nm, "New York" ,0\nf,Paris  ,1\n'))
    assert columns(dataset.X) == {"sex": ["m", "f"], "city": ["New York", "Paris"]}
    assert dataset.X.columns[0].dtype == object


def test_cells_of_several_lines_are_read_also_where_the_first_lines_end_in_one(write_table):
    rows = "".join(f'"first\nsecond {i}",{i},{i % 2}\n' for i in range(200))
    dataset = load(write_table(f"words,a,y\n{rows}"))
    assert columns(dataset.X)["words"] == [f"first\nsecond {i}" for i in range(200)]


def test_missing_values_stay_missing(write_table):
    text = "a,b,c,y\n1,,NA,0\n?,m,null,1\n nan , ,,0\n"
    assert columns(load(write_table(text)).X) == {"a": [1, None, None], "b": [None, "m", None], "c": [None] * 3}


def test_text_that_begins_late_is_found(write_table, monkeypatch):
    monkeypatch.setattr("fastmlp.data.tables.columns.BYTES_AT_A_TIME", 64 * 8 * 3)
    codes = [*range(250), *("B7", "C9") * 50]
    dataset = load(write_table("code,a,y\n" + "".join(f"{code},{i},{i % 2}\n" for i, code in enumerate(codes))))
    assert columns(dataset.X)["code"] == [str(code) for code in codes]
    assert "column `code` is text, as 'B7' is not a number" in dataset.notes


def test_a_word_among_many_numbers_is_a_mistake_and_named_with_its_line(write_table, complaint):
    message = complaint(write_table("a,y\n" + "1.5,0\n2,1\n" * 200 + "unknown,0\n"))
    assert "line 402: 'unknown' in column `a`; expected a number" in message


def test_a_column_in_quotation_marks_is_text_where_others_are_not(write_table):
    rows = "".join(f'{i},"{i % 30}",{i % 2}\n' for i in range(100))
    dataset = load(write_table(f'"a","code","y"\n{rows}7,"3A",0\n'))
    assert columns(dataset.X)["code"] == [*(str(i % 30) for i in range(100)), "3A"]
    assert "column `code` is text, as '3A' is not a number" in dataset.notes


@pytest.mark.parametrize("words", [("True", "False"), ("TRUE", "FALSE"), ("true", "false")])
def test_true_and_false_are_1_and_0_as_in_a_data_frame(write_table, words):
    yes, no = words
    table = load(write_table(f"a,b,c,y\n{yes},{yes},{yes},0\n{no},,maybe,1\n")).X
    assert columns(table) == {"a": [1, 0], "b": [1, None], "c": [yes, "maybe"]}
    assert table.columns[0].dtype == np.uint8


@pytest.mark.parametrize("name", ["Id", "id", "PassengerId", "customer_id", "rownames", "ImageId", "Unnamed: 0", ""])
@pytest.mark.parametrize("values", ["3 1 2", "a b c"])
def test_a_first_column_that_names_the_rows_is_left_out_and_told_of(write_table, name, values):
    one, two, three = values.split()
    dataset = load(write_table(f"{name},a,y\n{one},7,0\n{two},8,1\n{three},9,0\n"))
    assert columns(dataset.X) == {"a": [7, 8, 9]}
    assert any("names or numbers the rows, and is left out" in note for note in dataset.notes)


def test_a_column_named_like_an_identifier_that_repeats_is_an_input(write_table):
    assert columns(load(write_table("user_id,a,y\n1,7,0\n1,8,1\n")).X) == {"user_id": [1, 1], "a": [7, 8]}


def test_names_of_rows_as_r_writes_them_are_left_out(write_table):
    dataset = load(write_table('"a" "y"\n"1" 7 0\n"2" 8 1\n', name="frame.txt"))
    assert columns(dataset.X) == {"a": [7, 8]}


@pytest.mark.parametrize("header", ["a,y,", "7,0,"])
def test_an_empty_last_column_is_left_out_and_told_of(write_table, header):
    dataset = load(write_table(header + "\n8,1,\n9,0,\n"))
    assert dataset.X.shape[1] == 1
    assert "column 2 is empty, and is left out" in dataset.notes


# ------------------------------------------------------------------------------------------------------ numbers


def test_black_and_white_pixels_of_0_and_1_keep_their_value(write_table):
    dataset = load(write_table(lines(np.column_stack([[7, 0, 9, 3], PIXELS > 128]))))
    assert dataset.X.dtype == np.uint8
    assert np.array_equal(dataset.X, PIXELS > 128)
    assert dataset.image_shape == (28, 28)


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
def test_values_that_are_no_bytes_are_never_cut_down(write_table, rows, X, y):
    dataset = load(write_table(rows))
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
def test_file_that_cannot_be_used_is_named_with_the_place(write_table, complaint, text, words):
    message = complaint(write_table(text))
    for word in words:
        assert word in message


@pytest.mark.parametrize("at", range(2, 12))
@pytest.mark.parametrize("odd", ["1", "1,2,3", "1,2,3,4"])
def test_a_row_of_another_length_is_named_wherever_a_block_begins(write_table, monkeypatch, complaint, at, odd):
    monkeypatch.setattr("fastmlp.data.tables.columns.BYTES_AT_A_TIME", 0)
    monkeypatch.setattr("fastmlp.data.tables.columns.FEWEST_AT_A_TIME", 3)  # rows
    rows = ["7,1"] * 12
    rows[at] = odd
    message = complaint(write_table("\n".join(rows)))
    assert f"line {at + 1}: {odd.count(',') + 1} values; expected 2" in message


@pytest.mark.parametrize("mark", ["\x1c", "\x1d", "\x85", "\u3000"])
def test_blanks_between_columns_are_those_of_ascii_and_a_cell_of_others_counts(write_table, mark):
    """str.strip takes such a cell away; pandas does not, and gave numbers of the column before for it."""
    table = load_inputs(write_table("".join(f"{i} {i + 1} {mark}\n" for i in range(9)))).X
    assert np.array_equal(table, [[i, i + 1, np.nan] for i in range(9)], equal_nan=True)


def test_a_line_without_values_after_an_empty_one_is_no_table(write_table, complaint):
    """Of these bytes, with the line ends of old Macs, pandas makes no row."""
    assert "has no rows with values; expected one line per sample" in complaint(write_table("\r,"))


def test_a_line_without_end_is_refused_before_it_fills_the_memory(write_table, monkeypatch, complaint):
    monkeypatch.setattr("fastmlp.data.tables.layout.MOST_IN_LINE", 1000)
    assert "line 2: more than 1000 characters" in complaint(write_table("label,a\n" + "1" * 2000))


def test_many_columns_and_long_lines_are_read(write_table):
    names = [f"gene {i}" for i in range(30_000)]
    text = ",".join([*names, "y"]) + "\n" + "".join(",".join(["0.123456"] * 30_000 + [y]) + "\n" for y in "01")
    dataset = load(write_table(text))
    assert dataset.X.shape == (2, 30_000)
    assert dataset.y.tolist() == [0, 1]


@pytest.mark.parametrize("first", ["1;" * 40_000 + "1", "2;1" + ";" * 39_999], ids=["equal lines", "empty cells"])
def test_forty_thousand_columns_take_no_longer_each_than_a_hundred(write_table, first):
    """Once each column was looked up among all others: minutes for a packed file of 200 bytes."""
    assert len(load(write_table(f"{first}\n{first}\n")).X) == 2


def test_more_columns_than_can_be_read_in_minutes_are_refused(write_table, monkeypatch, complaint):
    monkeypatch.setattr("fastmlp.data.tables.layout.MOST_COLUMNS", 1000)
    assert "a line of 1,001 cells; expected at most 1,000 columns" in complaint(write_table("1;" * 1000 + "1\n"))
    assert load(write_table("1;" * 999 + "1\n")).X.shape == (1, 999)


def test_a_wide_table_is_read_in_blocks_of_several_rows(write_table, monkeypatch):
    """Once so few that pandas took most of its time for each column of each block."""
    monkeypatch.setattr("fastmlp.data.tables.columns.BYTES_AT_A_TIME", 8 * 300)
    sizes = []
    monkeypatch.setattr(
        "fastmlp.data.tables.columns.as_array", lambda block: sizes.append(len(block[0])) or as_array(block)
    )
    load(write_table((",".join(["7"] * 300) + "\n") * 200))
    assert sizes == [64, 64, 64, 8]


def test_more_columns_of_text_than_can_be_read_in_seconds_are_refused(write_table, complaint):
    """Of a packed file of some hundred bytes; text and numbers by turns."""
    wide = ("1;a;" * 60_000 + "1\n") * 2
    assert "has 60,000 columns of text; expected at most 20,000: write their values as num" in complaint(
        write_table(wide)
    )


def test_columns_whose_text_begins_late_are_counted_too(write_table, monkeypatch, complaint):
    monkeypatch.setattr("fastmlp.data.tables.columns.MOST_OF_TEXT", 2)
    rows = ["1,2,3,0"] * 200 + ["a,b,c,0"]
    assert "has 3 columns of text; expected at most 2" in complaint(write_table("\n".join(rows)))
