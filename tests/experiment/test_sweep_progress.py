import io
import re
from types import SimpleNamespace

from fastmlp.experiment.progress import shown_progress


class Terminal(io.StringIO):
    """A stderr that says it is a terminal."""

    def isatty(self):
        return True


def record(epoch, validation=0.75):
    return {
        "epoch": epoch,
        "learning_rate": 0.1,
        "train_loss": 0.5,
        "train_accuracy": 0.875,
        "validation_loss": 0.6,
        "validation_accuracy": validation,
        "seconds": 0.1,
    }


def end_epoch(callbacks, position, record):
    """Tell the callbacks of a network that it has ended an epoch."""
    for callback in callbacks(position):
        assert not callback.on_epoch_end(SimpleNamespace(record=record))


def test_lines_come_every_tenth_epoch_and_at_the_end(capsys):
    with shown_progress(["first", "second"], [25, 5]) as callbacks:
        for epoch in range(1, 26):
            end_epoch(callbacks, 0, record(epoch))
        for epoch in range(1, 6):
            end_epoch(callbacks, 1, record(epoch))
    lines = capsys.readouterr().err.splitlines()
    assert [line.partition(",")[0] for line in lines] == [
        "first: epoch 10 of 25",
        "first: epoch 20 of 25",
        "first: epoch 25 of 25",
        "second: epoch 5 of 5",
    ]
    assert "loss 0.5000, accuracy 0.8750; validation 0.6000, 0.7500" in lines[0]


def test_an_epochs_line_is_that_of_a_trainer_of_one_network_on_stdout(capsys):
    with shown_progress(["only"], [1], epoch_lines=True) as callbacks:
        end_epoch(callbacks, 0, record(1))
    out, err = capsys.readouterr()
    assert out == "Epoch 1: train loss = 0.5000, accy = 0.8750, [0.100 secs]\n"
    assert "epoch 1 of 1" in err


def test_lines_of_several_networks_begin_with_their_labels(capsys):
    with shown_progress(["relu", "tanh"], [5, 5], epoch_lines=True) as callbacks:
        end_epoch(callbacks, 1, record(3))
    assert capsys.readouterr().out == "tanh: Epoch 3: train loss = 0.5000, accy = 0.8750, [0.100 secs]\n"


def test_a_stdout_that_leads_elsewhere_gets_its_lines_while_bars_are_shown(monkeypatch):
    terminal, stdout = pretend_terminal(monkeypatch), io.StringIO()
    monkeypatch.setattr("sys.stdout", stdout)
    with shown_progress(["only"], [1], epoch_lines=True) as callbacks:
        end_epoch(callbacks, 0, record(1))
    assert stdout.getvalue().startswith("Epoch 1: train loss")
    assert "Epoch 1" not in terminal.getvalue()


def pretend_terminal(monkeypatch):
    """Make stderr a terminal of 80 columns and return it."""
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "80")
    stderr = Terminal()
    monkeypatch.setattr("sys.stderr", stderr)
    return stderr


def test_a_terminal_shows_a_bar_for_each_network_within_80_columns(monkeypatch):
    terminal = pretend_terminal(monkeypatch)
    with shown_progress(["relu, learning rate 0.005", "tanh, learning rate 0.5"], [200, 200]) as callbacks:
        for epoch in range(1, 8):
            end_epoch(callbacks, 0, record(epoch))
    plain = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", terminal.getvalue())
    last = [line for line in re.split(r"[\r\n]+", plain) if line][-3:]
    assert [line.split(" ")[0] for line in last] == ["all", "relu,", "tanh,"]
    assert "7/400" in last[0]
    assert "7/200" in last[1]
    assert "0.500 87.50% 75.00%" in last[1]
    assert "waiting" in last[2]
    assert max(map(len, last)) <= 80


def test_brackets_in_a_label_are_shown_as_they_are(monkeypatch):
    terminal = pretend_terminal(monkeypatch)
    with shown_progress(["[draft] digits"], [1]) as callbacks:
        end_epoch(callbacks, 0, record(1))
    assert "[draft] digits" in terminal.getvalue()


def test_without_a_validation_set_a_bar_shows_the_training_alone(monkeypatch):
    terminal = pretend_terminal(monkeypatch)
    with shown_progress(["relu"], [1]) as callbacks:
        end_epoch(callbacks, 0, record(1, validation=float("nan")))
    assert "0.500 87.50%" in terminal.getvalue()
    assert "nan" not in terminal.getvalue()
