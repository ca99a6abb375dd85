"""The interface of a file format."""

from abc import ABC, abstractmethod
from pathlib import Path

from fastmlp.data.dataset import Dataset


class Reader(ABC):
    """A file format, which one module implements and `fastmlp.data.readers.registry` lists.

    Attributes
    ----------
    name : str
        What messages call the format.
    endings : tuple of str
        Endings of its files in lower case, with the dot. They choose among text formats; of binary ones the content
        counts.
    is_text : bool, default=False
        Whether its files are text, which has no zero byte.
    reads_folders : bool, default=False
        Whether `read` takes a folder as well.
    has_test_part : bool, default=False
        Whether a file, or a folder, may have both parts.
    takes_n_features : bool, default=False
        Whether a file may lack columns, so that `n_features` has to be given.
    """

    name: str
    endings: tuple[str, ...] = ()
    is_text: bool = False
    reads_folders: bool = False
    has_test_part: bool = False
    takes_n_features: bool = False

    @abstractmethod
    def recognises(self, head: bytes) -> bool:
        """Return True if a file may be of this format.

        Parameters
        ----------
        head : bytes
            The first bytes of the file, at most 64 KiB. A text format is asked about text alone, of files whose ending
            is no reader's.

        Returns
        -------
        bool
            Whether to read it with this reader.
        """

    @abstractmethod
    def read(self, path: Path, *, part: str = "train", n_features: int | None = None) -> Dataset:
        """Read a file.

        Parameters
        ----------
        path : Path
            A file that is there, or a folder.
        part : {"train", "test"}, default="train"
            The part to read, "test" only if the reader `has_test_part`.
        n_features : int, optional
            Number of columns, given only if the reader `takes_n_features`.

        Returns
        -------
        Dataset
            Named after the file.

        Raises
        ------
        InputError, InputTypeError
            If the file is damaged or its values cannot be used: one line that names the file and gives a hint.
        """


def first_sample_line(head: bytes) -> bytes:
    """Return the first line that is neither blank nor a comment.

    Parameters
    ----------
    head : bytes
        The first bytes of a text file.

    Returns
    -------
    bytes
        The line, or none if there is no such line.
    """
    return next((line for line in head.splitlines() if line.partition(b"#")[0].strip()), b"")
