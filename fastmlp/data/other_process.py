"""Read a file in another process, whose end by a signal is an error: libraries in C can be crashed by damaged files.

The two exchange JSON and arrays, no pickles: what reads a file of a stranger is not trusted either.
"""

import json
import os
import signal
import struct
import subprocess
import sys
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np

from fastmlp.data.checks import NoLabels, NoTestPart
from fastmlp.data.csr import CSR
from fastmlp.data.dataset import Dataset, Inputs
from fastmlp.data.readers import registry
from fastmlp.data.readers.reader import Expected
from fastmlp.errors import FastmlpError, InputError, InputTypeError, OutOfMemoryError
from fastmlp.inputs.image_style import ImageStyle
from fastmlp.inputs.table import Table
from fastmlp.utils.free_memory import limit_own_memory

MOST_SECONDS, BYTES_IN_A_SECOND = 60, 1 << 20  # of a CPU that a file may take: so many, and one for each megabyte
_KINDS = {kind.__name__: kind for kind in (CSR, Dataset, Expected, Inputs, ImageStyle, Table)}
_ERRORS = {kind.__name__: kind for kind in (InputError, InputTypeError, NoLabels, NoTestPart, OutOfMemoryError)}


def call(function: str, path: Path, *arguments: Any) -> Any:
    """Call a function of `fastmlp.data.readers.registry` in another process.

    Parameters
    ----------
    function : {"read", "read_inputs"}
        Its name.
    path : Path
        The file.
    *arguments : object
        The others: values of JSON, tuples, and records that are known here.

    Returns
    -------
    Dataset or Inputs
        What it returned.

    Raises
    ------
    InputError, InputTypeError
        What it raised; or if the process ended.
    """
    found = os.pathsep.join(folder for folder in sys.path if folder)
    process = subprocess.Popen(  # noqa: S603  this interpreter, with nothing of the file among its arguments
        [sys.executable, "-P", "-c", f"from {__name__} import serve; serve()"], env={**os.environ, "PYTHONPATH": found},
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True,  # Ctrl-C is for this process
    )  # fmt: skip
    with process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            _send(process.stdin, [function, str(path), *arguments])
            process.stdin.close()
            kind, value = _receive(process.stdout)
        except (EOFError, BrokenPipeError) as error:
            raise InputError(
                f"{path} ended the process that read it ({_ending(process.wait())}); it is damaged: copy it again"
            ) from error
        except BaseException:
            process.kill()  # a library may be in an endless loop
            raise
    if kind is not None:
        raise _ERRORS.get(kind, InputError)(value)
    return value


def serve() -> None:
    """Do what `call` asks for, in the other process."""
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # what a library prints
    function, path, *arguments = _receive(sys.stdin.buffer)
    if sys.platform != "win32":  # a damaged file can lead HDF5 into an endless loop, which this ends
        import resource

        size = os.stat(path).st_size if os.path.exists(path) else 0  # which is told below
        seconds = MOST_SECONDS + size // BYTES_IN_A_SECOND
        resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    limit_own_memory()
    try:
        answer: tuple[str | None, Any] = (None, getattr(registry, function)(Path(path), *arguments))
    except FastmlpError as error:
        answer = (type(error).__name__, str(error))
    _send(answers, answer)
    answers.close()


def _ending(status: int) -> str:
    return f"signal {signal.Signals(-status).name}" if status < 0 else f"status {status}"


# ------------------------------------------------------------------------------------------------------ the exchange


class _Stream:
    """A pipe as numpy takes it: of what has more of a file it asks for a place in it."""

    def __init__(self, file: IO[bytes]):
        self.read, self.write = file.read, file.write


def _send(file: IO[bytes], value: object) -> None:
    """Write the length of a value in JSON, the JSON, and its arrays as npy."""
    arrays: list[np.ndarray] = []
    text = json.dumps(_plain(value, arrays)).encode()
    file.write(struct.pack("<QQ", len(text), len(arrays)) + text)
    for array in arrays:
        np.lib.format.write_array(_Stream(file), array, allow_pickle=False)
    file.flush()


def _receive(file: IO[bytes]) -> Any:
    """Return a value that `_send` wrote. Raises EOFError where it ends."""
    length, count = struct.unpack("<QQ", _exactly(file, 16))
    text = _exactly(file, length)
    try:
        arrays = [np.lib.format.read_array(_Stream(file), allow_pickle=False) for _ in range(count)]
    except ValueError as error:
        raise EOFError(str(error)) from error
    return _restored(json.loads(text), arrays)


def _exactly(file: IO[bytes], count: int) -> bytes:
    data = file.read(count)
    if len(data) < count:
        raise EOFError("the other process sent less than it said")
    return data


def _plain(value: Any, arrays: list[np.ndarray]) -> Any:
    """Return a value as JSON has it; its arrays are added to others, but for those of text."""
    if isinstance(value, np.ndarray):
        if value.dtype == object:
            return {"text": value.tolist()}
        arrays.append(value)
        return {"array": len(arrays) - 1}
    if type(value) in _KINDS.values():
        names = [field.name for field in fields(value)] if is_dataclass(value) else value.__struct_fields__
        parts = {name: _plain(getattr(value, name), arrays) for name in names}
        return {"kind": type(value).__name__, "parts": parts}
    if isinstance(value, list | tuple):
        return {"tuple": [_plain(item, arrays) for item in value]}
    return value.item() if isinstance(value, np.generic) else value


def _restored(value: Any, arrays: list[np.ndarray]) -> Any:
    if not isinstance(value, dict):
        return value
    if "tuple" in value:
        return tuple(_restored(item, arrays) for item in value["tuple"])
    if "array" in value:
        return arrays[value["array"]]
    if "text" in value:
        return np.array([*value["text"], None], object)[:-1]  # of one axis
    return _KINDS[value["kind"]](**{name: _restored(part, arrays) for name, part in value["parts"].items()})
