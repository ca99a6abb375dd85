"""The plain values of an encoder, as a model file has them."""

from fastmlp.inputs.columns import Column
from fastmlp.inputs.scaling import MISSING, SCALINGS
from fastmlp.utils.records import Count, Name, Record


class EncoderRecord(Record, frozen=True, kw_only=True):
    """The plain values of an encoder.

    Attributes
    ----------
    missing : str
        The setting.
    columns : tuple of Column
        Of a table, or of an array of which missing numbers are filled in; else empty.
    scaling : str
        `Scaling.kind`.
    numbers : int
        How many columns of numbers there are.
    offset, scale : tuple of float
        One number, or one per column of numbers.
    low, high : float or None
        Range of the training rows.
    """

    missing: Name
    columns: tuple[Column, ...]
    scaling: Name
    numbers: Count
    offset: tuple[float, ...]
    scale: tuple[float, ...]
    low: float | None
    high: float | None

    def __post_init__(self) -> None:
        for name, value, known in (("scaling", self.scaling, SCALINGS[1:]), ("missing", self.missing, MISSING)):
            if value not in known:
                raise ValueError(f"{name} is {value!r}")
        for name, values in (("offset", self.offset), ("scale", self.scale)):
            if len(values) not in (1, self.numbers):
                raise ValueError(f"{name} has {len(values)} values for {self.numbers} columns")
        if min(self.scale) <= 0:
            raise ValueError(f"scale has {min(self.scale)}")
        of_numbers = [column for column in self.columns if column.categories is None]
        if self.columns and self.numbers != len(of_numbers):
            raise ValueError(f"numbers is {self.numbers} for {len(of_numbers)} columns of numbers")
        if any((column.fill is None) != (self.missing == "refuse") for column in of_numbers):
            raise ValueError(f"missing is {self.missing!r}, which the columns contradict")
        if len({column.name is None for column in self.columns}) > 1:
            raise ValueError("some columns have a name and some have none")
        if len(names := [column.name for column in self.columns if column.name is not None]) > len(set(names)):
            raise ValueError("two columns have one name")
