"""DataFrames of pandas and polars, which are taken as they are."""

import datetime

import numpy as np
import pytest

from fastmlp import MLP
from fastmlp.errors import InputError, InputTypeError
from fastmlp.inputs.table import Table

ROWS = 120
RANDOM = np.random.RandomState(0)
Y = np.arange(ROWS) % 3
SMALL = {"hidden": (8,), "epochs": 3, "batch_size": 40, "learning_rate": 0.05}
COLUMNS = {
    "width": RANDOM.standard_normal(ROWS),
    "count": RANDOM.randint(0, 5000, ROWS),
    "good": RANDOM.randint(0, 2, ROWS).astype(bool),
}
NUMBERS = np.column_stack([column.astype(float) for column in COLUMNS.values()])
COLOURS = ["red", "green", None, "blue"] * (ROWS // 4)


@pytest.fixture(params=["pandas", "polars"])
def library(request):
    return pytest.importorskip(request.param)


def bits(mlp):
    return b"".join(array.tobytes() for array in (*mlp.weights, *mlp.biases))


def test_a_frame_of_numbers_gives_the_network_of_the_array(library):
    frame = library.DataFrame(COLUMNS)
    expected = MLP(**SMALL).fit(NUMBERS, Y, validation=(NUMBERS, Y))
    mlp = MLP(**SMALL).fit(frame, Y, validation=(frame, Y))
    assert bits(mlp) == bits(expected)
    for X in (frame, frame[["good", "width", "count"]], NUMBERS):
        assert mlp.predict_proba(X).tobytes() == expected.predict_proba(NUMBERS).tobytes()
    with pytest.raises(InputError, match="X lacks the column `good`"):
        mlp.predict(frame[["width", "count"]])


def test_text_and_missing_values_are_read(library):
    mixed = {**COLUMNS, "colour": COLOURS, "gap": [None if row % 7 == 0 else row for row in range(ROWS)]}
    table = Table.from_frame(library.DataFrame(mixed))
    assert table.names == ("width", "count", "good", "colour", "gap")
    width, count, good, colour, gap = table.columns
    assert (width.dtype, count.dtype, good.dtype, gap.dtype) == (np.float64, np.int64, np.uint8, np.float64)
    assert colour.tolist() == COLOURS
    np.testing.assert_array_equal(np.isnan(gap), np.arange(ROWS) % 7 == 0)
    mlp = MLP(**SMALL, missing="median").fit(library.DataFrame(mixed), Y)
    assert mlp.predict_proba(library.DataFrame(mixed)).tobytes() == mlp.predict_proba(table).tobytes()
    with pytest.raises(InputError, match="column `colour` has no value at row 2"):
        MLP(**SMALL).fit(library.DataFrame({"colour": COLOURS}), Y)


def test_categorical_columns_are_text(library):
    if library.__name__ == "pandas":
        series = library.Categorical(COLOURS)
    else:
        series = library.Series("colour", COLOURS, dtype=library.Categorical)
    assert Table.from_frame(library.DataFrame({"colour": series})).columns[0].tolist() == COLOURS


def test_dates_are_refused(library):
    days = [datetime.date(2024, 1, 1) + datetime.timedelta(days=day) for day in range(ROWS)]
    frame = library.DataFrame({"day": np.array(days, "datetime64[ns]"), "width": COLUMNS["width"]})
    with pytest.raises(InputTypeError, match=r"column `day` is of type .* expected numbers or text"):
        MLP(**SMALL).fit(frame, Y)


def test_columns_of_pandas_that_may_lack_values_are_numbers():
    pandas = pytest.importorskip("pandas")
    plain = pandas.DataFrame(COLUMNS)
    expected = MLP(**SMALL).fit(NUMBERS, Y)
    for frame in (plain.convert_dtypes(), plain.astype(object), plain.astype("Float64")):
        assert bits(MLP(**SMALL).fit(frame, Y)) == bits(expected)
        assert expected.predict_proba(frame).tobytes() == expected.predict_proba(NUMBERS).tobytes()
    gaps = pandas.array([1, None] * (ROWS // 2), dtype="Int64")
    for frame in (pandas.DataFrame({"a": gaps}), pandas.DataFrame({"a": gaps}).astype(object)):
        np.testing.assert_array_equal(Table.from_frame(frame).columns[0], [1, np.nan] * (ROWS // 2))


def test_the_codes_of_categories_are_text_in_pandas():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"code": pandas.Categorical([3, 1, None, 2] * (ROWS // 4))})
    assert Table.from_frame(frame).columns[0][:4].tolist() == ["3", "1", None, "2"]
    mlp = MLP(**SMALL, missing="median").fit(frame, Y)
    numbers = pandas.DataFrame({"code": [3, 1, None, 2] * (ROWS // 4)})
    assert mlp.predict_proba(numbers).tobytes() == mlp.predict_proba(frame).tobytes()


def test_an_index_of_pandas_and_numbers_as_names_mean_nothing():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(NUMBERS).sort_values(0)
    assert Table.from_frame(frame).names == ("0", "1", "2")
    order = frame.index.to_numpy()
    assert bits(MLP(**SMALL).fit(frame, Y[order])) == bits(MLP(**SMALL).fit(NUMBERS[order], Y[order]))


def test_two_columns_of_one_name_are_refused():
    pandas = pytest.importorskip("pandas")
    with pytest.raises(InputError, match="the table has the column `a` twice"):
        MLP(**SMALL).fit(pandas.DataFrame(NUMBERS, columns=["a", "b", "a"]), Y)


def test_a_frame_without_rows_is_refused(library):
    with pytest.raises(InputError, match=r"the table has the shape \(0, 3\); expected at least one row"):
        MLP(**SMALL).fit(library.DataFrame(COLUMNS)[:0], Y)


def test_a_name_that_a_hundred_thousand_columns_have_twice_is_found():
    """Each once was counted among all others: minutes."""
    pandas = pytest.importorskip("pandas")
    names = [*(f"gene {number}" for number in range(100_000)), "gene 7"]
    with pytest.raises(InputError, match="has the column `gene 7` twice"):
        Table.from_frame(pandas.DataFrame(np.zeros((1, len(names))), columns=names))
