"""The layout of a table in text: its encoding, what separates its columns, and whether its first line names them."""

import csv
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path
from typing import TextIO

from fastmlp.data.tables.cells import MISSING, has_decimal_comma, is_number
from fastmlp.data.unpacking import open_text, reported
from fastmlp.errors import InputError

LABEL_NAMES = ("label", "target", "class", "species", "y")
BLANKS = " "  # any number of blanks and tabs between columns
SEPARATORS = ("\t", ";", ",", BLANKS)
FEWEST_NUMBERED = 3  # of fewer columns a first line 0, 1 is rather a sample
SAMPLE_LINES, SAMPLE_CHARACTERS = 100, 1 << 16
MOST_IN_LINE = 1 << 26  # characters: so much of a file may be in memory before anything is known of it
MOST_COLUMNS = 1_000_000  # a small packed file may promise many more, and pandas takes long for each
FALLBACK = "cp1252"  # of a file that is no UTF-8: what spreadsheets on Windows write in western Europe

Row = tuple[int, list[str]]  # the number of its (last) line, from 1, and its cells


@dataclass(frozen=True)
class Layout:
    """How a table is written.

    Attributes
    ----------
    path : Path
        The file.
    encoding : str
        Of its text.
    separator : str
        One of `SEPARATORS`.
    decimal : {".", ","}
        What stands before the fraction of a number.
    width : int
        Number of columns.
    names : tuple of str
        Their names, "" for none; () where the first line is a sample.
    lines_before : int
        Number of lines before the first sample.
    text : frozenset of int
        Columns in which the first samples have something else than numbers.
    quoted : frozenset of int
        Columns whose cells are in quotation marks in these lines, where those of others are not.
    has_blanks : bool
        Whether blanks follow separators.
    ends_empty : bool
        Whether the first samples have nothing in the last column.
    """

    path: Path
    encoding: str
    separator: str
    decimal: str
    width: int
    names: tuple[str, ...] = ()
    lines_before: int = 0
    text: frozenset[int] = frozenset()
    quoted: frozenset[int] = frozenset()
    has_blanks: bool = False
    ends_empty: bool = False

    @property
    def is_numbered(self) -> bool:
        """Whether no column has a name but perhaps its number."""
        return all(name.isdecimal() for name in self.names if name)

    def called(self, column: int) -> str:
        """Return what messages call a column: its name, or its position from 0.

        Parameters
        ----------
        column : int
            Position.
        """
        return f"`{self.names[column]}`" if self.names and self.names[column] else str(column)

    @contextmanager
    def samples(self) -> Iterator[TextIO]:
        """Open the text that begins with the first sample."""
        with reported(self.path), _open(self.path, self.encoding) as file:
            for _ in range(self.lines_before):
                file.readline()
            yield file

    def rows(self) -> Iterator[Row]:
        """Yield the samples as text, with the numbers of their lines."""
        with self.samples() as file:
            for line, cells in rows(file, self.separator):
                yield line + self.lines_before, cells


def find_layout(path: Path, known: Collection[str] = ()) -> Layout:
    """Find the layout of a table by its first lines.

    Parameters
    ----------
    path : Path
        The file.
    known : collection of str, default=()
        Names of columns that tell a header, in addition to those which labels usually have.

    Raises
    ------
    InputError
        If it has no rows or no columns, or its header does not fit them.
    """
    try:
        return _find_layout(path, known, "utf-8")
    except UnicodeDecodeError:
        return _find_layout(path, known, FALLBACK)


def rows(lines: Iterable[str], separator: str) -> Iterator[Row]:
    """Divide lines into cells; blank lines are left out.

    Parameters
    ----------
    lines : iterable of str
        Lines with their ends.
    separator : str
        One of `SEPARATORS`.
    """
    if separator == BLANKS:
        lines = (line.replace("\t", BLANKS).strip(BLANKS + "\r\n") for line in lines)  # not what else Unicode has
    reader = csv.reader(lines, delimiter=separator, skipinitialspace=True)
    for cells in reader:
        if len(cells) > 1 or (cells and cells[0].strip()):
            yield reader.line_num, [cell.strip() for cell in cells]


def _open(path: Path, encoding: str) -> TextIO:
    return open_text(path, encoding, "replace" if encoding == FALLBACK else "strict")


def _find_layout(path: Path, known: Collection[str], encoding: str) -> Layout:
    lines = _first_lines(path, encoding)
    separator, sample = _separated(path, lines)
    cells = [cell for _, row in sample for cell in row]
    has_commas = separator != "," and any(map(has_decimal_comma, cells))
    decimal = "," if has_commas and not any("." in cell and is_number(cell) for cell in cells) else "."
    layout = Layout(path, encoding, separator, decimal, len(sample[0][1]))
    first = sample[0][1]
    if not set(known).isdisjoint(first) or _is_header(first, sample[1:], decimal):
        layout = _with_header(layout, sample)
        sample = sample[1:]
    of_text = {
        column
        for _, row in sample
        for column, cell in enumerate(row[: layout.width])
        if cell not in MISSING and not is_number(cell, decimal)
    }
    ends_empty = all(row[-1] in MISSING for _, row in sample)
    return replace(
        layout,
        text=frozenset(of_text),
        quoted=_quoted(lines[layout.lines_before :], separator, layout.width),
        has_blanks=any(f"{separator} " in line for line in lines),
        ends_empty=ends_empty,
    )


def _first_lines(path: Path, encoding: str) -> list[str]:
    """Return the first lines, blank ones too, without the mark of a comment before a header.

    Raises InputError when there are none but blank ones.
    """
    lines: list[str] = []
    found, characters = 0, 0
    with reported(path), _open(path, encoding) as file:
        for number in count(1):
            line = file.readline(MOST_IN_LINE)
            if len(line) == MOST_IN_LINE:
                raise InputError(
                    f"{path}, line {number}: more than {MOST_IN_LINE} characters; expected one line per sample"
                )
            if not found:
                line = line.removeprefix("#")  # as numpy.savetxt writes a header
            lines.append(line)
            found, characters = found + bool(line.strip()), characters + len(line)
            if not line or found == SAMPLE_LINES or (found > 2 and characters > SAMPLE_CHARACTERS):
                break
    if not found:
        raise InputError(f"{path} has no rows; expected one line per sample")
    return lines


def _separated(path: Path, lines: list[str]) -> tuple[str, list[Row]]:
    """Return the separator that divides lines best: into equally many cells, most of which are numbers.

    Raises InputError where none divides the first line, or one divides a line into far too many cells.
    """
    found: list[tuple[bool, float, str, list[Row]]] = []
    for separator in SEPARATORS:
        most = max(line.count(separator) for line in lines)
        if most >= MOST_COLUMNS:
            raise InputError(
                f"{path}: a line of {most + 1:,} cells; expected at most {MOST_COLUMNS:,} columns: save it as npz"
            )
        try:
            sample = list(rows(lines, separator))
        except csv.Error:  # of a cell of more than 128 KiB, which is not one
            continue
        width = len(sample[0][1])
        if width < 2 or (separator == BLANKS and any(even and mark == "\t" for even, _, mark, _ in found)):
            continue
        # The header that R writes has no name for the column of the rows' names.
        even = {len(cells) for _, cells in sample[1:]} in (set(), {width}, {width + 1})
        cells = [cell for _, row in sample for cell in row]
        numbers = sum(is_number(cell) or (separator != "," and has_decimal_comma(cell)) for cell in cells)
        found.append((even, numbers / len(cells), separator, sample))
    if not found:
        raise InputError(
            f"{path} has one column; expected a label and one or more values, separated by commas, semicolons, tabs or "
            "blanks"
        )
    _, _, separator, sample = max(found, key=lambda one: one[:2])  # of equals the first
    return separator, sample


def _is_header(first: Sequence[str], sample: Sequence[Row], decimal: str) -> bool:
    """Return whether the first line has names of columns, and is not a sample itself.

    It is a header if it has a name that labels usually have, or a word over numbers; or the numbers 0, 1, 2, ...; or no
    name over names or numbers of rows; and where all columns are text, if its words differ and none comes again in its
    column.
    """
    if not first[0] and len(sample) > 1 and _are_row_names([row[0] for _, row in sample]):
        return True
    others = [row for _, row in sample if row != first]
    for column, name in enumerate(first):
        if name.lower() in LABEL_NAMES and name not in [row[column] for row in others if column < len(row)]:
            return True
    numbers = [is_number(cell, decimal) for cell in first]
    if all(number or cell in MISSING for number, cell in zip(numbers, first, strict=True)):
        counted = list(first) if first[0] else list(first[1:])
        return len(first) >= FEWEST_NUMBERED and counted == [str(number) for number in range(len(counted))]
    below = [[row[column] for _, row in sample if column < len(row)] for column in range(len(first))]
    below = [[cell for cell in column if cell not in MISSING] for column in below]
    of_numbers = [bool(column) and all(is_number(cell, decimal) for cell in column) for column in below]
    if any(
        in_column and not number and cell not in MISSING
        for in_column, number, cell in zip(of_numbers, numbers, first, strict=True)
    ):
        return True
    if any(in_column and number for in_column, number in zip(of_numbers, numbers, strict=True)):
        return False
    return len(set(first)) == len(first) and not any(cell in column for cell, column in zip(first, below, strict=True))


def _with_header(layout: Layout, sample: list[Row]) -> Layout:
    """Return a layout with the names in the first line. Raises InputError if they do not fit the second one."""
    line, names = sample[0]
    if len(sample) < 2:
        raise InputError(f"{layout.path} has a header and no rows; expected one line per sample")
    second, cells = sample[1]
    if len(cells) == len(names) + 1 and _are_row_names([row[0] for _, row in sample[1:]]):
        names = ["", *names]  # as R writes it
    if len(cells) != len(names):
        raise InputError(
            f"{layout.path}, line {second}: {len(cells)} values; expected {len(names)}, one for each name in the "
            "header: correct the line or the header"
        )
    twice = next((name for name, times in Counter(names).items() if name and times > 1), None)
    if twice is not None:
        raise InputError(f"{layout.path} has the name `{twice}` twice in its header; rename one of the two columns")
    return replace(layout, width=len(names), names=tuple(names), lines_before=line)


def _quoted(lines: list[str], separator: str, width: int) -> frozenset[int]:
    """Return the columns whose cells are quoted or missing in these lines, unless all columns are."""
    rows = [line.split(None if separator == BLANKS else separator) for line in lines]
    rows = [[cell.strip() for cell in row] for row in rows if len(row) == width]  # none has a separator in quotes
    kinds = [{row[column][:1] == '"' for row in rows if row[column] not in MISSING} for column in range(width)]
    quoted = {column for column in range(width) if kinds[column] == {True}}
    return frozenset(quoted) if len(quoted) < width else frozenset()


def _are_row_names(cells: list[str]) -> bool:
    """Return whether the first cells of all lines count them, or are text that differs from line to line."""
    counted = [str(number) for number in range(len(cells) + 1)]
    return cells in (counted[1:], counted[:-1]) or (len(set(cells)) == len(cells) and not any(map(is_number, cells)))
