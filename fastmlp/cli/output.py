"""Where a command writes its result: standard output, or a file that is whole or absent."""

import sys
from collections.abc import Iterable
from pathlib import Path

from fastmlp.errors import InputError, visible
from fastmlp.training.screen import is_terminal, write_result
from fastmlp.utils.atomic_files import atomic_path, check_replaceable
from fastmlp.utils.paths import user_path, written_path


def output_file(path: str, force: bool, used: Iterable[Path]) -> Path:
    """Return the path of `--out`, checked before the work begins.

    Parameters
    ----------
    path : str
        As given.
    force : bool
        Whether to replace a file that is there already.
    used : iterable of Path
        Files that the work reads, which are never replaced.

    Raises
    ------
    InputError
        If it is there already, or no file, such as a folder; also with `force` if it is read, or a part of a run.
    """
    out = user_path(path)
    check_replaceable(out)
    if out.exists():
        from fastmlp.runs.run_directory import Run  # late, for it imports numpy

        if any(each.exists() and out.samefile(each) for each in used):
            raise InputError(f"{out} is an input of this command; choose another --out")
        if any(Run(folder).reads(out.resolve()) for folder in out.resolve().parents[:3]):
            raise InputError(f"{out} is a part of a run; choose another --out")
        if not force:
            raise InputError(f"{out} is there already; pass --force to replace it, or choose another --out")
    return out


def write_pieces(pieces: Iterable[str], out: Path | None) -> None:
    """Write text piece by piece.

    Parameters
    ----------
    pieces : iterable of str
        The text.
    out : Path or None
        The file, in UTF-8, which appears when it is whole; None for standard output: on a terminal without control
        codes.
    """
    if out is None:
        write_result(map(visible, pieces) if is_terminal(sys.stdout) else pieces)
        return
    with atomic_path(written_path(out)) as temporary, open(temporary, "x", encoding="utf-8", newline="") as file:
        file.writelines(pieces)
