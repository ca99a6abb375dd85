"""A run in words: the table of its cells, and summary.md with what a course asks to hand in."""

from fastmlp.config.network import NetworkConfig
from fastmlp.report import settings_text
from fastmlp.runs.aggregate import CellGroup, compare_best_two, group_cells, is_repeated, ranked
from fastmlp.runs.evaluation_record import EvaluationRecord, TestDataRecord
from fastmlp.runs.published_results import comparison_lines, figure_text, figures
from fastmlp.runs.records import CellRecord, DataRecord, RunRecord
from fastmlp.runs.run_directory import Run, write_csv
from fastmlp.runs.selection import describe_other_network
from fastmlp.runs.statistics import Interval
from fastmlp.training.history import result_text
from fastmlp.utils.atomic_files import write_text
from fastmlp.utils.records import to_plain

COLUMNS = (
    *("configuration", "batch_size", "epochs", "train_loss", "train_accuracy", "validation_loss"),
    *("validation_accuracy", "best_epoch", "best_validation_accuracy", "reference", "note"),
)
# Only where configurations were trained with several seeds; the means are those of the row's configuration.
SEED_COLUMNS = ("seed", "mean_validation_accuracy", "half_width")
WIDEST = 100  # characters of a printed table
MOST_LISTED = 8  # different numbers; of more the least and the greatest are told


def data_line(data: DataRecord | TestDataRecord) -> str:
    """What to call the data, such as "mnist"; synthetic data are said to be synthetic."""
    return f"{data.name} (synthetic)" if data.synthetic and "synthetic" not in data.name else data.name


def heading(record: RunRecord) -> str:
    """The heading of a run's tables and figures."""
    return f"{record.recipe.title}: {data_line(record.data)}"


def _note(cell: CellRecord, best: str | None) -> str:
    if cell.failure:
        return cell.failure
    if cell.pruned:
        return f"pruned after epoch {cell.pruned}"
    return "best" if cell.slug == best else ""


def write_table(run: Run, record: RunRecord) -> None:
    """Write table.csv, one row per cell; an empty field stands for a number that is not finite, or not known."""
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
                "reference": _theirs(record, group.slug),
                "mean_validation_accuracy": found and found.mean,
                "half_width": found.half_width if found and found.count > 1 else None,
                "note": _note(cell, record.best),
            }
            rows.append([values[name] for name in columns])
    write_csv(run.table, columns, rows)


def table(record: RunRecord) -> str:
    """The configurations of a run as text, less than 80 characters wide with the usual labels; losses are per sample.

    Those of a search come best first.
    """
    found = _in_order(record)
    theirs = [_theirs(record, group.slug) for group in found]
    header, rows = (_rows_of_seeds if is_repeated(record.cells) else _rows_of_cells)(record, found)
    if any(theirs):
        place = header.index("\nvalid") + 1
        header.insert(place, "\nreference")
        for row, reference in zip(rows, theirs, strict=True):
            row.insert(place, reference)
    lines = [heading(record), "", *text_table(header, rows)]
    for more in (_sources(record) if any(theirs) else [], _failures(record), _difference(record)):
        lines += ["", *more] if more else []
    return "\n".join(lines)


def _in_order(record: RunRecord) -> list[CellGroup]:
    found = group_cells(record.cells)
    if record.recipe.search is None:
        return found
    return [*ranked(record.cells), *(group for group in found if not group.sound)]


def _rows_of_cells(record, found):
    header = ["\nconfiguration", "train\nloss", "\ntrain", "valid\nloss", "\nvalid", "best\n(epoch)", "\nnote"]
    rows = []
    for group in found:
        (cell,) = group.cells
        rows.append(
            [
                group.label.replace("learning rate", "rate"),
                _number(cell.train_loss),
                _number(cell.train_accuracy),
                _number(cell.validation_loss),
                _number(cell.validation_accuracy),
                f"{_number(cell.best_validation_accuracy)} ({cell.best_epoch or '-'})",
                _note(cell, record.best).partition(":")[0],
            ]
        )
    return header, rows


def _rows_of_seeds(record, found):
    """Means over the seeds of every configuration."""
    names = ("train_loss", "train_accuracy", "validation_loss", "validation_accuracy")
    header = [
        "\nconfiguration",
        "train\nloss",
        "\ntrain",
        "valid\nloss",
        "\nvalid",
        "95%\ninterval",
        "\nseeds",
        "\nnote",
    ]
    rows = []
    for group in found:
        notes = list(dict.fromkeys(filter(None, (_note(cell, record.best).partition(":")[0] for cell in group.cells))))
        rows.append(
            [
                group.label.replace("learning rate", "rate"),
                *(_number(group.mean(name)) for name in names),
                _half_width(group.accuracy),
                str(len(group.sound)),
                ", ".join(notes),
            ]
        )
    return header, rows


def _half_width(interval: Interval | None) -> str:
    return "-" if interval is None or interval.count == 1 else f"± {interval.half_width:.4f}"


def _difference(record: RunRecord) -> list[str]:
    sentence = compare_best_two(record.cells)
    return [sentence] if sentence else []


def _theirs(record, slug):
    """The reference's validation accuracy of a configuration, or ""; of several sources the first."""
    found = figures(record.recipe.reference, slug, "validation_accuracy")
    return figure_text("validation_accuracy", found[0][0]) if found else ""


def _sources(record):
    """One line per source of references."""
    return [f"reference: {reference.source}" for reference in record.recipe.reference]


def text_table(header: list[str], rows: list[list[str]]) -> list[str]:
    """Lines of a table: the first column is aligned left, the others right. Its last column may be empty.

    A header may have several lines, each entry as many as the others.
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


def _four_decimals(value: float | None) -> str:
    return "-" if value is None else f"{value:.4f}"


def _number(value):
    return "-" if value is None else result_text(value)


def _failures(record: RunRecord) -> list[str]:
    """One sentence per cell that diverged or stopped with an error."""
    return [f"{cell.label} {cell.failure}" for cell in record.cells if cell.failure]


def _diagnoses(record: RunRecord) -> list[str]:
    """The diagnoses of each cell, without the failures, which `_failures` lists."""
    return [
        f"{cell.label}: {diagnosis.sentence}"
        for cell in record.cells
        for diagnosis in cell.diagnoses
        if not (cell.failure_reason and diagnosis.cause == "diverged")
    ]


def evaluation_text(evaluation: EvaluationRecord) -> str:
    """Return an evaluation as text: the confusion matrix, loss and accuracy.

    Parameters
    ----------
    evaluation : EvaluationRecord
        One evaluation on test data.

    Returns
    -------
    str
        Several lines.
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
    """Write summary.md from run.json and, when they are there, the retrained network and the evaluations."""
    write_text(run.summary, summary(run))


def summary(run: Run) -> str:
    """The text of summary.md."""
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
        *(f"- {line}" for line in (*_failures(record), *_diagnoses(record))),
        *(f"- {sentence[0].upper()}{sentence[1:]}" for sentence in _difference(record)),
        f"- Best configuration: {_best(record)}",
        f"- Final test accuracy: {_accuracy(run)}",
        *_compared(run),
    ]
    return "\n".join(lines) + "\n"


def _joined(texts):
    return ", ".join(dict.fromkeys(texts))


def _rates(configs):
    """The learning rates of several cells, each with what becomes of it said once."""
    later = _joined(map(settings_text.schedule, configs))
    return f"{_joined(_few(map(settings_text.initial_rate, configs)))}; {later}"


def _few(texts):
    """Numbers as texts; of very many different ones their range."""
    different = list(dict.fromkeys(texts))
    if len(different) <= MOST_LISTED or not all(
        text.replace(".", "").replace("e-", "").isdigit() for text in different
    ):
        return different
    numbers = sorted(different, key=float)
    return [f"{numbers[0]} to {numbers[-1]}"]


def _regularisers(configs):
    different = list(dict.fromkeys(map(settings_text.regulariser, configs)))
    return (
        " or ".join(different) if len(different) <= MOST_LISTED else f"{len(different)} different ones, see table.csv"
    )


def _how_chosen(record):
    """Lines on the search and on the seeds; none for a plain grid."""
    lines = []
    if record.recipe.search is not None:
        lines.append(f"- Search: {settings_text.search(record.recipe.search)}")
    if is_repeated(record.cells):
        seeds = sorted({cell.seed for cell in record.cells})
        lines.append(f"- Seeds: {', '.join(map(str, seeds))}")
    return lines


def _unusual(configs):
    """Lines that say what differs from plain SGD on the cross entropy; none where nothing does."""
    lines = []
    for name, describe in (("Loss", settings_text.loss), ("Optimiser", settings_text.optimiser)):
        text = _joined(map(describe, configs))
        if text != describe(NetworkConfig()):
            lines.append(f"- {name}: {text}")
    return lines


def _best(record):
    for group in group_cells(record.cells):
        if record.best in (cell.slug for cell in group.cells):
            theirs = figures(record.recipe.reference, group.slug, "validation_accuracy")
            beside = "".join(f"; reference {value:.4f}, {source}" for value, source in theirs)
            return f"{group.label}, validation accuracy {_with_interval(group.accuracy)}{beside}"
    return "none, all diverged or failed"


def _with_interval(interval):
    if interval.count == 1:
        return f"{interval.mean:.4f}"
    return f"{interval.mean:.4f} ± {interval.half_width:.4f} (mean of {interval.count} seeds, 95% interval)"


def _accuracy(run):
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


def _compared(run):
    """The last evaluation's other figures beside their references, one line each."""
    references = [line for last in run.read_evaluations()[-1:] for line in last.reference]
    lines = comparison_lines(line for line in references if line.name != "test_accuracy")
    return [f"- {line[0].upper()}{line[1:]}" for line in lines]


def _reference_table(record):
    """The validation accuracies beside their references, as Markdown; nothing when there is no reference."""
    found = [(group, _theirs(record, group.slug)) for group in group_cells(record.cells)]
    if not any(reference for _, reference in found):
        return []
    rows = [f"| {group.label} | {_number(_mean(group))} | {reference} |" for group, reference in found]
    header = ["| configuration | validation accuracy | reference |", "|---|---|---|"]
    return [*header, *rows, "", *(f"- {source.capitalize()}" for source in _sources(record))]


def _mean(group):
    """The mean validation accuracy of a configuration; where none of its cells is sound, of those that have one."""
    accuracies = [cell.validation_accuracy for cell in group.sound or group.cells]
    known = [accuracy for accuracy in accuracies if accuracy is not None]  # none of a cell that stopped with an error
    return sum(known) / len(known) if known else None


def _seeds_table(record):
    """The mean of every configuration with its interval, as Markdown; nothing without repetitions."""
    if not is_repeated(record.cells):
        return []
    rows = [
        f"| {group.label} | {_number(group.mean('validation_accuracy'))} | {_half_width(group.accuracy)} | "
        f"{len(group.sound)} |"
        for group in _in_order(record)
    ]
    header = ["| configuration | mean validation accuracy | 95% interval | seeds |", "|---|---|---|---|"]
    return [*header, *rows, ""]
