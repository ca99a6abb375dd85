import io
import re
from types import SimpleNamespace

from screens import lines_of, pretend_terminal

from fastmlp.config.network import NetworkConfig
from fastmlp.experiment.progress import distinguishing, shown_progress


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


def end_epoch(callbacks, position, record, **settings):
    """Tell the callbacks of a network that it has ended an epoch."""
    for callback in callbacks(position):
        assert not callback.on_epoch_end(SimpleNamespace(record=record, config=NetworkConfig(**settings)))


def end_training(callbacks, position):
    """Tell the callbacks of a network that its training is over."""
    for callback in callbacks(position):
        callback.on_fit_end(None)


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


def test_a_terminal_shows_a_bar_for_each_network_within_80_columns(monkeypatch):
    terminal = pretend_terminal(monkeypatch)
    with shown_progress(["relu, learning rate 0.005", "tanh, learning rate 0.5"], [200, 200]) as callbacks:
        for epoch in range(1, 8):
            end_epoch(callbacks, 0, record(epoch))
    last = lines_of(terminal)[-3:]
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


def test_a_sweep_of_r2_shows_numbers(monkeypatch, capsys):
    with shown_progress(["first"], [1]) as callbacks:
        end_epoch(callbacks, 0, record(1), loss="squared_error")
    assert "R² 0.8750" in capsys.readouterr().err
    terminal = pretend_terminal(monkeypatch)
    with shown_progress(["first"], [1]) as callbacks:
        end_epoch(callbacks, 0, record(1), loss="squared_error")
    assert "0.500 0.875 0.750" in lines_of(terminal)[-1]


def test_an_epoch_that_comes_long_after_the_last_line_has_one(capsys, monkeypatch):
    monkeypatch.setattr("fastmlp.training.progress.SECONDS_PER_LINE", 0.0)
    with shown_progress(["slow"], [25]) as callbacks:
        end_epoch(callbacks, 0, record(1))
    assert capsys.readouterr().err.startswith("slow: epoch 1 of 25, ")


def labels_of(lines):
    return [line.split("━")[0].split("╸")[0].split("╺")[0].strip() for line in lines]


def test_of_more_networks_than_lines_those_under_way_are_shown(monkeypatch):
    terminal = pretend_terminal(monkeypatch, lines=8)
    labels = [f"network {number}" for number in range(30)]
    with shown_progress(labels, [5] * 30) as callbacks:
        for position in range(17):
            for epoch in range(1, 6):
                end_epoch(callbacks, position, record(epoch))
            end_training(callbacks, position)
        for position in (19, 22):
            end_epoch(callbacks, position, record(1))
    shown = lines_of(terminal)[-7:]
    assert labels_of(shown) == ["all", *(f"network {number}" for number in (17, 18, 19, 20, 21, 22))]
    assert "87/150" in shown[0]
    assert "waiting" in shown[1]
    assert "1/5" in shown[3]


def test_of_more_networks_under_way_than_lines_the_first_are_shown(monkeypatch):
    terminal = pretend_terminal(monkeypatch, lines=6)
    with shown_progress([f"network {number}" for number in range(10)], [5] * 10) as callbacks:
        for position in range(10):
            end_epoch(callbacks, position, record(1))
    assert labels_of(lines_of(terminal)[-5:]) == ["all", *(f"network {number}" for number in range(4))]


def test_what_a_network_that_stops_early_leaves_out_is_no_longer_to_be_done(monkeypatch):
    terminal = pretend_terminal(monkeypatch)
    with shown_progress(["first", "second"], [100, 50]) as callbacks:
        end_epoch(callbacks, 0, record(7))
        end_training(callbacks, 0)
    whole, first, _ = lines_of(terminal)[-3:]
    assert " 7/57" in whole
    assert "7/100" in first


def test_long_labels_show_what_distinguishes_them_beside_bar_and_time(monkeypatch):
    terminal = pretend_terminal(monkeypatch)
    labels = [
        f"relu, learning rate {rate}, batch size {size}, momentum 0.9" for rate in (0.5, 0.05) for size in (8, 64)
    ]
    with shown_progress(labels, [200] * 4) as callbacks:
        for epoch in range(1, 4):
            end_epoch(callbacks, 3, record(epoch))
    shown = lines_of(terminal)[-5:]
    assert labels_of(shown) == ["all", "0.5, 8,", "0.5, 64,", "0.05, 8,", "0.05, 64,"]
    assert max(map(len, shown)) <= 80
    assert re.search(r"3/200 +0.500 87.50% 75.00% +\d\d:\d\d$", shown[4])


def test_labels_that_nothing_shortens_are_cut_in_the_middle_and_the_bars_stay(monkeypatch):
    terminal = pretend_terminal(monkeypatch)
    labels = ["a" * 40 + "b" * 40, "c" * 80]
    with shown_progress(labels, [200, 200]) as callbacks:
        end_epoch(callbacks, 0, record(1))
    first, second = lines_of(terminal)[-2:]
    assert re.fullmatch(r"a+…b+ ━+ +1/200 0.500 87.50% 75.00% --:--", first)
    assert re.fullmatch(r"c+…c+ ━+ +0/200 waiting +--:--", second)
    assert (len(first), len(second)) == (80, 80)


def test_words_that_all_labels_have_are_left_out_unless_labels_became_one():
    assert distinguishing(["tanh, learning rate 0.5", "relu, learning rate 0.5"]) == ["tanh,", "relu,"]
    assert distinguishing(["a b c", "b a c"]) == ["a b c", "b a c"]
    assert distinguishing(["only one"]) == ["only one"]
