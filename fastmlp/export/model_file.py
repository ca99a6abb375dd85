"""A trained network as an HDF5 file: settings, weights, meaning of its inputs, history, classes, version; no pickle."""

import io
import itertools
import json
import os
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import h5py
import msgspec
import numpy as np
from numpy.typing import NDArray

from fastmlp._version import __version__
from fastmlp.config.network import NetworkConfig
from fastmlp.config.stored import read_stored
from fastmlp.config.target_scaling import scale_of
from fastmlp.errors import InputError
from fastmlp.export.classes import pack_classes, unpack_classes
from fastmlp.inputs.encoder import InputEncoder
from fastmlp.inputs.encoder_record import EncoderRecord
from fastmlp.training.failure import FailureReason
from fastmlp.training.history import COLUMNS, DiagnosisRecord, History, check_layout
from fastmlp.training.parameters import Parameters
from fastmlp.utils.atomic_files import write_bytes
from fastmlp.utils.paths import user_path
from fastmlp.utils.records import (
    DamagedRecord,
    Name,
    Record,
    convert_record,
    decode_record,
    encode_record,
    one_line,
)

FORMAT = "fastmlp-model"
FORMAT_VERSION = 4
_FIX = "expected a whole model file written by MLP.save"


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
    classes : ndarray of shape (C,)
        What the outputs stand for.
    encoder : InputEncoder
        What the inputs mean.
    history : History
        Of the training, with its diagnoses.
    failure_reason : FailureReason or None
        Why the training failed.
    fastmlp_version : str
        Version that wrote it.
    """

    config: NetworkConfig
    parameters: Parameters
    classes: NDArray[Any]
    encoder: InputEncoder
    history: History
    failure_reason: FailureReason | None = None
    fastmlp_version: str = __version__


class ModelMetadata(Record, frozen=True, kw_only=True):
    """The attributes of a model file, but for its format.

    Attributes
    ----------
    fastmlp_version : str
        Version that wrote it.
    settings : dict
        What `NetworkConfig.to_stored_dict` returns.
    failure_reason, failure_kind : str
        Why the training failed, and `FailureReason.kind`; empty for none.
    diagnoses : tuple of DiagnosisRecord
        What was seen during the training.
    """

    fastmlp_version: Name
    settings: dict[str, Any]
    failure_reason: str
    failure_kind: str
    diagnoses: tuple[DiagnosisRecord, ...]

    def __post_init__(self) -> None:
        if self.failure_kind != (self.failure.kind if self.failure else ""):
            raise ValueError(f"failure_kind is {self.failure_kind!r} of failure_reason {self.failure_reason!r}")

    @property
    def failure(self) -> FailureReason | None:
        """Why the training failed."""
        return FailureReason(self.failure_reason) if self.failure_reason else None

    @property
    def config(self) -> NetworkConfig:
        """Its settings; ValueError for those that no file has."""
        return read_stored(self.settings, with_threads=True, may_lack=True)


def save(record: ModelRecord, path: str | os.PathLike[str]) -> None:
    """Write a network to a file, atomically.

    Attributes of the file: format, format_version, fastmlp_version, settings (JSON), failure_reason and failure_kind
    (empty for none), diagnoses (JSON). Datasets: classes (C,) int64, a JSON list of other labels in bytes, or a
    scale (C, 2) float64; inputs, an `EncoderRecord` as bytes of JSON; weights/0.. (fan_in, fan_out); biases/0..
    (fan_out,); history/<column> (epochs,).

    Parameters
    ----------
    record : ModelRecord
        The network.
    path : path
        Of the file.
    """
    write_bytes(user_path(path), dumps(record))


def dumps(record: ModelRecord) -> bytes:
    """Return what `save` writes.

    Parameters
    ----------
    record : ModelRecord
        The network.
    """
    image = io.BytesIO()  # not HDF5's own memory files: two of one name cannot be open at once
    with h5py.File(image, "w") as file:
        file.attrs["format"], file.attrs["format_version"] = FORMAT, FORMAT_VERSION
        file.attrs["fastmlp_version"] = __version__
        reason = record.failure_reason
        file.attrs["failure_reason"], file.attrs["failure_kind"] = (str(reason), reason.kind) if reason else ("", "")
        file.attrs["settings"] = json.dumps(record.config.to_stored_dict())
        file.attrs["diagnoses"] = json.dumps(record.history.diagnoses)
        file["classes"] = pack_classes(record.classes)
        file["inputs"] = np.frombuffer(encode_record(record.encoder.to_record()).encode(), np.uint8)
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

    Raises
    ------
    InputError
        When the file is missing, damaged, of another version or something else.
    """
    path = user_path(path)
    if not path.is_file():
        what = "is a folder" if path.is_dir() else "does not exist"
        raise InputError(f"{path} {what}; expected a model file written by MLP.save")
    return loads(path.read_bytes(), path)


def is_model(path: str | os.PathLike[str]) -> bool:
    """Return whether a file is a model of fastmlp, of any version.

    Parameters
    ----------
    path : path
        Of a file, which need not be there.
    """
    try:
        with h5py.File(path, "r") as file:
            return "format" in file.attrs and _attribute(file, "format") == FORMAT
    except (OSError, KeyError, ValueError, TypeError, RuntimeError):
        return False


def loads(data: bytes, path: str | os.PathLike[str] = "the model") -> ModelRecord:
    """Return the network in the bytes of a file.

    Parameters
    ----------
    data : bytes
        What `dumps` returned.
    path : path
        What to call it in an error.

    Raises
    ------
    InputError
        When the bytes are damaged, of another version or something else.
    """
    try:
        with h5py.File(io.BytesIO(data), "r") as file:
            _check_format(file, path)
            return _read(file, len(data), path)
    except (_WrongFormat, DamagedRecord):
        raise
    except (OSError, KeyError, ValueError, TypeError, AttributeError, RuntimeError, OverflowError) as error:
        raise DamagedRecord(f"{path} cannot be read ({one_line(error)}); {_FIX}") from None


def _check_format(file: Any, path: str | os.PathLike[str]) -> None:
    if "format" not in file.attrs or _attribute(file, "format") != FORMAT:
        raise _WrongFormat(f"{path} is no model of fastmlp; expected a file written by MLP.save")
    found = _attribute(file, "format_version")
    if found != FORMAT_VERSION:
        hint = "install a newer fastmlp" if found > FORMAT_VERSION else "train it anew"
        raise _WrongFormat(f"{path} has model format {found}, this fastmlp reads {FORMAT_VERSION}; {hint}")


def _attribute(file: Any, name: str) -> Any:
    """The attribute of that name, a text or a whole number."""
    header = file.attrs.get_id(name)
    if header.shape != () or header.dtype.itemsize > 64:  # bytes; of a text, those of a pointer to it
        raise ValueError(f"{name} is no single value")
    value = file.attrs[name]
    if not isinstance(value, str | np.integer):
        raise TypeError(f"{name} is {value!r}; expected a text or a whole number")
    return value if isinstance(value, str) else int(value)


def _json(file: Any, name: str) -> Any:
    try:
        return msgspec.json.decode(_attribute(file, name))
    except (msgspec.MsgspecError, ValueError, TypeError, RecursionError) as error:
        raise ValueError(one_line(error, name)) from None


def _check_names(group: Any, what: str, expected: Iterable[str]) -> None:
    if isinstance(group, h5py.Dataset):
        raise ValueError(f"{what} is no group")
    names = set(group) ^ set(expected)
    if names:
        raise ValueError(f"{what}: {min(names)} is {'unknown' if min(names) in group else 'missing'}")


def _read(file: Any, size: int, path: str | os.PathLike[str]) -> ModelRecord:
    """The network in a file of so many bytes. What it declares is checked before room is made for anything."""
    _check_names(file.attrs, "attributes", ("format", "format_version", *ModelMetadata.__struct_fields__))
    values = {name: _attribute(file, name) for name in ("fastmlp_version", "failure_reason", "failure_kind")}
    values |= {name: _json(file, name) for name in ("settings", "diagnoses")}
    metadata = convert_record(values, ModelMetadata, path, _FIX)
    config = metadata.config
    layers = [str(layer) for layer in range(len(config.hidden) + 1)]
    _check_names(file, "the file", ("classes", "inputs", "history", "weights", "biases"))
    _check_names(file["weights"], "weights", layers)
    _check_names(file["biases"], "biases", layers)
    _check_names(file["history"], "history", COLUMNS)
    datasets = {name: file[name] for name in ("classes", "inputs")}
    datasets |= {f"{part}/{name}": file[part][name] for part in ("weights", "biases", "history") for name in file[part]}
    for name, dataset in datasets.items():
        if not isinstance(dataset, h5py.Dataset) or dataset.shape is None or dataset.is_virtual or dataset.external:
            raise ValueError(f"{name} is no array in this file")
        if dataset.nbytes > size:
            raise ValueError(f"{name} has {dataset.nbytes} bytes in a file of {size}")
    classes, first = unpack_classes(datasets["classes"][()]), datasets["weights/0"]
    encoder = _read_encoder(datasets["inputs"], path)
    if scale_of(classes) is not None and config.loss_function.has_probabilities:
        raise ValueError(f"classes are the scale of numbers, which loss {config.loss!r} has none of")
    widths = [*first.shape[:1], *config.hidden, len(classes)]
    if len(widths) == len(config.hidden) + 1 or widths[0] < 1:
        raise ValueError(f"weights/0 is of shape {first.shape}; expected (features, {widths[-len(layers)]})")
    for layer, (fan_in, fan_out) in enumerate(itertools.pairwise(widths)):
        check_layout(f"weights/{layer}", datasets[f"weights/{layer}"], (fan_in, fan_out), config.dtype)
        check_layout(f"biases/{layer}", datasets[f"biases/{layer}"], (fan_out,), config.dtype)
    if encoder.features != widths[0]:
        raise ValueError(f"inputs have {encoder.features} features; expected {widths[0]}, as weights/0")
    epochs = datasets["history/epoch"]
    history = History.from_file(
        {name: datasets[f"history/{name}"] for name in COLUMNS}, epochs.size, metadata.diagnoses
    )
    parameters = Parameters(widths, config.layer_activations, config.dtype)
    for layer, (W, b) in enumerate(zip(parameters.weights, parameters.biases, strict=True)):
        W[...], b[...] = datasets[f"weights/{layer}"][:], datasets[f"biases/{layer}"][:]
    return ModelRecord(config, parameters, classes, encoder, history, metadata.failure, metadata.fastmlp_version)


def _read_encoder(dataset: Any, path: str | os.PathLike[str]) -> InputEncoder:
    check_layout("inputs", dataset, (max(dataset.size, 1),), np.uint8)
    return InputEncoder.from_record(decode_record(dataset[:].tobytes(), EncoderRecord, f"{path}: inputs", _FIX))
