"""A run as text: summary.md with what a course asks to hand in, and its evaluations."""

from collections.abc import Iterable, Sequence

from fastmlp.config.network import NetworkConfig
from fastmlp.report import settings_text
from fastmlp.report.tables import (
    capitalised,
    data_line,
    difference_lines,
    failure_lines,
    half_width_text,
    heading,
    in_table_order,
    number_text,
    reference_text,
    source_lines,
    text_table,
)
from fastmlp.runs.aggregate import CellGroup, group_cells, is_repeated
from fastmlp.runs.evaluation_record import EvaluationRecord
from fastmlp.runs.published_results import comparison_lines, figures
from fastmlp.runs.records import RunRecord
from fastmlp.runs.run_directory import Run
from fastmlp.runs.selection import describe_other_network
from fastmlp.runs.statistics import Interval
from fastmlp.utils.atomic_files import write_text

WIDEST = 100  # characters of a printed table
MOST_LISTED = 8  # different numbers; of more the least and the greatest are listed


def _four_decimals(value: float | None) -> str:
    return "-" if value is None else f"{value:.4f}"


def _diagnoses(record: RunRecord) -> list[str]:
    """The diagnoses of each cell, without the failures, which `failure_lines` lists."""
    return [
        f"{cell.label}: {diagnosis.sentence}"
        for cell in record.cells
        for diagnosis in cell.diagnoses
        if not (cell.failure_reason and diagnosis.cause == "diverged")
    ]


def evaluation_text(evaluation: EvaluationRecord) -> str:
    """Return an evaluation as lines of text: the confusion matrix, loss and accuracy.

    Parameters
    ----------
    evaluation : EvaluationRecord
        One evaluation on test data.
    """
    names, test = evaluation.class_names, evaluation.test
    rows = [[name, *map(str, counts)] for name, counts in zip(names, evaluation.confusion, strict=True)]
    matrix = text_table(["", *names], rows)
    if len(matrix[0]) > WIDEST:
        matrix = [f"the confusion matrix of {len(names)} classes is too wide for this page: see confusion.csv"]
    lines = [
        f"{data_line(test)}, {test.rows} test samples; true classes down, predictions across",
        "",
        *matrix,
        "",
        f"test loss {_four_decimals(evaluation.loss)}, test accuracy {evaluation.accuracy:.4f}",
        *comparison_lines(evaluation.reference),
    ]
    return "\n".join(lines)


def write_summary(run: Run) -> None:
    """Write summary.md.

    Parameters
    ----------
    run : Run
        The run directory, in which a sweep was finished.
    """
    write_text(run.summary, summary(run))


def summary(run: Run) -> str:
    """Return the text of summary.md, as Markdown.

    Parameters
    ----------
    run : Run
        The run directory, in which a sweep was finished.
    """
    record = run.read_record()
    data, configs = record.data, [cell.config for cell in record.cells]
    rows = data.training_rows
    lines = [f"# {heading(record)}", ""]
    if data.synthetic:
        lines += ["The samples were made by this library: they are synthetic, and no result on real data.", ""]
    lines += [
        f"- Layers and neurons: "
        f"{_joined(settings_text.layers(one, data.features, data.class_count) for one in configs)}",
        f"- Batch size: {_joined(_few(settings_text.batch(one, rows) for one in configs))}",
        f"- Initial learning rates: {_rates(configs)}",
        *_unusual(configs),
        f"- Initialisation: {_joined(map(settings_text.initialisation, configs))}",
        f"- Regulariser: {_regularisers(configs)}",
        *_how_chosen(record),
        "",
        f"![Training and validation accuracy against epochs]({run.curves.name})",
        f"![Training and validation loss against epochs]({run.losses.name})",
        "",
        *_reference_table(record),
        *_seeds_table(record),
        *(f"- {line}" for line in (*failure_lines(record), *_diagnoses(record))),
        *(f"- {capitalised(sentence)}" for sentence in difference_lines(record)),
        f"- Best configuration: {_best(record)}",
        f"- Final test accuracy: {_accuracy(run)}",
        *_compared(run),
    ]
    return "\n".join(lines) + "\n"


def _joined(texts: Iterable[str]) -> str:
    return ", ".join(dict.fromkeys(texts))


def _rates(configs: Sequence[NetworkConfig]) -> str:
    """The learning rates of several cells, each with what becomes of it said once."""
    later = _joined(map(settings_text.schedule, configs))
    return f"{_joined(_few(map(settings_text.initial_rate, configs)))}; {later}"


def _few(texts: Iterable[str]) -> list[str]:
    """Numbers as texts; of very many different ones their range."""
    different = list(dict.fromkeys(texts))
    if len(different) <= MOST_LISTED or not all(
        text.replace(".", "").replace("e-", "").isdigit() for text in different
    ):
        return different
    numbers = sorted(different, key=float)
    return [f"{numbers[0]} to {numbers[-1]}"]


def _regularisers(configs: Sequence[NetworkConfig]) -> str:
    different = list(dict.fromkeys(map(settings_text.regulariser, configs)))
    return (
        " or ".join(different) if len(different) <= MOST_LISTED else f"{len(different)} different ones, see table.csv"
    )


def _how_chosen(record: RunRecord) -> list[str]:
    """Lines on the search and on the seeds; none for a plain grid."""
    lines = []
    if record.recipe.search is not None:
        lines.append(f"- Search: {settings_text.search(record.recipe.search)}")
    if is_repeated(record.cells):
        seeds = sorted({cell.seed for cell in record.cells})
        lines.append(f"- Seeds: {', '.join(map(str, seeds))}")
    return lines


def _unusual(configs: Sequence[NetworkConfig]) -> list[str]:
    """Lines that say what differs from plain SGD on the cross entropy; none where nothing does."""
    lines = []
    for name, describe in (("Loss", settings_text.loss), ("Optimiser", settings_text.optimiser)):
        text = _joined(map(describe, configs))
        if text != describe(NetworkConfig()):
            lines.append(f"- {name}: {text}")
    return lines


def _best(record: RunRecord) -> str:
    for group in group_cells(record.cells):
        if group.accuracy is not None and any(cell.slug == record.best for cell in group.cells):
            theirs = figures(record.recipe.reference, group.slug, "validation_accuracy")
            beside = "".join(f"; reference {value:.4f}, {source}" for value, source in theirs)
            return f"{group.label}, validation accuracy {_with_interval(group.accuracy)}{beside}"
    return "none, all diverged or failed"


def _with_interval(interval: Interval) -> str:
    if interval.count == 1:
        return f"{interval.mean:.4f}"
    return f"{interval.mean:.4f} ± {interval.half_width:.4f} (mean of {interval.count} seeds, 95% interval)"


def _accuracy(run: Run) -> str:
    evaluations = run.read_evaluations()
    if not evaluations:
        return "not evaluated yet"
    last = evaluations[-1]
    times = f", evaluated {len(evaluations)} times" if len(evaluations) > 1 else ""
    references = [line for line in last.reference if line.name == "test_accuracy"]
    beside = "".join(f"; reference {line.theirs:.4f}, {line.source}" for line in references)
    whose = describe_other_network(run.read_record(), last)
    other = "" if whose is None else f", of {whose}"
    return f"{last.accuracy:.4f} on {data_line(last.test)} ({last.test.rows} samples{times}){beside}{other}"


def _compared(run: Run) -> list[str]:
    """The last evaluation's other figures beside their references, one line each."""
    references = [line for last in run.read_evaluations()[-1:] for line in last.reference]
    lines = comparison_lines(line for line in references if line.name != "test_accuracy")
    return [f"- {capitalised(line)}" for line in lines]


def _reference_table(record: RunRecord) -> list[str]:
    """The validation accuracies beside their references, as Markdown; nothing when there is no reference."""
    found = [(group, reference_text(record, group.slug)) for group in group_cells(record.cells)]
    if not any(reference for _, reference in found):
        return []
    rows = [f"| {group.label} | {number_text(_mean(group))} | {reference} |" for group, reference in found]
    header = ["| configuration | validation accuracy | reference |", "|---|---|---|"]
    return [*header, *rows, "", *(f"- {capitalised(source)}" for source in source_lines(record))]


def _mean(group: CellGroup) -> float | None:
    """The mean validation accuracy of a configuration; where none of its cells is sound, of those that have one."""
    accuracies = [cell.validation_accuracy for cell in group.sound or group.cells]
    known = [accuracy for accuracy in accuracies if accuracy is not None]  # none of a cell that stopped with an error
    return sum(known) / len(known) if known else None


def _seeds_table(record: RunRecord) -> list[str]:
    """The mean of every configuration with its interval, as Markdown; nothing without repetitions."""
    if not is_repeated(record.cells):
        return []
    rows = [
        f"| {group.label} | {number_text(group.mean('validation_accuracy'))} | {half_width_text(group.accuracy)} | "
        f"{len(group.sound)} |"
        for group in in_table_order(record)
    ]
    header = ["| configuration | mean validation accuracy | 95% interval | seeds |", "|---|---|---|---|"]
    return [*header, *rows, ""]
