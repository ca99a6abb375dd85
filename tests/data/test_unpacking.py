"""Compressed files: told by their first bytes, read like others, refused where they are damaged or more than one."""

import bz2
import gzip
import io
import lzma
import zipfile

import h5py
import numpy as np
import pytest

from fastmlp.data import CSR, load
from fastmlp.data.unpacking import HEAD_BYTES, read_head, suffix

TABLE = b"a,label\n7,0\n8,1\n"
ROWS = b"".join(b"%d,%d\n" % (a, b) for a, b in np.random.RandomState(0).randint(0, 1000, (3000, 2)))
PAIRS = b"1 1:0.5 3:2\n-1 2:1\n"


def zipped(content, name="table.csv", **others):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, content)
        for other, bytes_of_it in others.items():
            archive.writestr(f"{other}.csv", bytes_of_it)
    return buffer.getvalue()


PACK = {"gz": gzip.compress, "bz2": bz2.compress, "xz": lzma.compress, "zip": zipped}
every_packing = pytest.mark.parametrize("packing", PACK)


@pytest.fixture
def write(tmp_path):
    def write(content, name="data"):
        path = tmp_path / name
        path.write_bytes(content)
        return path

    return write


@every_packing
@pytest.mark.parametrize("name", ["data", "data.csv", "data.csv.{}", "data.{}", "data.other"])
def test_a_table_is_unpacked_whatever_its_name(write, packing, name):
    dataset = load(write(PACK[packing](TABLE), name.format(packing)))
    assert dataset.X.columns[0].tolist() == [7, 8]
    assert dataset.y.tolist() == [0, 1]


@every_packing
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("name", ["rows", "rows.svm", "rows.libsvm.{}"])
def test_svmlight_is_unpacked_with_and_without_a_byte_order_mark(write, packing, mark, name):
    dataset = load(write(PACK[packing](mark + PAIRS), name.format(packing)))
    assert isinstance(dataset.X, CSR)
    assert dataset.X.toarray().tolist() == [[0.5, 0, 2], [0, 1, 0]]
    assert dataset.y.tolist() == [1, -1]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-8"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_svmlight_of_any_encoding_and_end_of_line_is_told_by_its_content(write, encoding, end):
    text = PAIRS.decode().replace("\n", end)
    assert load(write(text.encode(encoding))).X.toarray().tolist() == [[0.5, 0, 2], [0, 1, 0]]


@every_packing
@pytest.mark.parametrize("share", [0.3, 0.6, 0.95])
def test_a_file_that_is_cut_short_is_refused(write, complaint, packing, share):
    content = PACK[packing](ROWS)
    assert "damaged or cut short" in complaint(write(content[: int(len(content) * share)]))


@every_packing
def test_a_changed_byte_is_noticed(write, complaint, packing):
    content = bytearray(PACK[packing](ROWS))
    content[len(content) // 2] ^= 0x55
    complaint(write(content))


def test_a_packing_of_nothing_is_empty(write, complaint):
    assert "is empty" in complaint(write(gzip.compress(b"")))


def test_a_zip_archive_of_several_files_is_refused_with_their_names(write, complaint):
    message = complaint(write(zipped(TABLE, "train.csv", test=TABLE)))
    assert "2 files (train.csv, test.csv)" in message


def test_a_zip_archive_with_a_password_is_refused(write, complaint):
    content = bytearray(zipped(TABLE))
    for header, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):  # the bit of encryption in both headers
        content[content.index(header) + flags] |= 1
    assert "encrypted" in complaint(write(content))


def test_an_archive_of_numpy_is_no_compressed_table(write):
    buffer = io.BytesIO()
    np.savez_compressed(buffer, x=np.eye(3), y=np.arange(3))
    assert load(write(buffer.getvalue(), "arrays.zip")).X.shape == (3, 3)


def test_a_format_that_is_not_read_compressed_is_named(write, complaint):
    buffer = io.BytesIO()
    with h5py.File(buffer, "w") as file:
        file["xdata"] = np.eye(3)
    assert "is HDF5, compressed as xz; unpack it first" in complaint(write(lzma.compress(buffer.getvalue())))


def test_only_the_beginning_is_unpacked_to_tell_a_format(write):
    path = write(gzip.compress(b"\0" * (50 * HEAD_BYTES)))
    assert len(read_head(path, unpack=True)) == HEAD_BYTES
    assert len(read_head(path)) < HEAD_BYTES


@pytest.mark.parametrize(
    ("name", "expected"),
    [("a.csv", ".csv"), ("a.CSV.GZ", ".csv"), ("a.gz", ""), ("a", ""), ("a.tar.zip", ".tar"), (".gz", "")],
)
def test_the_ending_is_that_without_the_compression(tmp_path, name, expected):
    assert suffix(tmp_path / name) == expected
