"""Campaigns against the readers of data: files are changed, and arrays and text within what is packed."""

import bz2
import gzip
import io
import lzma
import os
import select
import signal
import struct
import subprocess
import sys
import time
import traceback
import zipfile
from pathlib import Path

import h5py
import numpy as np
import scipy.io
import scipy.sparse
from PIL import Image

from fastmlp.data import load, load_inputs
from tests.fuzz.campaign import Campaign, Ended
from tests.fuzz.mutators import mutated_bytes, refusal

MOST_SECONDS = 5  # of a CPU that a process may take for a file, a hundred times what the longest whole one takes
MOST_SILENCE = 600  # seconds without an answer, as of a process that sleeps
PACKINGS = (bytes, bytes, gzip.compress, bz2.compress, lzma.compress)
X, Y = np.random.default_rng(0).standard_normal((20, 5)), np.arange(20) % 3
PIXELS = np.random.default_rng(1).integers(0, 256, (20, 3, 4)).astype(np.uint8)
TABLES = (
    "id,height,colour,label\n" + "".join(f'{i},{i * 0.37:.2f},"red, {i % 2}",{i % 3}\n' for i in range(30)),
    "".join(f"{i % 3};{i},25;{i * i}\n" for i in range(30)),
    "a\tb\tspecies\n" + "".join(f"{i}\t?\tkind {i % 2}\n" for i in range(30)),
    "".join(f"{i % 10} {i * 7 % 256} {i} 0 255\n" for i in range(200)),
)
PAIRS = "".join(f"{i % 2 * 2 - 1} 1:{i * 0.5} {3 + i % 5}:{i}e-2 # note\n" for i in range(30))


def _used(path):
    """Read a file with its labels, and without."""
    dataset = load(path)
    assert len(dataset.X) == len(dataset.y) > 0
    assert 0 not in dataset.X.shape


def tried(path):
    """Read a file as both kinds of data; what refuses it says so in one line."""
    return refusal(_used, path), refusal(load_inputs, path)


def idx_files():
    """Images and their labels, by the names of their files."""
    return {
        "train-images-idx3-ubyte": b"\0\0\x08\x03" + struct.pack(">III", *PIXELS.shape) + PIXELS.tobytes(),
        "train-labels-idx1-ubyte": b"\0\0\x08\x01" + struct.pack(">I", 20) + Y.astype(np.uint8).tobytes(),
    }


def idx(folder):
    """Images or labels, of which the file is changed, or what is packed in it."""
    contents = idx_files()

    def case(choose):
        changed, pack, within = choose.choice(list(contents)), choose.choice(PACKINGS), choose.random() < 0.5
        for name, content in contents.items():
            if name == changed:
                content = pack(mutated_bytes(content, choose)) if within else mutated_bytes(pack(content), choose)
            (folder / name).write_bytes(content)
        tried(folder / "train-images-idx3-ubyte")
        tried(folder)

    return case


def npy(array):
    """The npy file of an array."""
    buffer = io.BytesIO()
    np.save(buffer, array)
    return buffer.getvalue()


MEMBERS = {"x_train.npy": npy(X), "y_train.npy": npy(Y), "x_test.npy": npy(PIXELS), "y_test.npy": npy(Y)}
METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA)


def archive(members, method):
    """A zip archive of members by their names."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as file:
        for name, content in members.items():
            file.writestr(name, content)
    return buffer.getvalue()


def archives():
    """An npz archive for each method."""
    return [archive(MEMBERS, method) for method in METHODS]


def npz(folder):
    """An archive that is changed, or one that is whole with a changed array in it; or that array alone."""
    wholes = archives()

    def case(choose):
        if choose.random() < 0.5:
            content = mutated_bytes(choose.choice(wholes), choose)
        else:
            name = choose.choice(list(MEMBERS))
            changed = mutated_bytes(MEMBERS[name][: 128 if choose.random() < 0.5 else None], choose)
            (folder / "array.npy").write_bytes(changed)
            refusal(load_inputs, folder / "array.npy")
            content = archive({**MEMBERS, name: changed}, choose.choice(METHODS))
        (folder / "data.npz").write_bytes(content)
        tried(folder / "data.npz")

    return case


def text(folder):
    """A table or svmlight text, plain or packed."""
    texts = [*((table.encode(), "data.csv") for table in TABLES), (PAIRS.encode(), "data.svm")]
    texts.append((TABLES[0].encode("utf-16"), "data.csv"))

    def case(choose):
        (content, name), pack = choose.choice(texts), choose.choice(PACKINGS)
        changed = pack(mutated_bytes(content, choose))
        path = folder / choose.choice((name, "data.txt"))
        path.write_bytes(mutated_bytes(changed, choose) if choose.random() < 0.2 else changed)
        tried(path)

    return case


def image_files():
    """Images of several kinds, by the names of their files."""
    contents = {}
    for name, mode in (("a.png", "L"), ("b.png", "RGBA"), ("c.png", "P"), ("d.jpg", "RGB"), ("e.png", "I;16")):
        buffer = io.BytesIO()
        array = np.random.default_rng(2).integers(0, 256, (9, 8)).astype(np.uint16 if mode == "I;16" else np.uint8)
        image = Image.fromarray(array)
        (image if mode == "I;16" else image.convert(mode)).save(buffer, "JPEG" if name == "d.jpg" else "PNG")
        contents[name] = buffer.getvalue()
    return contents


def image_reader(folder):
    """A function that reads an image of a class, of which others are whole."""
    (folder / "0").mkdir()
    (folder / "1").mkdir()
    (folder / "1" / "whole.png").write_bytes(image_files()["a.png"])

    def read(name, content):
        path = folder / "0" / name
        path.write_bytes(content)
        refusal(_used, folder)
        refusal(lambda: load_inputs(path, n_features=64))
        path.unlink()

    return read


def images(folder):
    """An image of a class is changed."""
    contents, read = image_files(), image_reader(folder)

    def case(choose):
        name = choose.choice(list(contents))
        read(name, mutated_bytes(contents[name], choose))

    return case


# ------------------------------------------------------------------------------------------------ in another process


class _Reader:
    """A process that reads one file after another, as `trusted=False` has one for each.

    There is an `Ended` when the process was ended by a signal, and anew one for the next file: of a crash, or of the
    limit that it has set itself for each file, which `trusted=False` sets as well. As both are told to the user as an
    InputError, they are held.
    """

    def __init__(self):
        self._process = None

    def __call__(self, path):
        if self._process is None or self._process.poll() is not None:
            command = [sys.executable, "-c", f"from {__name__} import answer_all; answer_all()"]
            self._process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, cwd=ROOT
            )
        self._process.stdin.write(f"{path}\n")
        self._process.stdin.flush()
        # Windows waits for no pipe.
        if os.name != "nt" and not select.select([self._process.stdout], [], [], MOST_SILENCE)[0]:
            self._process.kill()
            raise TimeoutError(f"no answer in {MOST_SILENCE} s")
        answer = self._process.stdout.readline()
        if not answer:  # what `load(path, trusted=False)` tells of
            assert self._process.wait() < 0, "the process ended by itself"
            return Ended(signal.Signals(-self._process.returncode).name)
        assert answer == "held\n", answer
        return None

    def __del__(self):
        if self._process is not None:
            self._process.kill()
            self._process.communicate()


ROOT = Path(__file__).parents[2]


def answer_all():
    """Read each file that a line names."""
    for line in sys.stdin:
        if sys.platform != "win32":
            import resource

            begun, most = time.process_time(), resource.getrlimit(resource.RLIMIT_CPU)[1]
            resource.setrlimit(resource.RLIMIT_CPU, (int(begun) + 1 + MOST_SECONDS, most))
        try:
            tried(Path(line.rstrip("\n")))
            print("held", flush=True)
        except Exception:
            print(repr(traceback.format_exc(limit=-3)), flush=True)


def hdf5_files():
    """The arrays of HDF5 files that store them differently."""
    images = []
    for options, version in (({}, "earliest"), ({"chunks": True, "compression": "gzip", "shuffle": True}, "latest"),
                             ({"chunks": (7, 5), "compression": "lzf", "fletcher32": True}, "latest")):  # fmt: skip
        buffer = io.BytesIO()
        with h5py.File(buffer, "w", libver=version) as file:
            file.attrs["synthetic"] = True
            file.create_dataset("xdata", data=X, **options)
            file.create_dataset("ydata", data=np.array([f"class {label}" for label in Y], object))
            file.create_dataset("test/x", data=PIXELS)
            file["test/y"] = h5py.SoftLink("/labels")
            file["labels"] = Y
        images.append(buffer.getvalue())
    return images


def matlab_files():
    """MATLAB files before version 7.3, dense and sparse, plain and compressed."""
    images = []
    for compressed in (False, True):
        for x in (X, scipy.sparse.csc_matrix(X * (X > 0.5))):
            buffer = io.BytesIO()
            scipy.io.savemat(buffer, {"X": x, "y": Y[:, None] * 1.0, "note": "some"}, do_compression=compressed)
            images.append(buffer.getvalue())
    return images


def in_another_process(folder):
    """HDF5 and MATLAB files, whose readers are in C."""
    images, read = [*hdf5_files(), *matlab_files()], _Reader()

    def case(choose):
        path = folder / "data.h5"
        path.write_bytes(mutated_bytes(choose.choice(images), choose))
        return read(path)

    return case


CAMPAIGNS = (
    Campaign("data in IDX, plain and packed", idx, sample=100),
    Campaign("data in npz and npy: archives, members, headers", npz, sample=100),
    Campaign("data in CSV and svmlight text, plain and packed", text, sample=60),
    Campaign("data in folders of PNG and JPEG images", images, sample=60),
    Campaign("data in HDF5 and MATLAB files, read in another process", in_another_process, sample=100),
)
