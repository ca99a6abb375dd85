"""Encoder: from inputs as a user has them to what the kernels read, fitted on the training rows."""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from fastmlp.errors import InputError, InputTypeError
from fastmlp.inputs.blocks import row_blocks
from fastmlp.inputs.columns import Column, codes_of, is_text
from fastmlp.inputs.encoder_record import EncoderRecord
from fastmlp.inputs.measuring import measure, measure_sparse
from fastmlp.inputs.reading import Checked, Parts, fitted_columns, parts_of
from fastmlp.inputs.scaling import Encoded, Scaling
from fastmlp.inputs.table import Table
from fastmlp.kernels.sparse_rows import Sparse, to_network
from fastmlp.utils.digests import digest_of_values
from fastmlp.utils.objects import are_missing
from fastmlp.utils.options import closest
from fastmlp.utils.records import to_plain


@dataclass(frozen=True)
class InputEncoder:
    """What the inputs of a network mean: names and kinds of columns, their scaling, what stands for missing values.

    The features of a network are its columns of numbers, then an indicator of each column that had missing values in
    the training rows, then a feature per category.

    Parameters
    ----------
    scaling : Scaling
        Of the columns of numbers.
    columns : tuple of Column
        Of a table, or of an array of which missing numbers are filled in; else empty.
    missing : str
        The setting.
    """

    scaling: Scaling
    columns: tuple[Column, ...] = ()
    missing: str = "refuse"

    # ------------------------------------------------------------------------------------------------ the training

    @classmethod
    def fit(cls, X: Checked, dtype: str = "float32", scaling: str = "auto", missing: str = "refuse") -> Self:
        """Measure training rows.

        Parameters
        ----------
        X, dtype, scaling, missing
            As for `fit_encode`.
        """
        return cls.fit_encode(X, dtype, scaling, missing)[0]

    @classmethod
    def fit_encode(
        cls, X: Checked, dtype: str, scaling: str = "auto", missing: str = "refuse", name: str = "X"
    ) -> tuple[Self, Encoded]:
        """Measure training rows, and encode them.

        Parameters
        ----------
        X : ndarray of shape (N, D), Sparse or Table
            What `read_inputs` returned.
        dtype : str
            Of the network.
        scaling, missing : str
            The settings.
        name : str
            What messages call X.

        Returns
        -------
        encoder : InputEncoder
            What the inputs mean.
        encoded : ndarray of shape (N, features), or Sparse
            As the kernels read them.

        Raises
        ------
        InputError, InputTypeError
            For columns that no network can read.
        """
        if isinstance(X, Sparse):
            encoder = cls(measure_sparse(scaling, X), (), missing)
            return encoder, encoder.encode(X, dtype, name)
        if not isinstance(X, Table) and missing == "refuse":
            encoder = cls(_measured(scaling, X))
            return encoder, encoder.encode(X, dtype, name)
        if isinstance(X, Table):
            are_text = [is_text(column) for column in X.columns]
            parts = parts_of(X, are_text, dtype, name, missing)
            columns = fitted_columns(X.names, are_text, parts, missing)
        else:
            parts = Parts(X, [str(column) for column in range(X.shape[1])], [])
            columns = fitted_columns([None] * X.shape[1], [False] * X.shape[1], parts, missing)
        numbers, gaps = cls(Scaling.constant("none", len(parts.names)), columns, missing)._filled(parts.numbers)
        encoder = cls(_measured(scaling, numbers), columns, missing)
        return encoder, encoder._joined(numbers, gaps, parts.texts, dtype, name)

    # ------------------------------------------------------------------------------------------------ other inputs

    def encode(self, X: Checked, dtype: str, name: str = "X") -> Encoded:
        """Return inputs as the kernels read them.

        Parameters
        ----------
        X : ndarray of shape (N, D), Sparse or Table
            What `read_inputs` returned. The columns of a table are found by their names.
        dtype : str
            Of the network.
        name : str
            What messages call X.

        Returns
        -------
        ndarray of shape (N, features), or Sparse
            A copy only where one is needed.

        Raises
        ------
        InputError, InputTypeError
            For inputs that the network cannot read.
        """
        if isinstance(X, Table):
            return self._encode_table(X, dtype, name)
        if X.shape[1] != self.width:
            raise InputError(f"{name} has {X.shape[1]} features; expected {self.width}, as in training")
        if not self.columns:
            return self.scaling.apply(X, dtype, name)
        if texts := [column for column in self.columns if column.categories is not None]:
            raise InputTypeError(
                f"{name} has no names of columns, and column `{texts[0].name}` is text; expected a DataFrame, as in "
                "training"
            )
        if isinstance(X, Sparse):
            X = to_network(X._replace(values=X.values.astype(np.float64)), np.arange(X.shape[0]), np.float64)
        return self._joined(*self._filled(X), [], dtype, name)

    def _encode_table(self, X: Table, dtype: str, name: str) -> Encoded:
        if self.names:
            self._check_names(X.names, name)
            X = X.select(self.names)
        elif X.shape[1] != self.width:
            raise InputError(f"{name} has {X.shape[1]} columns; expected {self.width}, as in training")
        are_text = [column.categories is not None for column in self.columns] or [False] * self.width
        parts = parts_of(X, are_text, dtype, name, self.missing)
        return self._joined(*self._filled(parts.numbers), parts.texts, dtype, name)

    def _check_names(self, names: tuple[str, ...], name: str) -> None:
        others, there = self.unknown(names), set(names)
        if absent := [wanted for wanted in self.names if wanted not in there]:
            meant = closest(absent[0], others)
            hint = f": is it called `{meant}`?" if meant else ""
            raise InputError(
                f"{name} lacks the {_listed(absent)}; expected the {self.width} training columns, in any order{hint}"
            )
        if others:
            raise InputError(f"{name} has the {_listed(others)}, which the training data did not have; leave them out")

    def unknown(self, names: tuple[str, ...]) -> list[str]:
        """Return which of these names of columns the training data did not have; none where they had no names.

        Parameters
        ----------
        names : tuple of str
            Of a table.
        """
        known = set(self.names)
        return [name for name in names if name not in known] if known else []

    def _filled(self, numbers: NDArray[Any]) -> tuple[NDArray[Any], NDArray[np.bool_]]:
        """Numbers with medians where they are missing, and where that is."""
        gaps = are_missing(numbers)
        if not gaps.any():
            return numbers, gaps
        fills = np.array([column.fill for column in self.columns if column.categories is None], np.float64)
        return np.where(gaps, fills, numbers), gaps

    def _joined(
        self, numbers: NDArray[Any], gaps: NDArray[np.bool_], texts: list[NDArray[np.object_]], dtype: str, name: str
    ) -> NDArray[Any]:
        """Scaled numbers, indicators and categories side by side."""
        scaled: Any = self.scaling.apply(numbers, dtype, name) if numbers.size else numbers
        if self.features == numbers.shape[1]:
            return np.asarray(scaled)
        features, at = np.zeros((len(numbers), self.features), dtype), numbers.shape[1]
        features[:, :at] = self.scaling.transform(numbers, dtype) if scaled.dtype == np.uint8 else scaled
        coded = [(column, codes_of(values, column)) for column, values in zip(self._of_text, texts, strict=True)]
        absent = [gap for column, gap in zip(self._of_numbers, gaps.T, strict=False) if column.indicator]
        absent += [codes < 0 for column, codes in coded if column.indicator]
        for gap in absent:
            features[:, at] = gap
            at += 1
        for column, codes in coded:
            rows = np.flatnonzero(codes >= 0)
            features[rows, at + codes[rows]] = 1
            at += len(column.categories or ())
        return features

    # --------------------------------------------------------------------------------------------- what it is about

    @property
    def _of_numbers(self) -> list[Column]:
        return [column for column in self.columns if column.categories is None]

    @property
    def _of_text(self) -> list[Column]:
        return [column for column in self.columns if column.categories is not None]

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the columns of the training; none where it had an array."""
        return tuple(column.name for column in self.columns if column.name is not None)

    @property
    def width(self) -> int:
        """Number of columns of the inputs."""
        return len(self.columns) or self.scaling.columns

    @property
    def features(self) -> int:
        """Number of features that the network reads."""
        indicators = sum(column.indicator for column in self.columns)
        return self.scaling.columns + indicators + sum(len(column.categories or ()) for column in self.columns)

    def keeps(self, dtype: "np.dtype[Any]") -> bool:
        """Return whether numbers of a type are what the kernels read.

        Parameters
        ----------
        dtype : dtype
            Of an array.
        """
        return not self.columns and self.scaling.kind == ("pixels" if dtype == np.uint8 else "none")

    def describe(self) -> str:
        """Describe it, such as "64 columns, 0 to 16, standardised"."""
        texts, lacking = self._of_text, sum(column.indicator for column in self.columns)
        parts = [self.scaling.describe()] if self.scaling.columns else []
        parts += (
            [f"{len(texts)} of text with {sum(len(one.categories or ()) for one in texts)} values"] if texts else []
        )
        return "; ".join([*parts, *([f"{lacking} with missing values"] if lacking else [])])

    def digest(self) -> str:
        """Return a digest that distinguishes it from others."""
        return digest_of_values(to_plain(self.to_record()))

    # ------------------------------------------------------------------------------------------------- plain values

    @classmethod
    def from_record(cls, record: EncoderRecord) -> Self:
        """Return the encoder of a record.

        Parameters
        ----------
        record : EncoderRecord
            What `to_record` returned.
        """
        offset, scale = np.array(record.offset), np.array(record.scale)
        scaling = Scaling(record.scaling, record.numbers, offset, scale, record.low, record.high)
        return cls(scaling, record.columns, record.missing)

    def to_record(self) -> EncoderRecord:
        """Return its plain values."""
        one = self.scaling
        return EncoderRecord(
            missing=self.missing, columns=self.columns, scaling=one.kind, numbers=one.columns,
            offset=tuple(map(float, one.offset)), scale=tuple(map(float, one.scale)), low=one.low, high=one.high,
        )  # fmt: skip


def _measured(scaling: str, numbers: NDArray[Any]) -> Scaling:
    rows, columns = numbers.shape
    return measure(scaling, columns, lambda: (numbers[block] for block in row_blocks(rows, columns)))


def _listed(names: list[str]) -> str:
    shown = ", ".join(f"`{name}`" for name in names[:5])
    return f"{'column' if len(names) == 1 else 'columns'} {shown}{', ...' if len(names) > 5 else ''}"
