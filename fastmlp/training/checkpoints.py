"""Checkpoints: the state of a training on the disk, from which it resumes to the same bits."""

import hashlib
import io
import json
import math
import os
import re
import threading
import time
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fastmlp.config.network import NetworkConfig
from fastmlp.errors import InputError, InputTypeError
from fastmlp.training.batches import arrays_of
from fastmlp.training.callbacks import InternalCallback, Paused, TrainingView
from fastmlp.training.preparation import PreparedData
from fastmlp.training.session import Session
from fastmlp.training.state import StateRecord
from fastmlp.utils.atomic_files import is_temporary, remove, write_bytes
from fastmlp.utils.digests import digest_of_arrays, digest_of_values, engine_version
from fastmlp.utils.npz import npz_bytes
from fastmlp.utils.paths import user_path
from fastmlp.utils.records import DamagedRecord, Position, Record, convert_record, one_line, to_plain
from fastmlp.utils.showing import shown

__all__ = ["CheckpointCallback", "CheckpointStore", "Paused", "checkpoint_callbacks"]

MAGIC = b"fastmlp checkpoint 3\n"
_ANY_VERSION = b"fastmlp checkpoint "
_NAME = re.compile(r"checkpoint-(\d{8})\.bin")
_KEPT = 2  # should the newest be damaged, there is the one before it
_SECONDS_BETWEEN_EPOCHS = 1.0  # an epoch may be shorter than the writing of a file
_MOST_SHARE = 0.03  # of a training's time is spent on checkpoints


class CheckpointRecord(Record, frozen=True, kw_only=True):
    """The plain values of a checkpoint.

    Attributes
    ----------
    identity : str or None
        What distinguishes its training from all others.
    epochs : int
        Number of epochs of the training.
    state : StateRecord
        How far it is.
    """

    identity: str | None
    epochs: Position
    state: StateRecord

    def __post_init__(self) -> None:
        if self.state.epoch - 1 + (self.state.position > 0) > self.epochs:
            raise ValueError(f"state.epoch is {self.state.epoch}, after the last of {self.epochs} epochs")


class Checkpoint(NamedTuple):
    """A checkpoint that was read.

    Attributes
    ----------
    path : Path
        The file.
    record : CheckpointRecord
        Its plain values.
    arrays : dict
        Its arrays by name.
    """

    path: Path
    record: CheckpointRecord
    arrays: dict[str, NDArray[Any]]


@dataclass
class CheckpointStore:
    """A folder that keeps the state of one training; `MLP.fit(checkpoint=...)` takes it.

    A file is the line `MAGIC`, the SHA-256 of the rest in hexadecimal, a line feed, and an npz archive. The two newest
    are kept. One that is torn or damaged is passed over.

    Parameters
    ----------
    folder : path
        Made when the first checkpoint is written.
    seconds : float
        Between two checkpoints within an epoch; epochs that are longer than a second have one at their end. Both come
        more rarely where writing them would take more than 3% of the time.
    identity : str, optional
        Text that distinguishes this training from all others; None: a digest of the settings and the data.
    stop : threading.Event, optional
        When it is set, the training writes a checkpoint and raises `Paused`, within about 0.1 s.
    """

    folder: str | os.PathLike[str]
    seconds: float = 10.0
    identity: str | None = None
    stop: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self.folder = user_path(self.folder)

    def newest(self) -> Checkpoint | None:
        """Return the newest undamaged checkpoint, or None.

        Raises
        ------
        InputError
            When it is of another training than `identity`, or whole and holds no checkpoint.
        """
        for path in Path(self.folder).glob(".checkpoint-*"):  # each as large as one; other files may be others' work
            if is_temporary(path):
                remove(path)
        for path in reversed(self._files()):
            found = _read(path)
            if found is None:
                continue
            if found.record.identity != self.identity:
                raise InputError(
                    f"{path} is of another training: its settings, its data or its fastmlp differ; expected those that "
                    f"it was begun with: choose another folder, or delete {path.parent}"
                )
            return found
        return None

    def write(self, epochs: int, state: StateRecord, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Write a state, and delete all checkpoints but the one before it.

        Parameters
        ----------
        epochs : int
            Number of epochs of the training.
        state : StateRecord
            Plain values.
        arrays : mapping
            Arrays by name.
        """
        text = json.dumps(to_plain(CheckpointRecord(identity=self.identity, epochs=epochs, state=state)))
        body = npz_bytes({"meta": np.frombuffer(text.encode(), np.uint8), **arrays})
        files = self._files()
        number = 1 + (int(files[-1].stem.rpartition("-")[2]) if files else 0)
        checksum = hashlib.sha256(body).hexdigest().encode()
        write_bytes(Path(self.folder) / f"checkpoint-{number:08}.bin", MAGIC + checksum + b"\n" + body)
        for old in files[: 1 - _KEPT]:
            remove(old)

    def remove(self) -> None:
        """Delete all checkpoints, and the folder when nothing else is in it."""
        folder = Path(self.folder)
        for path in self._files():
            remove(path)
        if folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()

    def _files(self) -> list[Path]:
        """The existing checkpoints, oldest first."""
        folder = Path(self.folder)
        if not folder.is_dir():
            return []
        return sorted(path for path in folder.iterdir() if _NAME.fullmatch(path.name))


def _read(path: Path) -> Checkpoint | None:
    """The checkpoint in a file; None when it is not whole."""
    try:
        data = path.read_bytes()
    except OSError:  # as of a disk with a bad block
        return None
    if data.startswith(_ANY_VERSION) and not data.startswith(MAGIC):
        raise InputError(
            f"{path} is a checkpoint of another version of fastmlp; delete {path.parent}, or use that version"
        )
    header = len(MAGIC) + 65
    checksum, body = data[len(MAGIC) : header - 1], data[header:]
    if not data.startswith(MAGIC) or hashlib.sha256(body).hexdigest().encode() != checksum:
        return None
    try:
        with zipfile.ZipFile(io.BytesIO(body)) as archive:
            arrays = {entry.filename.removesuffix(".npy"): _array(archive, entry) for entry in archive.infolist()}
        values = json.loads(arrays.pop("meta").tobytes())
    except (
        zipfile.BadZipFile,
        EOFError,
        KeyError,
        OSError,
        OverflowError,
        RuntimeError,
        TypeError,
        ValueError,
    ) as error:
        raise _damaged(path, error) from None
    return Checkpoint(path, convert_record(values, CheckpointRecord, path, _fix(path)), arrays)


def _array(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> NDArray[Any]:
    """An array of an archive; room is made for what the archive has, not for what an entry says."""
    if entry.compress_type != zipfile.ZIP_STORED:
        raise ValueError(f"{entry.filename} is compressed")
    data = archive.read(entry)
    stream = io.BytesIO(data)
    if np.lib.format.read_magic(stream) != (1, 0):
        raise ValueError(f"{entry.filename} is not an array of format 1.0")
    shape, by_columns, dtype = np.lib.format.read_array_header_1_0(stream)
    if min(shape, default=0) < 0 or math.prod(shape) * dtype.itemsize != len(data) - stream.tell():
        raise ValueError(f"{entry.filename} is not as long as an array of {dtype} of shape {shape}")
    return np.ndarray(shape, dtype, data, stream.tell(), order="F" if by_columns else "C").copy("K")


def _fix(path: Path) -> str:
    return f"delete {path.parent} to start over"


def _damaged(path: Path, error: Exception) -> DamagedRecord:
    return DamagedRecord(f"{path} cannot be read ({one_line(error)}); {_fix(path)}")


class CheckpointCallback(InternalCallback):
    """Restore a training from its newest checkpoint, and write new ones while it runs.

    Parameters
    ----------
    store : CheckpointStore
        Where they are.
    """

    def __init__(self, store: CheckpointStore):
        self._store = store

    def attach(self, session: Session) -> None:
        super().attach(session)
        self._written, self._cost = time.perf_counter(), 0.0
        found = self._store.newest()
        if found is not None:
            _check_epochs(session.config, found.record, self._store.folder)
            try:
                _check_place(session, found.record.state)
                session.state.load_arrays(found.record.state, found.arrays, str(found.path))
            except (KeyError, ValueError) as error:
                raise _damaged(found.path, error) from None

    def on_chunk_end(self, view: TrainingView) -> None:
        if self._store.stop.is_set():
            self._write()
            raise Paused
        if time.perf_counter() - self._written > max(self._store.seconds, self._cost / _MOST_SHARE):
            self._write()

    def next_epoch(self) -> int:
        return self.session.last_epoch  # the clock decides, and it is asked often enough

    def on_epoch_end(self, view: TrainingView) -> None:
        since = time.perf_counter() - self._written
        if view.is_over or since > max(min(_SECONDS_BETWEEN_EPOCHS, self._store.seconds), self._cost / _MOST_SHARE):
            self._write()
        if not view.is_over:
            self.on_chunk_end(view)

    def _write(self) -> None:
        begun = time.perf_counter()
        state, arrays = self.session.state.to_arrays()
        self._store.write(self.session.config.epochs, state, arrays)
        self._written = time.perf_counter()
        self._cost = self._written - begun


def checkpoint_callbacks(value: object, config: NetworkConfig, data: PreparedData) -> list[CheckpointCallback]:
    """Return the callback that `MLP.fit(checkpoint=...)` asks for, if any.

    Parameters
    ----------
    value : path, CheckpointStore or None
        The argument.
    config : NetworkConfig
        Settings of the training.
    data : PreparedData
        Its data.

    Raises
    ------
    InputError, InputTypeError
        When it is no folder, or the training cannot be resumed.
    """
    if value is None:
        return []
    if not isinstance(value, CheckpointStore | str | os.PathLike):
        raise InputTypeError(
            f"checkpoint is {shown(value)}; expected a folder, or fastmlp.training.checkpoints.CheckpointStore"
        )
    if not config.optimizer_config.can_resume:
        raise InputError(
            f"checkpoint was given and optimizer is {config.optimizer_config.name!r}, whose state scipy keeps to "
            "itself; leave checkpoint out"
        )
    if isinstance(value, CheckpointStore) and value.identity is not None:
        return [CheckpointCallback(value)]
    if callable(config.schedule):
        raise InputError(
            "checkpoint was given and schedule is a function, which no digest tells from another; expected "
            "CheckpointStore(folder, identity=...) with a text of your own that does"
        )
    store = value if isinstance(value, CheckpointStore) else CheckpointStore(value)
    folder = Path(store.folder)
    if folder.exists() and not folder.is_dir():
        raise InputError(f"checkpoint is {folder}, which is a file; expected a folder: give it another name")
    return [CheckpointCallback(replace(store, identity=_identity(config, data)))]


def _identity(config: NetworkConfig, data: PreparedData) -> str:
    """What distinguishes a training from all others, whatever the number of its epochs."""
    held = [] if data.validation is None else [*arrays_of(data.validation[0]), data.validation[1]]
    held_out, classes = digest_of_arrays(held), digest_of_arrays([], repr(data.classes.tolist()))
    digests = [data.batches.digest(), held_out, classes, data.encoder.digest()]
    settings = {name: value for name, value in config.identity().items() if name != "epochs"}
    return digest_of_values({"settings": settings, "data": digests, "engine": engine_version()})


def _check_place(session: Session, state: StateRecord) -> None:
    """Raise ValueError where no training on these data can be."""
    size, rows = session.trainer.batch_size, session.data.batches.shape[0]
    if state.position > rows or (state.position % size and state.position != rows):
        raise ValueError(f"state.position is {state.position} in {rows} rows in batches of {size}")
    steps = (state.epoch - 1) * session.trainer.steps_of(rows) + session.trainer.steps_of(state.position)
    if state.steps != steps:
        raise ValueError(f"state.steps is {state.steps}; expected {steps} in epoch {state.epoch}")


def _check_epochs(config: NetworkConfig, record: CheckpointRecord, folder: str | os.PathLike[str]) -> None:
    """Raise InputError where a training of another number of epochs cannot be continued to that of the settings."""
    was, whole = record.epochs, record.state.epoch - 1
    if was == config.epochs:
        return
    if config.make_schedule().depends_on_epochs:
        raise InputError(
            f"{folder} holds a training of {was} epochs, over which its schedule {config.schedule!r} is spread, and "
            f"epochs is {config.epochs}; expected {was}: choose another folder to start over"
        )
    if config.epochs < whole:
        raise InputError(
            f"{folder} holds a training that has gone through {whole} epochs, and epochs is {config.epochs}; expected "
            f"{whole} or more: choose another folder to start over"
        )
