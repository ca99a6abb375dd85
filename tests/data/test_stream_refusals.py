"""Files and settings that a stream refuses."""

import os
from itertools import islice

import h5py
import numpy as np
import pytest
from stream_samples import COLUMNS, LABELS, PIXELS, ROWS, SMALL

from fastmlp.data import Stream
from fastmlp.errors import InputError, InputTypeError


@pytest.mark.parametrize("name", ["window_bytes", "block_bytes"])
@pytest.mark.parametrize("value", [0, -1, 1e6, "128 MiB", None, True])
def test_bytes_that_are_no_number_of_bytes_are_refused(write, name, value):
    with pytest.raises((InputError, InputTypeError), match=rf"{name} is {value!r}; expected .*leave it out for 128"):
        Stream(write(), **{name: value})


@pytest.mark.parametrize(
    ("arrays", "words"),
    [
        ({"xdata": PIXELS[0]}, [f"({COLUMNS},)", "(N, D)"]),
        ({"xdata": PIXELS.astype("i4")}, ["int32", "uint8"]),
        ({"xdata": PIXELS[:0], "ydata": LABELS[:0]}, [f"(0, {COLUMNS})", "one row"]),
        ({"ydata": LABELS[:-1]}, ["(2999,)", "(3000,)"]),
        ({"ydata": np.zeros((ROWS, 2, 2))}, ["(3000, 2, 2)"]),
        ({"ydata": LABELS + 0.5}, ["0.5", "row 0", "whole numbers"]),
        ({"ydata": np.zeros((ROWS, 3))}, ["one-hot", "row 0"]),
        ({"ydata": np.array([b"\xff"] * ROWS)}, ["not UTF-8"]),
    ],
)
def test_arrays_that_cannot_be_used_are_named(write, arrays, words):
    with pytest.raises((InputError, TypeError)) as caught:
        Stream(write(**arrays))
    for word in ("large.h5", *words):
        assert word in str(caught.value)


def test_files_that_are_none_are_named(write, tmp_path):
    with pytest.raises(InputError, match=r"absent\.h5 is not there"):
        Stream(tmp_path / "absent.h5")
    (tmp_path / "table.csv").write_text("1,2\n3,4\n")
    with pytest.raises(InputError, match=r"table\.csv is CSV; expected HDF5"):
        Stream(tmp_path / "table.csv")
    with h5py.File(tmp_path / "other.h5", "w") as file:
        file["images"] = PIXELS
    with pytest.raises(InputError, match=r"has the arrays images; expected .* `xdata` and `ydata`"):
        Stream(tmp_path / "other.h5")
    path = write()
    os.truncate(path, path.stat().st_size // 2)
    with pytest.raises(InputError, match="cut short"):
        Stream(path)


def test_window_that_holds_no_batch_or_hardly_mixes_is_refused(write):
    with Stream(write(), **SMALL) as stream, pytest.raises(InputError, match=r"batch_size is 701.* has 700 rows"):
        stream.epoch(0, 1, batch_size=701, shuffle=True)
    chunked = write(options={"chunks": (100, COLUMNS)}, name="chunked.h5")
    with Stream(chunked, **SMALL) as stream:
        with pytest.raises(InputError, match="blocks of 100 stay together; expected 16 blocks"):
            stream.epoch(0, 1, batch_size=50, shuffle=True)
        assert len(list(stream.epoch(0, 1, batch_size=50, shuffle=False))) == 5
        first_two = islice(stream.epoch(0, 1, batch_size=50, shuffle=False), 2)
        np.testing.assert_array_equal(np.concatenate([window.rows for _, window in first_two]), np.arange(1200))


def test_batch_of_all_rows_is_one_window_where_it_fits(write):
    with Stream(write()) as stream:
        ((X, window),) = stream.epoch(0, 1, batch_size=10**9, shuffle=True)
        np.testing.assert_array_equal(X, PIXELS)
        assert len(window.order) == ROWS
