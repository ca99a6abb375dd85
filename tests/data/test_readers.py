"""A format is one module and one line in the registry."""

import importlib
import sys

import pytest

from fastmlp.cli.main import main
from fastmlp.data import load
from fastmlp.data.readers import registry
from fastmlp.errors import InputError

TOY = '''
import numpy as np
from fastmlp.data.dataset import Dataset
from fastmlp.data.readers.reader import Reader

class ToyReader(Reader):
    """`TOY`, then a byte for the label and one for the value of each sample."""

    name = "toy"
    endings = (".toy",)

    def recognises(self, head):
        return head.startswith(b"TOY")

    def read(self, path, *, part="train", n_features=None):
        labels, values = np.frombuffer(path.read_bytes()[3:], np.uint8).reshape(-1, 2).T
        return Dataset(values.reshape(-1, 1).copy(), labels.astype(np.int64), np.arange(2), None, path.name)
'''


@pytest.fixture
def toy_file(tmp_path, monkeypatch):
    """A file of 40 samples in a format of its own, whose reader is registered."""
    (tmp_path / "toy_format.py").write_text(TOY, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "toy_format", raising=False)
    reader = importlib.import_module("toy_format").ToyReader()
    monkeypatch.setattr(registry, "READERS", (*registry.READERS, reader))
    path = tmp_path / "samples.toy"
    path.write_bytes(b"TOY" + bytes([label for i in range(20) for label in (0, i, 1, 255 - i)]))
    return path


def test_a_reader_that_is_registered_loads_its_files(toy_file):
    dataset = load(toy_file)
    assert dataset.X[:4, 0].tolist() == [0, 255, 1, 254]
    assert dataset.y[:4].tolist() == [0, 1, 0, 1]
    assert (dataset.name, dataset.source) == ("samples.toy", str(toy_file))


def test_the_content_counts_for_a_new_format_too(toy_file):
    renamed = toy_file.rename(toy_file.with_suffix(".csv"))
    assert len(load(renamed).y) == 40


def test_messages_name_a_new_format(toy_file, complaint):
    assert "being one toy file" in complaint(toy_file, part="test")
    assert "is toy: only svmlight" in complaint(toy_file, n_features=1)
    toy_file.write_bytes(b"\0\0\0\0")
    assert "expected toy, as it is named" in complaint(toy_file)


def test_without_its_line_in_the_registry_a_format_is_unknown(toy_file, monkeypatch):
    monkeypatch.setattr(registry, "READERS", registry.READERS[:-1])
    toy_file.write_bytes(toy_file.read_bytes() + bytes(2))
    with pytest.raises(
        InputError, match="expected MATLAB, HDF5, IDX, npz, npy, a folder of images, CSV or svmlight: it is damaged"
    ):
        load(toy_file)


def test_a_sweep_runs_on_a_new_format(toy_file, tmp_path):
    recipe = tmp_path / "toy.toml"
    recipe.write_text(
        '[data]\nvalidation = 0.25\n[network]\nhidden = [2]\n[training]\nepochs = 1\nbatch_size = 10\n'
        '[grid]\nlearning_rate = [0.1, 0.5]\n',
        encoding="utf-8",
    )  # fmt: skip
    out = tmp_path / "run"
    assert main(["sweep", "--data", str(toy_file), "--recipe", str(recipe), "--out", str(out)]) == 0
    assert len(list((out / "cells").iterdir())) == 2


def test_every_format_has_a_name_and_endings_of_its_own():
    names = [reader.name for reader in registry.READERS]
    endings = [ending for reader in registry.READERS for ending in reader.endings]
    assert len(set(names)) == len(names)
    assert len(set(endings)) == len(endings)
    assert all(ending == ending.lower() and ending.startswith(".") for ending in endings)


@pytest.mark.parametrize(
    ("text", "suffix", "expected"),
    [
        ("1 1:2\n0 1:3\n", ".txt", "svmlight"),
        ("1,2\n0,3\n", ".txt", "CSV"),
        ("1,2:3\n", "", "CSV"),
        ("# of 1, 2\n1 1:2\n", ".dat", "svmlight"),
        ("1 1:2\n", ".csv", "CSV"),
        ("1,2\n", ".svm", "svmlight"),
        ("1,2\n", ".CSV", "CSV"),
    ],
)
def test_the_ending_chooses_among_text_formats_and_the_first_line_where_it_is_no_formats(
    tmp_path, text, suffix, expected
):
    path = tmp_path / f"file{suffix}"
    path.write_text(text, encoding="utf-8")
    assert registry.find_reader(path).name == expected
