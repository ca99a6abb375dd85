"""The log of a training as CSV: its rows are the history's, once each, whatever interrupts the training."""

import os
import re
import signal
import subprocess
import sys

import numpy as np
import pytest

from fastmlp import MLP, History
from fastmlp.callbacks import Callback, CSVLogger
from fastmlp.errors import InputError

RANDOM = np.random.RandomState(3)
X = RANDOM.standard_normal((120, 6)).astype(np.float32)
Y = (X[:, 0] > 0).astype(int)
SETTINGS = {"hidden": (5,), "batch_size": 20, "epochs": 4, "seed": 1, "engine": "numpy"}


def test_the_log_is_the_history_of_the_training(tmp_path):
    mlp = MLP(**SETTINGS).fit(X, Y, validation_split=0.2, callbacks=[CSVLogger(tmp_path / "log.csv")])
    assert (tmp_path / "log.csv").read_text(encoding="utf-8") == mlp.history.to_csv()
    assert History.from_csv(tmp_path / "log.csv").to_dict() == mlp.history.to_dict()


def test_a_row_is_there_as_soon_as_its_epoch_ends(tmp_path):
    class Reader(Callback):
        def on_epoch_end(self, view):
            assert len(History.from_csv(tmp_path / "log.csv")) == view.epoch

    MLP(**SETTINGS).fit(X, Y, callbacks=[CSVLogger(tmp_path / "log.csv"), Reader()])


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such pipes")
def test_a_pipe_is_refused_and_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(InputError, match="pipe is a pipe; expected the name of a file to write"):
        MLP(**SETTINGS).fit(X, Y, callbacks=[CSVLogger(tmp_path / "pipe")])


KILLED = """
import os, signal, sys
from pathlib import Path
import numpy as np
from fastmlp import MLP
from fastmlp.callbacks import Callback, CSVLogger
from fastmlp.training.checkpoints import CheckpointStore
folder = Path(sys.argv[1])
class Kill(Callback):
    def on_epoch_end(self, view):
        if view.epoch == 3 and not (folder / "killed").exists():
            (folder / "killed").touch()
            os.kill(os.getpid(), signal.SIGKILL)
X = np.random.RandomState(3).standard_normal((120, 6))
store = CheckpointStore(folder / "state", seconds=0.0)
MLP(hidden=(5,), batch_size=20, epochs=5, engine="numpy").fit(
    X, X[:, 0] > 0, callbacks=[CSVLogger(folder / "log.csv"), Kill()], checkpoint=store
).history.to_csv(folder / "history.csv")
"""


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGKILL")
def test_no_row_is_doubled_or_lost_when_the_process_is_killed_and_the_training_resumes(tmp_path):
    command = [sys.executable, "-c", KILLED, str(tmp_path)]
    assert subprocess.run(command, check=False).returncode == -signal.SIGKILL
    assert len(History.from_csv(tmp_path / "log.csv")) == 3  # the row of an epoch that no checkpoint has
    with open(tmp_path / "log.csv", "a", encoding="utf-8") as log:
        log.write("4,0.1,0.")  # as a torn disk may have it
    assert subprocess.run(command, check=False).returncode == 0
    assert (tmp_path / "log.csv").read_bytes() == (tmp_path / "history.csv").read_bytes()
    assert History.from_csv(tmp_path / "log.csv")["epoch"] == [1, 2, 3, 4, 5]


def test_each_pass_adds_a_row_and_a_fit_begins_anew(tmp_path):
    path = tmp_path / "log.csv"
    mlp, logger = MLP(**SETTINGS), CSVLogger(path)
    for _ in range(3):
        mlp.partial_fit(X, Y, callbacks=[logger])
    assert History.from_csv(path)["epoch"] == [1, 2, 3]
    mlp.fit(X, Y, callbacks=[logger])
    assert History.from_csv(path)["epoch"] == [1, 2, 3, 4]


def test_an_error_in_the_training_leaves_the_rows_so_far(tmp_path):
    class Trip(Callback):
        def on_epoch_end(self, view):
            if view.epoch == 2:
                raise RuntimeError("enough")

    with pytest.raises(RuntimeError, match="enough"):
        MLP(**SETTINGS).fit(X, Y, callbacks=[CSVLogger(tmp_path / "log.csv"), Trip()])
    assert len(History.from_csv(tmp_path / "log.csv")) == 2


def test_a_file_that_is_something_else_stays_as_it_is(tmp_path):
    path = tmp_path / "data.csv"
    path.write_text("a,b\n1,2\n", encoding="utf-8")
    with pytest.raises(InputError, match="is not a log of a training; expected a new file"):
        MLP(**SETTINGS).fit(X, Y, callbacks=[CSVLogger(path)])
    assert path.read_text(encoding="utf-8") == "a,b\n1,2\n"


@pytest.mark.skipif(sys.platform == "win32", reason="Windows limits no size of files")
def test_a_log_that_cannot_grow_is_an_error_that_names_it_and_the_epochs_before_stay(tmp_path):
    import resource

    limits, path = resource.getrlimit(resource.RLIMIT_FSIZE), tmp_path / "log.csv"
    mlp = MLP(**{**SETTINGS, "epochs": 30})
    resource.setrlimit(resource.RLIMIT_FSIZE, (600, limits[1]))
    try:
        with pytest.raises(OSError, match=re.escape(str(path))):
            mlp.fit(X, Y, callbacks=[CSVLogger(path)])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert 1 < len(mlp.history) < 30
    whole = path.read_text(encoding="utf-8").splitlines()[:-1]
    assert mlp.history.to_csv().splitlines()[: len(whole)] == whole
