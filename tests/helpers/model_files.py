"""Model files read by the safetensors library, and written anew with other content and the checksum of that."""

import hashlib
import json
import re

import safetensors.numpy


def parts(data):
    """The header of a file as plain values, and the bytes of its tensors."""
    start = 8 + int.from_bytes(data[:8], "little")
    return json.loads(data[8:start]), data[start:]


def texts(data):
    """The metadata that are JSON or CSV: settings and so on as plain values, and the history as text."""
    metadata = parts(data)[0]["__metadata__"]
    return json.loads(metadata["model"]), metadata["history"]


def tensors(data):
    return safetensors.numpy.load(data)


def sealed(header, body, length=None):
    """A file of these parts, with the SHA-256 of all bytes but its own digits.

    header  plain values, or bytes
    length  what the file says of the header's; None: the truth
    """
    text = header if isinstance(header, bytes) else json.dumps(header, separators=(",", ":")).encode()
    data = (len(text) if length is None else length).to_bytes(8, "little") + text + body
    seal = re.search(rb'"sha256":"(.{64})"', data)
    if seal is None:
        return data
    digest = hashlib.sha256(data[: seal.start(1)] + data[seal.end(1) :]).hexdigest().encode()
    return data[: seal.start(1)] + digest + data[seal.end(1) :]


def with_model(data, model):
    """A file with other plain values in its metadata, given as such or as text."""
    header, body = parts(data)
    header["__metadata__"]["model"] = model if isinstance(model, str) else json.dumps(model)
    return sealed(header, body)


def with_tensors(data, change):
    """A file whose tensors and metadata a function has changed."""
    arrays, metadata = tensors(data), parts(data)[0]["__metadata__"]
    change(arrays, metadata)
    header, body = parts(safetensors.numpy.save(arrays, metadata))
    header = {"__metadata__": metadata, **{name: header[name] for name in header if name != "__metadata__"}}
    return sealed(header, body)
