"""Checkpoints: the state of a training on the disk, from which it goes on to the same bits."""

import hashlib
import io
import json
import os
import re
import threading
import time
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from fastmlp.errors import InputError, InputTypeError
from fastmlp.training.batches import arrays_of
from fastmlp.training.history import COLUMNS, History
from fastmlp.utils.atomic_files import is_temporary, remove, write_bytes
from fastmlp.utils.digests import digest_of_arrays, digest_of_values, engine_version

if TYPE_CHECKING:
    from fastmlp.config.schedules import Schedule
    from fastmlp.training.diagnostics import Observer
    from fastmlp.training.early_stopping import EarlyStopping
    from fastmlp.training.trainer import Trainer

MAGIC = b"fastmlp checkpoint 1\n"
_NAME = re.compile(r"checkpoint-(\d{8})\.bin")
_KEPT = 2  # should the newest be damaged, there is the one before it
_SECONDS_BETWEEN_EPOCHS = 1.0  # an epoch may be shorter than the writing of a file
_MOST_SHARE = 0.03  # of a training's time is spent on checkpoints


class Paused(Exception):
    """Raised inside a training that was asked to stop; what it had done is in its newest checkpoint."""


@dataclass
class Checkpoints:
    """A folder that keeps the state of one training; see `MLP.fit`.

    folder    is made when the first checkpoint is written
    seconds   between two checkpoints within an epoch; epochs that are longer than a second have one at their end. Both
              come more rarely where writing them would take more than 3% of the time
    identity  text that tells this training from all others; None: a digest of the settings and the data
    stop      when it is set, the training writes a checkpoint and raises `Paused`, within about 0.1 seconds

    A file is the line `MAGIC`, the SHA-256 of the rest in hexadecimal, a line feed, and an npz archive. The two newest
    are kept. One that is torn or damaged is passed over.
    """

    folder: str | os.PathLike[str]
    seconds: float = 10.0
    identity: str | None = None
    stop: threading.Event = field(default_factory=threading.Event)

    def newest(self) -> dict[str, Any] | None:
        """The newest state that is whole, as it was given to `write`; None if there is none.

        Raises InputError when it is of another training than `identity`.
        """
        for path in Path(self.folder).glob(".checkpoint-*"):  # each as large as one; other files may be others' work
            if is_temporary(path):
                remove(path)
        for path in reversed(self._files()):
            state = _read(path)
            if state is None:
                continue
            if state["meta"]["identity"] != self.identity:
                raise InputError(
                    f"{path} is of another training: its settings, its data or its fastmlp differ; expected those that "
                    f"it was begun with: choose another folder, or delete {path.parent}"
                )
            return state
        return None

    def write(self, meta: dict, arrays: dict[str, np.ndarray]) -> None:
        """Write a state: `meta` is plain values, for JSON."""
        stream = io.BytesIO()
        text = json.dumps({**meta, "identity": self.identity})
        entries: dict[str, Any] = {"meta": np.frombuffer(text.encode(), np.uint8), **arrays}
        np.savez(stream, **entries)
        body = stream.getvalue()
        files = self._files()
        number = 1 + (int(_NAME.fullmatch(files[-1].name)[1]) if files else 0)  # type: ignore[index]
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

    def _files(self):
        """The checkpoints that there are, oldest first."""
        folder = Path(self.folder)
        if not folder.is_dir():
            return []
        return sorted(path for path in folder.iterdir() if _NAME.fullmatch(path.name))


def _read(path):
    """The state in a file; None when it is not whole."""
    try:
        data = path.read_bytes()
    except OSError:  # as of a disk with a bad block
        return None
    header = len(MAGIC) + 65
    checksum, body = data[len(MAGIC) : header - 1], data[header:]
    if not data.startswith(MAGIC) or hashlib.sha256(body).hexdigest().encode() != checksum:
        return None
    with np.load(io.BytesIO(body), allow_pickle=False) as archive:
        arrays = dict(archive)
    return {"meta": json.loads(arrays.pop("meta").tobytes()), "arrays": arrays}


@dataclass
class Moment:
    """How far a training has come.

    epoch    the one under way, from 1; 0 for an optimiser that cannot be taken up again
    done     rows of it that were trained on
    totals   (2,) float64: their loss and right answers
    started  when it began, by time.perf_counter; later by what an interruption took
    """

    epoch: int = 0
    done: int = 0
    totals: np.ndarray = field(default_factory=lambda: np.zeros(2))
    started: float = field(default_factory=time.perf_counter)


class Keeper:
    """Writes the state of one training while it goes on, and restores it; does nothing without `checkpoints`.

    In its `with` block the trainer pauses here.
    """

    def __init__(
        self,
        checkpoints: Checkpoints | None,
        trainer: "Trainer",
        history: History,
        schedule: "Schedule",
        stopping: "EarlyStopping | None",
        observer: "Observer",
    ):
        self._checkpoints, self._trainer, self._history = checkpoints, trainer, history
        self._schedule, self._stopping, self._observer = schedule, stopping, observer
        self._written, self._cost = time.perf_counter(), 0.0

    def __enter__(self) -> "Keeper":
        self._before, self._trainer.pause = self._trainer.pause, self.pause
        return self

    def __exit__(self, *_: object) -> None:
        # The two would hold each other, and the data of the training, until the garbage collector comes by.
        self._trainer.pause = self._before

    def restore(self) -> Moment:
        """Bring everything to the state of the newest checkpoint; where to go on, at the first epoch without one."""
        state = None if self._checkpoints is None else self._checkpoints.newest()
        if state is None:
            return Moment(1)
        meta, arrays, trainer = state["meta"], state["arrays"], self._trainer
        trainer.parameters.buffer[...] = arrays["parameters"]
        trainer.parameters.states[...] = arrays["states"]
        trainer.steps = meta["steps"]
        self._history.replace({name: arrays[f"history.{name}"] for name in COLUMNS})
        self._schedule.restore(meta["schedule"])
        self._observer.restore(meta["observer"])
        if self._stopping is not None:
            self._stopping.restore(meta["stopping"], arrays.get("best"))
        return Moment(meta["epoch"], meta["done"], arrays["totals"], time.perf_counter() - meta["seconds"])

    def pause(self) -> None:
        """To be called between steps, where the state is a whole one: writes it when it is time. May raise Paused."""
        if self._checkpoints is None:
            return
        if self._checkpoints.stop.is_set():
            self._write()
            raise Paused
        if time.perf_counter() - self._written > max(self._checkpoints.seconds, self._cost / _MOST_SHARE):
            self._write()

    def epoch_done(self, last: bool) -> None:
        """To be called when an epoch is in the history and `Trainer.moment` is at the next one. May raise Paused."""
        if self._checkpoints is None:
            return
        since = time.perf_counter() - self._written
        if last or since > max(min(_SECONDS_BETWEEN_EPOCHS, self._checkpoints.seconds), self._cost / _MOST_SHARE):
            self._write()
        if not last:
            self.pause()

    def _write(self):
        moment, trainer, checkpoints = self._trainer.moment, self._trainer, self._checkpoints
        if checkpoints is None or not moment.epoch:
            return
        begun = time.perf_counter()
        arrays = {
            "parameters": trainer.parameters.buffer,
            "states": trainer.parameters.states,
            "totals": moment.totals,
            **{f"history.{name}": column for name, column in self._history.to_numpy().items()},
        }
        stopping: dict[str, float] = {}
        if self._stopping is not None:
            stopping = self._stopping.state()
            if self._stopping.best is not None:
                arrays["best"] = self._stopping.best
        meta = {
            "epoch": moment.epoch,
            "done": moment.done,
            "seconds": begun - moment.started,
            "steps": trainer.steps,
            "schedule": self._schedule.state(),
            "stopping": stopping,
            "observer": self._observer.state(),
        }
        checkpoints.write(meta, arrays)
        self._written = time.perf_counter()
        self._cost = self._written - begun
        moment.started += self._cost  # the seconds of an epoch are those of the training


def as_checkpoints(value, mlp, source, held_out) -> Checkpoints | None:
    """What the argument of `MLP.fit` stands for, with an identity.

    Raises InputError, InputTypeError when it is no folder, or the training cannot be taken up again.
    """
    if value is None or (isinstance(value, Checkpoints) and value.identity is not None):
        return value
    if not isinstance(value, Checkpoints | str | os.PathLike):
        raise InputTypeError(f"checkpoint is {value!r}; expected a folder, or fastmlp.training.checkpoints.Checkpoints")
    optimizer = mlp.config.optimizer_config
    if not optimizer.can_resume:
        raise InputError(
            f"checkpoint was given and optimizer is {optimizer.name!r}, whose state cannot be saved; leave checkpoint "
            "out"
        )
    if callable(mlp.schedule):
        raise InputError(
            "checkpoint was given and schedule is a function, which no digest tells from another; expected "
            "Checkpoints(folder, identity=...) with a text of your own that does"
        )
    checkpoints = value if isinstance(value, Checkpoints) else Checkpoints(value)
    folder = Path(checkpoints.folder)
    if folder.exists() and not folder.is_dir():
        raise InputError(f"checkpoint is {folder}, which is a file; expected a folder: give it another name")
    held = [] if held_out is None else [*arrays_of(held_out[0]), held_out[1]]
    data = [source.digest(), digest_of_arrays(held), digest_of_arrays([mlp.classes])]
    identity = digest_of_values({"settings": mlp.config.identity(), "data": data, "engine": engine_version()})
    return replace(checkpoints, identity=identity)
