"""Tables in text as spreadsheets, R, pandas and the usual data sites write them: one table, whatever its dialect."""

import bz2
import csv
import gzip
import io
import lzma
import zipfile
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from fastmlp.data import load


def zipped(content):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("folder/table.csv", content)
        archive.writestr("__MACOSX/folder/._table.csv", b"\0\0")
    return buffer.getvalue()


PACK = {"": bytes, ".gz": gzip.compress, ".bz2": bz2.compress, ".xz": lzma.compress, ".zip": zipped}


@dataclass(frozen=True)
class Dialect:
    separator: str = ","
    decimal: str = "."
    quoting: int = csv.QUOTE_MINIMAL
    encoding: str = "utf-8"
    newline: str = "\n"
    packing: str = ""
    missing: str = "NA"
    index: tuple = ()  # a name for each row
    label_at: int = 0

    def written(self, names, rows, labels):
        """The table as bytes: cells are numbers, text or None, the labels become a column of their own."""
        at = min(self.label_at, len(names))
        header = [*names[:at], "label", *names[at:]]
        table = [[*map(self._cell, [*row[:at], label, *row[at:]])] for row, label in zip(rows, labels, strict=True)]
        if self.index:
            header, table = ["", *header], [[name, *row] for name, row in zip(self.index, table, strict=True)]
        buffer = io.StringIO()
        writer = csv.writer(buffer, delimiter=self.separator, quoting=self.quoting, lineterminator=self.newline)
        writer.writerows([header, *table])
        return PACK[self.packing](buffer.getvalue().encode(self.encoding))

    def _cell(self, value):
        if value is None:
            return self.missing
        return repr(value).replace(".", self.decimal) if isinstance(value, float) else value


@st.composite
def dialects(draw, rows):
    separator = draw(st.sampled_from([",", ";", "\t", " "]))
    names = [(), tuple(range(rows)), tuple(range(1, rows + 1)), tuple(f"row {i}" for i in range(rows))]
    if separator != " ":  # with which an empty name at the front is not seen, unless the numbers count
        names.append(tuple(draw(st.permutations(range(rows)))))
    return Dialect(
        separator,
        decimal="." if separator == "," else draw(st.sampled_from([".", ","])),
        quoting=draw(st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL, csv.QUOTE_NONNUMERIC])),
        encoding=draw(st.sampled_from(["utf-8", "utf-8-sig", "utf-16"])),
        newline=draw(st.sampled_from(["\n", "\r\n", "\r"])),
        packing=draw(st.sampled_from(list(PACK))),
        missing=draw(st.sampled_from(["NA", "?", "NULL"] if separator == " " else ["", "NA", "?"])),
        index=draw(st.sampled_from(names)),
        label_at=draw(st.integers(0, 4)),
    )


# What no reader could tell from a number, from a missing value or from the blanks around it is left out.
WORDS = st.from_regex(r"[a-mäß][a-z0-9 ,;\"'#.\t]{0,6}[.x]", fullmatch=True)
NUMBERS = st.one_of(
    st.integers(-1000, 1000), st.floats(-1e9, 1e9), st.floats(allow_nan=False, allow_infinity=False), st.none()
)


@st.composite
def tables(draw):
    """(names of columns, rows, labels)."""
    rows = draw(st.integers(2, 6))
    kinds = draw(
        st.lists(st.sampled_from([NUMBERS, st.integers(0, 255), WORDS, WORDS | st.none()]), min_size=1, max_size=4)
    )
    names = ["width", "sex", "Größe", "of a leaf"][: len(kinds)]
    columns = [draw(st.lists(kind, min_size=rows, max_size=rows)) for kind in kinds]
    labels = draw(st.lists(draw(st.sampled_from([st.integers(-2, 3), WORDS])), min_size=rows, max_size=rows))
    return names, list(zip(*columns, strict=True)), labels


def check_read(dataset, names, rows, labels):
    assert dataset.X.names == tuple(names)
    for column, expected in zip(dataset.X.columns, zip(*rows, strict=True), strict=True):
        assert [None if value != value else value for value in column.tolist()] == list(expected)
    assert dataset.y.tolist() == labels
    assert dataset.classes.tolist() == sorted(set(labels))
    assert dataset.label == "label"


@given(table=tables(), data=st.data())
def test_a_table_is_the_same_in_every_dialect(tmp_path_factory, table, data):
    names, rows, labels = table
    dialect = data.draw(dialects(len(rows)))
    assume(dialect.separator != " " or r"\t" not in str(table))  # which nobody quotes
    path = tmp_path_factory.mktemp("table") / f"table.csv{dialect.packing}"
    path.write_bytes(dialect.written(names, rows, labels))
    check_read(load(path), names, rows, labels)


@pytest.mark.parametrize("name", ["table", "table.txt", "table.data"])
@pytest.mark.parametrize("packing", list(PACK))
def test_a_table_is_told_by_its_content_where_its_name_says_nothing(tmp_path, name, packing):
    names, rows, labels = ["a", "b"], [(1, "x:y"), (2.5, "z")], ["no", "yes"]
    path = tmp_path / name
    path.write_bytes(Dialect("\t", packing=packing).written(names, rows, labels))
    check_read(load(path), names, rows, labels)


@given(
    table=st.lists(st.tuples(*[st.floats(-1e6, 1e6, width=32)] * 3), min_size=2, max_size=6),
    separator=st.sampled_from([",", ", ", ";", "\t", "  "]),
    end=st.sampled_from(["", " "]),
)
def test_numbers_without_names_are_read_with_every_separator(tmp_path_factory, table, separator, end):
    path = tmp_path_factory.mktemp("table") / "numbers"
    lines = [separator.join([str(row % 2 + 7), *map(repr, cells)]) + end for row, cells in enumerate(table)]
    path.write_text("\n".join(lines))
    dataset = load(path)
    assert np.array_equal(dataset.X, table)
    assert dataset.y.tolist() == [row % 2 + 7 for row in range(len(table))]


def test_text_of_windows_that_is_no_utf_8_is_read_even_where_it_comes_late(tmp_path):
    names, rows = ["town", "a"], [("x" * 60, i) for i in range(2000)] + [("Köln", 5)]
    path = tmp_path / "table.csv"
    path.write_bytes(Dialect(encoding="cp1252").written(names, rows, [i % 2 for i in range(2001)]))
    assert load(path).X.columns[0][-1] == "Köln"


def test_decimal_commas_that_come_late_are_told(tmp_path):
    rows = [(i, 2) for i in range(500)] + [(0.5, 2.25)]
    path = tmp_path / "table.csv"
    path.write_bytes(Dialect(";", ",").written(["a", "b"], rows, [i % 2 for i in range(501)]))
    check_read(load(path), ["a", "b"], rows, [i % 2 for i in range(501)])


def test_a_point_in_one_column_and_commas_in_another_leave_the_latter_as_text(tmp_path):
    path = tmp_path / "table.csv"
    path.write_text("a;b;label\n1.5;1,2;0\n2.5;3,4;1\n")
    check_read(load(path), ["a", "b"], [(1.5, "1,2"), (2.5, "3,4")], [0, 1])


def test_a_header_of_numpy_savetxt_is_one(tmp_path):
    path = tmp_path / "table.txt"
    np.savetxt(path, [[1.5, 2, 0], [2.5, 3, 1]], header="width height label")
    check_read(load(path), ["width", "height"], [(1.5, 2), (2.5, 3)], [0, 1])


FIRST_LINES = [
    ("5.1,3.5,setosa\n4.9,3.0,virginica\n", False),  # iris.data
    ("p,x,s,n\ne,x,s,y\ne,b,s,w\np,x,y,w\n", False),  # agaricus-lepiota.data: letters, which come again
    ("class,shape,surface,color\np,x,s,n\ne,x,s,y\n", True),
    ("39, State-gov, 77516\n50, Private, 83311\n", False),  # adult.data
    ("age,job,pay\n39,State-gov,77516\n50,Private,83311\n", True),
    ("label,0,1\n5,0,0\n3,0,9\n", True),
    (",0,1,2\n0,7,8,9\n1,4,5,6\n", True),
    ("0,1\n1,2\n", False),
    ("name,?,b\nx,1,2\ny,3,4\n", True),
    ("N,175000,M,Y\nN,1750,F,N\nS,2200,F,Y\n", False),  # Y is not a name here, as it comes again
    (",1940,1945\nfood,22.2,44.5\nhealth,3.5,5.7\n", True),
    (",3,4\n7,5,6\n5,9,7\n", False),
]


@pytest.mark.parametrize(("text", "has_header"), FIRST_LINES)
def test_the_first_line_is_a_header_or_a_sample(tmp_path, text, has_header):
    path = tmp_path / "table.csv"
    path.write_text(text)
    assert len(load(path, label=0 if "," not in text[:1] else 1).y) == text.count("\n") - has_header


def test_names_that_are_asked_for_tell_a_header(tmp_path):
    path = tmp_path / "table.csv"
    path.write_text("country,2015,2016\nFR,1,2\nDE,3,4\n")
    assert load(path, label="2016").y.tolist() == [2, 4]


@pytest.fixture(scope="module")
def frames():
    """The data frames of scikit-learn's collections, by their names."""
    datasets = pytest.importorskip("sklearn.datasets", reason="scikit-learn is not installed")
    return {
        name: getattr(datasets, f"load_{name}")(as_frame=True).frame for name in ("iris", "wine", "diabetes", "digits")
    }


@settings(max_examples=30)
@given(
    name=st.sampled_from(["iris", "wine", "diabetes", "digits"]),
    options=st.fixed_dictionaries(
        {
            "sep": st.sampled_from([",", ";", "\t", " "]),
            "decimal": st.sampled_from([".", ","]),
            "quoting": st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL, csv.QUOTE_NONNUMERIC]),
            "lineterminator": st.sampled_from(["\n", "\r\n", "\r"]),
            "index": st.booleans(),
        }
    ),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
    packing=st.sampled_from(list(PACK)),
    label_at=st.integers(0, 4),
)
def test_frames_of_scikit_learn_are_read_back_as_pandas_writes_them(
    tmp_path_factory, frames, name, options, encoding, packing, label_at
):
    frame = frames[name].iloc[::3]
    if options["sep"] == ",":
        options["decimal"] = "."  # else pandas writes commas in commas without quotes
    if options["index"] and options["sep"] == " ":
        frame = frame.reset_index(drop=True)
    inputs = [column for column in frame.columns if column != "target"]
    path = tmp_path_factory.mktemp("frames") / f"{name}.csv{packing}"
    text = frame[[*inputs[:label_at], "target", *inputs[label_at:]]].to_csv(**options)
    path.write_bytes(PACK[packing](text.encode(encoding)))
    dataset = load(path)
    if name == "digits":
        assert np.array_equal(dataset.X, frame[inputs])
        assert dataset.image_shape == (8, 8)
    else:
        assert dataset.X.names == tuple(inputs)
        assert all(np.array_equal(column, frame[name]) for name, column in zip(inputs, dataset.X.columns, strict=True))
    assert np.array_equal(dataset.y, frame["target"])
    assert dataset.task == ("regression" if name == "diabetes" else "classification")
