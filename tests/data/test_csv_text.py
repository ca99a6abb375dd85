"""CSV files."""

import io
import json
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from fastmlp.data import load
from fastmlp.data.readers.csv import CSVReader

PIXELS = np.random.RandomState(0).randint(0, 256, (4, 784))
KAGGLE_HEADER = ",".join(["label", *(f"pixel{i}" for i in range(784))]) + "\n"


def lines(table):
    buffer = io.StringIO()
    np.savetxt(buffer, table, fmt="%g", delimiter=",")
    return buffer.getvalue()


@pytest.fixture
def write(tmp_path):
    def write(text, name="train.csv", encoding="utf-8"):
        path = tmp_path / name
        path.write_bytes(text.encode(encoding))
        return path

    return write


@pytest.mark.parametrize("header", [KAGGLE_HEADER, ""])
def test_digit_recognizer_file_gives_pixels_with_and_without_its_header(write, header):
    dataset = load(write(header + lines(np.column_stack([[7, 0, 9, 3], PIXELS]))))
    assert dataset.X.dtype == np.uint8
    assert np.array_equal(dataset.X, PIXELS)
    assert dataset.y.tolist() == [7, 0, 9, 3]
    assert dataset.classes.tolist() == [0, 3, 7, 9]
    assert dataset.image_shape == (28, 28)


@pytest.mark.parametrize("mark", [";", "\t"])
def test_columns_that_something_else_than_commas_divides_are_named(write, mark):
    with pytest.raises(ValueError, match=r"has no comma in its header, .*; expected commas between the columns"):
        load(write(mark.join(["label", "pixel0", "pixel1"]) + f"\n1{mark}2{mark}3\n"))


def test_label_column_is_found_by_its_name(write):
    dataset = load(write("width,height,class\n1.5,2,0\n3,4,1\n"))
    assert dataset.X.tolist() == [[1.5, 2], [3, 4]]
    assert dataset.y.tolist() == [0, 1]


@pytest.mark.parametrize(("form", "label"), [("%.1f", 3), ("%d", 300)])
def test_pixels_are_pixels_however_they_and_the_labels_are_written(write, form, label):
    buffer = io.StringIO()
    np.savetxt(buffer, np.column_stack([[label, 0, 1, 2], PIXELS]), fmt=form, delimiter=",")
    dataset = load(write(buffer.getvalue()))
    assert dataset.X.dtype == np.uint8
    assert np.array_equal(dataset.X, PIXELS)
    assert dataset.y.tolist() == [label, 0, 1, 2]


def test_black_and_white_pixels_of_0_and_1_keep_their_value(write):
    dataset = load(write(lines(np.column_stack([[7, 0, 9, 3], PIXELS > 128]))))
    assert dataset.X.dtype == np.float32
    assert np.array_equal(dataset.X, PIXELS > 128)
    assert dataset.image_shape == (28, 28)


def test_small_integers_that_are_no_pixels_keep_their_value(write):
    dataset = load(write("y,a,b\n0,2,3\n1,4,5\n"))
    assert dataset.X.dtype == np.float32
    assert dataset.X.tolist() == [[2, 3], [4, 5]]


@pytest.mark.parametrize(
    "text",
    [
        '"label","a"\r\n"1","2"\r\n0,3\r\n',
        "label,a\n\n1,2\n\n0,3\n\n",
        "\nlabel,a\n1,2\n0,3",
        "  \nlabel,a\n \n1,2\n\t \n0,3\n   ",
        " \r\n1,2\r\n \t\r\n0,3\r\n  \r\n",
    ],
)
def test_quotes_blank_lines_and_windows_line_ends_do_not_matter(write, text):
    dataset = load(write(text))
    assert dataset.X.tolist() == [[2], [3]]
    assert dataset.y.tolist() == [1, 0]


def test_byte_order_mark_of_a_spreadsheet_does_not_matter(write):
    assert load(write("label,a\n1,2\n0,3\n", encoding="utf-8-sig")).y.tolist() == [1, 0]


def test_csv_is_recognised_without_its_suffix(write):
    assert load(write("1,2.5\n0,3.5\n", name="table")).X.tolist() == [[2.5], [3.5]]


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


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("label,a\n1,2\n0,3,4\n", ["line 3", "3 values", "expected 2"]),
        ("label,a\n1,2\n0,x\n", ["line 3", "'x'", "column 1"]),
        ("label,a\n1,2\n\n0,\n", ["line 4", "''", "column 1"]),
        ("label,a\n1,2\n0,nan\n", ["nan", "row 1", "column 0"]),
        ("label,a\n1,inf\n0,3\n", ["inf", "row 0", "column 0"]),
        ("pixel0,pixel1\n1,1\n2,3\n", ["`label`", "pixel0, pixel1"]),
        ("label,a\n", ["no rows"]),
        ("\n\n", ["no rows"]),
        (" \n  \n", ["no rows"]),
        ("label,a\n \n", ["no rows"]),
        ("label,a\n1,2\n \n0,x\n", ["line 4", "'x'", "column 1"]),
        ("1\n2\n", ["one column"]),
        ("label\n1\n0\n", ["one column"]),
        ("a,b,label\n1,2\n3,4\n", ["line 2", "2 values", "expected 3", "header"]),
        ("a,label\n1,2,0\n3,4,1\n", ["line 2", "3 values", "expected 2", "header"]),
        ("label,a\n1,1_0\n0,3\n", ["line 2", "'1_0'", "column 1"]),
    ],
)
def test_file_that_cannot_be_used_is_named_with_the_place(write, complaint, text, words):
    message = complaint(write(text))
    for word in words:
        assert word in message


# Older numpy, asked for bytes, cuts numbers down to them with a warning, which these tests would take for an error.
WITHOUT_WARNINGS = """
import json, sys
from fastmlp.data import load
from fastmlp.errors import InputError
try:
    dataset = load(sys.argv[1])
    print(json.dumps([str(dataset.X.dtype), dataset.X.tolist(), dataset.y.tolist()]))
except InputError as error:
    print(json.dumps(str(error)))
"""


@pytest.mark.parametrize(
    ("rows", "X", "y"),
    [
        ("0,1.5,0.25\n1,-1.25,300\n", [[1.5, 0.25], [-1.25, 300]], [0, 1]),
        ("300,1,2\n0,3,4\n", [[1, 2], [3, 4]], [300, 0]),
        ("0,256,-1\n1,3,4\n", [[256, -1], [3, 4]], [0, 1]),
        ("0,nan,1\n1,3,4\n", "nan at row 0, column 0", None),
        ("0,1,1e39\n1,3,4\n", "inf at row 0, column 1", None),
        ("0,1,2\n-1,3.5,4\n", [[1, 2], [3.5, 4]], [0, -1]),
        ("0,1,2\n16777217,3.5,4\n", [[1, 2], [3.5, 4]], [0, 16777217]),
        ("0,1,2\n1.5,3.5,4\n", [[1, 2], [3.5, 4]], [0, 1.5]),
    ],
)
def test_values_that_are_no_bytes_are_never_cut_down_where_warnings_are_not_seen(write, rows, X, y):
    command = [sys.executable, "-W", "ignore", "-c", WITHOUT_WARNINGS, str(write(f"label,a,b\n{rows}"))]
    found = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    if y is None:
        assert X in found
    else:
        assert found == ["float32", X, y]


@pytest.mark.parametrize("odd", ["", "0.5", "256"])
def test_a_file_that_is_read_in_many_blocks_gives_the_same(write, monkeypatch, odd):
    monkeypatch.setattr("fastmlp.data.readers.csv.BYTES_AT_A_TIME", 3 * 8 * 785)  # three rows at a time
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


def test_a_row_of_another_length_in_a_later_block_is_named(write, monkeypatch, complaint):
    monkeypatch.setattr("fastmlp.data.readers.csv.BYTES_AT_A_TIME", 8 * 2)
    message = complaint(write("0,1\n1,2\n0,3,4\n1,5,6\n"))
    assert "line 3: 3 values; expected 2" in message
