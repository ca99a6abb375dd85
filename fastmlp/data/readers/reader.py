"""The interface of a file format."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path

from fastmlp.data.dataset import Dataset, Inputs
from fastmlp.inputs.image_style import ImageStyle


@dataclass(frozen=True)
class Expected:
    """What is known of the inputs of a network when files for its predictions are read.

    Parameters
    ----------
    names : tuple of str, optional
        Names of the columns, which a table has to have.
    n_features : int, optional
        Number of the columns, for files that leave it open.
    image_style : ImageStyle, optional
        What the images of the training look like, for files of images.
    label : str or int, optional
        Column of the labels of the training, for tables that have it.
    ids : str, optional
        Column that names the rows, for tables that have it.
    """

    names: tuple[str, ...] | None = None
    n_features: int | None = None
    image_style: ImageStyle | None = None
    label: str | int | None = None
    ids: str | None = None


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
    has_parts : bool, default=False
        Whether a file, or a folder, may have other parts than that for training.
    compressions : tuple of str, default=()
        How its files may be compressed, for one that is not text: names in `fastmlp.data.unpacking.SIGNATURES`. Text
        may be in any of them.
    takes_n_features : bool, default=False
        Whether a file may lack columns, so that `n_features` has to be given.
    takes_columns : bool, default=False
        Whether a file is a table, whose columns can be chosen: `read` then has two more parameters, `label`, name or
        position of the column of labels, and `columns`, names of the inputs.
    """

    name: str
    endings: tuple[str, ...] = ()
    is_text: bool = False
    has_parts: bool = False
    compressions: tuple[str, ...] = ()
    takes_n_features: bool = False
    takes_columns: bool = False

    @abstractmethod
    def recognises(self, head: bytes) -> bool:
        """Return True if a file may be of this format.

        Parameters
        ----------
        head : bytes
            The first bytes of the file, at most 64 KiB, unpacked if the file is compressed. A text format is asked
            about text alone, in UTF-8, of files whose ending is no reader's.

        Returns
        -------
        bool
            Whether to read it with this reader.
        """

    def recognises_folder(self, folder: Path) -> bool:
        """Return True for a folder that `read` takes.

        Parameters
        ----------
        folder : Path
            A folder that is there.

        Returns
        -------
        bool
            By default False.
        """
        return False

    @abstractmethod
    def read(self, path: Path, *, part: str = "train", n_features: int | None = None) -> Dataset:
        """Read a file.

        Parameters
        ----------
        path : Path
            A file that is there, or a folder.
        part : {"train", "validation", "test"}, default="train"
            The part to read, "train" unless the reader `has_parts`. A training part has the file's own validation part,
            if there is one, as `validation`.
        n_features : int, optional
            Number of columns, given only if the reader `takes_n_features`.

        Returns
        -------
        Dataset
            Named after the file.

        Raises
        ------
        InputError, InputTypeError
            If the file is damaged or its values cannot be used: one line that names the file and gives a hint. Of type
            `NoTestPart` if it has no test part.
        """

    def read_inputs(self, path: Path, expected: Expected) -> Inputs:
        """Read a file for predictions: with labels, which are not returned, or without.

        By default what `read` reads, so that a file needs labels.

        Parameters
        ----------
        path : Path
            A file that is there, or a folder.
        expected : Expected
            What is known of the network's inputs.

        Returns
        -------
        Inputs
            Named after the file.

        Raises
        ------
        InputError, InputTypeError
            As `read` does.
        """
        dataset = self.read(path, n_features=expected.n_features if self.takes_n_features else None)
        return Inputs(dataset.X, None, dataset.image_shape, dataset.name, dataset.notes)


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
