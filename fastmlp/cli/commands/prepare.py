"""`fastmlp prepare`: the two files of the course assignment."""

import argparse

from fastmlp.cli.commands.arguments import absolute
from fastmlp.cli.commands.command import Command, Outcome


def _arguments(parser: argparse.ArgumentParser) -> None:
    from fastmlp.data.course_files import DTYPES
    from fastmlp.data.loading import NAMES

    parser.description = (
        "Write mnist_traindata.hdf5 and mnist_testdata.hdf5: xdata (N, 784) in [0, 1] and ydata (N, 10) one-hot."
    )
    parser.add_argument(
        "--data", default="auto", metavar="NAME", help=f"{', '.join(NAMES)}, or a folder of IDX files (default: auto)"
    )
    parser.add_argument("--out", default="data", metavar="DIR", help="folder of the two files (default: data)")
    parser.add_argument("--dtype", default="float32", choices=DTYPES, help="of xdata (default: float32)")
    parser.add_argument("--force", action="store_true", help="replace files that are there already")


def _run(options: argparse.Namespace) -> Outcome:
    from fastmlp.data.course_files import FILE_NAMES, prepare

    lines = prepare(options.data, options.out, options.dtype, options.force)
    return Outcome({"folder": absolute(options.out), "files": list(FILE_NAMES.values())}, "\n".join(lines))


COMMAND = Command(
    "Write the two HDF5 files of the course assignment", _arguments, _run, "fastmlp prepare --data mnist --out data"
)
