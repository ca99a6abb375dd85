"""`fastmlp export`: a trained network in a format of other programs."""

import argparse

from fastmlp.cli.commands.arguments import absolute, file
from fastmlp.cli.commands.command import Command, Outcome
from fastmlp.cli.output import output_file


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("network", metavar="RUN|MODEL", help="folder of a run, or a file written by MLP.save")
    parser.add_argument(
        "--to", required=True, metavar="FORMAT",
        help="onnx, c, python or json; torch or sklearn for a Python module that builds such a network",
    )  # fmt: skip
    parser.add_argument("--out", type=file, metavar="FILE", help="where to write it (default: beside the model file)")
    parser.add_argument("--force", action="store_true", help="replace the file if it is there already")


def _run(options: argparse.Namespace) -> Outcome:
    from fastmlp.export.formats import FORMATS, export
    from fastmlp.runs.predictor import open_predictor
    from fastmlp.training.screen import log_line
    from fastmlp.utils.validation import one_of

    ending = FORMATS[one_of("--to", options.to, FORMATS)].ending
    predictor = open_predictor(options.network)
    beside = predictor.path.with_name(predictor.path.stem + ending)
    out = output_file(str(beside) if options.out is None else options.out, options.force, [predictor.path])
    path = export(predictor.model, out, options.to)
    for note in predictor.notes:
        log_line(note)
    return Outcome({"network": str(predictor.path.absolute()), "format": options.to, "file": absolute(path)}, str(path))


COMMAND = Command(
    "Export a network to ONNX, PyTorch, scikit-learn, C and more",
    _arguments,
    _run,
    "fastmlp export runs/ee541 --to onnx",
)
