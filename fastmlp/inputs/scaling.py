"""Scaling: what the numbers of a column mean to a network, measured on its training rows."""

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from fastmlp.errors import InputError
from fastmlp.inputs.blocks import row_blocks
from fastmlp.kernels.sparse_rows import Sparse, to_network

Encoded: TypeAlias = NDArray[Any] | Sparse  # what the kernels read

MISSING = ("refuse", "median")
SCALINGS = ("auto", "none", "pixels", "standard", "minmax")
WHITE = 255  # of a pixel
_WORDS = {"none": "as they are", "pixels": "divided by 255", "standard": "standardised", "minmax": "scaled to 0 to 1"}
# Of inputs whose zeros stay zero.
_WORDS_UNCENTRED = {"standard": "divided by their deviations", "minmax": "divided by their largest size"}


@dataclass(frozen=True, eq=False)
class Scaling:
    """What is done to the numbers before a network reads them: (x - offset) / scale, of each column.

    It is computed in float64 and rounded once, so that equal numbers of any type give equal bits.

    Parameters
    ----------
    kind : str
        "none", "pixels", "standard" or "minmax".
    columns : int
        How many columns D of numbers there are.
    offset, scale : ndarray of shape (D,) or (1,), float64
        Of the columns; one number where it is that of all.
    low, high : float or None
        The smallest and the largest number of the training rows, where they were measured.
    """

    kind: str
    columns: int
    offset: NDArray[np.float64]
    scale: NDArray[np.float64]
    low: float | None = None
    high: float | None = None

    @classmethod
    def constant(cls, kind: str, columns: int, low: float | None = None, high: float | None = None) -> "Scaling":
        """Return a scaling that is the same for all columns.

        Parameters
        ----------
        kind : str
            "none" or "pixels".
        columns, low, high
            As for the class.
        """
        return cls(kind, columns, np.zeros(1), np.full(1, 1.0 if kind == "none" else WHITE), low, high)

    @property
    def is_centred(self) -> bool:
        """Whether a zero may become another number."""
        return bool(self.offset.any())

    def __eq__(self, other: object) -> bool:
        """Whether both do the same to every number."""
        if not isinstance(other, Scaling):
            return NotImplemented
        pairs = ((self.offset, other.offset), (self.scale, other.scale))
        return self.columns == other.columns and all(np.array_equal(one, two) for one, two in pairs)

    __hash__ = None  # type: ignore[assignment]  # it compares arrays

    def describe(self) -> str:
        """Describe it, such as "64 columns, 0 to 16, standardised"."""
        range_ = [] if self.low is None or self.high is None else [f"{self.low:,g} to {self.high:,g}"]
        words = _WORDS if self.is_centred else {**_WORDS, **_WORDS_UNCENTRED}
        noun = "column" if self.columns == 1 else "columns"
        return ", ".join([f"{self.columns:,} {noun}", *range_, words[self.kind]])

    def transform(self, block: NDArray[Any], dtype: str) -> NDArray[Any]:
        """Return scaled numbers of a few rows.

        Parameters
        ----------
        block : ndarray of shape (rows, D)
            Numbers of any type.
        dtype : str
            Of what is returned.
        """
        if self.kind == "none":
            return block.astype(dtype, copy=False)
        with np.errstate(over="ignore", invalid="ignore"):  # what does not fit is reported by `apply`
            return ((block - self.offset) / self.scale).astype(dtype)

    def apply(self, X: Encoded, dtype: str, name: str = "X") -> Encoded:
        """Return numbers as the kernels read them: uint8 pixels, or floats; a copy only where one is needed.

        Parameters
        ----------
        X : ndarray of shape (N, D), or Sparse
            Checked numbers.
        dtype : str
            Of the network.
        name : str
            What messages call X.

        Raises
        ------
        InputError
            For numbers far beyond those of the training, and for pixels that are divided by 255 already.
        """
        if isinstance(X, Sparse):
            return self._apply_sparse(X, dtype, name)
        if self.kind == "none":
            return X if X.dtype.kind == "f" else X.astype(dtype)
        if self.kind == "pixels":
            if X.dtype == np.uint8:
                return X
            if len(X) > 1 and (pixels := as_pixels(X)) is not None:
                return pixels
            _check_undivided(X, name)
        scaled = np.empty(X.shape, dtype)
        for rows in row_blocks(*X.shape):
            scaled[rows] = self.transform(X[rows], dtype)
            if not np.isfinite(scaled[rows]).all():
                row, column = np.argwhere(~np.isfinite(scaled[rows]))[0]
                raise _too_far(name, X[rows][row, column], f"row {rows.start + row}, column {column}", dtype)
        return scaled

    def _apply_sparse(self, X: Sparse, dtype: str, name: str) -> Encoded:
        if self.is_centred:
            whole = X._replace(values=X.values.astype(dtype))  # uint8 would be read as pixels
            return self.apply(to_network(whole, np.arange(X.shape[0]), dtype), dtype, name)
        if self.kind == "pixels":
            if X.values.dtype == np.uint8:
                return X
            if (pixels := as_pixels(X.values)) is not None:
                return X._replace(values=pixels)
            _check_undivided(X.values, name)
        scale = self.scale[X.indices] if len(self.scale) > 1 else self.scale
        with np.errstate(over="ignore"):
            values = X.values.astype(dtype) if self.kind == "none" else (X.values / scale).astype(dtype)
        if not np.isfinite(values).all():
            entry = int(np.argmin(np.isfinite(values)))
            raise _too_far(name, X.values[entry], f"entry {entry}", dtype)
        return X._replace(values=values)


def as_pixels(X: NDArray[Any]) -> NDArray[np.uint8] | None:
    """Return numbers as uint8 if all of them are whole and from 0 to 255, None otherwise.

    Parameters
    ----------
    X : ndarray of shape (N, D) or (N,)
        Finite numbers.
    """
    pixels = np.empty(X.shape, np.uint8)
    for rows in row_blocks(len(X), X.size // max(1, len(X))):
        with np.errstate(invalid="ignore"):  # what does not fit becomes another number, which is seen
            pixels[rows] = X[rows].astype(np.uint8)
        if (pixels[rows] != X[rows]).any():
            return None
    return pixels


def _check_undivided(X: NDArray[Any], name: str) -> None:
    """Raise InputError for fractions that are all from 0 to 1."""
    if X.size and X.min() >= 0 and X.max() <= 1 and (np.floor(X) != X).any():
        raise InputError(
            f"{name} has fractions from {X.min():g} to {X.max():g}, which scaling 'pixels' would divide by 255 once "
            "more; expected pixels from 0 to 255: multiply by 255, or train with scaling='none'"
        )


def _too_far(name: str, value: Any, where: str, dtype: str) -> InputError:
    return InputError(
        f"{name} has {value:g} at {where}, which does not fit {dtype} when it is scaled as the training rows were; "
        "expected numbers as in training: check that column"
    )
