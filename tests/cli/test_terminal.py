"""No text from a file of somebody else steers the terminal that it is shown on."""

import io
import os

import numpy as np
import pytest
from rich.console import Console

from fastmlp import MLP
from fastmlp.cli.main import main
from fastmlp.cli.output import write_pieces
from fastmlp.errors import InputTypeError, visible
from fastmlp.experiment.recipe_file import load_recipe
from fastmlp.training.bars import _Shortened
from fastmlp.training.screen import log_line, wrapped

STEERING = "\x1b]0;pwned\x07\x1b[31mred\x9b2J\r\u202e"
CODES = [chr(code) for code in (*range(9), *range(11, 32), *range(127, 160), 0x202E, 0x2066)]


def is_harmless(text):
    return not any(code in text for code in CODES)


def test_control_codes_are_spelt_out_and_all_other_text_stays():
    assert visible("\x1b[31m\x9b") == "\\u001b[31m\\u009b"
    text = "Größe\t1 ± 2 → 3\u00a0½\n日本語 👩‍🔬"
    assert visible(text) == text
    assert is_harmless(visible("".join(map(chr, range(0x3000)))))


def test_what_a_verb_prints_has_no_control_codes(tmp_path, capsys):
    X, y = np.eye(4), np.array(["a", f"b{STEERING}", "a", "a"])
    MLP(hidden=(2,), epochs=1, engine="numpy").fit(X, y).save(tmp_path / "model.safetensors")
    np.savez(tmp_path / "data.npz", **{"x": X, "y": y, STEERING.replace("\x07", ""): X})
    for options in ([], ["--json"]):
        for file in ("model.safetensors", "data.npz"):
            assert main(["info", str(tmp_path / file), *options]) == 0
            out, err = capsys.readouterr()
            assert "pwned" in out
            assert is_harmless(out + err)


@pytest.mark.filterwarnings("ignore:Glyph")  # the fonts of figures have no control codes
def test_what_a_run_prints_step_by_step_has_no_control_codes(tmp_path, capsys):
    random = np.random.default_rng(0)
    for name in ("train.npz", "test.npz"):
        np.savez(tmp_path / name, x=random.random((40, 2)), y=np.array(["plain", STEERING] * 20))
    recipe, data, test = (str(tmp_path / name) for name in ("one.toml", "train.npz", "test.npz"))
    (tmp_path / "one.toml").write_text("[network]\nhidden = [2]\n[training]\nepochs = 1\n", encoding="utf-8")
    assert main(["run", recipe, "--data", data, "--test", test, "--out", str(tmp_path / "run")]) == 0
    out, err = capsys.readouterr()
    assert "pwned" in out
    assert is_harmless(out + err)


def test_errors_and_lines_of_the_log_have_no_control_codes(tmp_path, capsys):
    np.savez(tmp_path / "data.npz", **{STEERING: np.eye(3)})
    assert main(["info", str(tmp_path / "data.npz")]) == 2
    log_line(STEERING)
    out, err = capsys.readouterr()
    assert err.count("pwned") == 2
    assert is_harmless(out + err)


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.mark.parametrize("stream", [Terminal(), io.StringIO()], ids=["terminal", "file"])
def test_predictions_have_none_on_a_terminal_and_are_as_they_are_in_a_file(monkeypatch, stream):
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr("sys.stdout", stream)
    write_pieces([STEERING, "\n"], None)
    assert stream.getvalue() == (visible(STEERING) if stream.isatty() else STEERING) + "\n"


@pytest.mark.skipif(not hasattr(os, "openpty"), reason="Windows has no such terminals")
def test_lines_are_broken_between_words_on_a_terminal_alone(monkeypatch):
    import termios

    monkeypatch.setenv("TERM", "xterm")
    sentence = "best configuration: relu, learning rate 0.5, validation accuracy 0.9554"
    row, path = "relu,  rate 0.5    0.1522  0.9542  0.1512  0.9554     0.9720", "/a/very/long/path/to-a/" + "x" * 40
    text = f"{sentence}\n{row}\n{path}"
    controller, its = os.openpty()
    with open(its, "w") as terminal:
        assert wrapped(text, terminal) == text  # it has no size
        termios.tcsetwinsize(its, (24, 40))
        first, second, *rest = wrapped(text, terminal).split("\n")
    os.close(controller)
    assert f"{first} {second}" == sentence
    assert max(len(first), len(second)) <= 40
    assert rest == [row, path]
    assert wrapped(text, io.StringIO()) == wrapped(text, None) == text


def test_the_label_of_a_bar_has_none():
    stream = io.StringIO()
    Console(file=stream, force_terminal=True, color_system=None, width=200).print(_Shortened(STEERING, 1))
    assert "pwned" in stream.getvalue()
    assert is_harmless(stream.getvalue().removesuffix("\n"))


def test_a_title_with_control_codes_is_refused(written):
    with pytest.raises(InputTypeError, match="line of text"):
        load_recipe(written('title = "a\\u001b[31mb"\n[network]\nhidden = [2]\n'))
