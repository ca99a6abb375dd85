"""`trusted=False`: the same data from another process, whose end is an error."""

import os
import signal
import sys
from dataclasses import fields, is_dataclass

import h5py
import numpy as np
import pytest
from PIL import Image

from fastmlp.data import NoTestPart, load, load_inputs
from fastmlp.errors import InputError, InputTypeError, OutOfMemoryError
from fastmlp.inputs.image_style import ImageStyle

X, Y = np.arange(12.0).reshape(4, 3), np.array([0, 1, 0, 1])


def assert_same(one, other):
    assert type(one) is type(other)
    if is_dataclass(one):
        for field in fields(one):
            assert_same(getattr(one, field.name), getattr(other, field.name))
    elif isinstance(one, tuple):
        assert len(one) == len(other)
        for ours, theirs in zip(one, other, strict=True):
            assert_same(ours, theirs)
    elif isinstance(one, np.ndarray):
        assert one.dtype == other.dtype
        assert one.shape == other.shape
        assert one.tolist() == other.tolist()
    else:
        assert one == other


def write_hdf5(path):
    with h5py.File(path, "w") as file:
        for part in ("train", "val", "test"):
            file[f"{part}/x"], file[f"{part}/y"] = X * 0.3, np.array([f"é{label}" for label in Y], object)


FILES = {
    "data.h5": write_hdf5,
    "data.npz": lambda path: np.savez(path, x=X, y=Y),
    "data.csv": lambda path: path.write_text("id,word,number,label\n7,a,1,0\n9,?,0.5,1\n"),
    "data.svm": lambda path: path.write_text("1 1:0.5 3:2\n-1 2:1\n"),
}  # fmt: skip


@pytest.mark.parametrize("name", FILES)
def test_the_data_are_the_same(tmp_path, name):
    FILES[name](tmp_path / name)
    assert_same(load(tmp_path / name, trusted=False), load(tmp_path / name))
    if name != "data.h5":
        options = {"names": ["number", "word"]} if name == "data.csv" else {}
        assert_same(load_inputs(tmp_path / name, trusted=False, **options), load_inputs(tmp_path / name, **options))


def test_options_and_errors_are_those_of_this_process(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    FILES["data.svm"](tmp_path / "data.svm")
    FILES["data.csv"](tmp_path / "data.csv")
    assert load("data.svm", n_features=7, trusted=False).X.shape == (2, 7)
    dataset = load("data.csv", label="label", columns=["number"], task="classification", trusted=False)
    assert (dataset.X.names, dataset.key, dataset.source) == (("number",), "data.csv", "data.csv")
    for options, kind in (
        ({"part": "test"}, NoTestPart), ({"n_features": 1}, InputError), ({"n_features": "x"}, InputTypeError)
    ):  # fmt: skip
        with pytest.raises(kind) as there:
            load("data.svm", trusted=False, **options)
        with pytest.raises(kind) as here:
            load("data.svm", **options)
        assert type(there.value) is type(here.value)
        assert str(there.value) == str(here.value)


def test_a_file_that_is_not_there_is_told(tmp_path):
    with pytest.raises(InputError, match=r"absent\.h5 is not there"):
        load(tmp_path / "absent.h5", trusted=False)


def test_images_are_made_like_those_of_a_training(tmp_path):
    Image.fromarray(np.eye(9, dtype=np.uint8) * 200).save(tmp_path / "a.png")
    style = ImageStyle((8, 8))
    options = {"image_style": style, "n_features": 64}
    assert_same(load_inputs(tmp_path, trusted=False, **options), load_inputs(tmp_path, **options))


@pytest.fixture
def npz_whose_reading(tmp_path, monkeypatch):
    """A function that has numpy do something else where another process reads an archive; it returns the archive."""

    def replaced(code):
        folder = tmp_path / "site"
        folder.mkdir()
        (folder / "sitecustomize.py").write_text(
            f"import os, signal, time, numpy\ndef load(*arguments, **options):\n    {code}\nnumpy.load = load\n"
        )
        monkeypatch.syspath_prepend(folder)
        FILES["data.npz"](tmp_path / "data.npz")
        return tmp_path / "data.npz"

    return replaced


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such signals")
def test_a_crash_is_an_error_of_the_file(npz_whose_reading):
    path = npz_whose_reading("os.kill(os.getpid(), signal.SIGSEGV)")
    with pytest.raises(InputError, match=r"data\.npz ended the process that read it \(signal SIGSEGV\)"):
        load(path, trusted=False)
    assert load(path).y.tolist() == Y.tolist()


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such limits")
def test_an_endless_loop_is_ended_after_a_minute_of_a_cpu(npz_whose_reading):
    path = npz_whose_reading("import resource; os._exit(resource.getrlimit(resource.RLIMIT_CPU)[0])")
    with pytest.raises(InputError, match=r"ended the process that read it \(status 60\)"):
        load(path, trusted=False)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells what is free, and limits it")
def test_what_takes_all_memory_is_refused_before_the_system_ends_processes(npz_whose_reading):
    # Less than the limit by less than the process has taken; without one it is -1.
    path = npz_whose_reading(
        "import resource; return bytearray(resource.getrlimit(resource.RLIMIT_DATA)[0] - (1 << 20))"
    )
    with pytest.raises(OutOfMemoryError, match=r"data\.npz needs more memory than there is"):
        load(path, trusted=False)


def test_an_end_in_silence_is_an_error_of_the_file(npz_whose_reading):
    path = npz_whose_reading("os._exit(3)")
    with pytest.raises(InputError, match=r"ended the process that read it \(status 3\)"):
        load(path, trusted=False)


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such timer")
def test_an_endless_loop_is_left_by_an_interrupt(npz_whose_reading, tmp_path):
    path = npz_whose_reading(f"open({str(tmp_path / 'pid')!r}, 'w').write(str(os.getpid())); time.sleep(600)")

    def interrupt(*_):
        if (tmp_path / "pid").exists() and (tmp_path / "pid").read_text():
            raise KeyboardInterrupt

    before = signal.signal(signal.SIGALRM, interrupt)
    signal.setitimer(signal.ITIMER_REAL, 0.2, 0.2)
    try:
        with pytest.raises(KeyboardInterrupt):
            load(path, trusted=False)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    with pytest.raises(ProcessLookupError):  # it was waited for
        os.kill(int((tmp_path / "pid").read_text()), 0)
