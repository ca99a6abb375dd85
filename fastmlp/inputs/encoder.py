"""Encoder: from inputs as a user has them to what the kernels read, fitted on the training rows."""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from fastmlp.errors import InputError
from fastmlp.inputs.blocks import row_blocks
from fastmlp.inputs.measuring import measure, measure_sparse
from fastmlp.inputs.scaling import SCALINGS, Scaling
from fastmlp.kernels.sparse_rows import Sparse
from fastmlp.utils.arrays import check_inputs
from fastmlp.utils.digests import digest_of_values
from fastmlp.utils.records import Count, Name, Record, to_plain


class EncoderRecord(Record, frozen=True, kw_only=True):
    """The plain values of an encoder.

    Attributes
    ----------
    scaling : str
        `Scaling.kind`.
    columns : int
        Number of columns of numbers.
    offset, scale : tuple of float
        One number, or one per column.
    low, high : float or None
        Range of the training rows.
    """

    scaling: Name
    columns: Count
    offset: tuple[float, ...]
    scale: tuple[float, ...]
    low: float | None
    high: float | None

    def __post_init__(self) -> None:
        if self.scaling not in SCALINGS[1:]:
            raise ValueError(f"scaling is {self.scaling!r}")
        for name, values in (("offset", self.offset), ("scale", self.scale)):
            if len(values) not in (1, self.columns):
                raise ValueError(f"{name} has {len(values)} numbers for {self.columns} columns")
        if min(self.scale) <= 0:
            raise ValueError(f"scale has {min(self.scale)}")


@dataclass(frozen=True)
class InputEncoder:
    """What the inputs of a network mean.

    Parameters
    ----------
    scaling : Scaling
        Of the columns of numbers.
    """

    scaling: Scaling

    @classmethod
    def fit(cls, X: "NDArray[Any] | Sparse", scaling: str = "auto") -> "InputEncoder":
        """Measure training rows.

        Parameters
        ----------
        X : ndarray of shape (N, D), or Sparse
            What `read_inputs` returned.
        scaling : str
            The setting.
        """
        if isinstance(X, Sparse):
            return cls(measure_sparse(scaling, X))
        rows, columns = X.shape
        return cls(measure(scaling, columns, lambda: (X[block] for block in row_blocks(rows, columns))))

    @classmethod
    def from_record(cls, record: EncoderRecord) -> Self:
        """Return the encoder of a record.

        Parameters
        ----------
        record : EncoderRecord
            What `to_record` returned.
        """
        offset, scale = np.array(record.offset), np.array(record.scale)
        return cls(Scaling(record.scaling, record.columns, offset, scale, record.low, record.high))

    def to_record(self) -> EncoderRecord:
        """Return its plain values."""
        one = self.scaling
        return EncoderRecord(
            scaling=one.kind, columns=one.columns, offset=tuple(one.offset.tolist()), scale=tuple(one.scale.tolist()),
            low=one.low, high=one.high,
        )  # fmt: skip

    def digest(self) -> str:
        """Return a digest that distinguishes it from others."""
        return digest_of_values(to_plain(self.to_record()))

    @property
    def columns(self) -> int:
        """Number of columns of the inputs."""
        return self.scaling.columns

    @property
    def features(self) -> int:
        """Number of features that the network reads."""
        return self.scaling.columns

    def keeps(self, dtype: "np.dtype[Any]") -> bool:
        """Return whether numbers of a type are what the kernels read.

        Parameters
        ----------
        dtype : dtype
            Of an array.
        """
        return self.scaling.kind == ("pixels" if dtype == np.uint8 else "none")

    def describe(self) -> str:
        """Return it in words, such as "64 columns, 0 to 16, standardised"."""
        return self.scaling.describe()

    def encode(self, X: "NDArray[Any] | Sparse", dtype: str, name: str = "X") -> "NDArray[Any] | Sparse":
        """Return inputs as the kernels read them.

        Parameters
        ----------
        X : ndarray of shape (N, D), or Sparse
            What `read_inputs` returned.
        dtype : str
            Of the network.
        name : str
            What messages call X.

        Raises
        ------
        InputError
            For inputs that the network cannot read.
        """
        if X.shape[1] != self.columns:
            raise InputError(f"{name} has {X.shape[1]} features; expected {self.columns}, as in training")
        return self.scaling.apply(X, dtype, name)


def read_inputs(X: Any, dtype: str, name: str = "X") -> "NDArray[Any] | Sparse":
    """Check inputs as a user has them.

    Parameters
    ----------
    X : array_like of shape (N, D) or sparse matrix
        Inputs.
    dtype : str
        Of the network.
    name : str
        What messages call X.

    Raises
    ------
    InputError, InputTypeError
        For inputs that cannot be used.
    """
    return check_inputs(X, dtype, name)
