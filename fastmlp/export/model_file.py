"""A trained network as an HDF5 file: settings, weights, history, classes and version; no pickle."""

import io
import itertools
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import h5py

from fastmlp._version import __version__
from fastmlp.errors import InputError
from fastmlp.training.failure import FailureReason
from fastmlp.training.history import History
from fastmlp.utils.atomic_files import write_bytes

if TYPE_CHECKING:
    from fastmlp.mlp import MLP

FORMAT = "fastmlp-model"
FORMAT_VERSION = 2


class _WrongFormat(InputError):
    """The file is whole, but not one that this version reads."""


def save(mlp: "MLP", path: str | os.PathLike[str]) -> None:
    """Write `mlp` to `path`, atomically.

    Attributes: format, format_version, fastmlp_version, settings (JSON), failure_reason (empty for none), diagnoses
    (JSON).
    Datasets: classes (C,) int64; weights/0.. (fan_in, fan_out), biases/0.. (fan_out,);
    history/<column> (epochs,).
    """
    write_bytes(path, dumps(mlp))


def dumps(mlp: "MLP") -> bytes:
    """What `save` writes."""
    image = io.BytesIO()  # not HDF5's own memory files: two of one name cannot be open at once
    with h5py.File(image, "w") as file:
        file.attrs.update(
            format=FORMAT,
            format_version=FORMAT_VERSION,
            fastmlp_version=__version__,
            failure_reason=str(mlp.failure_reason or ""),
        )
        # A file cannot hold a function: the schedule of one is "custom".
        file.attrs["settings"] = json.dumps(mlp.config.to_stored_dict())
        file.attrs["diagnoses"] = json.dumps(mlp.history.diagnoses)
        file["classes"] = mlp.classes
        for name, column in mlp.history.to_numpy().items():
            file[f"history/{name}"] = column
        for layer, (W, b) in enumerate(zip(mlp.weights, mlp.biases, strict=True)):
            file[f"weights/{layer}"], file[f"biases/{layer}"] = W, b
    return image.getvalue()


def load(cls: "type[MLP]", path: str | os.PathLike[str]) -> "MLP":
    """The network in `path`, as `save` wrote it. InputError when it is missing, damaged or something else."""
    path = Path(path)
    if not path.is_file():
        what = "is a folder" if path.is_dir() else "does not exist"
        raise InputError(f"{path} {what}; expected a model file written by MLP.save")
    return loads(cls, path.read_bytes(), path)


def loads(cls: "type[MLP]", data: bytes, path: str | os.PathLike[str] = "the model") -> "MLP":
    """The inverse of `dumps`; `path` is what to call it in an error."""
    try:
        with h5py.File(io.BytesIO(data), "r") as file:
            _check_format(file, path)
            return _read(cls, file)
    except _WrongFormat:
        raise
    except (OSError, KeyError, ValueError, TypeError, AttributeError, RuntimeError, OverflowError) as error:
        raise InputError(f"{path} cannot be read ({error}); expected a whole model file written by MLP.save") from None


def _check_format(file: Any, path: str | os.PathLike[str]) -> None:
    if file.attrs.get("format") != FORMAT:
        raise _WrongFormat(f"{path} is no model of fastmlp; expected a file written by MLP.save")
    if file.attrs["format_version"] > FORMAT_VERSION:
        raise _WrongFormat(
            f"{path} has model format {file.attrs['format_version']}, this fastmlp reads up to {FORMAT_VERSION}; "
            "install a newer fastmlp"
        )


def _read(cls: "type[MLP]", file: Any) -> "MLP":
    mlp = cls(**json.loads(file.attrs["settings"]))
    mlp.classes = file["classes"][:]
    mlp.failure_reason = FailureReason(file.attrs["failure_reason"]) if file.attrs["failure_reason"] else None
    # Before room is made for them: damaged settings may ask for any amount.
    shapes = [file[f"weights/{layer}"].shape for layer in range(len(mlp.hidden) + 1)]
    widths = [shapes[0][0], *mlp.hidden, len(mlp.classes)]
    if shapes != list(itertools.pairwise(widths)):
        raise ValueError(f"weights of shapes {shapes} for layers of {widths}")
    mlp._build(widths[0])
    mlp.history = History.from_dict({name: column[:] for name, column in file["history"].items()})
    mlp.history.diagnoses = json.loads(file.attrs.get("diagnoses", "[]"))  # older files have none
    for layer, (W, b) in enumerate(zip(mlp.weights, mlp.biases, strict=True)):
        W[...], b[...] = file[f"weights/{layer}"][:], file[f"biases/{layer}"][:]
    return mlp
