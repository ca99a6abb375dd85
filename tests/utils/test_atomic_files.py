"""Files are whole or absent."""

import os
import socket
import stat

import pytest

from fastmlp.errors import InputError
from fastmlp.utils.atomic_files import atomic_path, write_bytes, write_text


def bound_socket(name):
    with socket.socket(socket.AF_UNIX) as one:
        one.bind(name)


SPECIAL = {
    "folder": os.mkdir,
    "device": lambda name: os.symlink("/dev/null", name),
    "pipe": lambda name: os.mkfifo(name),
    "socket": bound_socket,
}


def test_a_file_takes_its_name_when_it_is_complete(tmp_path):
    path = tmp_path / "new" / "folder" / "file.txt"
    with atomic_path(path) as temporary:
        temporary.write_text("half")
        assert not path.exists()
        assert temporary.parent == path.parent
        assert temporary.suffix == path.suffix
    assert path.read_text() == "half"
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize("error", [OSError, KeyboardInterrupt])
def test_a_failing_write_leaves_the_old_file_and_nothing_else(tmp_path, error):
    path = tmp_path / "file.txt"
    write_text(path, "old")

    def fail():
        with atomic_path(path) as temporary:
            temporary.write_text("new")
            raise error("interrupted")

    with pytest.raises(error):
        fail()
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_block_that_writes_nothing_is_an_error_and_leaves_the_old_file(tmp_path):
    write_text(tmp_path / "file", "old")
    with pytest.raises(FileNotFoundError), atomic_path(tmp_path / "file"):
        pass
    assert (tmp_path / "file").read_text() == "old"


def test_text_is_utf8_and_replaces_what_was_there(tmp_path):
    write_text(tmp_path / "file", "long old text")
    write_text(tmp_path / "file", "naïve ≤ 1\n")
    assert (tmp_path / "file").read_bytes() == "naïve ≤ 1\n".encode()


def test_two_writers_of_one_path_do_not_meet(tmp_path):
    path = tmp_path / "file"
    with atomic_path(path) as first, atomic_path(path) as second:
        assert first != second
        first.write_text("outer")
        second.write_text("inner")
    assert path.read_text() == "outer"


@pytest.mark.skipif(os.name == "nt", reason="Windows has none of them in folders")
@pytest.mark.parametrize("kind", SPECIAL)
@pytest.mark.parametrize("through_link", [False, True])
def test_what_is_no_file_is_never_replaced(tmp_path, monkeypatch, kind, through_link):
    """The system would let root put a model in the place of /dev/null."""
    monkeypatch.chdir(tmp_path)  # the path of a socket is a short one
    SPECIAL[kind]("special")
    before = os.lstat("special")
    if through_link:
        os.symlink("special", "link")
    written = "link" if through_link else "special"
    with pytest.raises(InputError, match=f"{written} is a {kind}; expected the name of a file to write: choose"):
        write_bytes(written, b"model")
    after = os.lstat("special")
    assert (after.st_ino, stat.S_IFMT(after.st_mode)) == (before.st_ino, stat.S_IFMT(before.st_mode))
    assert set(os.listdir()) == {"special", written}
    assert os.path.islink(written) == (through_link or kind == "device")
