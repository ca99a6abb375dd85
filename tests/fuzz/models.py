"""Campaigns against model files: raw mutations, and forged files whose checksum is right."""

import tracemalloc

import numpy as np

from fastmlp import MLP
from tests.fuzz.campaign import Campaign, command
from tests.fuzz.mutators import mutated, mutated_bytes, refusal
from tests.helpers.exported_networks import BITS, NAMES, PIXELS, THIRDS, WIDE, network, table
from tests.helpers.model_files import parts, sealed, texts, with_model

ROOM = 300_000  # bytes, for the objects of settings and errors


def _images():
    """Model files of several kinds."""
    X = table(True)
    networks = [
        network(X, NAMES, (X, NAMES), missing="median", optimizer="adam", dropout=0.1, early_stopping=3),
        network(PIXELS, THIRDS, schedule="cosine", class_weight="balanced", hidden=(4,)),
        network(WIDE, BITS, dtype="float64", loss="binary_cross_entropy", activation=("tanh", "sigmoid")),
        network(WIDE.astype(float), 20 * WIDE[:, :2] + 50, loss="squared_error", dtype="float64"),
        network(WIDE, THIRDS, hidden=()),
    ]
    return [mlp.to_bytes() for mlp in networks]


def _used(data):
    """Read a network, and use it for what a file may have made impossible."""
    with np.errstate(all="ignore"):
        mlp = MLP.from_bytes(data)
        mlp.to_bytes()
        mlp.predict(np.ones((2, mlp.weights[0].shape[0])))


def _small(data):
    """Read bytes, and check that it takes at most as much memory again, and four times that of text in the header."""
    header = min(int.from_bytes(data[:8], "little"), len(data))
    tracemalloc.start()
    try:
        refusal(MLP.from_bytes, data)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak <= len(data) + 4 * header + ROOM, f"{peak:,} bytes beside the file's own for a file of {len(data):,}"


def _forged(data, choose):
    """A file with a right checksum and something else changed."""
    header, body = parts(data)
    start = 8 + int.from_bytes(data[:8], "little")
    kind = choose.randrange(6)
    if kind == 0:
        return sealed(mutated_bytes(data[8:start], choose), body)
    if kind == 1:
        return sealed(data[8:start], mutated_bytes(body, choose))
    if kind == 2:
        lengths = (0, 1, start, len(data), 2**31, 2**63, 2**64 - 1, choose.randrange(2 * len(data)))
        return sealed(data[8:start], body, choose.choice(lengths))
    if kind == 3:
        header["__metadata__"]["history"] = mutated_bytes(header["__metadata__"]["history"].encode(), choose).decode(
            "utf-8", "replace"
        )
        return sealed(header, body)
    if kind == 4:
        tensors = {name: entry for name, entry in header.items() if name != "__metadata__"}
        text = mutated(tensors, choose)[1:-1].encode("utf-8", "surrogatepass")
        return sealed(data[8 : data.index(b'},"layer1') + 2] + text + b"}", body)
    return with_model(data, mutated(texts(data)[0], choose))


def raw(folder):
    images = _images()
    return lambda choose: (refusal(_used, data := mutated_bytes(choose.choice(images), choose)), _small(data))


def forged(folder):
    images = _images()
    return lambda choose: (refusal(_used, data := _forged(choose.choice(images), choose)), _small(data))


def large(folder):
    """A network of 1.6 MB, of which a second copy could not be hidden in `ROOM`."""
    data = network(PIXELS, THIRDS, hidden=(2000, 130)).to_bytes()
    assert len(data) > 5 * ROOM
    return lambda choose: _small(mutated_bytes(data, choose) if choose.random() < 0.5 else _forged(data, choose))


def described(folder):
    images, path = _images(), folder / "models" / "forged.safetensors"
    path.parent.mkdir()

    def case(choose):
        data = choose.choice(images)
        path.write_bytes(with_model(data, mutated(texts(data)[0], choose)))
        command("info", path, folder=path.parent)

    return case


CAMPAIGNS = (
    Campaign("model files: bytes changed, cut and spliced", raw, 60_000, 300),
    Campaign("model files forged with a right checksum: headers, metadata, tensors, lengths", forged, 40_000, 300),
    Campaign("a model file of 1.6 MB, changed or forged: no more memory than twice the file", large, 2_000, 10),
    Campaign("types and values in the metadata of a model, read by `fastmlp info`", described),
)
