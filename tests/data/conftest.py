"""Files for the readers' tests."""

import os
from collections.abc import Callable
from pathlib import Path

import h5py
import pytest
from stream_samples import LABELS, PIXELS

from fastmlp.data import load
from fastmlp.errors import FastmlpError

PROJECT = Path(__file__).parents[2]


@pytest.fixture(scope="session")  # before those of one test, which may have the environment forget where that is
def real_data() -> Path:
    """The folder with the real collections; the test is skipped where there is none."""
    for folder in (os.environ.get("FASTMLP_DATA"), PROJECT / "data"):
        if folder and Path(folder, "mnist").is_dir():
            return Path(folder)
    pytest.skip("no real data: set FASTMLP_DATA to the folder that holds mnist/")


@pytest.fixture
def elsewhere(tmp_path, monkeypatch) -> Path:
    """An empty current folder with a cache of its own, so that no collection is found, and no network."""
    monkeypatch.delenv("FASTMLP_DATA", raising=False)
    monkeypatch.setenv("FASTMLP_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("FASTMLP_OFFLINE", "1")
    folder = tmp_path / "project" / "here"
    folder.mkdir(parents=True)
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def complaint() -> Callable[..., str]:
    """Load a file that cannot be used and return the message, which must be one line that names the file."""

    def complain(path: Path, **options) -> str:
        with pytest.raises(FastmlpError) as caught:
            load(path, **options)
        message = str(caught.value)
        assert "\n" not in message
        assert path.name in message
        return message

    return complain


@pytest.fixture
def write(tmp_path):
    """A function that writes an HDF5 file of samples and returns its path."""

    def write(xdata=PIXELS, ydata=LABELS, options=None, name="large.h5"):
        with h5py.File(tmp_path / name, "w") as file:
            file.create_dataset("xdata", data=xdata, **(options or {}))
            file["ydata"] = ydata
        return tmp_path / name

    return write


@pytest.fixture
def write_table(tmp_path):
    """A function that writes the text of a CSV file and returns its path."""

    def write(text, name="train.csv", encoding="utf-8"):
        path = tmp_path / name
        path.write_bytes(text.encode(encoding))
        return path

    return write
