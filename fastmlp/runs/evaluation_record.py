"""The records of a run's evaluations on test data: `evaluation.json`."""

import math
from typing import ClassVar

from fastmlp.runs.recipe_record import FIGURES
from fastmlp.runs.records import RunRecord
from fastmlp.utils.records import Count, Digest, Finite, Name, Position, Record, Score, Slug, Time


class TestDataRecord(Record, frozen=True, kw_only=True):
    """The data of an evaluation.

    Attributes
    ----------
    name : str
        Such as "mnist".
    source : str
        Where the samples came from, for a person.
    synthetic : bool
        Whether the samples were made by this library.
    rows : int
        Number of samples.
    digest : str
        SHA-256 of the samples and labels.
    """

    __test__ = False  # pytest takes a name that begins with Test for a test

    name: Name
    source: str
    synthetic: bool
    rows: Position
    digest: Digest


class ComparisonRecord(Record, frozen=True, kw_only=True):
    """A figure and the published one that it is compared with.

    Attributes
    ----------
    name : str
        One of `FIGURES`.
    ours, theirs : float
        One's own figure and the published one.
    source : str
        Who published it.
    """

    name: str
    ours: float
    theirs: float
    source: str

    def __post_init__(self) -> None:
        if self.name not in FIGURES:
            raise ValueError(f"name is {self.name!r}; expected one of {', '.join(FIGURES)}")


class EvaluationRecord(Record, frozen=True, kw_only=True):
    """One evaluation of the retrained network on test data.

    Attributes
    ----------
    time : str
        When it was made.
    test : TestDataRecord
        The test data.
    network_digest : str
        SHA-256 of the weights and biases.
    loss : float or None
        Mean loss per sample; None if it is not finite.
    accuracy : float or None
        Share of right answers, from 0 to 1; of a regression R², or None where it is not defined.
    rmse : float or None
        Root of the mean squared error, of a regression.
    class_names : tuple of str
        One name per class; () of a regression.
    confusion : tuple of tuple of int
        Number of samples by true class and answer, (classes, classes); () of a regression.
    slug : str
        The cell whose settings the network has.
    identity : str
        SHA-256 of its settings and its training data.
    failure_reason : str or None
        Why its training on all rows failed.
    reference : tuple of ComparisonRecord
        Its figures beside published ones.
    finished : bool
        False as long as its figures are not written.
    """

    time: Time
    test: TestDataRecord
    network_digest: Digest
    loss: float | None
    accuracy: Score | None
    rmse: Finite | None = None
    class_names: tuple[str, ...] = ()
    confusion: tuple[tuple[Count, ...], ...] = ()
    slug: Slug
    identity: Digest
    failure_reason: str | None = None
    reference: tuple[ComparisonRecord, ...] = ()
    finished: bool = False

    def __post_init__(self) -> None:
        count = len(self.class_names)
        if self.rmse is not None:
            if count or self.confusion:
                raise ValueError("it has both an rmse and classes")
            return
        if self.accuracy is None or self.accuracy < 0:
            raise ValueError(f"accuracy is {self.accuracy}; expected a share from 0 to 1")
        if count == 0 or len(self.confusion) != count or any(len(row) != count for row in self.confusion):
            raise ValueError(f"confusion is not a square of {count} classes")

    @property
    def measure(self) -> str:
        """What the accuracy is: "accuracy", or "R²" of a regression."""
        return "accuracy" if self.rmse is None else "R²"

    @property
    def score(self) -> float:
        """The accuracy; nan where it is not defined, as R² of a single sample."""
        return math.nan if self.accuracy is None else self.accuracy


class EvaluationsRecord(Record, frozen=True, kw_only=True):
    """All evaluations of a run (`evaluation.json`).

    Attributes
    ----------
    format : int
        `FORMAT`.
    evaluations : tuple of EvaluationRecord
        The oldest first.
    """

    FORMAT: ClassVar[int] = RunRecord.FORMAT

    format: int = FORMAT
    evaluations: tuple[EvaluationRecord, ...]
