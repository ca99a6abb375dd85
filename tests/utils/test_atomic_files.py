"""Files are whole or absent."""

import pytest

from fastmlp.utils.atomic_files import atomic_path, write_text


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
