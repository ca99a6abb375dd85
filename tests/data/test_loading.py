"""Names and paths behind one door."""

import itertools
import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from fastmlp.data import NAMES, load
from fastmlp.data.collections import glyphs
from fastmlp.errors import InputError, InputTypeError


def test_importing_the_data_package_loads_no_file_library():
    heavy = "{'h5py', 'matplotlib', 'pooch', 'requests', 'numba'}"
    code = f"import sys, fastmlp.data; print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_unknown_name_lists_the_known_ones(elsewhere):
    with pytest.raises(InputError, match="mnits is neither") as caught:
        load("mnits")
    for name in NAMES:
        assert name in str(caught.value)


@pytest.mark.parametrize("path", ["no/such.hdf5", "mnist_traindata.hdf5", Path("mnist")])
def test_missing_file_is_named(elsewhere, complaint, path):
    assert "is not there" in complaint(Path(path))


def test_missing_file_given_as_text_is_named(elsewhere):
    with pytest.raises(InputError, match=r"mnist_traindata\.hdf5 is not there"):
        load("mnist_traindata.hdf5")


# In a separate process: to open a pipe is to wait for whoever writes to it.
REFUSALS = """
import sys
from fastmlp.data import Stream, load
from fastmlp.errors import InputError
for open_data in (load, Stream):
    for path in sys.argv[1:]:
        try:
            open_data(path)
            print("was read")
        except InputError as error:
            print(error)
"""
posix = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such files")


def refusals(*paths, **options):
    """What `load` says of each path, and then `Stream`."""
    done = subprocess.run(
        [sys.executable, "-c", REFUSALS, *map(str, paths)], capture_output=True, text=True, timeout=300, check=True,
        **options,
    )  # fmt: skip
    lines = done.stdout.splitlines()
    assert len(lines) == 2 * len(paths), done.stdout
    return lines[: len(paths)], lines[len(paths) :]


@posix
def test_a_pipe_is_refused_and_not_waited_for(tmp_path):
    paths = [tmp_path / name for name in ("pipe", "pipe.csv", "pipe.hdf5", "pipe.gz", "pipe.npz", "pipe.svm")]
    for path in paths:
        os.mkfifo(path)
    for lines in refusals(*paths):
        for path, line in zip(paths, lines, strict=True):
            assert line == f"{path} is a pipe; expected a file, which is read more than once: write it to a file first"


@posix
def test_what_a_shell_puts_in_place_of_a_command_is_refused_and_no_row_of_it_lost():
    reading, writing = os.pipe()
    os.write(writing, b"label,a\n0,1\n1,2\n")
    os.close(writing)
    try:
        for (line,) in refusals(f"/dev/fd/{reading}", pass_fds=[reading]):
            assert "is a pipe; expected a file" in line
    finally:
        os.close(reading)


@posix
def test_a_device_and_a_socket_are_refused(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # the name of a socket is short
    with socket.socket(socket.AF_UNIX) as end:
        end.bind("socket")
        for null, bound in refusals("/dev/null", tmp_path / "socket"):
            assert "/dev/null is a device; expected a file" in null
            assert "socket is a socket; expected a file" in bound


@posix
def test_what_is_no_file_in_a_folder_of_idx_files_is_refused(tmp_path, real_data):
    kinds = {
        "is a pipe; expected a file": os.mkfifo,
        "is a folder; expected a file": Path.mkdir,
        "cannot be read (Too many": lambda path: path.symlink_to(path),
    }
    folders, expected = [], []
    for number, (part, (reason, make)) in enumerate(itertools.product(("images", "labels"), kinds.items())):
        folders.append(tmp_path / str(number))
        folders[-1].mkdir()
        for file in (real_data / "mnist").glob("train-*"):
            path = folders[-1] / file.name
            if part in file.name:
                make(path)
                expected.append(f"{path} {reason}")
            else:
                shutil.copyfile(file, path)
    lines, _ = refusals(*folders)
    assert len(lines) == len(expected) == 6
    assert all(one in line for one, line in zip(expected, lines, strict=True))


@posix
def test_a_pipe_under_the_name_of_a_collections_file_is_told(elsewhere):
    (elsewhere / "data").mkdir()
    for kind in ("images-idx3", "labels-idx1"):
        os.mkfifo(elsewhere / "data" / f"train-{kind}-ubyte.gz")
    (line,), _ = refusals("mnist")
    assert "is a pipe; expected a file" in line


def test_a_name_that_no_file_can_have_is_refused():
    with pytest.raises(InputError, match=r"^'a\\x00b.csv' has a null character"):
        load("a\0b.csv")


@pytest.mark.parametrize("suffix", ["", ".hdf5", ".csv"])
def test_empty_file_is_refused(tmp_path, complaint, suffix):
    path = tmp_path / f"nothing{suffix}"
    path.touch()
    assert "empty" in complaint(path)


def test_bytes_of_no_known_format_are_refused(tmp_path, complaint):
    path = tmp_path / "noise"
    path.write_bytes(b"\x7fELF\x02\x01\x01\0\0\0")
    assert "MATLAB, HDF5, IDX, npz, npy, a folder of images, CSV or svmlight" in complaint(path)


def test_content_counts_for_more_than_the_name(tmp_path):
    path = tmp_path / "really_npz.hdf5"
    with open(path, "wb") as file:
        np.savez(file, x=np.eye(3), y=np.arange(3))
    assert load(path).class_count == 3


def test_path_is_kept_as_source_and_key(tmp_path):
    path = tmp_path / "few.csv"
    path.write_text("0,1\n1,2\n")
    dataset = load(path)
    assert dataset.source == str(path)
    assert np.array_equal(load(dataset.key).X, dataset.X)


def test_single_file_has_no_test_part(tmp_path, complaint):
    path = tmp_path / "few.csv"
    path.write_text("0,1\n1,2\n")
    assert "no test part" in complaint(path, part="test")


def test_n_features_is_for_svmlight_only(tmp_path, complaint):
    path = tmp_path / "few.csv"
    path.write_text("0,1\n1,2\n")
    assert "only svmlight" in complaint(path, n_features=3)


@pytest.mark.parametrize("part", ["", "Test", None])
def test_unknown_part_is_refused(part):
    with pytest.raises(InputError, match="expected train, validation or test"):
        load("mnist", part=part)


@pytest.mark.parametrize("data", [None, 3, ["mnist"]])
def test_what_is_no_path_is_refused(data):
    with pytest.raises(InputTypeError, match="expected a path"):
        load(data)


def test_auto_is_mnist_where_it_is_at_hand(elsewhere, real_data, monkeypatch):
    monkeypatch.setenv("FASTMLP_DATA", str(real_data))
    dataset = load("auto")
    assert dataset.name == dataset.key == "mnist"
    assert not dataset.synthetic
    assert str(real_data / "mnist") in dataset.source


def test_auto_says_why_it_is_synthetic(elsewhere, monkeypatch):
    monkeypatch.setitem(glyphs.COUNTS, "test", 300)
    dataset = load("auto", part="test")
    assert dataset.synthetic
    assert dataset.key == "glyphs"
    assert "synthetic" in dataset.name
    assert "because mnist was not found and could not be downloaded (FASTMLP_OFFLINE is set)" in dataset.source
    assert dataset.X.shape == (300, 784)


def test_auto_leaves_the_test_files_unopened(elsewhere, real_data, monkeypatch):
    folder = elsewhere / "untested"
    folder.mkdir()
    for file in (real_data / "mnist").glob("train-*"):
        (folder / file.name).write_bytes(file.read_bytes())
    for name in ("t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz"):
        (folder / name).write_bytes(b"no IDX file: opening it would raise")
    monkeypatch.setenv("FASTMLP_DATA", str(folder))
    assert load("auto").name == "mnist"


def test_auto_never_mixes_real_and_synthetic_parts(elsewhere, real_data, monkeypatch):
    folder = elsewhere / "half"
    folder.mkdir()
    for file in (real_data / "mnist").glob("t10k-*"):
        (folder / file.name).write_bytes(file.read_bytes())
    monkeypatch.setenv("FASTMLP_DATA", str(folder))
    assert not load("mnist", part="test").synthetic
    assert load("auto", part="test").synthetic
