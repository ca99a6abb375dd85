"""A trained network as an HDF5 file: settings, weights, history, classes and version; no pickle."""

import io
import itertools
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from fastmlp._version import __version__
from fastmlp.config.network import NetworkConfig
from fastmlp.errors import InputError
from fastmlp.training.failure import FailureReason
from fastmlp.training.history import History
from fastmlp.training.parameters import Parameters
from fastmlp.utils.atomic_files import write_bytes

FORMAT = "fastmlp-model"
FORMAT_VERSION = 2


class _WrongFormat(InputError):
    """The file is whole, but not one that this version reads."""


@dataclass(frozen=True)
class ModelRecord:
    """What a model file holds.

    Attributes
    ----------
    config : NetworkConfig
        Settings; a function as `schedule` is "custom" in a file.
    parameters : Parameters
        Weights and biases.
    classes : ndarray of shape (C,), int64
        What the outputs stand for.
    history : History
        Of the training, with its diagnoses.
    failure_reason : FailureReason or None
        Why the training failed.
    """

    config: NetworkConfig
    parameters: Parameters
    classes: NDArray[np.int64]
    history: History
    failure_reason: FailureReason | None = None


def save(record: ModelRecord, path: str | os.PathLike[str]) -> None:
    """Write a network to a file, atomically.

    Attributes of the file: format, format_version, fastmlp_version, settings (JSON), failure_reason (empty for none),
    diagnoses (JSON). Datasets: classes (C,) int64; weights/0.. (fan_in, fan_out); biases/0.. (fan_out,);
    history/<column> (epochs,).

    Parameters
    ----------
    record : ModelRecord
        The network.
    path : path
        Of the file.
    """
    write_bytes(path, dumps(record))


def dumps(record: ModelRecord) -> bytes:
    """Return what `save` writes.

    Parameters
    ----------
    record : ModelRecord
        The network.

    Returns
    -------
    bytes
        An HDF5 file.
    """
    image = io.BytesIO()  # not HDF5's own memory files: two of one name cannot be open at once
    with h5py.File(image, "w") as file:
        file.attrs["format"], file.attrs["format_version"] = FORMAT, FORMAT_VERSION
        file.attrs["fastmlp_version"] = __version__
        file.attrs["failure_reason"] = str(record.failure_reason or "")
        file.attrs["settings"] = json.dumps(record.config.to_stored_dict())
        file.attrs["diagnoses"] = json.dumps(record.history.diagnoses)
        file["classes"] = record.classes
        for name, column in record.history.to_numpy().items():
            file[f"history/{name}"] = column
        layers = zip(record.parameters.weights, record.parameters.biases, strict=True)
        for layer, (W, b) in enumerate(layers):
            file[f"weights/{layer}"], file[f"biases/{layer}"] = W, b
    return image.getvalue()


def load(path: str | os.PathLike[str]) -> ModelRecord:
    """Read what `save` wrote.

    Parameters
    ----------
    path : path
        Of the file.

    Returns
    -------
    ModelRecord
        The network.

    Raises
    ------
    InputError
        When the file is missing, damaged, of another version or something else.
    """
    path = Path(path)
    if not path.is_file():
        what = "is a folder" if path.is_dir() else "does not exist"
        raise InputError(f"{path} {what}; expected a model file written by MLP.save")
    return loads(path.read_bytes(), path)


def loads(data: bytes, path: str | os.PathLike[str] = "the model") -> ModelRecord:
    """Return the network in the bytes of a file.

    Parameters
    ----------
    data : bytes
        What `dumps` returned.
    path : path
        What to call it in an error.

    Returns
    -------
    ModelRecord
        The network.

    Raises
    ------
    InputError
        When the bytes are damaged, of another version or something else.
    """
    try:
        with h5py.File(io.BytesIO(data), "r") as file:
            _check_format(file, path)
            return _read(file)
    except _WrongFormat:
        raise
    except (OSError, KeyError, ValueError, TypeError, AttributeError, RuntimeError, OverflowError) as error:
        raise InputError(f"{path} cannot be read ({error}); expected a whole model file written by MLP.save") from None


def _check_format(file: Any, path: str | os.PathLike[str]) -> None:
    if file.attrs.get("format") != FORMAT:
        raise _WrongFormat(f"{path} is no model of fastmlp; expected a file written by MLP.save")
    found = file.attrs["format_version"]
    if found != FORMAT_VERSION:
        hint = "install a newer fastmlp" if found > FORMAT_VERSION else "train it anew"
        raise _WrongFormat(f"{path} has model format {found}, this fastmlp reads {FORMAT_VERSION}; {hint}")


def _read(file: Any) -> ModelRecord:
    config = NetworkConfig.from_dict(json.loads(file.attrs["settings"]))
    classes = file["classes"][:]
    # Before room is made for them: damaged settings may ask for any amount.
    shapes = [file[f"weights/{layer}"].shape for layer in range(len(config.hidden) + 1)]
    widths = [shapes[0][0], *config.hidden, len(classes)]
    if shapes != list(itertools.pairwise(widths)):
        raise ValueError(f"weights of shapes {shapes} for layers of {widths}")
    parameters = Parameters(widths, config.layer_activations, config.dtype)
    for layer, (W, b) in enumerate(zip(parameters.weights, parameters.biases, strict=True)):
        W[...], b[...] = file[f"weights/{layer}"][:], file[f"biases/{layer}"][:]
    history = History.from_dict({name: column[:] for name, column in file["history"].items()})
    history.diagnoses = json.loads(file.attrs["diagnoses"])
    reason = file.attrs["failure_reason"]
    return ModelRecord(config, parameters, classes, history, FailureReason(reason) if reason else None)
