"""Files that are made to harm: they promise more than memory has, or point elsewhere, or their libraries fail."""

import gzip
import io
import lzma
import os
import re
import struct
import subprocess
import sys
import zipfile
import zlib

import h5py
import numpy as np
import pytest
import scipy.sparse
from scipy.io import savemat

from fastmlp.data import Stream, load, load_inputs
from fastmlp.data.readers import registry
from fastmlp.errors import InputError
from fastmlp.utils.free_memory import check_memory

X, Y = np.eye(3), np.arange(3)
LARGEST = 2**32 - 1


@pytest.fixture
def hdf5(tmp_path):
    def write(fill, name="data.h5"):
        with h5py.File(tmp_path / name, "w") as file:
            fill(file)
        return tmp_path / name

    return write


def of(xdata):
    """A function that fills an HDF5 file with inputs, or a link to them, and with labels."""

    def fill(file):
        file["xdata"], file["ydata"] = xdata, Y

    return fill


def npy(header, body=b""):
    """An array of numpy with any text as its header."""
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode() + body


def npz(path, x, y, **options):
    with zipfile.ZipFile(path, "w", **options) as archive:
        archive.writestr("x.npy", x)
        archive.writestr("y.npy", y)
    return path


def stored(array):
    buffer = io.BytesIO()
    np.save(buffer, array)
    return buffer.getvalue()


def idx(path, header, pack=bytes, body=b""):
    path.write_bytes(pack(header + body))
    path.with_name(path.name.replace("images", "labels").replace("idx3", "idx1")).write_bytes(
        b"\0\0\x08\x01\0\0\0\x02\0\1"
    )
    return path


# ------------------------------------------------------------------------------------------------- more than memory


@pytest.mark.parametrize("pack", [bytes, gzip.compress, lzma.compress], ids=["plain", "gzip", "xz"])
@pytest.mark.parametrize("shape", [(LARGEST,) * 3, (0, LARGEST, LARGEST), (1 << 22, 1 << 10, 1 << 10)])
def test_a_header_of_idx_that_promises_terabytes_is_refused(tmp_path, complaint, pack, shape):
    header = b"\0\0\x08\x03" + struct.pack(">III", *shape)
    complaint(idx(tmp_path / "train-images-idx3-ubyte", header, pack, bytes(1000)))


def test_an_array_of_hdf5_that_declares_terabytes_is_refused(hdf5, complaint):
    def fill(file):
        file.create_dataset("xdata", (10**9, 3000), "f4", chunks=(1, 3000))
        file.create_dataset("ydata", (10**9,), "i1", chunks=(1000,))

    assert "needs 3 TB of memory" in complaint(hdf5(fill))


def test_labels_of_hdf5_that_declare_terabytes_are_refused(hdf5, complaint):
    def fill(file):
        file["xdata"] = X
        file.create_dataset("ydata", (10**12,), "i8", chunks=(1000,))

    assert "needs 8 TB of memory" in complaint(hdf5(fill))


def test_a_chunk_of_hdf5_that_unpacks_to_terabytes_is_refused(hdf5, complaint):
    def fill(file):
        file.create_dataset("xdata", (3, 3), "f8", chunks=(LARGEST >> 4, 1), maxshape=(None, 3))
        file["ydata"] = Y

    assert "chunk of xdata needs" not in complaint(hdf5(of(np.zeros((3, 3), "S1"))))
    try:
        path = hdf5(fill, "chunks.h5")
    except ValueError:
        pytest.skip("this HDF5 writes no such chunk")
    try:
        check_memory("", 8 * (LARGEST >> 4))
    except InputError:
        assert "chunk of xdata needs" in complaint(path)


@pytest.mark.parametrize("shape", ["(1000000000, 3000)", "(4611686018427387904, 16)"])
def test_an_array_of_npz_that_declares_terabytes_is_refused(tmp_path, complaint, shape):
    header = f"{{'descr': '<f8', 'fortran_order': False, 'shape': {shape}, }}\n"
    complaint(npz(tmp_path / "data.npz", npy(header), stored(Y)))


def test_a_member_of_npz_that_unpacks_to_terabytes_is_refused_before_it_is(tmp_path, complaint):
    path = npz(tmp_path / "data.npz", stored(X), stored(Y), compression=zipfile.ZIP_DEFLATED)
    with zipfile.ZipFile(path, "a") as archive:  # whose directory is written at the end
        archive.infolist()[0].file_size = 1 << 45
        archive.writestr("other.npy", b"")
    assert "x needs 35.2 TB of memory" in complaint(path)


def test_a_matrix_of_matlab_that_declares_terabytes_is_refused(tmp_path, complaint):
    savemat(tmp_path / "data.mat", {"X": np.ones((2, 3)), "y": np.ones((2, 1))})
    content = (tmp_path / "data.mat").read_bytes()
    assert content.count(struct.pack("<ii", 2, 3)) == 1
    (tmp_path / "data.mat").write_bytes(content.replace(struct.pack("<ii", 2, 3), struct.pack("<ii", 2**31 - 1, 4096)))
    assert "needs 8.8 TB of memory" in complaint(tmp_path / "data.mat")


def bomb(path):
    """A MATLAB file of half a megabyte, of which a matrix with a single number unpacks to half a gigabyte."""

    def element(kind, data):
        return struct.pack("<II", kind, len(data)) + data + bytes(-len(data) % 8)

    size, piece = 1 << 29, bytes(1 << 24)
    start = element(6, struct.pack("<II", 6, 0)) + element(5, struct.pack("<ii", 1, 1)) + element(1, b"X")
    packer = zlib.compressobj()
    packed = packer.compress(struct.pack("<II", 14, len(start) + 8 + size) + start + struct.pack("<II", 2, size))
    packed += packer.flush(zlib.Z_FULL_FLUSH)
    packed += (packer.compress(piece) + packer.flush(zlib.Z_FULL_FLUSH)) * (size // len(piece))
    savemat(path, {"y": np.ones((2, 1))})
    content = path.read_bytes()
    path.write_bytes(content[:128] + struct.pack("<II", 15, len(packed)) + packed + content[128:])


@pytest.mark.parametrize("name", ["X", "y"])
def test_a_sparse_matrix_of_matlab_with_a_row_beyond_its_last_is_refused(tmp_path, complaint, name):
    """scipy would write there, which is the memory of something else."""
    sparse = scipy.sparse.csc_matrix(([1.0, 2.0], ([1, 7], [0, 0])), shape=(9, 1))
    savemat(tmp_path / "data.mat", {"X": np.ones((9, 1)), "y": np.ones((9, 1)), name: sparse})
    content = (tmp_path / "data.mat").read_bytes()
    assert content.count(struct.pack("<ii", 1, 7)) == 1
    (tmp_path / "data.mat").write_bytes(content.replace(struct.pack("<ii", 1, 7), struct.pack("<ii", 1, 9)))
    assert "must be < 9" in complaint(tmp_path / "data.mat")


WITHIN_LIMITS = """
import resource, sys
from pathlib import Path
from fastmlp.data import load, load_inputs
from fastmlp.errors import InputError
import scipy.io, scipy.sparse
held = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (held + (450 << 20),) * 2)
for read, name in ((load_inputs, "rows.mat"), (load, "labels.mat"), (load_inputs, "bomb.mat")):
    try:
        read(Path(sys.argv[1]) / name)
    except InputError as error:
        print(error)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere nobody tells how much memory is free")
def test_a_matrix_of_matlab_that_is_sparse_or_packed_is_refused_before_it_fills_the_memory(tmp_path):
    rows = scipy.sparse.csc_matrix(([1.0, 1.0], ([0, 5], [0, 0])), shape=(2**31 - 1, 1))
    savemat(tmp_path / "rows.mat", {"X": rows})
    savemat(tmp_path / "labels.mat", {"X": rows, "y": rows})
    bomb(tmp_path / "bomb.mat")
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) < 1e6
    ended = subprocess.run(
        [sys.executable, "-c", WITHIN_LIMITS, str(tmp_path)], capture_output=True, text=True, check=True, cwd=tmp_path
    )
    for complaint, what in zip(
        ended.stdout.splitlines(), ("rows.mat: X", "labels.mat: y", "bomb.mat, unpacked,"), strict=True
    ):
        assert re.search(rf"{what} needs [\d.]+ [MG]B of memory, and [\d.]+ [MG]B are free", complaint), complaint


# ---------------------------------------------------------------------------------------------------- other files


@pytest.mark.parametrize("read", [load, Stream])
def test_an_array_of_hdf5_with_its_values_in_another_file_is_refused(hdf5, tmp_path, read):
    secret = tmp_path / "secret"
    secret.write_bytes(b"123456789")

    def external(file):
        file.create_dataset("xdata", (3, 3), "u1", external=[(str(secret), 0, 9)])
        file["ydata"] = Y

    def virtual(file):
        layout = h5py.VirtualLayout((3, 3), "f8")
        layout[:] = h5py.VirtualSource(".", "xdata", (3, 3))  # of itself: HDF5 2.0 overflows the stack
        file.create_virtual_dataset("xdata", layout)
        file["ydata"] = Y

    for fill in (external, virtual):
        with pytest.raises(InputError, match="xdata has its values in other files"):
            read(hdf5(fill))


@pytest.mark.parametrize("target", ["../outside/real.h5", "{}/outside/real.h5", "link.h5"])
def test_a_link_of_hdf5_out_of_its_folder_is_not_followed(hdf5, tmp_path, complaint, target):
    outside, inside = tmp_path / "outside", tmp_path / "inside"
    for folder in (outside, inside):
        folder.mkdir()
    real = hdf5(of(X), "outside/real.h5")
    (inside / "link.h5").symlink_to(real)
    path = hdf5(of(h5py.ExternalLink(target.format(tmp_path), "xdata")), "inside/data.h5")
    assert "expected a file in the same folder" in complaint(path)


def test_a_link_of_hdf5_to_a_file_beside_it_is_followed_once(hdf5, complaint):
    hdf5(of(X), "real.h5")
    path = hdf5(of(h5py.ExternalLink("real.h5", "xdata")), "link.h5")
    assert np.array_equal(load(path).X, X)
    again = hdf5(of(h5py.ExternalLink("link.h5", "xdata")), "again.h5")
    assert "not there" in complaint(again)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs pipes")
def test_no_link_of_hdf5_leads_into_a_pipe_that_nobody_writes_to(hdf5, tmp_path):
    os.mkfifo(tmp_path / "pipe")
    direct = hdf5(of(h5py.ExternalLink("pipe", "xdata")), "direct.h5")

    def around(file):
        file["other"] = h5py.ExternalLink("pipe", "/")
        of(h5py.SoftLink("/other/xdata"))(file)

    for path in (direct, hdf5(around, "around.h5"), hdf5(of(h5py.ExternalLink("direct.h5", "xdata")), "twice.h5")):
        with pytest.raises(InputError, match=r"is a pipe|not there"):
            load(path)


@pytest.mark.parametrize("kind", ["folder", "pipe", "loop"])
def test_images_or_labels_of_idx_that_are_no_file_are_refused(tmp_path, complaint, kind):
    header = b"\0\0\x08\x03" + struct.pack(">III", 2, 1, 1)
    for name in ("train-images-idx3-ubyte", "train-labels-idx1-ubyte"):
        idx(tmp_path / "train-images-idx3-ubyte", header, body=b"ab")
        assert load(tmp_path).y.tolist() == [0, 1]
        (tmp_path / name).unlink()
        if kind == "folder":
            (tmp_path / name).mkdir()
        elif kind == "loop":
            (tmp_path / name).symlink_to(name)
        elif hasattr(os, "mkfifo"):
            os.mkfifo(tmp_path / name)
        with pytest.raises(InputError):
            load(tmp_path)
        (tmp_path / name).rmdir() if kind == "folder" else (tmp_path / name).unlink(missing_ok=True)


# ------------------------------------------------------------------------------------------ what libraries raise


def changed(path, place, value):
    """Change a number of both headers of an archive's first member, see APPNOTE.TXT of PKWARE."""
    content = bytearray(path.read_bytes())
    for signature, further in ((b"PK\x03\x04", 0), (b"PK\x01\x02", 2)):
        start = content.index(signature) + place + further
        content[start : start + 2] = struct.pack("<H", value)
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
@pytest.mark.parametrize(("place", "value"), [(8, 14), (8, 99), (8, 12), (6, 1), (4, 99)])
def test_an_archive_that_is_encrypted_or_packed_in_an_unknown_way_is_refused(tmp_path, complaint, method, place, value):
    path = npz(tmp_path / "data.npz", stored(X), stored(Y), compression=method)
    assert np.array_equal(load(path).X, X)
    if (method, value) != (zipfile.ZIP_BZIP2, 12) and (method, value) != (zipfile.ZIP_LZMA, 14):
        assert "cannot be read as npz" in complaint(changed(path, place, value))


@pytest.mark.parametrize(
    "header",
    ["(" * 5000, "{'descr': '<f8', 'fortran_order': False, 'shape': (True, 4), }", "\0", "{}", "[" * 60000],
)
def test_any_header_of_an_array_is_refused(tmp_path, complaint, header):
    complaint(npz(tmp_path / "data.npz", npy(header + "\n", bytes(32)), stored(Y)))
    (tmp_path / "data.npy").write_bytes(npy(header + "\n", bytes(32)))
    with pytest.raises(InputError, match=r"data\.npy"):
        load_inputs(tmp_path / "data.npy")


@pytest.mark.parametrize("read", [load, Stream])
def test_floats_that_numpy_lacks_are_refused(hdf5, read):
    def fill(file):
        odd = h5py.h5t.IEEE_F64LE.copy()
        odd.set_fields(63, 40, 23, 0, 40)
        h5py.h5d.create(file.id, b"xdata", odd, h5py.h5s.create_simple((3, 3)))
        file["ydata"] = Y

    with pytest.raises(InputError, match="Insufficient precision"):
        read(hdf5(fill))


@pytest.mark.parametrize("quote", ["", '"'])
@pytest.mark.parametrize("lines", [0, 300])
def test_a_cell_of_200_000_characters_is_refused(write_table, complaint, quote, lines):
    complaint(write_table("label,a\n" + "0,1\n" * lines + f"0,{quote}{'x' * 200_000}\n1,2\n"))


def test_whatever_else_a_reader_raises_is_an_input_error_that_keeps_its_cause(tmp_path, monkeypatch):
    path = tmp_path / "samples.odd"
    path.write_bytes(b"ODD\0")

    class OddReader(registry.Reader):
        name = "odd"
        error = ZeroDivisionError("of no rows\nat all")

        def recognises(self, head):
            return head.startswith(b"ODD")

        def read(self, path, *, part="train", n_features=None):
            raise self.error

    monkeypatch.setattr(registry, "READERS", (OddReader(),))
    for read in (load, load_inputs):
        with pytest.raises(
            InputError, match=r"samples\.odd cannot be read as odd \(ZeroDivisionError: of no rows\)"
        ) as caught:
            read(path)
        assert caught.value.__cause__ is OddReader.error
    OddReader.error = KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt):
        load(path)
