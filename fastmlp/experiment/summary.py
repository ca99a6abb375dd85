"""A run in words: the table of its cells, and summary.md with what a course asks to hand in."""

from typing import Any

from fastmlp.files import write_text

from .run import Run, write_csv

COLUMNS = (
    *("configuration", "batch_size", "epochs", "train_loss", "train_accuracy", "validation_loss"),
    *("validation_accuracy", "best_epoch", "best_validation_accuracy", "seconds", "note"),
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
    """Write table.csv, one row per cell; an empty field stands for a number that is not finite."""
    rows = []
    for cell in record["cells"]:
        values = {
            **cell,
            "configuration": cell["label"],
            "batch_size": cell["settings"]["batch_size"],
            "note": _note(cell, record["best"]),
        }
        rows.append([values[name] for name in COLUMNS])
    write_csv(run.table, list(COLUMNS), rows)


def table(record: dict) -> str:
    """The cells of a run as text, less than 80 characters wide with the usual labels; losses are nats per sample."""
    header = ["configuration", "train loss", "train", "valid loss", "valid", "best (epoch)", "note"]
    rows = []
    for cell in record["cells"]:
        note = _note(cell, record["best"])
        rows.append(
            [
                cell["label"],
                _loss(cell["train_loss"]),
                f"{cell['train_accuracy']:.4f}",
                _loss(cell["validation_loss"]),
                f"{cell['validation_accuracy']:.4f}",
                f"{cell['best_validation_accuracy']:.4f} ({cell['best_epoch']})",
                note.partition(":")[0],
            ]
        )
    lines = [heading(record), "", *text_table(header, rows)]
    lines += ["", *_failures(record)] if _failures(record) else []
    return "\n".join(lines)


def text_table(header: list[str], rows: list[list[str]]) -> list[str]:
    """Lines of a table: the first column is aligned left, the others right. Its last column may be empty."""
    widths = [max(map(len, column)) for column in zip(header, *rows, strict=True)]
    lines = [header, ["-" * width for width in widths], *rows]
    return [
        "  ".join(
            cell.rjust(width) if position else cell.ljust(width)
            for position, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in lines
    ]


def _loss(value):
    return "-" if value is None else f"{value:.4f}"


def _failures(record: dict) -> list[str]:
    """One sentence per cell that diverged."""
    return [f"{cell['label']} {cell['diverged']}" for cell in record["cells"] if cell["diverged"]]


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
    ]
    return "\n".join(lines)


def write_summary(run: Run) -> None:
    """Write summary.md from run.json and, when they are there, the retrained network and the evaluations."""
    write_text(run.summary, summary(run))


def summary(run: Run) -> str:
    """The text of summary.md."""
    record = run.read_record()
    cells = record["cells"]
    lines = [f"# {heading(record)}", ""]
    if record["data"]["synthetic"]:
        lines += ["The samples were made by this library: they are synthetic, and no result on real data.", ""]
    lines += [
        f"- Layers and neurons: {_layers(record)}",
        f"- Batch size: {_distinct(cells, 'batch_size')}",
        f"- Initial learning rates: {_distinct(cells, 'learning_rate')}; {_decay(cells)}",
        f"- Initialisation: {_joined(_initialisation(cell['settings']) for cell in cells)}",
        f"- Regulariser: {_joined(_regulariser(cell['settings']) for cell in cells)}",
        "",
        f"![Training and validation accuracy against epochs]({run.curves.name})",
        "",
        *(f"- {failure}" for failure in _failures(record)),
        f"- Best configuration: {_best(record)}",
        f"- Final test accuracy: {_accuracy(run)}",
    ]
    return "\n".join(lines) + "\n"


def _layers(record):
    data = record["data"]
    inputs, outputs = data["features"], data["class_count"]

    def describe(settings: dict[str, Any]) -> str:
        hidden = list(settings["hidden"])
        count = f"{len(hidden)} hidden layer{'' if len(hidden) == 1 else 's'} and the softmax output"
        return f"{'-'.join(map(str, [inputs, *hidden, outputs]))} ({count})"

    return _joined(describe(cell["settings"]) for cell in record["cells"])


def _distinct(cells, name):
    return _joined(f"{cell['settings'][name]}" for cell in cells)


def _joined(texts):
    return ", ".join(dict.fromkeys(texts))


def _decay(cells):
    return _joined(_schedule(cell["settings"]) for cell in cells)


def _schedule(settings):
    decays, factor = settings["decay_epochs"], settings["decay_factor"]
    if not decays:
        return f"constant over {settings['epochs']} epochs"
    change = "halved" if factor == 0.5 else f"multiplied by {factor:g}"
    return (
        f"{change} after epoch{'s' if len(decays) > 1 else ''} {' and '.join(map(str, decays))} of {settings['epochs']}"
    )


def _initialisation(settings):
    scale, which = settings["init_scale"], settings["init"]
    biases = "biases alike" if settings["init_bias"] == "same" else "biases zero"
    factor = "" if scale is None else f" times {scale:g}"
    width = 0.1 if scale is None else scale
    match which:
        case "normal":
            law = f"normal with mean 0 and standard deviation {width:g}"
        case "uniform":
            law = f"uniform from {-width:g} to {width:g}"
        case "auto":
            law = f"He (normal) before relu, Xavier (uniform) elsewhere{factor}"
        case _:
            law = f"{which.capitalize()}{factor}"
    return f"{law}, {biases}"


def _regulariser(settings):
    return f"L2, {settings['l2']:g} / 2 times the sum of squared weights" if settings["l2"] else "none"


def _best(record):
    for cell in record["cells"]:
        if cell["slug"] == record["best"]:
            return f"{cell['label']}, validation accuracy {cell['validation_accuracy']:.4f}"
    return "none, all diverged"


def _accuracy(run):
    evaluations = run.read_evaluations()
    if not evaluations:
        return "not evaluated yet"
    last = evaluations[-1]
    looks = f", evaluated {len(evaluations)} times" if len(evaluations) > 1 else ""
    return f"{last['accuracy']:.4f} on {data_line(last['test'])} ({last['test']['rows']} samples{looks})"
