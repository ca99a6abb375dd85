"""A run as text: summary.md with what a course asks to hand in, and its evaluations."""

from collections.abc import Iterable, Sequence

from fastmlp.config.network import NetworkConfig
from fastmlp.report import settings_text
from fastmlp.report.advice import advice
from fastmlp.report.tables import (
    best_line,
    capitalised,
    data_line,
    difference_lines,
    half_width_text,
    heading,
    in_table_order,
    number_text,
    quantity_text,
    reference_text,
    retraining_failure,
    source_lines,
    text_table,
)
from fastmlp.runs.aggregate import CellGroup, group_cells, is_repeated, measure_of
from fastmlp.runs.evaluation_record import EvaluationRecord
from fastmlp.runs.published_results import comparison_lines
from fastmlp.runs.records import RunRecord
from fastmlp.runs.run_directory import Run
from fastmlp.runs.selection import describe_other_network
from fastmlp.training.history import when_measured
from fastmlp.utils.atomic_files import write_text

WIDEST = 100  # characters of a printed table


def _four_decimals(value: float | None) -> str:
    return "-" if value is None else f"{value:.4f}"


def evaluation_text(evaluation: EvaluationRecord) -> str:
    """Return an evaluation as lines of text: the confusion matrix, loss and accuracy, or the errors of a regression.

    Parameters
    ----------
    evaluation : EvaluationRecord
        One evaluation on test data.
    """
    names, test = evaluation.class_names, evaluation.test
    first, remarks = f"{data_line(test)}, {test.rows} test samples", _remarks(evaluation)
    if evaluation.rmse is not None:
        return "\n".join([first, "", f"test {_errors(evaluation)}{_references(evaluation)}", *remarks])
    rows = [[name, *map(str, counts)] for name, counts in zip(names, evaluation.confusion, strict=True)]
    matrix = text_table(["", *names], rows)
    if len(matrix[0]) > WIDEST:
        matrix = [f"the confusion matrix of {len(names)} classes is too wide for this page: see confusion.csv"]
    lines = [
        first,
        "true classes down, predictions across",
        "",
        *matrix,
        "",
        f"test loss {_four_decimals(evaluation.loss)}, test accuracy {evaluation.score:.4f}{_references(evaluation)}",
        *remarks,
    ]
    return "\n".join(lines)


def _errors(evaluation: EvaluationRecord) -> str:
    """The measure and the size of the errors of a regression."""
    return f"{evaluation.measure} {_four_decimals(evaluation.accuracy)}, RMSE {quantity_text(evaluation.rmse or 0.0)}"


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
    rows, measured = data.training_rows, when_measured(one.train_metrics for one in configs)
    references = _reference_table(record)
    # A blank line between blocks: a table or a list that follows another block at once would be taken for a part of it.
    blocks = [
        [f"# {heading(record)}"],
        ["The samples were made by this library: they are synthetic, and no result on real data."]
        if data.synthetic
        else [],
        [
            "- Layers and neurons: "
            f"{_several(settings_text.layers(one, data.features, data.outputs) for one in configs)}",
            f"- Batch size: {_several(settings_text.batch(one, rows) for one in configs)}",
            f"- Initial learning rates: {_several(map(settings_text.initial_rate, configs))}; "
            f"{_several(map(settings_text.schedule, configs))}",
            *_unusual(configs),
            f"- Initialisation: {_several(map(settings_text.initialisation, configs))}",
            f"- Regulariser: {' or '.join(settings_text.several(map(settings_text.regulariser, configs)))}",
            *_how_chosen(record),
            *([f"- {capitalised(measured)}"] if measured else []),
        ],
        [
            f"![Training and validation {measure_of(record.cells)} against epochs]({run.curves.name})",
            f"![Training and validation loss against epochs]({run.losses.name})",
        ],
        references,
        _seeds_table(record),
        [
            *(f"- {capitalised(source)}" for source in source_lines(record) if references),
            *(f"- {line}" for one in advice(record.cells) for line in one.lines()),
            *(f"- {capitalised(sentence)}" for sentence in difference_lines(record)),
            f"- {capitalised(best_line(record))}",
            f"- Final test {'accuracy' if data.classes else 'R²'}: {_accuracy(run)}",
            *(f"- {capitalised(line)}" for last in run.read_evaluations()[-1:] for line in _remarks(last)),
        ],
    ]
    return "\n\n".join("\n".join(block) for block in blocks if block) + "\n"


def _several(texts: Iterable[str]) -> str:
    return ", ".join(settings_text.several(texts))


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
        text = _several(map(describe, configs))
        if text != describe(NetworkConfig()):
            lines.append(f"- {name}: {text}")
    return lines


def _accuracy(run: Run) -> str:
    evaluations = run.read_evaluations()
    if not evaluations:
        return "not evaluated yet"
    last = evaluations[-1]
    times = f", evaluated {len(evaluations)} times" if len(evaluations) > 1 else ""
    whose = describe_other_network(run.read_record(), last)
    other = "" if whose is None else f", of {whose}"
    rmse = "" if last.rmse is None else f", RMSE {quantity_text(last.rmse)},"
    where = f"on {data_line(last.test)} ({last.test.rows} samples{times})"
    return f"{_four_decimals(last.accuracy)}{rmse} {where}{_references(last)}{other}"


def _references(last: EvaluationRecord) -> str:
    """The published test accuracies, to stand behind that of the evaluation."""
    published = [line for line in last.reference if line.name == "test_accuracy"]
    return "".join(f"; reference {line.theirs:.4f}, {line.source}" for line in published)


def _remarks(last: EvaluationRecord) -> list[str]:
    """A failed training, and the other figures beside their references, one line each."""
    return [
        *retraining_failure(last),
        *comparison_lines(line for line in last.reference if line.name != "test_accuracy"),
    ]


def _reference_table(record: RunRecord) -> list[str]:
    """The validation accuracies beside their references, as Markdown; nothing when there is no reference."""
    found = [(group, reference_text(record, group.slug)) for group in group_cells(record.cells)]
    if not any(reference for _, reference in found):
        return []
    rows = [f"| {group.label} | {number_text(_mean(group))} | {reference} |" for group, reference in found]
    header = [f"| configuration | validation {measure_of(record.cells)} | reference |", "|---|---|---|"]
    return [*header, *rows]


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
    measure = measure_of(record.cells)
    header = [f"| configuration | mean validation {measure} | 95% interval | seeds |", "|---|---|---|---|"]
    return [*header, *rows]
