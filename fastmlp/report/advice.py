"""What to change: what went wrong in the trainings of a run, and what to try, each said once."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from fastmlp.runs.aggregate import CellGroup, group_cells
from fastmlp.runs.records import CellRecord
from fastmlp.training.advice import advise, split_advice


@dataclass(frozen=True)
class Sighting:
    """What was seen in a training.

    Attributes
    ----------
    text : str
        A sentence without advice.
    seeds : list of int
        Those with which it was seen, if not with all.
    failure : bool
        Whether the training failed of it.
    """

    text: str
    seeds: list[int]
    failure: bool

    @property
    def sentence(self) -> str:
        """The text, with its seeds."""
        if not self.seeds:
            return self.text
        *first, last = map(str, self.seeds)
        return f"{self.text} (" + (f"seeds {', '.join(first)} and {last})" if first else f"seed {last})")


@dataclass(frozen=True)
class Advice:
    """What to change in a configuration.

    Attributes
    ----------
    label : str
        Its name.
    seen : list of Sighting
        What went wrong, failures first.
    hints : list of str
        What to try; none where nobody knows.
    """

    label: str
    seen: list[Sighting]
    hints: list[str]

    def lines(self) -> list[str]:
        """Return what was seen as sentences that begin with the label; the last one gives the hints."""
        lines = [f"{self.label}{'' if one.failure else ':'} {one.sentence}" for one in self.seen]
        return [*lines[:-1], advise(lines[-1], self.hints) if self.hints else lines[-1]]


def common_hints(advised: Sequence[Advice]) -> list[str]:
    """Return the hints that several configurations have in common, all that are given; none of a single one.

    Parameters
    ----------
    advised : sequence of Advice
        Of all configurations in which something went wrong.
    """
    if len(advised) < 2:
        return []
    return [hint for hint in advised[0].hints if all(hint in one.hints for one in advised)]


def advice(cells: Iterable[CellRecord]) -> list[Advice]:
    """Return what to change in each configuration in which something went wrong.

    What was seen with several seeds is told once, in the words of the first one.

    Parameters
    ----------
    cells : iterable of CellRecord
        The cells of a run.
    """
    found = [_advice_on(group) for group in group_cells(cells)]
    return [one for one in found if one.seen]


def _advice_on(group: CellGroup) -> Advice:
    sentences: dict[str, str] = {}  # the first one of each cause
    seeds: dict[str, list[int]] = {}
    for cell in group.cells:
        for cause, sentence in _told(cell):
            sentences.setdefault(cause, sentence)
            seeds.setdefault(cause, []).append(cell.seed)
    hints: list[str] = []
    seen = []
    for cause in sorted(sentences, key=lambda cause: not cause.startswith(_FAILURE)):
        text, found = split_advice(sentences[cause])
        hints += found
        some = seeds[cause] if len(seeds[cause]) < len(group.cells) else []
        seen.append(Sighting(text, some, cause.startswith(_FAILURE)))
    return Advice(group.label, seen, list(dict.fromkeys(hints)))


_FAILURE = "failure: "


def _told(cell: CellRecord) -> list[tuple[str, str]]:
    """Return (cause, sentence) for each problem of a cell; a failure is not repeated as a diagnosis."""
    told = [(_FAILURE + cell.failure.partition(":")[0], cell.failure)] if cell.failure else []
    return told + [
        (diagnosis.cause, _dated(diagnosis.epoch, diagnosis.sentence))
        for diagnosis in cell.diagnoses
        if not (cell.failure_reason and diagnosis.cause == "diverged")
    ]


def _dated(epoch: int, sentence: str) -> str:
    """The sentence with its epoch, if it has none and is not of the whole training."""
    return sentence if not epoch or f"epoch {epoch}" in sentence else f"after epoch {epoch}: {sentence}"
