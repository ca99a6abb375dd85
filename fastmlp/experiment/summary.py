"""A run in words: the table of its cells, and summary.md with what a course asks to hand in."""

from fastmlp.files import write_text
from fastmlp.mlp import DEFAULTS

from . import words
from .reference import comparison_lines, figure_text, figures
from .run import Run, write_csv

COLUMNS = (
    *("configuration", "batch_size", "epochs", "train_loss", "train_accuracy", "validation_loss"),
    *("validation_accuracy", "best_epoch", "best_validation_accuracy", "reference", "note"),
)
WIDEST = 100  # characters of a printed table


def data_line(data: dict) -> str:
    """What to call the data, such as "mnist"; synthetic data are said to be synthetic."""
    name: str = data["name"]
    return f"{name} (synthetic)" if data["synthetic"] and "synthetic" not in name else name


def heading(record: dict) -> str:
    """The heading of a run's tables and figures."""
    return f"{record['recipe']['title']}: {data_line(record['data'])}"


def _note(cell: dict, best: str | None) -> str:
    if cell["diverged"]:
        return cell["diverged"]
    return "best" if cell["slug"] == best else ""


def write_table(run: Run, record: dict) -> None:
    """Write table.csv, one row per cell; an empty field stands for a number that is not finite, or not known."""
    rows = []
    for cell in record["cells"]:
        values = {
            **cell,
            "configuration": cell["label"],
            "batch_size": cell["settings"]["batch_size"],
            "reference": _theirs(record, cell),
            "note": _note(cell, record["best"]),
        }
        rows.append([values[name] for name in COLUMNS])
    write_csv(run.table, list(COLUMNS), rows)


def table(record: dict) -> str:
    """The cells of a run as text, less than 80 characters wide with the usual labels; losses are nats per sample."""
    theirs = [_theirs(record, cell) for cell in record["cells"]]
    header = ["\nconfiguration", "train\nloss", "\ntrain", "valid\nloss", "\nvalid"]
    header += ["\nreference"] if any(theirs) else []
    header += ["best\n(epoch)", "\nnote"]
    rows = []
    for cell, reference in zip(record["cells"], theirs, strict=True):
        note = _note(cell, record["best"])
        rows.append(
            [
                cell["label"].replace("learning rate", "rate"),
                _number(cell["train_loss"]),
                _number(cell["train_accuracy"]),
                _number(cell["validation_loss"]),
                _number(cell["validation_accuracy"]),
                *([reference] if any(theirs) else []),
                f"{_number(cell['best_validation_accuracy'])} ({cell['best_epoch'] or '-'})",
                note.partition(":")[0],
            ]
        )
    lines = [heading(record), "", *text_table(header, rows)]
    lines += ["", *_sources(record)] if any(theirs) else []
    lines += ["", *_failures(record)] if _failures(record) else []
    return "\n".join(lines)


def _theirs(record, cell):
    """The reference's validation accuracy of a cell, or ""; of several sources the first."""
    found = figures(_references(record), cell["slug"], "validation_accuracy")
    return figure_text("validation_accuracy", found[0][0]) if found else ""


def _sources(record):
    """One line per source of references."""
    return [f"reference: {table['source']}" for table in _references(record)]


def _references(record):
    return record["recipe"].get("reference", [])


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


def _number(value):
    return "-" if value is None else f"{value:.4f}"


def _failures(record: dict) -> list[str]:
    """One sentence per cell that diverged."""
    return [f"{cell['label']} {cell['diverged']}" for cell in record["cells"] if cell["diverged"]]


def _diagnoses(record: dict) -> list[str]:
    """What was seen of each cell while it trained, but for the failure that `_failures` tells of."""
    return [
        f"{cell['label']}: {seen['sentence']}"
        for cell in record["cells"]
        for seen in cell.get("diagnoses", [])  # older runs have none
        if not (cell["diverged"] and seen["cause"] == "diverged")
    ]


def evaluation_text(result: dict) -> str:
    """An evaluation for a person: the confusion matrix, loss and accuracy. `result` is of evaluation.json."""
    names = result["class_names"]
    rows = [[name, *map(str, counts)] for name, counts in zip(names, result["confusion"], strict=True)]
    test = result["test"]
    matrix = text_table(["", *names], rows)
    if len(matrix[0]) > WIDEST:
        matrix = [f"the confusion matrix of {len(names)} classes is too wide for this page: see confusion.csv"]
    lines = [
        f"{data_line(test)}, {test['rows']} test samples; true classes down, the network's answers across",
        "",
        *matrix,
        "",
        f"test loss {result['loss']:.4f}, test accuracy {result['accuracy']:.4f}",
        *comparison_lines(result.get("reference", [])),
    ]
    return "\n".join(lines)


def write_summary(run: Run) -> None:
    """Write summary.md from run.json and, when they are there, the retrained network and the evaluations."""
    write_text(run.summary, summary(run))


def summary(run: Run) -> str:
    """The text of summary.md."""
    record = run.read_record()
    data, settings = record["data"], [cell["settings"] for cell in record["cells"]]
    rows = data["training_rows"]
    lines = [f"# {heading(record)}", ""]
    if record["data"]["synthetic"]:
        lines += ["The samples were made by this library: they are synthetic, and no result on real data.", ""]
    lines += [
        f"- Layers and neurons: "
        f"{_joined(words.layers(one, data['features'], data['class_count']) for one in settings)}",
        f"- Batch size: {_joined(words.batch(one, rows) for one in settings)}",
        f"- Initial learning rates: {_rates(settings)}",
        *_unusual(settings),
        f"- Initialisation: {_joined(map(words.initialisation, settings))}",
        f"- Regulariser: {' or '.join(dict.fromkeys(map(words.regulariser, settings)))}",
        "",
        f"![Training and validation accuracy against epochs]({run.curves.name})",
        f"![Training and validation loss against epochs]({run.losses.name})",
        "",
        *_reference_table(record),
        *(f"- {line}" for line in (*_failures(record), *_diagnoses(record))),
        f"- Best configuration: {_best(record)}",
        f"- Final test accuracy: {_accuracy(run)}",
        *_compared(run),
    ]
    return "\n".join(lines) + "\n"


def _joined(texts):
    return ", ".join(dict.fromkeys(texts))


def _rates(settings):
    """The learning rates of several cells, each with what becomes of it said once."""
    later = _joined(map(words.schedule, settings))
    return f"{_joined(map(words.initial_rate, settings))}; {later}"


def _unusual(settings):
    """Lines that say what differs from plain SGD on the cross entropy; none where nothing does."""
    lines = []
    for name, describe in (("Loss", words.loss), ("Optimiser", words.optimiser)):
        text = _joined(map(describe, settings))
        if text != describe(DEFAULTS):
            lines.append(f"- {name}: {text}")
    return lines


def _best(record):
    for cell in record["cells"]:
        if cell["slug"] == record["best"]:
            theirs = figures(_references(record), cell["slug"], "validation_accuracy")
            beside = "".join(f"; reference {value:.4f}, {source}" for value, source in theirs)
            return f"{cell['label']}, validation accuracy {cell['validation_accuracy']:.4f}{beside}"
    return "none, all diverged"


def _accuracy(run):
    evaluations = run.read_evaluations()
    if not evaluations:
        return "not evaluated yet"
    last = evaluations[-1]
    looks = f", evaluated {len(evaluations)} times" if len(evaluations) > 1 else ""
    references = [line for line in last.get("reference", []) if line["name"] == "test_accuracy"]
    beside = "".join(f"; reference {line['theirs']:.4f}, {line['source']}" for line in references)
    return f"{last['accuracy']:.4f} on {data_line(last['test'])} ({last['test']['rows']} samples{looks}){beside}"


def _compared(run):
    """The last evaluation's other figures beside their references, one line each."""
    references = [line for last in run.read_evaluations()[-1:] for line in last.get("reference", [])]
    lines = comparison_lines(line for line in references if line["name"] != "test_accuracy")
    return [f"- {line[0].upper()}{line[1:]}" for line in lines]


def _reference_table(record):
    """The validation accuracies beside their references, as Markdown; nothing when there is no reference."""
    theirs = [_theirs(record, cell) for cell in record["cells"]]
    if not any(theirs):
        return []
    rows = [
        f"| {cell['label']} | {_number(cell['validation_accuracy'])} | {reference} |"
        for cell, reference in zip(record["cells"], theirs, strict=True)
    ]
    header = ["| configuration | validation accuracy | reference |", "|---|---|---|"]
    return [*header, *rows, "", *(f"- {source.capitalize()}" for source in _sources(record))]
