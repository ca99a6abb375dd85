"""A download that tries one mirror after another, believes none of them, and gives up soon."""

import threading
import time
from collections.abc import Callable, Iterable
from typing import TypeVar
from urllib.parse import urlsplit

from fastmlp.errors import InputError

SECONDS_TO_CONNECT = 3.0
SECONDS_OF_SILENCE = 4.0  # before the first byte (looking up the name and connecting included), and between two
SECONDS_IN_ALL = 300.0  # for one file: 26 MB at 90 kB/s
MOST_BYTES = 64 << 20  # the largest file that is asked for has 26 MB; a page that never ends must not fill the memory
_CHUNK = 1 << 13  # small, so that a slow line is not taken for a silent one

T = TypeVar("T")


def fetch(urls: Iterable[str], accept: Callable[[bytes], T]) -> T:
    """What `accept` makes of the content behind the first of `urls` that it takes: for others it raises InputError.

    A mirror that refuses, is silent for SECONDS_OF_SILENCE or has something else is passed over. Raises InputError
    with every mirror's reason when none is left.
    """
    reasons = []
    for url in urls:
        try:
            return accept(_content(url))
        except InputError as error:
            reasons.append(f"{urlsplit(url).netloc}: {error}")
    raise InputError("; ".join(reasons) or "no mirror is known")


def _content(url):
    """The bytes behind a URL. Raises InputError in words."""
    transfer = _Transfer(url)
    # In a thread, as nothing else bounds the time that looking up a host's name takes. A daemon: should it hang, it
    # is left behind and does not keep the process alive.
    threading.Thread(target=transfer.run, daemon=True).start()
    transfer.wait()
    return bytes(transfer.content)


class _Transfer:
    """One download: a file object for pooch to write to, and a watch over it."""

    def __init__(self, url):
        self.url = url
        self.content = bytearray()
        self.error = None
        self.abandoned = False
        self.done = threading.Event()
        self.last_byte = time.monotonic()

    def run(self):
        responses = []
        try:
            import pooch

            self.last_byte = time.monotonic()  # importing may take longer than a mirror
            patience = (SECONDS_TO_CONNECT, SECONDS_OF_SILENCE)
            hooks = {"response": lambda response, **_: responses.append(response)}
            pooch.HTTPDownloader(chunk_size=_CHUNK, timeout=patience, hooks=hooks)(self.url, self, None)
        except Exception as error:  # whatever went wrong in this thread is told in the other one
            self.error = error
        for response in responses:  # pooch leaves the connection open when a download fails
            response.close()
        self.done.set()

    def write(self, chunk):
        if self.abandoned or len(self.content) + len(chunk) > MOST_BYTES:
            raise OSError("more bytes than any file of this collection has")
        self.content += chunk
        self.last_byte = time.monotonic()

    def flush(self):
        """Part of being a file for pooch."""

    def wait(self):
        """Return when the content is there; raise InputError when it failed or takes too long."""
        started = time.monotonic()
        while not self.done.wait(0.02):
            now = time.monotonic()
            if now - self.last_byte > SECONDS_OF_SILENCE or now - started > SECONDS_IN_ALL:
                self.abandoned = True
                raise InputError("timed out" if now - started <= SECONDS_IN_ALL else "too slow")
        if self.error is not None:
            raise InputError(_in_short(self.error)) from self.error


def _in_short(error):
    """A network error as a few words on one line; the libraries' own texts quote their objects."""
    text = str(error)
    for sign, words in {
        "NameResolution": "the host's name is not known",
        "Failed to resolve": "the host's name is not known",
        "refused": "connection refused",
        "timed out": "timed out",
        "unreachable": "network unreachable",
    }.items():
        if sign in text:
            return words
    return " ".join(text.split())[:120] or type(error).__name__
