"""Tables: columns are known by their names, text is one feature per value, and what is missing is refused or told."""

from decimal import Decimal

import numpy as np
import pytest

from fastmlp import MLP
from fastmlp.errors import InputError, InputTypeError
from fastmlp.inputs.columns import Column
from fastmlp.inputs.encoder import InputEncoder
from fastmlp.inputs.scaling import Scaling
from fastmlp.inputs.table import Table
from fastmlp.training.preparation import prepare

RANDOM = np.random.RandomState(0)
ROWS = 240
Y = np.arange(ROWS) % 3
SMALL = {"hidden": (8,), "epochs": 3, "batch_size": 40, "learning_rate": 0.05}
NUMBERS = RANDOM.standard_normal((ROWS, 3)) * [1, 100, 1e-3] + [0, 5000, 1]
COLOURS = np.array(["red", "green", "blue", "green"] * (ROWS // 4), object)


def table(numbers=NUMBERS, names=("width", "weight", "share"), **more):
    return Table((*names, *more), (*np.array(numbers).T, *more.values()))


def bits(mlp):
    return b"".join(array.tobytes() for array in (*mlp.weights, *mlp.biases))


def features(mlp, X):
    """What the network reads, dense."""
    return prepare(
        mlp.config.replace(first_layer="dense"), X, Y[: len(X)], encoder=mlp.encoder, classes=range(3)
    ).batches.X


# ------------------------------------------------------------------------------------------------------------- numbers


def test_columns_of_numbers_give_the_network_of_the_array():
    expected = MLP(**SMALL).fit(NUMBERS, Y, validation=(NUMBERS, Y))
    mlp = MLP(**SMALL).fit(table(), Y, validation=(table(), Y))
    assert bits(mlp) == bits(expected)
    assert mlp.predict_proba(table()).tobytes() == expected.predict_proba(NUMBERS).tobytes()
    assert mlp.predict_proba(NUMBERS).tobytes() == expected.predict_proba(table()).tobytes()


@pytest.mark.parametrize("dtype", [np.uint8, np.int64, np.float32, np.float64])
def test_columns_of_pixels_give_the_network_of_the_pixels(dtype):
    X = RANDOM.randint(0, 256, (ROWS, 64)).astype(np.uint8)
    pixels = Table(tuple(f"pixel{number}" for number in range(64)), tuple(X.T.astype(dtype)))
    mlp, expected = MLP(**SMALL).fit(pixels, Y), MLP(**SMALL).fit(X, Y)
    assert mlp.fit_info["scaling"] == "pixels"
    assert bits(mlp) == bits(expected)
    assert mlp.predict_proba(X).tobytes() == expected.predict_proba(X).tobytes()


def test_columns_are_found_by_their_names():
    mlp = MLP(**SMALL).fit(table(), Y)
    swapped = Table(("share", "width", "weight"), tuple(NUMBERS.T[[2, 0, 1]]))
    assert mlp.predict_proba(swapped).tobytes() == mlp.predict_proba(table()).tobytes()
    assert mlp.evaluate(swapped, Y) == mlp.evaluate(table(), Y)


def test_columns_that_are_missing_or_beyond_those_of_the_training_are_named():
    mlp = MLP(**SMALL).fit(table(), Y)
    lacking = r"X lacks the column `weight`; expected the 3 training columns, in any order: is it called `Weight`\?"
    with pytest.raises(InputError, match=lacking):
        mlp.predict(table(names=("width", "Weight", "share")))
    with pytest.raises(InputError, match="X lacks the columns `width`, `share`"):
        mlp.predict(table().select(["weight"]))
    with pytest.raises(
        InputError, match="X has the columns `Id`, `name`, which the training data did not have; leave them out"
    ):
        mlp.predict(table(Id=np.arange(ROWS), name=COLOURS))
    with pytest.raises(InputError, match="validation X lacks the column"):
        MLP(**SMALL).fit(table(), Y, validation=(table(names=("a", "weight", "share")), Y))
    assert mlp.encoder.unknown(("Id", "width")) == ["Id"]


def test_an_array_of_another_width_is_refused():
    mlp = MLP(**SMALL).fit(table(), Y)
    with pytest.raises(InputError, match="X has 2 features; expected 3, as in training"):
        mlp.predict(NUMBERS[:, :2])
    with pytest.raises(InputError, match="X has 2 columns; expected 3, as in training"):
        MLP(**SMALL).fit(NUMBERS, Y).predict(table().select(["width", "share"]))


# ---------------------------------------------------------------------------------------------------------------- text


def test_each_value_of_text_is_a_feature():
    X = table(colour=COLOURS)
    mlp = MLP(**SMALL).fit(X, Y)
    read = features(mlp, X)
    assert read.shape == (ROWS, 6)
    np.testing.assert_allclose(read[:, :3].mean(axis=0), 0, atol=1e-6)
    np.testing.assert_allclose(read[:, :3].std(axis=0), 1, rtol=1e-6)
    np.testing.assert_array_equal(read[:, 3:], COLOURS[:, None] == np.array(["blue", "green", "red"]))
    assert mlp.fit_info["inputs"] == (
        f"3 columns, {NUMBERS.min():,g} to {NUMBERS.max():,g}, standardised; 1 of text with 3 values"
    )


def test_text_alone_is_learnt():
    mlp = MLP(**{**SMALL, "epochs": 40}).fit(Table(("colour",), (COLOURS,)), COLOURS == "green")
    assert mlp.score(Table(("colour",), (COLOURS,)), COLOURS == "green") == 1


def test_pixels_beside_text_are_divided_by_255():
    X = RANDOM.randint(0, 256, (ROWS, 64)).astype(np.uint8)
    names = tuple(f"pixel{number}" for number in range(64))
    mlp = MLP(**SMALL).fit(Table((*names, "colour"), (*X.T, COLOURS)), Y)
    read = features(mlp, Table(("colour", *names), (COLOURS, *X.T)))
    np.testing.assert_array_equal(read[:, :64], (X / 255).astype(np.float32))


def test_a_value_that_the_training_had_not_is_named():
    mlp = MLP(**SMALL).fit(table(colour=COLOURS), Y)
    other = COLOURS.copy()
    other[7] = "mauve"
    with pytest.raises(
        InputError, match=r"column `colour` has 'mauve' at row 7; expected one of the 3 values .* blue, gr"
    ):
        mlp.predict(table(colour=other))
    with pytest.raises(InputTypeError, match="X has no names of columns, and column `colour` is text"):
        mlp.predict(np.c_[NUMBERS, NUMBERS[:, 0]])
    heavy = np.array(["heavy"] * ROWS, object)
    with pytest.raises(InputTypeError, match="column `weight` has 'heavy' at row 0; expected numbers"):
        mlp.predict(Table(("width", "weight", "share", "colour"), (NUMBERS[:, 0], heavy, NUMBERS[:, 2], COLOURS)))


def test_text_that_tells_every_row_apart_is_refused():
    names = np.array([f"customer {number}" for number in range(ROWS)], object)
    with pytest.raises(InputError, match="column `name` has 240 values of text in 240 rows; expected categories"):
        MLP(**SMALL).fit(table(name=names), Y)


def test_numbers_that_were_text_in_the_training_are_found_as_text():
    codes = np.array(["1", "2", "10"] * (ROWS // 3), object)
    mlp = MLP(**SMALL).fit(table(code=codes), Y)
    for dtype in (np.int64, np.float64):
        numbers = np.array([1, 2, 10] * (ROWS // 3), dtype)
        assert mlp.predict_proba(table(code=numbers)).tobytes() == mlp.predict_proba(table(code=codes)).tobytes()


# ------------------------------------------------------------------------------------------------------ missing values


def with_gaps(X=NUMBERS):
    X = X.copy()
    X[::5, 1] = np.nan
    X[3, 2] = np.nan
    return X


@pytest.mark.parametrize("X", [with_gaps(), with_gaps().astype(object)])
def test_missing_numbers_are_refused_with_their_place(X):
    with pytest.raises(
        InputError, match=r"X has nan at row 0, column 1; .* fill in such values, or train with missing='median'"
    ):
        MLP(**SMALL).fit(X, Y)
    mlp = MLP(**SMALL).fit(NUMBERS, Y)
    with pytest.raises(InputError, match="X has nan at row 0, column 1"):
        mlp.predict(X)
    with pytest.raises(InputError, match="X has nan at row 0, column `weight`"):
        MLP(**SMALL).fit(table(X.astype(float)), Y)


def test_missing_text_is_refused_with_its_place():
    colours = COLOURS.copy()
    colours[9] = None
    with pytest.raises(InputError, match=r"column `colour` has no value at row 9; .* or train with missing='median'"):
        MLP(**SMALL).fit(table(colour=colours), Y)


@pytest.mark.parametrize("as_table", [False, True])
def test_a_median_stands_for_a_missing_number_and_an_indicator_tells(as_table):
    impute = pytest.importorskip("sklearn.impute")
    preprocessing = pytest.importorskip("sklearn.preprocessing")
    X = with_gaps()
    given = table(X) if as_table else X
    mlp = MLP(**SMALL, missing="median").fit(given, Y)
    filled = impute.SimpleImputer(strategy="median").fit(X)
    scaler = preprocessing.StandardScaler().fit(filled.transform(X))
    expected = np.c_[scaler.transform(filled.transform(X)), np.isnan(X[:, 1]), np.isnan(X[:, 2])]
    np.testing.assert_allclose(features(mlp, given), expected, rtol=1e-5, atol=1e-6)
    # A gap in a column that had none in the training: its median, and nothing that tells.
    other = np.where(np.eye(ROWS, 3, dtype=bool), np.nan, NUMBERS)
    expected = np.c_[scaler.transform(filled.transform(other)), np.isnan(other[:, 1]), np.isnan(other[:, 2])]
    np.testing.assert_allclose(features(mlp, table(other) if as_table else other), expected, rtol=1e-5, atol=1e-6)
    assert mlp.fit_info["inputs"].endswith("standardised; 2 with missing values")


def test_missing_text_has_no_value_and_an_indicator():
    colours = COLOURS.copy()
    colours[::6] = None
    mlp = MLP(**SMALL, missing="median").fit(table(colour=colours), Y)
    read = features(mlp, table(colour=colours))[:, 3:]
    absent = colours == None  # noqa: E711  each of them
    np.testing.assert_array_equal(read, np.c_[absent, colours[:, None] == np.array(["blue", "green", "red"])])


@pytest.mark.parametrize("missing", ["refuse", "median"])
def test_infinity_is_no_missing_value(missing):
    X = NUMBERS.copy()
    X[4, 1] = np.inf
    for given in (X, table(X)):
        with pytest.raises(InputError, match="X has inf at row 4"):
            MLP(**SMALL, missing=missing).fit(given, Y)


def test_a_column_without_any_value_is_named():
    X = NUMBERS.copy()
    X[:, 1] = np.nan
    with pytest.raises(
        InputError, match="column weight has no value in the training rows; expected some: leave it out"
    ):
        MLP(**SMALL, missing="median").fit(table(X), Y)


def test_nothing_missing_gives_the_network_that_refuses():
    expected = MLP(**SMALL).fit(NUMBERS, Y)
    for X in (NUMBERS, table()):
        assert bits(MLP(**SMALL, missing="median").fit(X, Y)) == bits(expected)


# ------------------------------------------------------------------------------------------------ what keeps an encoder


def full(rows=slice(None)):
    colours, numbers = COLOURS.copy(), with_gaps()
    colours[::6] = None
    return table(numbers, colour=colours)[rows]


def test_a_file_keeps_names_categories_and_medians(tmp_path):
    mlp = MLP(**SMALL, missing="median").fit(full(), Y)
    mlp.save(tmp_path / "model.safetensors")
    loaded = MLP.load(tmp_path / "model.safetensors")
    assert loaded.encoder == mlp.encoder
    reordered = full().select(["colour", "share", "weight", "width"])
    assert loaded.predict_proba(reordered).tobytes() == mlp.predict_proba(full()).tobytes()
    other = MLP(**SMALL, missing="median").fit(full(slice(100)), Y[:100])
    assert other.encoder != mlp.encoder


def test_a_training_on_a_table_is_resumed_and_continued(tmp_path):
    settings = {**SMALL, "missing": "median"}
    expected = MLP(**settings).fit(full(), Y)
    MLP(**{**settings, "epochs": 1}).fit(full(), Y, checkpoint=tmp_path)
    assert bits(MLP(**settings).fit(full(), Y, checkpoint=tmp_path)) == bits(expected)
    with pytest.raises(InputError, match="is of another training"):
        MLP(**settings).fit(full(slice(100)), Y[:100], checkpoint=tmp_path)
    continued = MLP(**settings).partial_fit(full(), Y)
    for _ in range(2):
        continued.partial_fit(full().select(["colour", "share", "weight", "width"]), Y)
    assert bits(continued) == bits(expected)


# ------------------------------------------------------------------------------------------------------------- objects


def test_numbers_in_an_object_array_are_numbers():
    X = np.empty((100, 3), object)
    X[:, 0], X[:, 1] = np.arange(100) * 900, np.arange(100) % 2 == 0
    X[:, 2] = [Decimal(number) / 4 for number in range(100)]
    y = X[:, 1].astype(int)
    mlp = MLP(**SMALL).fit(X, y)
    assert bits(mlp) == bits(MLP(**SMALL).fit(X.astype(float), y))
    assert bits(mlp) == bits(MLP(**SMALL).fit(X.tolist(), y))
    X[5, 1] = "yes"
    with pytest.raises(
        InputTypeError, match="X has 'yes' at row 5, column 1; expected numbers: give columns of text as"
    ):
        mlp.predict(X)


def test_an_array_of_words_is_refused_with_what_takes_words():
    words = np.array([["5.1", "red"], ["4.9", "blue"]] * 10)
    with pytest.raises(InputTypeError, match="X has 'red' at row 0, column 1; expected numbers: give columns of text"):
        MLP(**SMALL).fit(words, np.arange(20) % 2)


def test_a_word_among_numbers_is_what_is_named_even_where_they_are_text_beside_it():
    mlp = MLP(hidden=(2,), epochs=1, engine="numpy").fit(Table(("a",), (np.arange(6.0),)), np.arange(6) % 2)
    with pytest.raises(InputTypeError, match=r"column `a` has 'x' at row 1; expected numbers: correct it"):
        mlp.predict(Table(("a",), (np.array(["5.1", "x", "4"], object),)))


# --------------------------------------------------------------------------------------------------------- wide tables


def test_a_column_that_is_missing_among_a_hundred_thousand_is_named():
    """Each once was looked for among all others: minutes."""
    names = tuple(f"gene {number}" for number in range(100_000))
    encoder = InputEncoder(Scaling.constant("none", len(names)), tuple(Column(name=name) for name in names))
    wide = Table((*names[:0:-1], "gene 0 of 2"), (np.zeros(1, np.float32),) * len(names))
    with pytest.raises(InputError, match=r"lacks the column `gene 0`; expected the 100000 .* called `gene 0 of 2`"):
        encoder.encode(wide, "float32")
