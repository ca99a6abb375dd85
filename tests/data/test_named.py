"""MNIST, Fashion-MNIST and notMNIST: where they are looked for, and what is believed."""

import gzip
import hashlib
import socket
import struct
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest

from fastmlp.data import load
from fastmlp.data.collections import download, named
from fastmlp.errors import InputError

IMAGES = np.random.RandomState(0).randint(0, 256, (6, 28, 28)).astype(np.uint8)
LABELS = np.array([0, 1, 2, 3, 4, 9], np.uint8)
RAW = {
    "train-images-idx3-ubyte": bytes([0, 0, 8, 3]) + struct.pack(">3I", 6, 28, 28) + IMAGES.tobytes(),
    "train-labels-idx1-ubyte": bytes([0, 0, 8, 1]) + struct.pack(">I", 6) + LABELS.tobytes(),
}


@pytest.fixture
def small_mnist(elsewhere, monkeypatch):
    """A collection of six images that goes by the name of mnist, and no mirror."""
    monkeypatch.delenv("FASTMLP_OFFLINE")
    monkeypatch.setitem(named.DIGESTS, "mnist", {name: hashlib.sha256(raw).hexdigest() for name, raw in RAW.items()})
    monkeypatch.setitem(named.MIRRORS, "mnist", ())
    return elsewhere


def put(folder, packed=True, change=lambda raw: raw):
    folder.mkdir(parents=True, exist_ok=True)
    for name, raw in RAW.items():
        content = change(raw)
        (folder / (f"{name}.gz" if packed else name)).write_bytes(gzip.compress(content) if packed else content)


# ------------------------------------------------------------------------------------------------------ on this disk


@pytest.mark.parametrize("place", ["data/mnist", "data", "chosen/mnist", "chosen", "../../cache/mnist", "../../cache"])
@pytest.mark.parametrize("packed", [True, False])
def test_files_are_found_in_every_place(small_mnist, monkeypatch, place, packed):
    monkeypatch.setenv("FASTMLP_DATA", str(small_mnist / "chosen"))
    put(small_mnist / place, packed)
    dataset = load("mnist")
    assert np.array_equal(dataset.X, IMAGES.reshape(6, 784))
    assert np.array_equal(dataset.y, LABELS)


def test_chosen_folders_may_begin_with_the_home(small_mnist, monkeypatch, tmp_path):
    for name in ("HOME", "USERPROFILE"):
        monkeypatch.setenv(name, str(tmp_path))
    monkeypatch.setenv("FASTMLP_CACHE", "~/kept")
    put(tmp_path / "kept" / "mnist")
    assert load("mnist").source == f"mnist from {tmp_path / 'kept' / 'mnist'}"
    monkeypatch.setenv("FASTMLP_DATA", "~/mine")
    put(tmp_path / "mine" / "mnist")
    assert load("mnist").source == f"mnist from {tmp_path / 'mine' / 'mnist'}"


def test_name_with_a_dot_before_the_type_is_found(small_mnist):
    put(small_mnist / "data" / "mnist", packed=False)
    for file in list((small_mnist / "data" / "mnist").iterdir()):
        file.rename(file.with_name(file.name.replace("-idx", ".idx")))
    assert np.array_equal(load("mnist").y, LABELS)


def test_chosen_folder_comes_first(small_mnist, monkeypatch):
    monkeypatch.setenv("FASTMLP_DATA", str(small_mnist / "chosen"))
    put(small_mnist / "data" / "mnist")
    put(small_mnist / "chosen" / "mnist")
    assert load("mnist").source == f"mnist from {small_mnist / 'chosen' / 'mnist'}"


def test_harmed_file_is_passed_over_for_the_next_place(small_mnist, tmp_path):
    put(small_mnist / "data" / "mnist", change=lambda raw: raw[:-1] + bytes([raw[-1] ^ 1]))
    put(tmp_path / "cache" / "mnist")
    assert load("mnist").source == f"mnist from {tmp_path / 'cache' / 'mnist'}"


@pytest.mark.parametrize("place", ["../shared/data/mnist", "../data/mnist", "mnist", "."])
def test_no_folder_is_searched_that_nobody_named(small_mnist, place):
    put(small_mnist / place)
    with pytest.raises(InputError, match="mnist was not found"):
        load("mnist")


def test_harmed_file_is_named_when_there_is_no_other(small_mnist):
    put(small_mnist / "data" / "mnist", change=lambda raw: raw[:-1] + bytes([raw[-1] ^ 1]))
    with pytest.raises(InputError, match=r"train-images-idx3-ubyte\.gz is not the .* of mnist: its SHA-256"):
        load("mnist")


def test_fashion_under_the_name_of_mnist_is_not_believed(elsewhere, real_data, monkeypatch):
    monkeypatch.setenv("FASTMLP_DATA", str(real_data / "fashion-mnist"))
    assert load("fashion-mnist", part="test").class_names[9] == "Ankle boot"
    with pytest.raises(InputError, match="is not the t10k-images-idx3-ubyte of mnist"):
        load("mnist", part="test")


@pytest.mark.parametrize("name", ["mnist", "fashion-mnist"])
@pytest.mark.parametrize(("part", "rows"), [("train", 60_000), ("test", 10_000)])
def test_real_collections_have_their_published_counts(real_data, monkeypatch, name, part, rows):
    monkeypatch.setenv("FASTMLP_DATA", str(real_data))
    dataset = load(name, part=part)
    assert dataset.X.shape == (rows, 784)
    assert dataset.X.dtype == np.uint8
    assert dataset.image_shape == (28, 28)
    assert dataset.class_count == 10
    # Fashion-MNIST has as many of each class; MNIST's labels begin 5, 0, 4, 1, 9, those of its test part 7, 2, 1, 0, 4.
    if name == "fashion-mnist":
        assert set(np.bincount(dataset.y).tolist()) == {rows // 10}
    else:
        assert dataset.y[:5].tolist() == ([5, 0, 4, 1, 9] if part == "train" else [7, 2, 1, 0, 4])


# ------------------------------------------------------------------------------------------------------ from mirrors


SILENCE, IN_ALL = 60.0, 300.0  # seconds by the clock below, which stands still but where a mirror lets time pass


class Clock:
    """Replaces the module `time` in `download`, so that no answer is late because a machine is busy."""

    def __init__(self):
        self._now = 0.0

    def monotonic(self):
        return self._now

    def pass_by(self, seconds):
        self._now += seconds


class Mirror(BaseHTTPRequestHandler):
    """Answers by the first folder of the path: good, or one of the ways in which mirrors fail."""

    def do_GET(self):
        kind, name = self.path.strip("/").split("/")
        self.server.asked.append(kind)
        content = gzip.compress(RAW[name.removesuffix(".gz")])
        answer = {
            "good": content,
            "cut": content[: len(content) // 2],
            "broken-off": content[: len(content) // 2],
            "other": gzip.compress(b"\0\0\x08\1" + struct.pack(">I", 6) + bytes(6)),
            "portal": b"<html>Please sign in</html>",
        }
        if kind == "hang-at-once":
            self.server.hang()
            return
        self.send_response(404 if kind == "absent" else 200)
        if kind != "endless":
            whole = kind in ("broken-off", "hang-halfway")
            self.send_header("Content-Length", str(len(content if whole else answer.get(kind, b""))))
        self.end_headers()
        if kind == "hang-halfway":
            self.wfile.write(content[:10])
            self.wfile.flush()
            self.server.hang()
        elif kind == "endless":
            self.server.clock.pass_by(IN_ALL + 1)
            while not self.server.released.wait(0.05):
                self.wfile.write(bytes(1 << 14))
                self.wfile.flush()
        else:
            self.wfile.write(answer.get(kind, b""))

    def log_message(self, *args):
        """Keep the test's output clean."""


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def hang(self):
        """Say nothing for longer than anybody should wait, and then until the test is over."""
        self.clock.pass_by(SILENCE + 1)
        self.released.wait(30)  # of somebody who waits for all that, the connection is closed

    def handle_error(self, request, client_address):
        """A client that hangs up is what some of these tests are about."""


@pytest.fixture
def server():
    with Server(("127.0.0.1", 0), Mirror) as server:
        server.asked, server.released, server.clock = [], threading.Event(), Clock()
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.released.set()
        server.shutdown()
        thread.join()


@pytest.fixture
def mirrors(small_mnist, server, monkeypatch):
    """Make these kinds of mirrors the known ones, with patience by the server's clock."""
    for variable in ("NO_PROXY", "no_proxy"):
        monkeypatch.setenv(variable, "*")
    monkeypatch.setattr(download, "time", server.clock)
    monkeypatch.setattr(download, "SECONDS_OF_SILENCE", SILENCE)
    monkeypatch.setattr(download, "SECONDS_IN_ALL", IN_ALL)
    look_up = socket.getaddrinfo

    def resolve(host, *arguments, **options):
        if host == "unanswered.invalid":
            server.hang()
        if host.endswith(".invalid"):
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return look_up(host, *arguments, **options)

    monkeypatch.setattr(socket, "getaddrinfo", resolve)

    def choose(*kinds):
        if "endless" in kinds:  # whose bytes come in time, however long that lasts
            monkeypatch.setattr(download, "SECONDS_OF_SILENCE", 2 * IN_ALL)
        addresses = {
            "refused": "http://127.0.0.1:9",
            "no-such-host": "http://mirror.invalid",
            "unanswered-name": "http://unanswered.invalid",
        }
        host = f"http://127.0.0.1:{server.server_port}"
        monkeypatch.setitem(named.MIRRORS, "mnist", tuple(addresses.get(kind, f"{host}/{kind}") for kind in kinds))

    return choose


def test_download_is_kept_for_the_next_time(mirrors, server, monkeypatch):
    mirrors("good")
    assert np.array_equal(load("mnist").X, IMAGES.reshape(6, 784))
    assert server.asked == ["good", "good"]
    monkeypatch.setenv("FASTMLP_OFFLINE", "1")
    assert np.array_equal(load("mnist").X, IMAGES.reshape(6, 784))


def test_harmed_file_in_the_cache_is_downloaded_again(mirrors, tmp_path):
    mirrors("good")
    put(tmp_path / "cache" / "mnist", change=lambda raw: raw[:-1])
    assert np.array_equal(load("mnist").y, LABELS)
    kept = tmp_path / "cache" / "mnist" / "train-labels-idx1-ubyte.gz"
    assert gzip.decompress(kept.read_bytes()) == RAW["train-labels-idx1-ubyte"]


def test_cache_that_cannot_be_written_does_no_harm(mirrors, tmp_path, monkeypatch):
    mirrors("good")
    (tmp_path / "a file").touch()
    monkeypatch.setenv("FASTMLP_CACHE", str(tmp_path / "a file" / "cache"))
    assert np.array_equal(load("mnist").y, LABELS)


BAD_MIRRORS = {
    "refused": "refused",
    "no-such-host": "mirror.invalid: the host's name is not known",
    "unanswered-name": "unanswered.invalid: timed out",
    "absent": "404",
    "cut": "cut short",
    "broken-off": "",
    "other": "is not the train-images-idx3-ubyte of mnist",
    "portal": "expected an IDX file",
    "hang-at-once": "timed out",
    "hang-halfway": "timed out",
    "endless": "too slow",
}


@pytest.mark.parametrize("kind", BAD_MIRRORS)
def test_bad_mirror_is_passed_over_for_the_next(mirrors, kind):
    mirrors(kind, "good")
    assert np.array_equal(load("mnist").X, IMAGES.reshape(6, 784))


@pytest.mark.parametrize(("kind", "words"), BAD_MIRRORS.items())
def test_bad_mirror_alone_gives_up_in_time_and_leaves_no_file(mirrors, tmp_path, kind, words):
    mirrors(kind)
    with pytest.raises(InputError, match="could not be downloaded") as caught:
        load("mnist")
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)
    assert "data/mnist" in str(caught.value).replace("\\", "/")
    assert not list((tmp_path / "cache").rglob("*ubyte*"))


def test_offline_asks_no_mirror(mirrors, server, monkeypatch):
    mirrors("good")
    monkeypatch.setenv("FASTMLP_OFFLINE", "1")
    with pytest.raises(InputError, match="FASTMLP_OFFLINE is set"):
        load("mnist")
    assert server.asked == []


def test_answer_larger_than_any_file_is_broken_off(mirrors, monkeypatch):
    mirrors("good")
    monkeypatch.setattr(download, "MOST_BYTES", 100)
    with pytest.raises(InputError, match="more bytes"):
        load("mnist")


def test_patience_with_silent_mirrors_is_at_most_eight_seconds_for_a_collection():
    most_mirrors = max(len(mirrors) for mirrors in named.MIRRORS.values())
    assert most_mirrors * download.SECONDS_OF_SILENCE <= 8
