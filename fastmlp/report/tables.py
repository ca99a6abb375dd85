"""The table of a run's configurations: table.csv, and as text."""

from collections.abc import Sequence

from fastmlp.runs.aggregate import CellGroup, compare_best_two, group_cells, is_repeated, measure_of, ranked
from fastmlp.runs.evaluation_record import EvaluationRecord, TestDataRecord
from fastmlp.runs.published_results import figure_text, figures
from fastmlp.runs.records import CellRecord, DataRecord, RunRecord
from fastmlp.runs.run_directory import Run, write_csv
from fastmlp.runs.statistics import Interval
from fastmlp.training.history import result_text
from fastmlp.utils.records import to_plain

COLUMNS = (
    *("configuration", "batch_size", "epochs", "train_loss", "train_accuracy", "validation_loss"),
    *("validation_accuracy", "best_epoch", "best_validation_accuracy", "reference", "note"),
)
# Only where configurations were trained with several seeds; the means are those of the row's configuration.
SEED_COLUMNS = ("seed", "mean_validation_accuracy", "half_width")


def data_line(data: DataRecord | TestDataRecord) -> str:
    """Return the name of data, such as "mnist", with a note where they are synthetic.

    Parameters
    ----------
    data : DataRecord or TestDataRecord
        The data.
    """
    return f"{data.name} (synthetic)" if data.synthetic and "synthetic" not in data.name else data.name


def capitalised(text: str) -> str:
    """Return a text with a capital at its start; unlike `str.capitalize` it leaves all others as they are.

    Parameters
    ----------
    text : str
        Any text.
    """
    return text[:1].upper() + text[1:]


def heading(record: RunRecord) -> str:
    """Return the heading of a run's tables and figures.

    Parameters
    ----------
    record : RunRecord
        The record of the run.
    """
    return f"{record.recipe.title}: {data_line(record.data)}"


def _note(cell: CellRecord, best: str | None) -> str:
    if cell.failure:
        return cell.failure
    if cell.pruned:
        return f"pruned after epoch {cell.pruned}"
    return "best" if cell.slug == best else ""


def write_table(run: Run, record: RunRecord) -> None:
    """Write table.csv, one row per cell; an empty field stands for a number that is not finite, or not known.

    Parameters
    ----------
    run : Run
        The run directory.
    record : RunRecord
        Its record.
    """
    columns = list(COLUMNS)
    if is_repeated(record.cells):
        columns[1:1], columns[-1:-1] = SEED_COLUMNS[:1], SEED_COLUMNS[1:]
    rows = []
    for group in group_cells(record.cells):
        found = group.accuracy
        for cell in group.cells:
            values = {
                **to_plain(cell),
                "configuration": group.label,
                "seed": cell.seed,
                "batch_size": cell.settings["batch_size"],
                "reference": reference_text(record, group.slug),
                "mean_validation_accuracy": found and found.mean,
                "half_width": found.half_width if found and found.count > 1 else None,
                "note": _note(cell, record.best),
            }
            rows.append([values[name] for name in columns])
    write_csv(run.table, columns, rows)


def table(record: RunRecord) -> str:
    """Return the configurations of a run as text, less than 80 characters wide with the usual labels.

    Losses are per sample.

    Parameters
    ----------
    record : RunRecord
        The record of the run.
    """
    found = in_table_order(record)
    theirs = [reference_text(record, group.slug) for group in found]
    header, rows = (_rows_of_seeds if is_repeated(record.cells) else _rows_of_cells)(record, found)
    if any(theirs):
        place = header.index("valid\nloss") + 2
        header.insert(place, "\nreference")
        for row, reference in zip(rows, theirs, strict=True):
            row.insert(place, reference)
    lines = [heading(record), "", *text_table(header, rows)]
    for more in (
        source_lines(record) if any(theirs) else [], failure_lines(record), difference_lines(record),
        [best_line(record)],
    ):  # fmt: skip
        lines += ["", *more] if more else []
    return "\n".join(lines)


def in_table_order(record: RunRecord) -> list[CellGroup]:
    """Return the configurations in their order, those of a search best first.

    Parameters
    ----------
    record : RunRecord
        The record of the run.
    """
    found = group_cells(record.cells)
    if record.recipe.search is None:
        return found
    return [*ranked(record.cells), *(group for group in found if not group.sound)]


Rows = tuple[list[str], list[list[str]]]  # header and rows


def _results_header(record: RunRecord) -> list[str]:
    measure = measure_of(record.cells).replace("accuracy", "acc.")  # the digits below are no wider
    return ["\nconfiguration", "train\nloss", f"train\n{measure}", "valid\nloss", f"valid\n{measure}"]


def _rows_of_cells(record: RunRecord, found: Sequence[CellGroup]) -> Rows:
    header = [*_results_header(record), "best\n(epoch)", "\nnote"]
    rows = []
    for group in found:
        (cell,) = group.cells
        rows.append(
            [
                group.label.replace("learning rate", "rate"),
                number_text(cell.train_loss),
                number_text(cell.train_accuracy),
                number_text(cell.validation_loss),
                number_text(cell.validation_accuracy),
                f"{number_text(cell.best_validation_accuracy)} ({cell.best_epoch or '-'})",
                _note(cell, record.best).partition(":")[0],
            ]
        )
    return header, rows


def _rows_of_seeds(record: RunRecord, found: Sequence[CellGroup]) -> Rows:
    """Means over the seeds of every configuration."""
    names = ("train_loss", "train_accuracy", "validation_loss", "validation_accuracy")
    header = [*_results_header(record), "95%\ninterval", "\nseeds", "\nnote"]
    rows = []
    for group in found:
        notes = list(dict.fromkeys(filter(None, (_note(cell, record.best).partition(":")[0] for cell in group.cells))))
        rows.append(
            [
                group.label.replace("learning rate", "rate"),
                *(number_text(group.mean(name)) for name in names),
                half_width_text(group.accuracy),
                str(len(group.sound)),
                ", ".join(notes),
            ]
        )
    return header, rows


def half_width_text(interval: Interval | None) -> str:
    """Return half of an interval as text; "-" where there is none.

    Parameters
    ----------
    interval : Interval or None
        That of a mean.
    """
    return "-" if interval is None or interval.count == 1 else f"± {interval.half_width:.4f}"


def difference_lines(record: RunRecord) -> list[str]:
    """Return a sentence on whether the best configuration beats the runner-up, if they can be compared.

    Parameters
    ----------
    record : RunRecord
        The record of the run.
    """
    sentence = compare_best_two(record.cells)
    return [sentence] if sentence else []


def retraining_failure(evaluation: EvaluationRecord) -> list[str]:
    """Return that the training of the evaluated network failed: one line, or none where it did not.

    Parameters
    ----------
    evaluation : EvaluationRecord
        One evaluation on test data.
    """
    reason = evaluation.failure_reason
    return [] if reason is None else [f"the training on all rows failed, and the test is of what it left: it {reason}"]


def best_line(record: RunRecord) -> str:
    """Return which configuration is the best one and how good it is, beside its published figures.

    Parameters
    ----------
    record : RunRecord
        The record of the run.
    """
    for group in group_cells(record.cells):
        if group.accuracy is not None and any(cell.slug == record.best for cell in group.cells):
            theirs = figures(record.recipe.reference, group.slug, "validation_accuracy")
            beside = "".join(f"; reference {value:.4f}, {source}" for value, source in theirs)
            measured = f"validation {measure_of(group.cells)} {_with_interval(group.accuracy)}"
            return f"best configuration: {group.label}, {measured}{beside}"
    return "best configuration: none, all diverged or failed"


def _with_interval(interval: Interval) -> str:
    if interval.count == 1:
        return f"{interval.mean:.4f}"
    return f"{interval.mean:.4f} ± {interval.half_width:.4f} (mean of {interval.count} seeds, 95% interval)"


def reference_text(record: RunRecord, slug: str) -> str:
    """Return the published validation accuracy of a configuration as text, the first of several; "" for none.

    Parameters
    ----------
    record : RunRecord
        The record of the run.
    slug : str
        The configuration.
    """
    found = figures(record.recipe.reference, slug, "validation_accuracy")
    return figure_text("validation_accuracy", found[0][0]) if found else ""


def source_lines(record: RunRecord) -> list[str]:
    """Return a line for each source of published results.

    Parameters
    ----------
    record : RunRecord
        The record of the run.
    """
    return [f"reference: {reference.source}" for reference in record.recipe.reference]


def text_table(header: list[str], rows: list[list[str]]) -> list[str]:
    """Return the lines of a table: the first column is aligned left, the others right.

    Parameters
    ----------
    header : list of str
        An entry per column; all have the same number of lines.
    rows : list of list of str
        An entry per column.
    """
    headers = [list(line) for line in zip(*(entry.split("\n") for entry in header), strict=True)]
    widths = [max(map(len, column)) for column in zip(*headers, *rows, strict=True)]
    lines = [*headers, ["-" * width for width in widths], *rows]
    return [
        "  ".join(
            cell.rjust(width) if position else cell.ljust(width)
            for position, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in lines
    ]


def quantity_text(value: float) -> str:
    """Return a number that a regression predicts, or the size of its errors, as text.

    Parameters
    ----------
    value : float
        The number.
    """
    return f"{value:,.6g}"


def number_text(value: float | None) -> str:
    """Return a loss or an accuracy as text; "-" for None.

    Parameters
    ----------
    value : float or None
        The number.
    """
    return "-" if value is None else result_text(value)


def failure_lines(record: RunRecord) -> list[str]:
    """Return a sentence for each cell that failed.

    Parameters
    ----------
    record : RunRecord
        The record of the run.
    """
    return [f"{cell.label} {cell.failure}" for cell in record.cells if cell.failure]
