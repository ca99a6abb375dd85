"""Blocks of rows, small enough to be converted to float64 within a cache."""

from collections.abc import Iterator

BLOCK_VALUES = 1 << 17  # 1 MiB of float64


def row_blocks(rows: int, columns: int) -> Iterator[slice]:
    """Yield slices of consecutive rows that cover all of them.

    Parameters
    ----------
    rows, columns : int
        Of a matrix.
    """
    step = max(1, BLOCK_VALUES // max(1, columns))
    return (slice(start, min(start + step, rows)) for start in range(0, rows, step))
