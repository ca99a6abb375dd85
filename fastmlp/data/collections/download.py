"""Download a file from the first mirror that has it, without trusting any, within bounds of time and size."""

import threading
import time
from collections.abc import Callable, Iterable
from typing import Any, TypeVar
from urllib.parse import urlsplit

from fastmlp.errors import InputError

SECONDS_TO_CONNECT = 3.0
SECONDS_OF_SILENCE = 4.0  # before the first byte (looking up the name and connecting included), and between two
SECONDS_IN_ALL = 300.0  # for one file: 26 MB at 90 kB/s
MOST_BYTES = 64 << 20  # the largest file has 26 MB; a page that never ends must not fill the memory
_CHUNK = 1 << 13  # small, so that a slow line is not taken for a silent one

T = TypeVar("T")


def fetch(urls: Iterable[str], accept: Callable[[bytes], T]) -> T:
    """Download from the first address whose content is accepted.

    An address that refuses, is silent for `SECONDS_OF_SILENCE` or has something else is skipped.

    Parameters
    ----------
    urls : iterable of str
        Addresses, in the order in which to try them.
    accept : callable
        Converts the content, or raises InputError for another content.

    Returns
    -------
    object
        What `accept` returned.

    Raises
    ------
    InputError
        If none is left, with the reason for each.
    """
    reasons = []
    for url in urls:
        try:
            return accept(_content(url))
        except InputError as error:
            reasons.append(f"{urlsplit(url).netloc}: {error}")
    raise InputError("; ".join(reasons) or "no mirror is known")


def _content(url: str) -> bytes:
    """Download a URL. Raises InputError with a short reason."""
    transfer = _Transfer(url)
    # In a thread, as nothing else bounds the time of looking up a host's name; a daemon, so that the process can
    # end if it hangs.
    threading.Thread(target=transfer.run, daemon=True).start()
    transfer.wait()
    return bytes(transfer.content)


class _Transfer:
    """One download: a file object for pooch to write to, and the bounds on its time and size."""

    def __init__(self, url: str):
        self.url = url
        self.content = bytearray()
        self.error: Exception | None = None
        self.abandoned = False
        self.done = threading.Event()
        self.started = self.last_byte = time.monotonic()

    def run(self) -> None:
        """Download, in a thread."""
        responses: list[Any] = []  # of the library that pooch uses
        try:
            import pooch

            self.last_byte = time.monotonic()  # importing may take longer than a mirror
            patience = (SECONDS_TO_CONNECT, SECONDS_OF_SILENCE)
            hooks = {"response": lambda response, **_: responses.append(response)}
            pooch.HTTPDownloader(chunk_size=_CHUNK, timeout=patience, hooks=hooks)(self.url, self, None)
        except Exception as error:  # `wait` raises it in the other thread
            self.error = error
        for response in responses:  # pooch leaves the connection open when a download fails
            response.close()
        self.done.set()

    def write(self, chunk: bytes) -> None:
        """Take some bytes from pooch."""
        if self.abandoned or len(self.content) + len(chunk) > MOST_BYTES:
            raise OSError("more bytes than any file of this collection has")
        self.content += chunk
        self.last_byte = time.monotonic()

    def flush(self) -> None:
        """Do nothing; pooch expects it of a file."""

    def wait(self) -> None:
        """Return when the content is there. Raises InputError when it failed or takes too long."""
        while not self.done.wait(0.02):
            now = time.monotonic()
            if now - self.last_byte > SECONDS_OF_SILENCE or now - self.started > SECONDS_IN_ALL:
                self.abandoned = True
                raise InputError("timed out" if now - self.started <= SECONDS_IN_ALL else "too slow")
        if self.error is not None:
            raise InputError(_in_short(self.error)) from self.error


def _in_short(error: Exception) -> str:
    """Describe a network error in a few words on one line; the libraries' own texts quote their objects."""
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
