"""A trained network as a safetensors file: layers as tensors, all else as JSON in its metadata.

The tensors are layer1.weight (fan_out, fan_in), layer1.bias (fan_out,) and so on: the state dict of what `to_torch`
returns, in the orientation of PyTorch.
"""

import json
import os
from typing import Any

import numpy as np

from fastmlp.config.stored import read_stored
from fastmlp.errors import InputError
from fastmlp.export.classes import pack_classes, unpack_classes
from fastmlp.export.model_file import ModelRecord
from fastmlp.inputs.encoder import InputEncoder
from fastmlp.inputs.encoder_record import EncoderRecord
from fastmlp.training.history import History, check_layout
from fastmlp.training.parameters import Parameters
from fastmlp.utils.paths import user_path
from fastmlp.utils.records import DamagedRecord, decode_record, encode_record, one_line

FORMAT, FORMAT_VERSION = "fastmlp-safetensors", "1"
_FIX = "expected a file written by an export to safetensors"


def to_safetensors(record: ModelRecord) -> bytes:
    """Return what `from_safetensors` reads: settings, classes, inputs and layers, without the history of the training.

    Parameters
    ----------
    record : ModelRecord
        The network.

    Raises
    ------
    InputError
        If safetensors is not installed.
    """
    tensors: dict[str, Any] = {}
    for number, (W, b) in enumerate(zip(record.parameters.weights, record.parameters.biases, strict=True), 1):
        tensors[f"layer{number}.weight"], tensors[f"layer{number}.bias"] = np.ascontiguousarray(W.T), b.copy()
    pack_classes(record.classes)  # raises for those that no file has
    metadata = {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        "fastmlp_version": record.fastmlp_version,
        "settings": json.dumps(record.config.to_stored_dict()),
        "classes": json.dumps(record.classes.tolist()),
        "inputs": encode_record(record.encoder.to_record()),
    }
    return bytes(_library().numpy.save(tensors, metadata))


def read(path: str | os.PathLike[str]) -> ModelRecord:
    """Read a file of what `to_safetensors` returned.

    Parameters
    ----------
    path : path
        Of the file.

    Raises
    ------
    InputError
        When it is missing, damaged or something else.
    """
    path = user_path(path)
    if not path.is_file():
        raise InputError(f"{path} {'is a folder' if path.is_dir() else 'does not exist'}; {_FIX}")
    return from_safetensors(path.read_bytes(), str(path))


def from_safetensors(data: bytes, name: str = "the file") -> ModelRecord:
    """Return the network in what `to_safetensors` returned.

    Parameters
    ----------
    data : bytes
        Content of a file.
    name : str
        What to call it in errors.

    Raises
    ------
    InputError
        If they are damaged, or no network of fastmlp.
    """
    library = _library()
    try:
        tensors = library.numpy.load(data)
        header = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])
        metadata = header.get("__metadata__", {})
    except (library.SafetensorError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise DamagedRecord(f"{name} cannot be read ({one_line(error)}); {_FIX}") from None
    if metadata.get("format") != FORMAT:
        raise InputError(
            f"{name} is no network of fastmlp; {_FIX}: MLP.from_weights takes the arrays of others, transposed"
        )
    if metadata.get("format_version") != FORMAT_VERSION:
        raise InputError(
            f"{name} has format {metadata.get('format_version')}, this fastmlp reads {FORMAT_VERSION}; install a newer "
            "fastmlp"
        )
    try:
        return _read(metadata, tensors, name)
    except DamagedRecord:
        raise
    except (KeyError, ValueError, TypeError, AttributeError, RecursionError) as error:
        raise DamagedRecord(f"{name} cannot be read ({one_line(error)}); {_FIX}") from None


def _read(metadata: dict[str, str], tensors: dict[str, Any], name: str) -> ModelRecord:
    config = read_stored(json.loads(metadata["settings"]), with_threads=True, may_lack=True)
    classes = unpack_classes(np.frombuffer(metadata["classes"].encode(), np.uint8))
    encoder = InputEncoder.from_record(
        decode_record(metadata["inputs"].encode(), EncoderRecord, f"{name}: inputs", _FIX)
    )
    widths = [encoder.features, *config.hidden, len(classes)]
    parts = [f"layer{number}.{part}" for number in range(1, len(widths)) for part in ("weight", "bias")]
    if unexpected := set(tensors) ^ set(parts):
        raise ValueError(f"{min(unexpected)} is {'unknown' if min(unexpected) in tensors else 'missing'}")
    for number in range(1, len(widths)):
        fan_in, fan_out = widths[number - 1 : number + 1]
        check_layout(f"layer{number}.weight", tensors[f"layer{number}.weight"], (fan_out, fan_in), config.dtype)
        check_layout(f"layer{number}.bias", tensors[f"layer{number}.bias"], (fan_out,), config.dtype)
    parameters = Parameters(widths, config.layer_activations, config.dtype)
    for number, (W, b) in enumerate(zip(parameters.weights, parameters.biases, strict=True), 1):
        W[...], b[...] = tensors[f"layer{number}.weight"].T, tensors[f"layer{number}.bias"]
    return ModelRecord(config, parameters, classes, encoder, History(), fastmlp_version=metadata["fastmlp_version"])


def _library() -> Any:
    try:
        import safetensors.numpy
    except ImportError:
        raise InputError(
            "safetensors is not installed, which reads and writes such files: pip install 'fastmlp[safetensors]'"
        ) from None
    return safetensors
