"""The first screen: which configuration is best, how good it is, and whether that can be trusted."""

import math
from dataclasses import dataclass

import numpy as np

from fastmlp.report.charts import percent
from fastmlp.report.run_view import Contents
from fastmlp.report.text_summary import data_line
from fastmlp.runs import aggregate as groups
from fastmlp.runs.published_results import comparison_lines
from fastmlp.runs.selection import instead_of_best, network_digest

GOOD, CARE, PLAIN = "good", "care", "plain"


@dataclass(frozen=True)
class Remark:
    """A sentence about how far to trust the run; kind is GOOD, CARE or PLAIN."""

    kind: str
    text: str


def interval(accuracy: float, rows: int) -> tuple[float, float]:
    """95% confidence interval of a share measured on `rows` samples (E. B. Wilson, J. Am. Stat. Assoc. 22, 1927)."""
    z = 1.959964
    centre = accuracy + z * z / (2 * rows)
    half = z * math.sqrt(accuracy * (1 - accuracy) / rows + z * z / (4 * rows * rows))
    return max((centre - half) / (1 + z * z / rows), 0.0), min((centre + half) / (1 + z * z / rows), 1.0)


def measure(contents: Contents) -> str:
    """What the accuracies of the training are: "accuracy", or R² where the squared error is minimised."""
    squared = [cell.entry["settings"].get("loss") == "squared_error" for cell in contents.cells]
    return "R²" if squared and all(squared) else "accuracy"


def difference(contents: Contents) -> str | None:
    """Whether the best configuration of repeated ones beats the runner-up; None where it cannot be asked."""
    return groups.verdict([cell.entry for cell in contents.cells]) if contents.repeated else None


def lead(contents: Contents) -> str:
    """The result in two sentences."""
    best, count, data = contents.best_configuration, len(contents.configurations), contents.record["data"]
    if best is None or best.accuracy is None:
        return f"None of {count} configurations trained to the end." if count else "No configuration was trained."
    among = f"is the best of {count} configurations" if count > 1 else "is the only configuration"
    seeds = f", the mean of {best.accuracy.count} seeds," if best.accuracy.count > 1 else ""
    text = (
        f"{best.label} {among}: validation {measure(contents)} {percent(best.accuracy.mean)}{seeds} "
        f"on {data['validation_rows']:,} samples."
    )
    if contents.evaluations:
        last = contents.evaluations[-1]
        other = instead_of_best(contents.record, last)
        if other is None:
            subject = f"Trained again on all {data['training_rows'] + data['validation_rows']:,} samples, it"
        else:
            subject = f"Not it but {other}, was trained again and measured; that one"
        text += f" {subject} gets {percent(last['accuracy'])} of {last['test']['rows']:,} test samples right."
    return text


def remarks(contents: Contents) -> list[Remark]:
    """Whether the figures can be trusted, the test set first."""
    count = len(contents.configurations)
    found = [_looks(contents), *_network(contents)]
    if count > 1 and contents.best is not None:
        found.append(
            Remark(
                PLAIN,
                f"The best of {count} was chosen by its validation {measure(contents)}, which is "
                "therefore a little too high"
                + ("." if len(contents.evaluations) > 1 else "; a first test accuracy is not."),
            )
        )
    told = difference(contents)
    found += [Remark(PLAIN, f"{_capital(told)}.")] if told else []
    found += _lost(contents)
    if contents.record["data"]["synthetic"]:
        found.append(Remark(CARE, "The samples were made by this library: synthetic, and no result on real data."))
    found += [Remark(PLAIN, f"{_capital(note)}.") for note in contents.record.get("notes", [])]
    if contents.evaluations:
        compared = comparison_lines(contents.evaluations[-1].get("reference", []))
        found += [Remark(PLAIN, f"{_capital(line)}.") for line in compared]
    return found


def _lost(contents):
    """How many of the trainings have no result of their last epoch."""
    failed = sum(cell.failure is not None for cell in contents.cells)
    pruned = sum(cell.failure is None and cell.pruned is not None for cell in contents.cells)
    of = f"of {len(contents.cells)} {'trainings' if contents.repeated else 'configurations'}"
    found = [Remark(CARE, f"{failed} {of} failed: see what to change.")] if failed else []
    if pruned:
        text = f"{pruned} {of} {'was' if pruned == 1 else 'were'} pruned: given up early, being behind the others."
        found.append(Remark(PLAIN, text))
    return found


def _looks(contents):
    looks = contents.evaluations
    if not looks:
        if contents.best is None:
            return Remark(PLAIN, "The test set has not been opened: there is no network to measure.")
        step = "evaluate" if contents.network is not None else "retrain"
        return Remark(PLAIN, f"The test set has not been opened, so there is no test accuracy: run `fastmlp {step}`.")
    if len(looks) == 1:
        return Remark(GOOD, f"The test set was opened once, on {clock(looks[0]['time'])}.")
    return Remark(
        CARE,
        f"The test set was opened {len(looks)} times. Only the first look was blind: "
        f"{percent(looks[0]['accuracy'])} on {data_line(looks[0]['test'])}.",
    )


def _network(contents):
    """Whether the network that was measured is that of the best configuration, and the one in the folder."""
    if not contents.evaluations:
        return []
    if other := instead_of_best(contents.record, contents.evaluations[-1]):
        told = f"The test accuracy, and all under Test, is of {other}."
        mend = "delete the folder `retrained` here, then run `fastmlp retrain` and `fastmlp evaluate --again`"
        return [Remark(CARE, f"{told} To measure the best one of now: {mend}.")]
    if contents.network is None:
        return [Remark(CARE, "The network that was evaluated is no longer in this folder.")]
    if network_digest(contents.network) != contents.evaluations[-1]["network_digest"]:
        return [Remark(CARE, "The network in this folder is not the one that was evaluated: their digests differ.")]
    return [Remark(GOOD, "The network in this folder is the one that was evaluated: their digests agree.")]


def _capital(text):
    return text[:1].upper() + text[1:]


def clock(time: str) -> str:
    """A time of run.json for a person."""
    return time.replace("T", " ").replace("+00:00", " UTC")


def confusions(matrix: np.ndarray, most: int) -> list[tuple[int, int, int, float]]:
    """The most frequent mistakes: (true class, answer, count, share of the true class), the most frequent first."""
    wrong = matrix * (1 - np.eye(len(matrix), dtype=matrix.dtype))
    order = np.argsort(-wrong, axis=None, kind="stable")[:most]
    totals = matrix.sum(axis=1)
    pairs = [(int(flat) // len(matrix), int(flat) % len(matrix)) for flat in order]
    return [(t, g, int(wrong[t, g]), float(wrong[t, g] / totals[t])) for t, g in pairs if wrong[t, g]]


def class_figures(matrix: np.ndarray) -> list[tuple[int, int, float, float]]:
    """(class, samples, recall, precision) of each class, in their order; nan where there is nothing to divide by."""
    right, true, given = np.diag(matrix), matrix.sum(axis=1), matrix.sum(axis=0)
    with np.errstate(invalid="ignore"):
        recall, precision = right / true, right / given
    return [(k, int(true[k]), float(recall[k]), float(precision[k])) for k in range(len(matrix))]
