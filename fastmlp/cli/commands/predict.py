"""`fastmlp predict`: a class or a number for each row of a file without labels."""

import argparse

from fastmlp.cli.commands.arguments import add_threads, check_threads, file
from fastmlp.cli.commands.command import Command
from fastmlp.cli.output import output_file, write_pieces
from fastmlp.errors import visible
from fastmlp.utils.paths import user_path


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("network", metavar="RUN|MODEL", help="folder of a run, or a file written by MLP.save")
    parser.add_argument(
        "files", nargs="+", metavar="FILE", help="data to predict, in any format; or one or more images"
    )
    parser.add_argument("--out", type=file, metavar="FILE", help="where to write it (default: standard output)")
    parser.add_argument("--force", action="store_true", help="replace the file if it is there already")
    form = parser.add_mutually_exclusive_group()
    form.add_argument(
        "--submission", metavar="SAMPLE", help="a competition's sample submission, whose columns and rows to write"
    )
    form.add_argument("--json", action="store_true", help="write JSON instead of CSV")
    add_threads(parser)


def _run(options: argparse.Namespace) -> int:
    from fastmlp.experiment.predict import predict
    from fastmlp.experiment.prediction_text import as_csv, as_json
    from fastmlp.experiment.submission import as_submission, read_sample
    from fastmlp.runs.predictor import open_predictor
    from fastmlp.training.screen import log_line, write_result

    check_threads(options.threads)
    predictor = open_predictor(options.network)
    used = [predictor.path, *map(user_path, filter(None, [*options.files, options.submission]))]
    out = None if options.out is None else output_file(options.out, options.force, used)
    sample = None if options.submission is None else read_sample(options.submission)
    predictions = predict(predictor, options.files, None if sample is None else sample.ids_name, options.threads)
    notes = list(predictions.notes)
    if sample is not None:
        more, text = as_submission(predictions, sample)
        notes += more
    else:
        text = as_json(predictions, str(predictor.path), options.files) if options.json else as_csv(predictions)
    for note in notes:
        log_line(note)
    write_pieces(text, out)
    if out is not None:
        count = f"{len(predictions):,} prediction{'' if len(predictions) == 1 else 's'}"
        write_result([f"{visible(str(out))}: {count}\n"])
    return 0


COMMAND = Command(
    "Predict a class or a number for each row of a file", _arguments, _run,
    "fastmlp predict runs/ee541 test.csv --out predictions.csv", prints_itself=True,
)  # fmt: skip
