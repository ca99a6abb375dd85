"""The cells of a table in text: which are numbers, and which stand for a missing value."""

import math
import re

# A cell that is one of these has no value: those of pandas, and the question mark of the UCI repository.
MISSING = {
    *("", "?", "NA", "N/A", "n/a", "#N/A", "#N/A N/A", "#NA", "<NA>", "NULL", "null", "None"),
    *("NaN", "nan", "-NaN", "-nan", "1.#IND", "-1.#IND", "1.#QNAN", "-1.#QNAN"),
}
_WITH_COMMA = re.compile(r"[+-]?\d*,\d*([eE][+-]?\d+)?")


def is_number(text: str, decimal: str = ".") -> bool:
    """Return True if a cell is a number, infinity included, as pandas reads it.

    Parameters
    ----------
    text : str
        The cell.
    decimal : {".", ","}
        What stands before its fraction.
    """
    try:
        number = float(text.replace(decimal, "."))
    except ValueError:
        return False
    # Python alone accepts other digits, and 1_000.
    return not math.isnan(number) and text.isascii() and "_" not in text and (decimal == "." or "." not in text)


def has_decimal_comma(text: str) -> bool:
    """Return True if a cell is a number with a decimal comma.

    Parameters
    ----------
    text : str
        The cell.
    """
    return bool(_WITH_COMMA.fullmatch(text)) and is_number(text, ",")
