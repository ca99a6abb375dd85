"""Rows that are read from a file a window at a time."""

import os
import threading
import time
import weakref
from itertools import count

import h5py
import numpy as np
import pytest
from stream_samples import COLUMNS, LABELS, PIXELS, ROWS, SMALL

from fastmlp.data import Stream, load
from fastmlp.errors import InputError

PATIENCE = 60  # seconds to wait for what comes at once, unless it never does


def readers():
    return [thread for thread in threading.enumerate() if thread.name.startswith("fastmlp-read")]


def check_epoch(stream, expected, batch_size=50):
    """That an epoch has each row once, with its values."""
    seen = []
    for X, window in stream.epoch(seed=1, epoch=2, batch_size=batch_size, shuffle=True):
        assert X.dtype == expected.dtype
        np.testing.assert_array_equal(X, expected[window.rows])
        seen.append(window.rows)
    np.testing.assert_array_equal(np.sort(np.concatenate(seen)), np.arange(len(expected)))
    return seen


@pytest.mark.parametrize("dtype", ["u1", "<f4", ">f4", "<f8", "f2"])
@pytest.mark.parametrize("options", [{}, {"chunks": (30, 7), "compression": "gzip", "shuffle": True}])
def test_every_row_comes_once_with_the_values_that_load_reads(write, dtype, options):
    path = write(PIXELS.astype(dtype) if dtype == "u1" else (PIXELS / 255).astype(dtype), options=options)
    expected = load(path)
    with Stream(path, window_bytes=700 * COLUMNS * expected.X.itemsize, block_bytes=16 * COLUMNS) as stream:
        assert stream.shape == (ROWS, COLUMNS)
        assert len(check_epoch(stream, expected.X)) == 5
        np.testing.assert_array_equal(stream.labels, expected.y)
        assert stream.block_rows == (30 if options else 16 // expected.X.itemsize)
        in_order = [(X.copy(), window.rows) for X, window in stream.in_order()]
        np.testing.assert_array_equal(np.concatenate([rows for _, rows in in_order]), np.arange(ROWS))
        np.testing.assert_array_equal(np.concatenate([X for X, _ in in_order]), expected.X)


def test_values_never_written_are_read_right(tmp_path):
    with h5py.File(tmp_path / "never.h5", "w") as file:
        file.create_dataset("xdata", (100, 5), "u1", fillvalue=7)
        file["ydata"] = np.arange(100) % 2
    with Stream(tmp_path / "never.h5") as stream:
        check_epoch(stream, np.full((100, 5), 7, np.uint8))


def test_values_behind_a_link_to_another_file_are_read_right(write, tmp_path):
    write(name="real.h5")
    with h5py.File(tmp_path / "links.h5", "w") as file:
        file["more"] = np.zeros(ROWS * COLUMNS)  # bytes where the values are in the other file
        for key in ("xdata", "ydata"):
            file[key] = h5py.ExternalLink("real.h5", key)
    with Stream(tmp_path / "links.h5", **SMALL) as stream:
        check_epoch(stream, PIXELS)


def test_floats_that_numpy_lacks_are_read_as_load_reads_them(tmp_path):
    bfloat16 = h5py.h5t.IEEE_F32LE.copy()
    bfloat16.set_fields(15, 7, 8, 0, 7)
    bfloat16.set_size(2)
    bfloat16.set_ebias(127)
    path = tmp_path / "bfloat16.h5"
    with h5py.File(path, "w") as file:
        x = h5py.h5d.create(file.id, b"xdata", bfloat16, h5py.h5s.create_simple(PIXELS.shape))
        x.write(h5py.h5s.ALL, h5py.h5s.ALL, (PIXELS / 255).astype("f4"))
        file["ydata"] = LABELS
        file["more"] = np.zeros(ROWS * COLUMNS)
    expected = load(path).X
    np.testing.assert_allclose(expected, PIXELS / 255, rtol=2**-8)
    with Stream(path) as stream:
        check_epoch(stream, expected)


def test_same_settings_give_the_same_order_however_long_the_reading_takes(write, monkeypatch):
    def order(stream, seed, epoch):
        passed = stream.epoch(seed, epoch, batch_size=50, shuffle=True)
        return np.concatenate([window.rows[window.order] for _, window in passed]).tolist()

    with Stream(write(), **SMALL) as stream:
        first = order(stream, 0, 1)
        read = stream._rows.read
        monkeypatch.setattr(stream._rows, "read", lambda *place: (time.sleep(1e-4), read(*place)))
        assert order(stream, 0, 1) == first
        assert order(stream, 0, 2) != first
        assert order(stream, 1, 1) != first


def test_batch_of_a_file_sorted_by_class_has_nearly_all_classes(write):
    with Stream(write(ydata=np.sort(LABELS)), **SMALL) as stream:
        for _, window in stream.epoch(0, 1, batch_size=50, shuffle=True):
            labels = stream.labels[window.rows[window.order]]
            for start in range(0, len(labels), 50):
                assert len(np.unique(labels[start : start + 50])) >= 7  # of the file as it stands there would be 1 or 2


def test_one_hot_labels_become_numbers_and_tell_the_columns(write):
    with Stream(write(ydata=np.eye(15)[LABELS])) as stream:
        np.testing.assert_array_equal(stream.labels, LABELS)
        assert stream.labels.dtype == np.uint8
        assert stream.one_hot_columns == 15


def test_labels_that_are_read_in_blocks_are_all_there(write, monkeypatch):
    monkeypatch.setattr("fastmlp.data.streaming.stream.BYTES_AT_A_TIME", 8 * 700)
    labels = np.arange(ROWS)
    with Stream(write(ydata=labels)) as stream:
        np.testing.assert_array_equal(stream.labels, labels)
        assert stream.one_hot_columns is None
    with pytest.raises(InputError, match=r"ydata\[700:1400\] has 0.5 at row 100;"):
        Stream(write(ydata=np.where(labels == 800, 0.5, labels), name="half.h5"))


def test_head_and_sample_are_rows_of_the_file(write):
    with Stream(write(), **SMALL) as stream:
        np.testing.assert_array_equal(stream.head(50), PIXELS[:50])
        np.testing.assert_array_equal(stream.head(10_000), PIXELS)
        sample = stream.sample(640)
        assert sample.shape == (640, COLUMNS)
        rows = {row.tobytes() for row in PIXELS}
        assert all(row.tobytes() in rows for row in sample)
        assert stream.sample(10_000).shape[0] <= ROWS


def test_two_buffers_serve_all_windows_of_all_epochs(write):
    with Stream(write(), **SMALL) as stream:
        places = {
            X.__array_interface__["data"][0]
            for epoch in (1, 2, 3)
            for X, _ in stream.epoch(0, epoch, batch_size=50, shuffle=True)
        }
        places |= {X.__array_interface__["data"][0] for X, _ in stream.in_order()}
        assert len(places) == 2


def test_closed_stream_holds_no_window(write):
    with Stream(write(), **SMALL) as stream:
        buffers = [weakref.ref(X.base) for X, _ in stream.in_order()]
        assert all(buffer() is not None for buffer in buffers)
    assert all(buffer() is None for buffer in buffers)


def test_next_window_is_read_while_this_one_is_used(write, monkeypatch):
    with Stream(write(), **SMALL) as stream:
        lengths, read, changed = [], stream._rows.read, threading.Condition()

        def counted(first, out):
            read(first, out)
            with changed:
                lengths.append(len(out))
                changed.notify()

        monkeypatch.setattr(stream._rows, "read", counted)
        windows = stream.epoch(0, 1, batch_size=50, shuffle=True)
        X, window = next(windows)
        with changed:
            assert changed.wait_for(lambda: sum(lengths) >= 1200, timeout=PATIENCE)
        assert sum(lengths) == 1200  # two windows, and no more: there is no third buffer
        np.testing.assert_array_equal(X, PIXELS[window.rows])
        windows.close()


def test_several_threads_read_a_window_at_once(write, monkeypatch):
    with Stream(write(), **SMALL) as stream:
        calls, together, read = count(), threading.Barrier(4), stream._rows.read

        def meeting(first, out):
            if next(calls) < 4:
                together.wait(timeout=PATIENCE)
            read(first, out)

        monkeypatch.setattr(stream._rows, "read", meeting)
        np.testing.assert_array_equal(stream.head(1024), PIXELS[:1024])


@pytest.mark.parametrize("limit", ["a few bytes at a time", "no reading at a place, as on Windows"])
def test_rows_are_the_same_where_the_system_reads_less_at_once(write, monkeypatch, limit):
    if limit.startswith("no"):
        monkeypatch.delattr(os, "preadv", raising=False)
    else:
        if not hasattr(os, "preadv"):
            pytest.skip("the system reads at no place")
        read = os.preadv
        monkeypatch.setattr(os, "preadv", lambda file, rooms, place: read(file, [rooms[0][:37]], place))
    with Stream(write(), **SMALL) as stream:
        check_epoch(stream, PIXELS)


def test_two_passes_at_once_do_not_disturb_each_other(write):
    with Stream(write(), **SMALL) as stream:
        for (X, window), (other, other_window) in zip(
            stream.epoch(0, 1, batch_size=50, shuffle=True),
            stream.epoch(0, 2, batch_size=50, shuffle=True),
            strict=True,
        ):
            np.testing.assert_array_equal(X, PIXELS[window.rows])
            np.testing.assert_array_equal(other, PIXELS[other_window.rows])


def test_reader_ends_with_the_pass_and_when_it_is_given_up(write):
    with Stream(write(), **SMALL) as stream:
        list(stream.in_order())
        assert not readers()
        windows = stream.epoch(0, 1, batch_size=50, shuffle=True)
        next(windows)
        assert readers()
        windows.close()
        assert not readers()
        next(stream.in_order())  # dropped at once
        assert not readers()


def test_giving_up_does_not_wait_for_the_rest_of_a_window(write, monkeypatch):
    with Stream(write(), **SMALL) as stream:
        windows = stream.in_order()
        begun, given_up, read = [], [], stream._read

        def reading(pieces, buffer, stopped):
            given_up.append(stopped)
            read(pieces, buffer, stopped)

        monkeypatch.setattr(stream, "_read", reading)
        monkeypatch.setattr(stream._rows, "read", lambda *place: (begun.append(1), given_up[0].wait(PATIENCE)))
        monkeypatch.setattr(stream, "_finish", lambda pending: pending)  # does not wait for the first window either
        next(windows)
        windows.close()
        assert given_up[0].is_set()
        assert len(begun) <= stream._rows.readers  # one piece for each thread, of two windows of 43


def test_error_of_the_reader_is_raised_where_the_window_is_asked_for(write):
    with Stream(write((PIXELS / 255).astype("f4")), window_bytes=700 * COLUMNS * 4) as stream:
        windows = stream.in_order()
        next(windows)
        with h5py.File(stream.path, "r+") as file:
            file["xdata"][2500, 3] = np.nan
        with pytest.raises(InputError, match=r"large\.h5"):
            list(windows)
        assert not readers()
    with (
        Stream(stream.path, window_bytes=700 * COLUMNS * 4) as stream,
        pytest.raises(InputError, match="xdata has nan at row 2500, column 3"),
    ):
        list(stream.in_order())


def test_first_of_several_errors_is_raised_whichever_thread_is_faster(write, monkeypatch):
    inputs = (PIXELS / 255).astype("f4")
    inputs[[400, 650, 1100], 3] = np.nan
    with Stream(write(inputs), block_bytes=16 * COLUMNS * 4) as stream:
        read = stream._rows.read

        def late(first, out):
            time.sleep(0.05 if first <= 400 < first + len(out) else 0)
            read(first, out)

        monkeypatch.setattr(stream._rows, "read", late)
        with pytest.raises(InputError, match="xdata has nan at row 400, column 3"):
            list(stream.in_order())


def test_an_error_of_the_system_without_words_is_told_by_its_name(write, monkeypatch):
    def fail(*_):
        raise OSError

    with Stream(write()) as stream:
        monkeypatch.setattr(stream._rows, "read", fail)
        with pytest.raises(InputError, match=r"large\.h5 cannot be read as HDF5 \(OSError\)"):
            stream.head(10)


@pytest.mark.parametrize("options", [{}, {"chunks": (30, 7), "compression": "gzip"}])
@pytest.mark.parametrize("number_is_taken", [False, True])
def test_window_that_was_being_read_when_the_file_was_closed_is_not_handed_out(
    write, monkeypatch, options, number_is_taken
):
    block = 350 * COLUMNS  # so large that a thread has but one to read, after which it does not look again
    with Stream(write(options=options), window_bytes=2 * block, block_bytes=block) as stream:
        windows, read = stream.in_order(), stream._rows.read

        def overtaken(first, out):
            stream.close()
            if not number_is_taken:  # the system gives the number of a closed file to the next, which is then read
                read(first, out)

        next(windows)
        monkeypatch.setattr(stream._rows, "read", overtaken)
        checked = (np.testing.assert_array_equal(X, PIXELS[window.rows]) for X, window in windows)
        with pytest.raises(InputError, match=r"large\.h5 is closed; expected an open stream"):
            list(checked)


def test_process_may_change_its_folder(write, monkeypatch, tmp_path):
    path = write()
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path)
    with Stream(path.name, **SMALL) as stream:
        monkeypatch.chdir("elsewhere")
        check_epoch(stream, PIXELS)


def test_more_bytes_than_any_file_has_are_all_of_it(write):
    with Stream(write(), window_bytes=2**80, block_bytes=2**80) as stream:
        (seen,) = check_epoch(stream, PIXELS)
        assert len(seen) == ROWS


@pytest.mark.parametrize("options", [{}, {"chunks": (30, 7), "compression": "gzip"}])
@pytest.mark.parametrize("change", ["cut", "touched", "gone"])
def test_file_that_changes_during_an_epoch_is_reported(write, options, change):
    path = write(options=options)
    with Stream(path, **SMALL) as stream:
        windows = stream.epoch(0, 1, batch_size=50, shuffle=True)
        next(windows)
        if change == "cut":
            os.truncate(path, path.stat().st_size // 3)
        elif change == "touched":
            os.utime(path, ns=(0, 0))
        else:
            path.unlink()
        with pytest.raises(InputError, match=r"large\.h5.*(cut short|changed|No such file)") as caught:
            list(windows)
        assert "\n" not in str(caught.value)
