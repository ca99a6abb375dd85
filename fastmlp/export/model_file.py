"""A trained network as a safetensors file with a checksum: layers as tensors, all else as text in its metadata.

The tensors are layer1.weight (fan_out, fan_in), layer1.bias (fan_out,) and so on: the state dict of what `to_torch`
returns, in the orientation of PyTorch. Of the metadata `model` is a `ModelMetadata` as JSON, `history` the history as
CSV; see `sealed_tensors` for the others.
"""

import itertools
import os
from dataclasses import dataclass
from typing import Annotated, Any

from msgspec import Meta, MsgspecError
from numpy.typing import NDArray

from fastmlp._version import __version__
from fastmlp.config.network import NetworkConfig
from fastmlp.config.stored import read_stored
from fastmlp.config.target_scaling import scale_of
from fastmlp.errors import InputError, InputTypeError
from fastmlp.export.classes import PlainClass, classes_of, plain_classes
from fastmlp.export.sealed_tensors import FORMAT_VERSION, HEAD, pack, unpack, version_of
from fastmlp.inputs.encoder import InputEncoder
from fastmlp.inputs.encoder_record import EncoderRecord
from fastmlp.training.failure import FailureReason
from fastmlp.training.history import DiagnosisRecord, History, check_layout
from fastmlp.training.memory_need import check_network
from fastmlp.training.parameters import Parameters
from fastmlp.utils.atomic_files import write_bytes
from fastmlp.utils.paths import user_path, written_path
from fastmlp.utils.records import DamagedRecord, Name, Record, decode_record, encode_record, one_line

_EXPECTED = "expected a file written by MLP.save"
_HDF5 = b"\x89HDF\r\n\x1a\n"
_TEXTS = ("model", "history")


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
    """What a model file has in addition to layers and history.

    Attributes
    ----------
    fastmlp_version : str
        Version that wrote it.
    settings : dict
        What `NetworkConfig.to_stored_dict` returns.
    classes : tuple
        What the outputs stand for, see `fastmlp.export.classes`.
    inputs : EncoderRecord
        What the inputs mean.
    failure_reason : str or None
        Why the training failed.
    diagnoses : tuple of DiagnosisRecord
        What was seen during the training.
    """

    fastmlp_version: Name
    settings: dict[str, Any]
    classes: Annotated[tuple[PlainClass, ...], Meta(min_length=1)]
    inputs: EncoderRecord
    failure_reason: Name | None
    diagnoses: tuple[DiagnosisRecord, ...]


def save(record: ModelRecord, path: str | os.PathLike[str]) -> None:
    """Write a network to a file, atomically.

    Parameters
    ----------
    record : ModelRecord
        The network.
    path : path
        Of the file; of a link, the file that it leads to.
    """
    write_bytes(written_path(path), dumps(record))


def dumps(record: ModelRecord) -> bytes:
    """Return what `save` writes.

    Parameters
    ----------
    record : ModelRecord
        The network.
    """
    parameters = record.parameters
    widths = (parameters.features, *record.config.hidden, parameters.outputs)
    check_network(widths, 2 * parameters.buffer.nbytes)  # the layers, and the file that they are joined to
    metadata = ModelMetadata(
        fastmlp_version=__version__,
        settings=record.config.to_stored_dict(),
        classes=plain_classes(record.classes),
        inputs=record.encoder.to_record(),
        failure_reason=record.failure_reason,
        diagnoses=record.history.diagnosis_records(),
    )
    layers = zip(parameters.weights, parameters.biases, strict=True)
    arrays: dict[str, NDArray[Any]] = {}
    for number, (W, b) in enumerate(layers, 1):
        arrays[f"layer{number}.weight"], arrays[f"layer{number}.bias"] = W.T, b
    texts = (encode_record(metadata, indent=None), record.history.to_csv())
    return pack(dict(zip(_TEXTS, texts, strict=True)), arrays)


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
    with open(path, "rb") as file:
        _check_format(file.read(HEAD), path)  # before all of a large file that is something else is read
        file.seek(0)
        return loads(file.read(), path)


def is_model(path: str | os.PathLike[str]) -> bool:
    """Return whether a file is a model of fastmlp, of any version since models are safetensors files.

    Parameters
    ----------
    path : path
        Of a file, which need not be there.
    """
    path = user_path(path)
    try:
        if not path.is_file():  # a pipe would be waited for
            return False
        with open(path, "rb") as file:
            return version_of(file.read(HEAD)) is not None
    except OSError:
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
    InputTypeError
        If it is something else than bytes.
    InputError
        When the bytes are damaged, of another version or something else.
    """
    if not isinstance(data, bytes | bytearray | memoryview):
        raise InputTypeError(f"{path} is of type {type(data).__name__}; expected the bytes that `to_bytes` returned")
    _check_format(data, path)
    try:
        texts, arrays = unpack(data)
        if missing := set(_TEXTS) ^ set(texts):
            raise ValueError(f"metadata: {min(missing)} is {'unknown' if min(missing) in texts else 'missing'}")
        metadata = decode_record(texts["model"], ModelMetadata, path, _EXPECTED)
        return _read(metadata, texts["history"], arrays)
    except DamagedRecord:
        raise
    except (MsgspecError, KeyError, ValueError, OverflowError, RecursionError) as error:
        raise DamagedRecord(f"{path} cannot be read ({one_line(error)}); {_EXPECTED}") from None


def _check_format(head: bytes, path: str | os.PathLike[str]) -> None:
    version = version_of(head)
    if version is None and head.startswith(_HDF5):
        raise InputError(f"{path} is an HDF5 file, and models are safetensors files; {_EXPECTED}: train it again")
    if version is None:
        raise InputError(f"{path} is not a model of fastmlp; {_EXPECTED} (MLP.from_weights takes the arrays of others)")
    if version != FORMAT_VERSION:
        hint = "install a newer fastmlp" if version > FORMAT_VERSION else "train it again"
        raise InputError(f"{path} has model format {version}, this fastmlp reads {FORMAT_VERSION}; {hint}")


def _read(metadata: ModelMetadata, history: str, arrays: dict[str, NDArray[Any]]) -> ModelRecord:
    config = read_stored(metadata.settings, with_threads=True, may_lack=True)
    classes, encoder = classes_of(metadata.classes), InputEncoder.from_record(metadata.inputs)
    if scale_of(classes) is not None and (config.loss_function.has_probabilities or config.loss == "poisson"):
        raise ValueError(f"classes are the scale of numbers, which loss {config.loss!r} has none of")
    widths = [encoder.features, *config.hidden, len(classes)]
    shapes: dict[str, tuple[int, ...]] = {}
    for number, (fan_in, fan_out) in enumerate(itertools.pairwise(widths), 1):
        shapes |= {f"layer{number}.weight": (fan_out, fan_in), f"layer{number}.bias": (fan_out,)}
    if names := set(shapes) ^ set(arrays):
        raise ValueError(f"{min(names)} is {'unknown' if min(names) in arrays else 'missing'}")
    for name, shape in shapes.items():
        check_layout(name, arrays[name], shape, config.dtype)
    parameters = Parameters(widths, config.layer_activations, config.dtype)
    for number, (W, b) in enumerate(zip(parameters.weights, parameters.biases, strict=True), 1):
        W[...], b[...] = arrays[f"layer{number}.weight"].T, arrays[f"layer{number}.bias"]
    columns = History.from_csv_text(history, "history").to_numpy()
    return ModelRecord(
        config,
        parameters,
        classes,
        encoder,
        History.from_file(columns, len(columns["epoch"]), metadata.diagnoses),
        FailureReason(metadata.failure_reason) if metadata.failure_reason else None,
        metadata.fastmlp_version,
    )
