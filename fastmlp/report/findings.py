"""The first screen of a report: the best configuration, its accuracy, and how reliable that is."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fastmlp.plots.card import Tile
from fastmlp.plots.charts import percent, score
from fastmlp.report.run_view import RunView
from fastmlp.report.tables import capitalised, data_line, quantity_text, retraining_failure
from fastmlp.runs.aggregate import compare_best_two
from fastmlp.runs.evaluation_record import EvaluationRecord
from fastmlp.runs.published_results import comparison_lines
from fastmlp.runs.selection import describe_other_network, network_digest

GOOD, CARE, PLAIN = "good", "care", "plain"


@dataclass(frozen=True)
class Remark:
    """A sentence about how reliable the results are.

    Attributes
    ----------
    kind : str
        GOOD, CARE or PLAIN.
    text : str
        The sentence.
    """

    kind: str
    text: str


def interval(accuracy: float, rows: int) -> tuple[float, float]:
    """Return the 95% confidence interval (low, high) of a share.

    Parameters
    ----------
    accuracy : float
        The share, from 0 to 1.
    rows : int
        Number of samples that it was measured on.

    References
    ----------
    E. B. Wilson, "Probable inference, the law of succession, and statistical inference", Journal of the American
    Statistical Association 22, 1927.
    """
    z = 1.959964
    centre = accuracy + z * z / (2 * rows)
    half = z * math.sqrt(accuracy * (1 - accuracy) / rows + z * z / (4 * rows * rows))
    return max((centre - half) / (1 + z * z / rows), 0.0), min((centre + half) / (1 + z * z / rows), 1.0)


def lead(view: RunView) -> str:
    """Return the result in two sentences.

    Parameters
    ----------
    view : RunView
        The run.
    """
    best, count, data = view.best_configuration, len(view.configurations), view.record.data
    if best is None or best.accuracy is None:
        return f"None of {count} configurations trained to the end." if count else "No configuration was trained."
    among = f"is the best of {count} configurations" if count > 1 else "is the only configuration"
    seeds = f", the mean of {best.accuracy.count} seeds," if best.accuracy.count > 1 else ""
    text = (
        f"{best.label} {among}: validation {view.measure} {score(view.measure)(best.accuracy.mean)}{seeds} "
        f"on {data.validation_rows:,} samples."
    )
    if view.evaluations:
        last = view.evaluations[-1]
        other = describe_other_network(view.record, last)
        if other is None:
            subject = f"Trained again on all {data.training_rows + data.validation_rows:,} samples, it"
        else:
            subject = f"Not it but {other}, was trained again and evaluated; that one"
        text += f" {subject} {_achievement(last)}."
    return text


def tiles(view: RunView) -> list[Tile]:
    """Return the results of the best configuration.

    Parameters
    ----------
    view : RunView
        The run.
    """
    best, measure = view.best_configuration, view.measure
    if best is None or best.accuracy is None:
        found = [Tile("Best configuration", "none", is_number=False)]
    else:
        text, seeds = score(measure), best.accuracy
        note = f"training {text(best.figure('train_accuracy'))}"
        if seeds.count > 1:
            note = f"± {text(seeds.half_width)}, mean of {seeds.count} seeds, 95% interval"
        found = [
            Tile("Best configuration", best.label, is_number=False),
            Tile(f"Validation {measure}", text(best.figure("validation_accuracy")), note),
        ]
    return [*found, _test_tile(view)]


def _test_tile(view: RunView) -> Tile:
    name = f"Test {view.test_measure}"
    if not view.evaluations:
        return Tile(name, "not measured yet", is_number=False)
    last = view.evaluations[-1]
    other = describe_other_network(view.record, last) is not None
    if last.rmse is None:
        low, high = map(percent, interval(last.score, last.test.rows))
        note = f"95% interval {low} to {high}"
    else:
        note = f"RMSE {quantity_text(last.rmse)}"
    return Tile(
        f"{name}, not of this configuration" if other else name,
        score(view.test_measure)(last.score),
        note,
        is_final=not other,
    )


def _achievement(last: EvaluationRecord) -> str:
    """What a network did on test data."""
    rows = f"{last.test.rows:,} test samples"
    if last.rmse is None:
        return f"classifies {percent(last.score)} of {rows} correctly"
    errors = f"a root mean squared error of {quantity_text(last.rmse)}"
    return f"predicts {rows} with an {last.measure} of {score(last.measure)(last.score)} and {errors}"


def remarks(view: RunView) -> list[Remark]:
    """Return how reliable the results are, the test accuracy first.

    Parameters
    ----------
    view : RunView
        The run.
    """
    count = len(view.configurations)
    found = [_evaluations(view), *_network(view)]
    found += [
        Remark(CARE, f"{capitalised(line)}.") for last in view.evaluations[-1:] for line in retraining_failure(last)
    ]
    if count > 1 and view.best is not None:
        found.append(
            Remark(
                PLAIN,
                f"The best of {count} was chosen by its validation {view.measure}, which is "
                "therefore slightly optimistic"
                + ("." if len(view.evaluations) > 1 else f"; a first test {view.test_measure} is not."),
            )
        )
    sentence = compare_best_two(view.record.cells)
    found += [Remark(PLAIN, f"{capitalised(sentence)}.")] if sentence else []
    found += _lost(view)
    if view.record.data.synthetic:
        found.append(Remark(CARE, "The samples were made by this library: synthetic, and no result on real data."))
    found += [Remark(PLAIN, f"{capitalised(note)}.") for note in view.record.notes]
    if view.evaluations:
        compared = comparison_lines(view.evaluations[-1].reference)
        found += [Remark(PLAIN, f"{capitalised(line)}.") for line in compared]
    return found


def _lost(view: RunView) -> list[Remark]:
    """How many of the trainings have no result of their last epoch."""
    failed = sum(cell.failure is not None for cell in view.cells)
    pruned = sum(cell.failure is None and cell.record.pruned is not None for cell in view.cells)
    of = f"of {len(view.cells)} {'trainings' if view.is_repeated else 'configurations'}"
    found = [Remark(CARE, f"{failed} {of} failed: What to change, in the report, says why.")] if failed else []
    if pruned:
        text = f"{pruned} {of} {'was' if pruned == 1 else 'were'} pruned: given up early, being behind the others."
        found.append(Remark(PLAIN, text))
    return found


def _evaluations(view: RunView) -> Remark:
    done = view.evaluations
    if not done:
        if view.best is None:
            return Remark(PLAIN, "No test data were used: there is no network to evaluate.")
        step = "evaluate" if view.network is not None else "retrain"
        return Remark(
            PLAIN, f"No test data were used yet, so there is no test {view.test_measure}: run `fastmlp {step}`."
        )
    if len(done) == 1:
        return Remark(GOOD, f"The test data were used once, on {clock(done[0].time)}.")
    return Remark(
        CARE,
        f"The test data were used {len(done)} times. Only the first evaluation is unbiased: "
        f"{score(done[0].measure)(done[0].score)} on {data_line(done[0].test)}.",
    )


def _network(view: RunView) -> list[Remark]:
    """Whether the network that was measured is that of the best configuration, and the one in the folder."""
    if not view.evaluations:
        return []
    if other := describe_other_network(view.record, view.evaluations[-1]):
        fix = "delete the folder `retrained` here, then run `fastmlp retrain` and `fastmlp evaluate --again`"
        text = f"The test {view.test_measure}, and everything under Test, is of {other}."
        return [Remark(CARE, f"{text} To evaluate the present best one: {fix}.")]
    if view.network is None:
        return [Remark(CARE, "The network that was evaluated is no longer in this folder.")]
    if network_digest(view.network) != view.evaluations[-1].network_digest:
        return [Remark(CARE, "The network in this folder is not the one that was evaluated: their digests differ.")]
    return [Remark(GOOD, "The network in this folder is the one that was evaluated: their digests agree.")]


def clock(time: str) -> str:
    """Return a time of a record for a person.

    Parameters
    ----------
    time : str
        ISO 8601, in UTC.
    """
    return time.replace("T", " ").replace("+00:00", " UTC")


def confusions(matrix: NDArray[np.int64], most: int) -> list[tuple[int, int, int, float]]:
    """Return the most frequent mistakes.

    Parameters
    ----------
    matrix : ndarray of shape (C, C)
        Counts by true class and prediction.
    most : int
        Largest number of mistakes.

    Returns
    -------
    list of tuple
        (true class, prediction, count, share of the true class), the most frequent first.
    """
    wrong = matrix * (1 - np.eye(len(matrix), dtype=matrix.dtype))
    order = np.argsort(-wrong, axis=None, kind="stable")[:most]
    totals = matrix.sum(axis=1)
    pairs = [(int(flat) // len(matrix), int(flat) % len(matrix)) for flat in order]
    return [(t, g, int(wrong[t, g]), float(wrong[t, g] / totals[t])) for t, g in pairs if wrong[t, g]]


def class_figures(matrix: NDArray[np.int64]) -> list[tuple[int, int, float, float]]:
    """Return the recall and precision of each class.

    Parameters
    ----------
    matrix
        As for `confusions`.

    Returns
    -------
    list of tuple
        (class, samples, recall, precision) in their order; nan where there is nothing to divide by.
    """
    right, true, given = np.diag(matrix), matrix.sum(axis=1), matrix.sum(axis=0)
    with np.errstate(invalid="ignore"):
        recall, precision = right / true, right / given
    return [(k, int(true[k]), float(recall[k]), float(precision[k])) for k in range(len(matrix))]
