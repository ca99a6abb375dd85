"""A terminal that keeps what it is shown."""

import io
import re


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self):
        return True


def pretend_terminal(monkeypatch, columns=80, lines=24):
    """Make stderr a terminal of this size and return it."""
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", str(columns))
    monkeypatch.setenv("LINES", str(lines))
    stderr = Terminal()
    monkeypatch.setattr("sys.stderr", stderr)
    return stderr


def lines_of(terminal):
    """Return the lines that a terminal was ever shown, the newest last, without colours and blanks behind."""
    plain = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", terminal.getvalue())
    return [line.rstrip() for line in re.split(r"[\r\n]+", plain) if line.strip()]
