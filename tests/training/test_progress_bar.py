"""What `fit(progress=True)` shows: on a terminal, in a pipe, in a notebook."""

import re
import sys
from types import SimpleNamespace

import numpy as np
import pytest
from screens import lines_of, pretend_terminal

from fastmlp import MLP
from fastmlp.config.network import NetworkConfig
from fastmlp.training import progress
from fastmlp.training.callbacks import Callback
from fastmlp.training.compilation import LISTENER
from fastmlp.training.progress import ProgressBar

RECORD = {"train_loss": 0.5, "train_accuracy": 0.875, "validation_loss": 0.6, "validation_accuracy": 0.75}
X, Y = np.eye(6, dtype=np.float32), [0, 1] * 3


def view(epoch, last_epoch, record=None, **settings):
    return SimpleNamespace(
        epoch=epoch, last_epoch=last_epoch, record=record, error=None, config=NetworkConfig(**settings)
    )


def show(epochs, last_epoch, begin=0, **settings):
    """Show these epochs of a training that begins after `begin` of them, and its end."""
    bar = ProgressBar()
    bar.on_fit_start(view(begin, last_epoch, **settings))
    for epoch in epochs:
        bar.on_epoch_end(view(epoch, last_epoch, {"epoch": epoch, **RECORD}, **settings))
    bar.on_fit_end(view(begin, last_epoch, **settings))


class ErrorsSoFar(Callback):
    """Keeps what stderr has when an epoch ends, before the progress of that epoch is shown."""

    def __init__(self, capsys):
        self.capsys, self.seen = capsys, []

    def on_epoch_end(self, view):
        out, err = self.capsys.readouterr()
        assert out == ""
        self.seen.append(err)


def test_in_a_pipe_each_epoch_is_a_line_on_stderr_as_soon_as_it_ends(capsys):
    mlp = MLP(hidden=(2,), epochs=4, threads=1).fit(X, Y)  # compiles what is not compiled, of which lines would tell
    capsys.readouterr()
    spy = ErrorsSoFar(capsys)
    mlp.fit(X, Y, progress=True, callbacks=[spy])
    out, last = capsys.readouterr()
    first, *seen = spy.seen
    assert (out, first) == ("", "")
    assert [line.partition(",")[0] for line in [*seen, last]] == [f"epoch {epoch} of 4" for epoch in (1, 2, 3, 4)]
    assert all(line.count("\n") == 1 for line in [*seen, last])


def test_many_epochs_make_a_hundred_lines(capsys):
    show(range(1, 1051), 1050)
    lines = capsys.readouterr().err.splitlines()
    assert [int(line.split()[1]) for line in lines] == [*range(11, 1050, 11), 1050]


def test_an_epoch_that_comes_long_after_the_last_line_has_one(capsys, monkeypatch):
    monkeypatch.setattr(progress, "SECONDS_PER_LINE", 0.0)
    show(range(1, 6), 1050)
    assert len(capsys.readouterr().err.splitlines()) == 5


def test_a_training_that_is_stopped_ends_with_the_line_of_its_last_epoch(capsys):
    show(range(1, 25), 1050)
    epochs = [int(line.split()[1]) for line in capsys.readouterr().err.splitlines()]
    assert epochs == [11, 22, 24]


def test_a_line_has_losses_and_accuracies_and_calls_r2_so(capsys):
    show([1], 1)
    assert capsys.readouterr().err == "epoch 1 of 1, loss 0.5000, accuracy 0.8750; validation 0.6000, 0.7500\n"
    show([1], 1, loss="squared_error")
    assert capsys.readouterr().err == "epoch 1 of 1, loss 0.5000, R² 0.8750; validation 0.6000, 0.7500\n"


def test_losses_of_large_numbers_and_small_ones_have_few_digits(capsys):
    bar = ProgressBar()
    bar.on_fit_start(view(0, 1))
    bar.on_epoch_end(view(1, 1, {**RECORD, "train_loss": 406049728.7434, "validation_loss": 1.5e-7}))
    bar.on_fit_end(view(0, 1))
    assert capsys.readouterr().err == "epoch 1 of 1, loss 4.06e+08, accuracy 0.8750; validation 1.5e-07, 0.7500\n"


def test_a_terminal_of_80_columns_shows_the_bar_and_the_time_that_is_left(monkeypatch, capsys):
    terminal = pretend_terminal(monkeypatch)
    show(range(1, 500), 1000)
    line = lines_of(terminal)[-1]
    assert line.startswith("epoch ━")
    assert "499/1000 loss 0.5000, 87.50%; validation 0.6000, 75.00%" in line
    assert re.search(r" \d\d:\d\d$", line)
    assert len(line) <= 80
    assert capsys.readouterr().out == ""


def test_a_narrow_terminal_has_fewer_words_beside_the_bar_and_the_time(monkeypatch):
    terminal = pretend_terminal(monkeypatch, columns=50)
    show(range(1, 500), 1000)
    line = lines_of(terminal)[-1]
    assert re.fullmatch(r"epoch [━╸╺]{10}  499/1000 loss .*… \d\d:\d\d", line)
    assert len(line) <= 50


def test_the_bar_of_a_training_that_goes_on_stands_at_its_epoch(monkeypatch):
    terminal = pretend_terminal(monkeypatch)
    show([7, 8], 9, begin=6)
    assert "8/9" in lines_of(terminal)[-1]


def test_what_is_printed_meanwhile_stays_on_the_stdout_that_leads_elsewhere(monkeypatch, capsys):
    terminal = pretend_terminal(monkeypatch)
    bar = ProgressBar()
    bar.on_fit_start(view(0, 2))
    print("result")
    bar.on_fit_end(view(0, 2))
    assert capsys.readouterr().out == "result\n"
    assert "result" not in terminal.getvalue()


def test_a_terminal_without_a_cursor_gets_lines(monkeypatch):
    terminal = pretend_terminal(monkeypatch)
    monkeypatch.setenv("TERM", "dumb")
    show([1, 2], 2)
    assert [line.partition(",")[0] for line in terminal.getvalue().splitlines()] == ["epoch 1 of 2", "epoch 2 of 2"]


def test_without_a_console_nothing_is_shown(monkeypatch, capsys):
    monkeypatch.setattr(sys, "stderr", None)
    show([1, 2], 2)
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(("shown", "askers"), [(True, 1), (False, 0), (lambda record: None, 0)])
def test_who_asks_for_progress_is_told_that_kernels_are_compiled(shown, askers):
    seen = []

    class Spy(Callback):
        def on_epoch_end(self, view):
            seen.append(LISTENER.askers)

    before = LISTENER.askers
    MLP(hidden=(2,), epochs=1, threads=1).fit(X, Y, progress=shown, callbacks=[Spy()])
    assert (seen, LISTENER.askers) == ([before + askers], before)


NOTEBOOK = """
import numpy as np
from fastmlp import MLP
from fastmlp.training.callbacks import Callback

class StopAfterTen(Callback):
    def on_epoch_end(self, view):
        return view.epoch == 10

MLP(hidden=(2,), epochs=20, threads=1).fit(
    np.eye(6, dtype='f4'), [0, 1] * 3, progress=True, callbacks=[StopAfterTen()]
)
print('RESULT')
"""


def test_in_a_notebook_one_line_takes_the_place_of_the_line_before(monkeypatch):
    import nbclient
    import nbformat

    monkeypatch.setenv("PYTHONPATH", ":".join(sys.path))
    monkeypatch.setenv("PYTHONWARNINGS", "ignore")
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(NOTEBOOK)])
    nbclient.NotebookClient(notebook, kernel_name="python3").execute()
    shown, printed = notebook.cells[0].outputs
    line = shown.data["text/plain"]
    assert line.startswith(f"epoch 10 of 20 {'█' * 10}{'░' * 10} loss ")
    assert "left" not in line  # it was stopped
    assert (printed.name, printed.text) == ("stdout", "RESULT\n")
