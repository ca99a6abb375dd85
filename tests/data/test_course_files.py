"""Writing the course's files."""

import argparse
import dataclasses

import h5py
import numpy as np
import pytest

from fastmlp.cli.commands.registry import COMMANDS
from fastmlp.cli.main import main
from fastmlp.data import course_files as course
from fastmlp.data import load
from fastmlp.data.collections import glyphs
from fastmlp.errors import InputError


@pytest.fixture
def few(elsewhere, monkeypatch):
    """Synthetic collections of 1,200 and 300 digits, so that drawing and writing are quick."""
    monkeypatch.setitem(glyphs.COUNTS, "train", 1200)
    monkeypatch.setitem(glyphs.COUNTS, "test", 300)
    return elsewhere


def prepare(*arguments):
    parser = argparse.ArgumentParser()
    COMMANDS["prepare"].add_arguments(parser)
    return COMMANDS["prepare"].run(parser.parse_args(arguments))


def test_both_files_are_written_in_the_format_of_the_course(few):
    assert prepare("--data", "glyphs").status == 0
    for name, part, rows in (("mnist_traindata.hdf5", "train", 1200), ("mnist_testdata.hdf5", "test", 300)):
        original = load("glyphs", part=part)
        with h5py.File(few / "data" / name) as file:
            x, labels = file["xdata"][()], file["ydata"][()]
        assert x.shape == (rows, 784)
        assert x.dtype == np.float32
        assert np.array_equal(x, original.X / np.float32(255))
        assert np.array_equal(labels, np.eye(10)[original.y])


def test_float64_on_request(few):
    prepare("--data", "glyphs", "--dtype", "float64", "--out", "course")
    with h5py.File(few / "course" / "mnist_testdata.hdf5") as file:
        assert file["xdata"].dtype == np.float64
        assert file["xdata"][()].max() <= 1


def test_numbers_that_are_no_pixels_are_not_divided(tmp_path):
    digits = np.arange(640).reshape(10, 64) % 17
    np.savez(tmp_path / "digits.npz", x_train=digits, y_train=np.arange(10), x_test=digits[:2], y_test=np.arange(2))
    prepare("--data", str(tmp_path / "digits.npz"), "--out", str(tmp_path))
    for name, rows in (("mnist_traindata.hdf5", 10), ("mnist_testdata.hdf5", 2)):
        with h5py.File(tmp_path / name) as file:
            assert np.array_equal(file["xdata"][()], digits[:rows])


def test_written_files_are_read_back(few):
    prepare("--data", "glyphs")
    dataset, original = load("data/mnist_traindata.hdf5"), load("glyphs")
    assert np.array_equal(dataset.X, original.X / np.float32(255))
    assert np.array_equal(dataset.y, original.y)
    assert dataset.class_count == 10


def test_a_written_file_says_whether_its_samples_are_synthetic(few, tmp_path):
    prepare("--data", "glyphs")
    assert load("data/mnist_traindata.hdf5").synthetic
    assert load("data/mnist_testdata.hdf5").synthetic
    collected = dataclasses.replace(load("glyphs", part="test"), synthetic=False)
    course.write_course_file(tmp_path / "collected.hdf5", collected)
    assert not load(tmp_path / "collected.hdf5").synthetic


def test_printed_lines_say_shape_and_source_and_that_the_digits_are_synthetic(few):
    lines = prepare().text.splitlines()
    assert len(lines) == 2
    assert "mnist_traindata.hdf5: xdata (1200, 784)" in lines[0]
    assert "mnist_testdata.hdf5: xdata (300, 784)" in lines[1]
    assert all("SYNTHETIC" in line and "because mnist was not found" in line for line in lines)


def test_files_that_are_there_stay_unless_forced(few):
    prepare("--data", "glyphs")
    path = few / "data" / "mnist_testdata.hdf5"
    path.write_bytes(b"mine")
    (few / "data" / "mnist_traindata.hdf5").unlink()
    with pytest.raises(InputError, match=r"mnist_testdata\.hdf5 is there already; pass --force"):
        prepare("--data", "glyphs")
    assert path.read_bytes() == b"mine"
    assert not (few / "data" / "mnist_traindata.hdf5").exists()
    prepare("--data", "glyphs", "--force")
    assert len(load(path).X) == 300


def test_folder_holds_nothing_but_the_two_files(few):
    prepare("--data", "glyphs")
    assert sorted(file.name for file in (few / "data").iterdir()) == ["mnist_testdata.hdf5", "mnist_traindata.hdf5"]


def test_sparse_samples_are_refused(tmp_path):
    path = tmp_path / "rows"
    path.write_text("1 1:1\n-1 2:1\n")
    with pytest.raises(InputError, match="rows is sparse"):
        course.write_course_file(tmp_path / "out.hdf5", load(path))


@pytest.mark.parametrize("y", [["a", "b"], [0.5, 1.5], [-1, 1], [0, 2**40]])
def test_labels_that_are_no_columns_are_refused(tmp_path, y):
    np.savez(tmp_path / "few.npz", x=np.eye(2), y=y)
    with pytest.raises(InputError, match="has labels other than small whole numbers"):
        course.write_course_file(tmp_path / "few.h5", load(tmp_path / "few.npz"))


def test_unknown_dtype_is_refused(few):
    with pytest.raises(InputError, match="float16"):
        course.prepare("glyphs", dtype="float16")


def test_a_file_in_the_way_of_the_folder_is_told_with_its_mend(few):
    (few / "taken").write_text("mine", encoding="utf-8")
    with pytest.raises(InputError, match=r"^taken cannot be written to \(.*\); choose another --out$"):
        prepare("--data", "glyphs", "--out", "taken")
    assert (few / "taken").read_text(encoding="utf-8") == "mine"


@pytest.fixture
def without_room(elsewhere, monkeypatch, capsys):
    """A function of the most bytes that a file may have, or None, and of rows of the test part: status and stderr."""
    resource = pytest.importorskip("resource", reason="Windows bounds no file of a process")
    monkeypatch.setitem(glyphs.COUNTS, "train", 200)

    def prepare(most, rows):
        monkeypatch.setitem(glyphs.COUNTS, "test", rows)
        soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft if most is None else most, hard))
        try:
            status = main(["prepare", "--data", "glyphs", "--out", "out"])
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        return status, capsys.readouterr().err

    return prepare


@pytest.mark.parametrize("room", [0, 5_000, 100_000])
def test_a_disk_without_room_is_told_in_one_line_and_nothing_is_left(elsewhere, without_room, room):
    status, err = without_room(room, 100)
    assert status == 2, err
    (line,) = err.splitlines()
    assert line.startswith("fastmlp: error: ")
    assert "mnist_traindata.hdf5" in line
    assert ".mnist_traindata" not in line
    assert "choose another --out" in line
    assert list((elsewhere / "out").iterdir()) == []


def test_a_disk_that_has_room_for_the_first_file_alone_is_left_as_it_was(elsewhere, without_room):
    assert without_room(None, 10)[0] == 0
    first = elsewhere / "out" / "mnist_traindata.hdf5"
    room = first.stat().st_size + 4096
    (elsewhere / "out" / "mnist_testdata.hdf5").unlink()
    first.unlink()
    status, err = without_room(room, 400)
    assert status == 2, err
    assert "mnist_testdata.hdf5" in err
    assert list((elsewhere / "out").iterdir()) == []


def test_the_file_that_cannot_be_replaced_is_named_by_its_own_name(few, monkeypatch):
    def refuse(old, new):
        raise PermissionError(13, "Permission denied", str(old), None, str(new))

    monkeypatch.setattr("fastmlp.utils.atomic_files.os.replace", refuse)
    with pytest.raises(InputError, match=r"mnist_traindata\.hdf5 cannot be written \(Permission denied\)") as caught:
        prepare("--data", "glyphs")
    assert ".mnist_traindata" not in str(caught.value)
    assert list((few / "data").iterdir()) == []
