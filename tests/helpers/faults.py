"""Disks that fail at the n-th call, and what a run must look like whatever happened to it."""

import ast
import csv
import errno
import hashlib
import io
import json
import os
import re
import threading
import tomllib

import h5py
import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from model_files import tensors, texts
from PIL import Image

TEMPORARY = re.compile(r"\..+\.\d+\.[0-9a-f]{8}\.\w+")
FULL, BROKEN, READ_ONLY, DENIED, SHORT = errno.ENOSPC, errno.EIO, errno.EROFS, errno.EACCES, "short"
TIMED = ("time", "started", "seconds", "model_sha256")  # a model holds the seconds of its epochs
FIGURES = ("curves_figure", "losses_figure", "confusion_figure", "mistakes_figure")


class FailingDisk:
    """Stands for `os` in `fastmlp.utils.atomic_files`; the n-th write, fsync or rename fails, and all after it.

    fault  an errno, of which BROKEN is that of a single call; or SHORT: a write takes a part of its bytes, and there is
           no room for the rest
    n      None: no call fails
    calls  so far
    """

    def __init__(self, n, fault=FULL):
        self.calls = 0
        self._n, self._fault = n, fault
        self._lock = threading.Lock()

    def __getattr__(self, name):
        return getattr(os, name)

    def write(self, descriptor, data):
        if self._reached() and self._fault == SHORT and self.calls == self._n:
            return os.write(descriptor, data[: max(1, len(data) // 2)])
        self._fail()
        return os.write(descriptor, data)

    def fsync(self, descriptor):
        self._reached()
        self._fail()  # and else nothing: as no test cuts the power, none need wait for a disk

    def replace(self, old, new):
        self._reached()
        self._fail(old, new)
        os.replace(old, new)

    @property
    def spared(self):
        """Whether no call failed."""
        return self._n is None or self.calls < self._n

    def _reached(self):
        with self._lock:
            self.calls += 1
            return not self.spared

    def _fail(self, *names):
        if self.spared or (self._fault == BROKEN and self.calls > self._n):
            return
        number = FULL if self._fault == SHORT else self._fault
        if names:  # as the system tells of a rename
            raise OSError(number, os.strerror(number), str(names[0]), None, str(names[1]))
        raise OSError(number, os.strerror(number))


def write_often(monkeypatch):
    """Have a training write a checkpoint after every batch."""
    from fastmlp.training.checkpoints import CheckpointStore

    _, *others = CheckpointStore.__init__.__defaults__
    monkeypatch.setattr(CheckpointStore.__init__, "__defaults__", (0.0, *others))
    monkeypatch.setattr("fastmlp.training.checkpoints._MOST_SHARE", 1e9)
    monkeypatch.setattr("fastmlp.training.trainer.SECONDS_AT_A_TIME", 1e-6)


def run_quickly(monkeypatch):
    """Have figures show their numbers as one line, and the plan try for a moment: most of a small run is that.

    Neither opens a file.
    """

    def sketch(numbers, *_):
        if isinstance(numbers, list):
            numbers = [value for panel in numbers for value in panel.history["train_loss"]]
        numbers = np.ravel(numbers).astype(float)
        figure = Figure((1, 1))
        figure.add_artist(Line2D(np.linspace(0, 1, len(numbers)), numbers / numbers.max(initial=1)))
        return figure

    for name in FIGURES:
        monkeypatch.setattr(f"fastmlp.plots.{name}", sketch)
    monkeypatch.setattr("fastmlp.experiment.executors.thread_plan.SECONDS_PER_TRIAL", 0.001)


def files(folder):
    """The files of a run, without the lock, by their names within it."""
    found = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}
    return {name: path for name, path in found.items() if path.name != ".lock"}


def leftovers(folder):
    """The temporary files."""
    return [name for name, path in files(folder).items() if TEMPORARY.fullmatch(path.name)]


def check_whole(folder):
    """Raise when a file that is not temporary is torn."""
    for path in files(folder).values():
        if not TEMPORARY.fullmatch(path.name):
            _READERS[path.suffix](path.read_bytes())


def bits(folder):
    """What must be the same whatever happened to a run: {name: SHA-256 or numbers}, without times."""
    timeless = {name: path for name, path in files(folder).items() if path.suffix != ".html"}  # the report tells times
    return {name: _BITS.get(path.suffix, _digest)(path) for name, path in timeless.items()}


def _digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _network(path):
    data = path.read_bytes()
    model, history = texts(data)
    del model["settings"]["threads"]  # no bit depends on them
    return model, _columns(history), {name: tensor.tobytes() for name, tensor in tensors(data).items()}


def _columns(text):
    header, *rows = csv.reader(text.splitlines())
    return [[value for name, value in zip(header, row, strict=True) if name != "seconds"] for row in rows]


def _timeless(value):
    if isinstance(value, dict):
        return {key: _timeless(item) for key, item in value.items() if key not in TIMED}
    return list(map(_timeless, value)) if isinstance(value, list) else value


_BITS = {
    ".safetensors": _network,
    ".csv": lambda path: _columns(path.read_text("utf-8")),
    ".json": lambda path: _timeless(json.loads(path.read_text("utf-8"))),
}


def _read_table(data):
    assert data.endswith(b"\n")
    rows = list(csv.reader(data.decode().splitlines()))
    assert {len(row) for row in rows} == {len(rows[0])}


def _read_checkpoint(data):
    _, checksum, body = data.split(b"\n", 2)
    assert hashlib.sha256(body).hexdigest().encode() == checksum


def _read_text(data):
    assert data.endswith(b"\n")
    assert b"Final test accuracy: " in data


_READERS = {
    ".toml": lambda content: tomllib.loads(content.decode()),
    ".json": json.loads,
    ".csv": _read_table,
    ".bin": _read_checkpoint,
    ".md": _read_text,
    ".safetensors": tensors,
    ".npz": lambda data: dict(np.load(io.BytesIO(data), allow_pickle=False)),
    ".html": lambda data: data.decode().rindex("</html>"),
    ".h": lambda data: data.decode().rindex("\n#endif"),
    ".py": ast.parse,
    ".hdf5": lambda data: h5py.File(io.BytesIO(data))["ydata"][:],
    ".png": lambda data: Image.open(io.BytesIO(data)).load(),
}
