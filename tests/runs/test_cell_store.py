"""The folders of cells: found by the digits in their names, whatever they are called."""

import os

from fastmlp.runs.cell_store import CellStore
from fastmlp.runs.cells import Cell
from fastmlp.runs.records import TrainingDataRecord
from fastmlp.runs.run_directory import Run

DATA = TrainingDataRecord(digest="0" * 64, training_rows=4, validation_rows=1, test_rows=0, stratify=False)


def cell(seed, slug=None):
    name = slug or f"seed-{seed}"
    return Cell(name, name, {"hidden": [2], "seed": seed}, name, name)


def test_a_folder_of_another_name_is_found_by_its_digits(tmp_path):
    made = CellStore(Run(tmp_path), DATA).folder(cell(1, "old"))
    made.mkdir(parents=True)
    assert CellStore(Run(tmp_path), DATA).folder(cell(1, "new")) == made
    assert CellStore(Run(tmp_path), DATA).folder(cell(2, "new")).name.startswith("new-")


def test_a_cell_that_is_drawn_twice_has_one_folder(tmp_path):
    store = CellStore(Run(tmp_path), DATA)
    assert store.folder(cell(1, "first")) == store.folder(cell(1, "second"))


def test_other_files_among_the_cells_are_no_folders(tmp_path):
    store = CellStore(Run(tmp_path), DATA)
    wanted = store.folder(cell(1))
    wanted.parent.mkdir(parents=True)
    (wanted.parent / f"other-{wanted.name[-8:]}").touch()
    assert CellStore(Run(tmp_path), DATA).folder(cell(1)) == wanted


def test_the_cells_are_listed_once_however_many_there_are(tmp_path, monkeypatch):
    """Were they listed for each cell, a sweep of so many cells would look at the square of their number."""
    cells = [cell(seed) for seed in range(50)]
    for one in cells:
        CellStore(Run(tmp_path), DATA).folder(one).mkdir(parents=True)
    listed = []
    scandir = os.scandir
    monkeypatch.setattr(os, "scandir", lambda path: listed.append(path) or scandir(path))
    store = CellStore(Run(tmp_path), DATA)
    assert all(store.folder(one).is_dir() for one in cells)
    assert len(listed) <= 1
